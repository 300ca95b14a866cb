"""A table's capacity, for the fault proxy: what requests consume, and throttles beyond a limit.

    proxy.set_capacity(Capacity(limit=1000))   # throttle beyond 1,000 units a second
    proxy.set_capacity(Capacity())             # only tell the truth in ConsumedCapacity, and log it

The local servers answer the same ConsumedCapacity whatever is read or written, and never throttle.
Units are computed from the bytes that pass: half a unit for each 4 KB of a page (one where the read
is consistent), one for each KB of each item written.
"""

from __future__ import annotations

import json
import threading
import time
from dataclasses import dataclass, field
from math import ceil
from typing import Any

from faults import Answer, throttled

READS = {"Scan", "Query"}
WRITES = {"BatchWriteItem"}
BURST_SECONDS = 1.0


@dataclass(frozen=True)
class Use:
    """Units that one request consumed."""

    time: float
    operation: str
    units: float


@dataclass
class Capacity:
    """`limit` units a second, no limit by default; a request is let through while anything is left
    and may go into debt, as in DynamoDB. Throttles blame `index`, or the table. `latency` is how
    many seconds an answer takes longer than the server."""

    limit: float | None = None
    index: str | None = None
    latency: float = 0.0
    uses: list[Use] = field(default_factory=list, init=False)
    throttles: int = field(default=0, init=False)
    _left: float = field(default=0.0, init=False, repr=False)
    _filled: float = field(default=0.0, init=False, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False, repr=False)

    def __post_init__(self) -> None:
        self._left = (self.limit or 0) * BURST_SECONDS
        self._filled = time.monotonic()

    @property
    def requests(self) -> int:
        """Requests that were let through or throttled."""
        return len(self.uses) + self.throttles

    def concerns(self, operation: str) -> bool:
        return operation in READS | WRITES

    def refusal(self, operation: str, request: bytes) -> Answer | None:
        """The throttle that a request meets, if it does."""
        if self.limit is None:
            return None
        with self._lock:
            self._fill()
            if self._left > 0:
                # Writes are known beforehand; so that many at once do not slip in, they count now.
                self._left -= _written(request) if operation in WRITES else 0
                return None
            self.throttles += 1
        return throttled("ProvisionedThroughputExceededException", operation, request, index=self.index)

    def account(self, operation: str, request: bytes, answer: Answer) -> Answer:
        """The server's answer with the units that the request consumed."""
        if answer.status != 200:
            return answer
        content = json.loads(answer.body)
        if operation in WRITES:
            units = _written(request)
        else:
            consistent = json.loads(request).get("ConsistentRead", False)
            units = max(1, ceil(len(answer.body) / 4096)) * (1.0 if consistent else 0.5)
        with self._lock:
            self.uses.append(Use(time.monotonic(), operation, units))
            if operation in READS and self.limit is not None:
                self._fill()
                self._left -= units
        consumed: Any = {"TableName": "any", "CapacityUnits": units}
        content["ConsumedCapacity"] = [consumed] if operation in WRITES else consumed
        return Answer.of(200, json.dumps(content).encode())

    def _fill(self) -> None:
        now = time.monotonic()
        self._left = min(self._left + (now - self._filled) * self.limit, self.limit * BURST_SECONDS)
        self._filled = now

    def windows(self, seconds: float = 10.0, settling: float = 2.0) -> tuple[float, float]:
        """The least and the most units in any window: of all for the most; for the least, of those
        that begin after `settling` seconds and end that long before the end."""
        uses = sorted(self.uses, key=lambda use: use.time)
        first, last = uses[0].time, uses[-1].time
        sums = []
        for start in (use.time for use in uses):
            # A window that begins with a use is as full as any near it; one behind it as empty.
            inside = [use.units for use in uses if start <= use.time < start + seconds]
            sums.append((start, sum(inside), inside[0]))
        steady = [
            total - own
            for start, total, own in sums
            if start >= first + settling and start + seconds <= last - settling
        ]
        return min(steady), max(total for _, total, _ in sums)


def _written(request: bytes) -> float:
    rows = [row for rows in json.loads(request)["RequestItems"].values() for row in rows]
    return sum(_units(row["PutRequest"]["Item"] if "PutRequest" in row else {}) for row in rows)


def _units(item: dict) -> int:
    return max(1, ceil(_size({"M": item}) / 1024))


def _size(typed: dict) -> int:
    """An item's stored size, as far as pacing tests need it: strings and names to the byte."""
    ((kind, content),) = typed.items()
    match kind:
        case "M":
            return sum(len(name.encode()) + _size(one) for name, one in content.items())
        case "L":
            return sum(map(_size, content))
        case "S":
            return len(content.encode())
        case _:
            return len(json.dumps(content))
