"""What tables of 1 GB, 100 GB and 10 TB take, by what was measured and by AWS's price list."""

from __future__ import annotations

import base64
import json
import math
import os
from dataclasses import dataclass

from .datasets import DataSet

# us-east-1, on demand, AWS price list of 2026-09-11: dollars for a million request units.
PRICES_OF = "us-east-1, 2026-09-11"
READ_UNITS_PRICE = 0.125
WRITE_UNITS_PRICE = 0.625
# Units a second: of a new on-demand table, and the quota of a table.
NEW_TABLE = (12_000, 4_000)
QUOTA = (40_000, 40_000)
# A read unit is 4 KB, and half of one is enough for a read that need not be consistent.
BYTES_PER_READ_UNIT = 8192
SIZES = (("1 GB", 1), ("100 GB", 100), ("10 TB", 10_000))
SAMPLE_PAGES = 4


@dataclass
class Rates:
    """What was measured per GB of JSON: CPU seconds, and bytes stored as a share."""

    dump: float
    load: float
    stored: float


def markdown(data: DataSet, rates: Rates) -> str:
    """A table for tables of items as the data set has them; sizes as DynamoDB counts them."""
    cores = os.cpu_count() or 1
    item, units = average_item(data)
    json_share = data.item_bytes / data.items / item
    lines = [
        f"For items as in `{data.name}`: {item:.0f} bytes as DynamoDB counts, {json_share:.2f} times "
        f"that as JSON, {units:.2f} write units each. Prices: {PRICES_OF}, on demand. "
        "Time is the longer of what the table gives (a new on-demand table; one at its quota of "
        f"40,000 units) and what {cores} cores take.",
        "",
        "| table | dump: time | CPU | disk | reading costs | load: time | CPU | writing costs |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for name, gigabytes in SIZES:
        table = gigabytes * 1e9
        text = table * json_share / 1e9
        read = table / BYTES_PER_READ_UNIT
        written = table / item * units
        dump, load = text * rates.dump, text * rates.load
        dump_times = [max(read / pace, dump / cores) for pace in (NEW_TABLE[0], QUOTA[0])]
        load_times = [max(written / pace, load / cores) for pace in (NEW_TABLE[1], QUOTA[1])]
        cells = [
            name,
            " or ".join(map(duration, dump_times)),
            duration(dump),
            size_of(text * rates.stored),
            dollars(read, READ_UNITS_PRICE),
            " or ".join(map(duration, load_times)),
            duration(load),
            dollars(written, WRITE_UNITS_PRICE),
        ]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def size_of(gigabytes: float) -> str:
    return f"{gigabytes / 1000:.2g} TB" if gigabytes >= 1000 else f"{gigabytes:.2g} GB"


def dollars(units: float, price: float) -> str:
    cost = units / 1e6 * price
    return f"${cost:.3f}" if cost < 1 else f"${cost:,.0f}" if cost >= 100 else f"${cost:.2f}"


def duration(seconds: float) -> str:
    for size, unit in ((86400, "days"), (3600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds / size:.2g} {unit}"
    return f"{seconds:.2g} s"


def average_item(data: DataSet) -> tuple[float, float]:
    """An item's size as DynamoDB counts it, and the units that writing it takes."""
    sizes = []
    for number, items in enumerate(data.page_items()):
        if number == SAMPLE_PAGES:
            break
        sizes += [_size(json.loads(item)) for item in items]
    units = sum(math.ceil(size / 1024) for size in sizes)
    return sum(sizes) / len(sizes), units / len(sizes)


def _size(item: dict) -> int:
    return sum(len(name.encode()) + _value_size(value) for name, value in item.items())


def _value_size(value: dict) -> int:
    (kind, content), *_ = value.items()
    if kind == "S":
        return len(content.encode())
    if kind == "N":
        return (len(content.strip("-").replace(".", "").strip("0")) + 1) // 2 + 1
    if kind == "B":
        return len(base64.b64decode(content))
    if kind == "M":
        return 3 + len(content) + _size(content)
    if kind == "L":
        return 3 + len(content) + sum(map(_value_size, content))
    if kind in ("SS", "NS", "BS"):
        return sum(_value_size({kind[0]: member}) for member in content)
    return 1  # BOOL, NULL
