"""The job's summary: one table of what was done, in Markdown.

Whatever comes from outside is escaped sign by sign, so that no value can be more than text.
"""

from __future__ import annotations

import unicodedata
from typing import Any, Mapping

LONGEST = 300
ENDS = {
    0: "done", 1: "ended with differences", 2: "refused its arguments", 3: "failed",
    4: "stopped part-way, or items were rejected", 130: "was interrupted",
}  # fmt: skip


def escaped(value: object) -> str:
    """Text that is nothing but text in Markdown and HTML: letters and digits stay, spaces too, all else is a
    reference by number. Signs that nobody sees, or that turn the direction of writing, are told by their numbers."""
    text = str(value)
    if len(text) > LONGEST:
        text = text[:LONGEST] + "…"
    made = []
    for sign in text:
        if sign == " " or sign.isalnum() or unicodedata.category(sign).startswith("M"):
            made.append(sign)
        elif unicodedata.category(sign).startswith(("C", "Z")):
            made.append(f"&#92;u&#123;{ord(sign):x}&#125;")
        else:
            made.append(f"&#{ord(sign)};")
    return "".join(made)


def _code(value: object) -> str:
    return f"<code>{escaped(value)}</code>"


def _number(value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return escaped(value)
    return f"{value:,}" if isinstance(value, int) else f"{value:,.3f}".rstrip("0").rstrip(".")


def markdown(request: Mapping[str, str], result: Mapping[str, Any] | None, code: int, timed_out: bool) -> str:
    """The summary of a command that has ended."""
    end = ENDS.get(code, "ended")
    if timed_out:
        end = f"was stopped: its time was over (timeout-minutes: {escaped(request['timeout-minutes'])})"
    elif code == 0 and request["dry-run"] == "true":
        end = "would be done (dry run: nothing was written)"
    rows = [*_asked(request), *_done(result or {}), ("Exit code", str(code))]
    lines = [f"### dynarc {escaped(request['command'])} of {_code(request['table'])} {end}", "", "| | |", "|---|---|"]
    lines += [f"| {name} | {text} |" for name, text in rows]
    if result is None:
        lines += ["", "There is no report; the log of the step says why."]
    return "\n".join(lines) + "\n\n"


def _asked(request: Mapping[str, str]) -> list[tuple[str, str]]:
    def side(name: str, table: str) -> str:
        parts = [_code(table)]
        parts += [_code(request[f"{name}-{what}"]) for what in ("region", "role", "endpoint-url") if f"{name}-{what}" in request]
        return ", ".join(parts)

    rows = [("Source", side("source", request["table"]))]
    if request["command"] == "copy":
        rows.append(("Target", side("target", request.get("target-table", request["table"]))))
    slice_names = [name for name in ("index", "pk", "sk", "sk-begins-with") if name in request]
    rows.append(("Slice", ", ".join(f"{name} {_code(request[name])}" for name in slice_names) or "the whole table"))
    rows += [(name.capitalize(), _code(request[name])) for name in ("mode", "backup") if name in request]
    return rows


def _done(result: Mapping[str, Any]) -> list[tuple[str, str]]:
    names = {
        "read": "Items read", "items": "Items", "written": "Items written", "deleted": "Items deleted",
        "rejected": "Items rejected", "storedBytes": "Bytes stored", "consumedReadUnits": "Read units",
        "consumedTargetReadUnits": "Read units of the target", "consumedWriteUnits": "Write units",
    }  # fmt: skip
    rows = [(words, _number(result[name])) for name, words in names.items() if result.get(name) is not None]
    if result.get("created") is True:
        rows.insert(0, ("Target table", "would be created" if result.get("dryRun") else "created"))
    if result.get("transforms"):
        rows.append(("Changed", _rules(result["transforms"])))
    if "cost" in result:
        rows.append(("Cost", _cost(result["cost"])))
    if "seconds" in result:
        rows.append(("Duration", f"{_number(result['seconds'])} s"))
    if isinstance(result.get("archive"), str):
        rows.append(("Archive", _code(result["archive"])))
    if isinstance(result.get("output"), str):
        rows.append(("Items are in", _code(result["output"])))
    if result.get("kept"):
        rows.append(("State kept before", _kept(result["kept"])))
    if result.get("rejects"):
        rows.append(("Rejected items are in", _code(result["rejects"])))
    return rows


def _rules(rules: object) -> str:
    """Which attributes, and not to what."""
    if not isinstance(rules, list):
        return escaped(rules)
    return ", ".join(f"{escaped(one.get('operation'))} {_code(one.get('path'))}" for one in rules if isinstance(one, dict))


def _cost(cost: object) -> str:
    """By the price list that dynarc names; null where capacity is provisioned."""
    if not isinstance(cost, dict):
        return "not told (provisioned capacity)"
    amount, prices = cost.get("amount"), f"{escaped(cost.get('region'))}, {escaped(cost.get('prices'))}"
    if isinstance(amount, (int, float)):
        told = "less than 0.0001" if 0 < amount < 0.0001 else f"{amount:,.4f}"
        return f"{told} {escaped(cost.get('currency'))} on demand ({prices})"
    return escaped(amount)


def _kept(kept: object) -> str:
    if isinstance(kept, dict) and isinstance(kept.get("backup"), dict):
        return "backup " + _code(kept["backup"].get("arn", kept["backup"].get("name")))
    return "archive " + _code(kept.get("archive")) if isinstance(kept, dict) else _code(kept)
