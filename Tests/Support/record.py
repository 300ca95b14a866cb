"""What passed through the fault proxy: calls by operation, faults by kind, every BatchWriteItem."""

from __future__ import annotations

import json
import threading
from collections import Counter
from dataclasses import dataclass

from items import canonical, from_wire

MAXIMUM_ENTRIES = 25
MAXIMUM_BYTES = 16_000_000


@dataclass(frozen=True)
class Batch:
    """One BatchWriteItem as the client sent it."""

    entries: int
    bytes: int
    # None where no DescribeTable or CreateTable told the proxy what the table's keys are.
    duplicate_keys: int | None


class Record:
    """Counters, safe to read while the proxy runs."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._keys: dict[str, list[str]] = {}
        self.operations: Counter[str] = Counter()
        self.statuses: Counter[int] = Counter()
        self.faults: Counter[str] = Counter()
        self.batches: list[Batch] = []

    def request(self, operation: str, body: bytes, fault: str | None) -> None:
        """Notes a request and the fault it is going to meet."""
        with self._lock:
            self.operations[operation] += 1
            if fault:
                self.faults[fault] += 1
            if operation == "BatchWriteItem":
                self.batches.append(self._batch(body))

    def answer(self, operation: str, request: bytes, status: int, body: bytes) -> None:
        """Notes an answer; key schemas are learned from those that hold one."""
        with self._lock:
            self.statuses[status] += 1
            if status == 200 and operation in ("DescribeTable", "CreateTable"):
                self._learn(body)

    def batch_faults(self) -> list[str]:
        """What DynamoDB would have refused in the batches; empty when all were in order."""
        found = []
        for index, batch in enumerate(self.batches):
            if not 1 <= batch.entries <= MAXIMUM_ENTRIES:
                found.append(f"batch {index} has {batch.entries} entries")
            if batch.bytes >= MAXIMUM_BYTES:
                found.append(f"batch {index} has {batch.bytes} bytes")
            if batch.duplicate_keys != 0:
                found.append(f"batch {index} repeats {batch.duplicate_keys} keys")
        return found

    def summary(self) -> dict:
        with self._lock:
            return {
                "operations": dict(self.operations),
                "statuses": dict(self.statuses),
                "faults": dict(self.faults),
                "batches": len(self.batches),
                "batchFaults": self.batch_faults(),
            }

    def _learn(self, body: bytes) -> None:
        try:
            answer = json.loads(body)
        except ValueError:
            return  # A fault spoiled it.
        table = answer.get("Table") or answer.get("TableDescription")
        if table:
            self._keys[table["TableName"]] = [key["AttributeName"] for key in table["KeySchema"]]

    def _batch(self, body: bytes) -> Batch:
        seen: Counter[tuple] = Counter()
        entries, known = 0, True
        for table, rows in json.loads(body)["RequestItems"].items():
            entries += len(rows)
            names = self._keys.get(table)
            known = known and names is not None
            for row in rows if names else []:
                item = row["PutRequest"]["Item"] if "PutRequest" in row else row["DeleteRequest"]["Key"]
                seen[(table, *(canonical(from_wire(item[name])) for name in names))] += 1
        duplicates = sum(count - 1 for count in seen.values()) if known else None
        return Batch(entries, len(body), duplicates)
