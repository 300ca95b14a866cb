"""Items as they are spelled: which bytes of one item are those of another."""

from __future__ import annotations

import json
from json.decoder import scanstring
from typing import Any

_DECODER = json.JSONDecoder()
_SPACE = " \t\r\n"


def members(text: str) -> dict[str, str]:
    """The members of a JSON object, each value as it is spelled."""
    found = {}
    at = _skip(text, 1)
    assert text[0] == "{", text[:80]
    while text[at] != "}":
        name, end = scanstring(text, at + 1)
        end = _skip(text, end)
        assert text[end] == ":" and name not in found, text[end - 20 : end + 20]
        start = _skip(text, end + 1)
        _, stop = _DECODER.raw_decode(text, start)
        found[name] = text[start:stop]
        at = _next(text, stop)
    assert at == len(text) - 1, text[at:]
    return found


def elements(text: str) -> list[str]:
    """The elements of a JSON array, each as it is spelled."""
    found = []
    at = _skip(text, 1)
    assert text[0] == "[", text[:80]
    while text[at] != "]":
        _, stop = _DECODER.raw_decode(text, at)
        found.append(text[at:stop])
        at = _next(text, stop)
    return found


def assert_untouched(before: str, after: str, rules: list[tuple]) -> int:
    """Holds an item, or the content of an `M`, against what rules made of it: what no rule is about must have its
    bytes, and its place among its neighbours. Returns how many values that were."""
    old, new = members(before), members(after)
    kept = [name for name in old if name in new]
    assert kept == [name for name in new if name in old], (before, after)
    count = 0
    for name, spelled in old.items():
        inner = [(operation, path[1:]) for operation, path, *_ in rules if path[0] == name]
        count += _assert_value(spelled, new.get(name), inner)
    added = [name for name in new if name not in old]
    assert set(added) <= {path[0] for operation, path, *_ in rules if operation == "set"}, added
    return count


def _assert_value(before: str, after: str | None, rules: list[tuple[str, Any]]) -> int:
    """`after` is None where there is no such value any more."""
    if not rules:
        assert after == before, (before, after)
        return 1
    if not rules[0][1]:
        assert (after is None) == (rules[0][0] == "remove"), (before, after)
        return 0
    assert after is not None, before
    ((kind, old),) = members(before).items()
    ((same_kind, new),) = members(after).items()
    assert kind == same_kind, (before, after)
    match kind:
        case "M":
            return assert_untouched(old, new, rules)
        case "L":
            olds = elements(old)
            gone = {path[0] for operation, path in rules if operation == "remove" and len(path) == 1}
            left = [index for index in range(len(olds)) if index not in gone]
            news = elements(new)
            assert len(news) == len(left), (before, after)
            return sum(
                _assert_value(olds[index], one, [(operation, path[1:]) for operation, path in rules if path[0] == index])
                for index, one in zip(left, news)
            )
        case _:
            # There is nothing inside for a rule: NULL.
            assert after == before, (before, after)
            return 1


def _skip(text: str, at: int) -> int:
    while text[at] in _SPACE:
        at += 1
    return at


def _next(text: str, at: int) -> int:
    at = _skip(text, at)
    return _skip(text, at + 1) if text[at] == "," else at
