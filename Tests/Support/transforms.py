"""What `--set`, `--remove` and `--hash` make of an item, by another program than dynarc: after docs/transforms.md.

Items are in boto3's form. A path is a tuple of names and of indices into lists; a rule is `("set", path, value)`,
`("remove", path)` or `("hash", path)`, its value typed as boto3 has it.
"""

from __future__ import annotations

import base64
import copy
import hashlib
import hmac
import json
import re
from decimal import Decimal
from typing import Any, Callable

from items import Item

KEY = b"a hash key of the tests"
Path = tuple[Any, ...]


class Mismatch(Exception):
    """A value is of a type that the rule cannot change."""


# MARK: Rules as options


def options(rules: list[tuple]) -> list[str]:
    """The rules as dynarc's options."""
    words = []
    for operation, path, *value in rules:
        text = written(path)
        words += [f"--{operation}", f"{text}={json.dumps(wire(value[0]))}" if value else text]
    return words


def written(path: Path) -> str:
    """A path as people write it, names in quotation marks where they must be."""
    text = ""
    for step in path:
        if isinstance(step, int):
            text += f"[{step}]"
        else:
            plain = re.fullmatch(r"""[^\x00-\x20\x7f.\[\],"\\=]+""", step)
            text += ("." if text else "") + (step if plain else json.dumps(step))
    return text


def wire(typed: Item) -> Item:
    """A value in boto3's form as DynamoDB's JSON, binaries in base64."""
    ((kind, content),) = typed.items()
    match kind:
        case "B":
            return {kind: base64.b64encode(content).decode()}
        case "BS":
            return {kind: [base64.b64encode(one).decode() for one in content]}
        case "L":
            return {kind: [wire(one) for one in content]}
        case "M":
            return {kind: {name: wire(one) for name, one in content.items()}}
        case _:
            return typed


# MARK: What becomes of an item


def changed(item: Item, rules: list[tuple], key: bytes = KEY) -> Item:
    """The item as the rules make it; all paths are those of the item as it was."""
    made = {"M": copy.deepcopy(item)}
    # The last elements of a list first, so that what is removed moves nothing that a rule is about.
    for operation, path, *value in sorted(rules, key=lambda rule: [str(step).zfill(9) for step in rule[1]], reverse=True):
        _apply(made, path, operation, value, key)
    return made["M"]


def _apply(parent: Item, path: Path, operation: str, value: list, key: bytes) -> None:
    step, *rest = path
    ((kind, content),) = parent.items()
    if kind == "NULL":
        return
    if kind != ("L" if isinstance(step, int) else "M"):
        raise Mismatch(path)
    there = step < len(content) if isinstance(step, int) else step in content
    if rest:
        if there:
            _apply(content[step], tuple(rest), operation, value, key)
    elif operation == "set":
        if there or not isinstance(step, int):
            content[step] = copy.deepcopy(value[0])
    elif there and operation == "remove":
        del content[step]
    elif there:
        content[step] = hashed(content[step], key)


# MARK: Hashes


def hashed(typed: Item, key: bytes = KEY) -> Item:
    """A value with its hash in its place."""
    ((kind, content),) = typed.items()
    scalar: dict[str, Callable[[Any, bytes], Any]] = {"S": _text, "N": _number, "B": _binary}
    match kind:
        case "NULL":
            return typed
        case "S" | "N" | "B":
            return {kind: scalar[kind](content, key)}
        case "SS" | "NS" | "BS":
            return {kind: [scalar[kind[0]](one, key) for one in content]}
        case _:
            raise Mismatch(kind)


def _code(key: bytes, message: bytes) -> bytes:
    return hmac.new(key, message, hashlib.sha256).digest()


def _text(content: str, key: bytes) -> str:
    return _code(key, b"S" + content.encode())[:16].hex()


def _number(content: str, key: bytes) -> str:
    return str(int.from_bytes(_code(key, b"N" + _canonical(content).encode())[:15], "big"))


def _binary(content: Any, key: bytes) -> bytes:
    return _code(key, b"B" + bytes(content))[:16]


def _canonical(number: str) -> str:
    """A number as format-spec.md, section 10, spells it."""
    sign, digits, exponent = Decimal(number).as_tuple()
    text = "".join(map(str, digits)).lstrip("0")
    if not text:
        return "0"
    kept = text.rstrip("0")
    return f"{'-' if sign else ''}{kept}E{exponent + len(text) - len(kept)}"


def key_check(key: bytes = KEY) -> str:
    """`hashKeyCheck` of an archive that was made with the key."""
    return _code(key, b"dynarc hash key")[:8].hex()
