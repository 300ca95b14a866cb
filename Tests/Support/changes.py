"""What a comparison must find, and the canonical form of items, after format-spec.md and nothing of
dynarc's: slow and plain."""

from __future__ import annotations

import hashlib
import re
from typing import Any, Iterable

from items import Item, canonical, canonical_item

NUMBER = re.compile(r"([+-]?)(\d*)\.?(\d*)(?:[eE]([+-]?\d+))?")


def expected_changes(old: Iterable[Item], new: Iterable[Item], keys: list[str]) -> dict[tuple, str]:
    """The kind of change by key."""
    before, now = (
        {tuple(canonical(item[name]) for name in keys): canonical_item(item) for item in side}
        for side in (old, new)
    )
    return (
        {key: "added" for key in now.keys() - before.keys()}
        | {key: "removed" for key in before.keys() - now.keys()}
        | {key: "changed" for key in before.keys() & now.keys() if before[key] != now[key]}
    )


def digest(item: dict[str, Any]) -> str:
    """The SHA-256 of the canonical form of an item in the service's JSON."""
    return hashlib.sha256(canonical_form(item).encode()).hexdigest()


def canonical_form(item: dict[str, Any]) -> str:
    """Section 10 of format-spec.md."""
    return _object(item, _typed)


def _object(members: dict[str, Any], value: Any) -> str:
    parts = {_string(name): value(content) for name, content in members.items()}
    return "{" + ",".join(f"{name}:{parts[name]}" for name in sorted(parts, key=_order)) + "}"


def _order(text: str) -> bytes:
    return text[1:-1].encode()


def _typed(value: Any) -> str:
    if not isinstance(value, dict) or len(value) != 1:
        return _json(value)
    ((kind, content),) = value.items()
    strings = isinstance(content, list) and all(isinstance(one, str) for one in content)
    if kind == "N" and isinstance(content, str) and NUMBER.fullmatch(content):
        inner = _number(content)
    elif kind == "M" and isinstance(content, dict):
        inner = canonical_form(content)
    elif kind == "L" and isinstance(content, list):
        inner = "[" + ",".join(map(_typed, content)) + "]"
    elif kind in ("SS", "BS") and strings:
        inner = "[" + ",".join(sorted(map(_string, content), key=_order)) + "]"
    elif kind == "NS" and strings:
        inner = "[" + ",".join(sorted(map(_number, content), key=_order)) + "]"
    else:
        inner = _json(content)
    return "{" + _string(kind) + ":" + inner + "}"


def _number(text: str) -> str:
    sign, whole, fraction, exponent = NUMBER.fullmatch(text).groups()
    power = int(exponent or 0) - len(fraction)
    digits = (whole + fraction).lstrip("0")
    if not digits:
        return '"0"'
    power += len(digits) - len(digits.rstrip("0"))
    return f'"{"-" if sign == "-" else ""}{digits.rstrip("0")}E{power}"'


def _string(text: str) -> str:
    short = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
    return '"' + "".join(short.get(c) or (f"\\u{ord(c):04x}" if c < " " else c) for c in text) + '"'


def _json(value: Any) -> str:
    match value:
        case dict():
            return _object(value, _json)
        case list():
            return "[" + ",".join(map(_json, value)) + "]"
        case str():
            return _string(value)
        case None | True | False:
            return {None: "null", True: "true", False: "false"}[value]
        case _:
            raise TypeError("a number's spelling is not kept here")
