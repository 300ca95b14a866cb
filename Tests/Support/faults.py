"""What can go wrong between dynarc and DynamoDB, as rules: pure decisions and the bytes of the
false answers. `faultproxy` carries them out.

A rule is a dict (or keyword arguments) of
  kind       one of KINDS or LIES
  operation  regular expression that must match the whole operation name; default any
  table      regular expression that must match the name of the request's table; default any
  rate       share of matching requests that are hit, 0…1; default all
  first      only the first N matching requests are eligible; default no bound
  skip       matching requests to let pass before; default 0
  seed       of the rule's own dice; default 0
  seconds    stall: the wait before the answer; slow_drip: how long the body takes; default 1
  share      partial_unprocessed, unprocessed_keys: share of a batch handed back, at least one; default 0.5
  code       throttle: the exception's short name, default a different one each time; refuse: the same
  old, new   rewrite: a regular expression, and what stands in the place of each match
The first rule that fires decides; a rule counts only requests that reach it.
"""

from __future__ import annotations

import json
import random
import re
import zlib
from dataclasses import dataclass, field
from typing import Any

# What happens, and whether the server sees the request: an answer that is lost after the server
# has done the work is another fault than a refusal.
KINDS = {
    "throttle": "HTTP 400 with one of the three throttling exceptions; not forwarded",
    "internal_error": "HTTP 500 InternalServerError; not forwarded",
    "unavailable": "HTTP 503; not forwarded",
    "expired_token": "HTTP 400 ExpiredTokenException; not forwarded",
    "refuse": "HTTP 400 with the exception that `code` names; not forwarded",
    "total_unprocessed": "BatchWriteItem: all of it comes back as UnprocessedItems; not forwarded",
    "partial_unprocessed": "BatchWriteItem: a share comes back, the rest is forwarded",
    "unprocessed_keys": "BatchGetItem: a share comes back as UnprocessedKeys, the rest is forwarded",
    "reset": "forwarded; the connection is reset before the answer",
    "reset_in_body": "forwarded; the connection is reset half-way through the body",
    "truncate": "forwarded; half of the body, then an orderly close, against Content-Length",
    "bad_crc": "forwarded; one byte of the body differs from what X-Amz-Crc32 covers",
    "garbage": "forwarded; HTTP 200 with a right CRC over bytes that are no JSON",
    "rewrite": "forwarded; texts in a successful answer are others, with the right CRC",
    "stall": "forwarded; the answer waits",
    "slow_drip": "forwarded; the body comes a few bytes at a time",
}
# What no client can notice by itself: only reading back tells.
LIES = {"lost_writes": "BatchWriteItem: HTTP 200 as if all had been written; not forwarded"}
# What concerns one operation only, and which.
BATCH_ONLY = {
    "total_unprocessed": "BatchWriteItem",
    "partial_unprocessed": "BatchWriteItem",
    "unprocessed_keys": "BatchGetItem",
}
NOT_FORWARDED = {
    "throttle", "internal_error", "unavailable", "expired_token", "refuse", "total_unprocessed", "lost_writes",
}

_NAMESPACE = "com.amazonaws.dynamodb.v20120810#"
_THROTTLES = {
    "ProvisionedThroughputExceededException": (_NAMESPACE, "ProvisionedThroughputExceeded"),
    "RequestLimitExceeded": (_NAMESPACE, "AccountLimitExceeded"),
    "ThrottlingException": ("com.amazon.coral.availability#", "KeyRangeThroughputExceeded"),
}
_RESOURCE = "arn:aws:dynamodb:eu-central-1:111122223333:table/"


@dataclass
class Rule:
    """One kind of fault and when it strikes."""

    kind: str
    operation: str = ".*"
    table: str = ".*"
    rate: float = 1.0
    first: int | None = None
    skip: int = 0
    seed: int = 0
    seconds: float = 1.0
    share: float = 0.5
    code: str | None = None
    old: str = ""
    new: str = ""
    _seen: int = field(default=0, init=False, repr=False)
    _dice: random.Random = field(init=False, repr=False)

    def __post_init__(self) -> None:
        if self.kind not in KINDS | LIES:
            raise ValueError(f"unknown fault {self.kind!r}; known: {', '.join(KINDS | LIES)}")
        if self.kind == "throttle" and self.code is not None and self.code not in _THROTTLES:
            raise ValueError(f"unknown throttle {self.code!r}; known: {', '.join(_THROTTLES)}")
        if not 0 <= self.rate <= 1 or not 0 < self.share <= 1:
            raise ValueError("rate must be in 0…1 and share in 0…1, above 0")
        re.compile(self.operation)
        re.compile(self.table)
        self._dice = random.Random(self.seed)

    def strikes(self, operation: str, request: bytes = b"{}") -> bool:
        """Whether this request is hit; each call counts as a request."""
        if operation != ({"lost_writes": "BatchWriteItem"} | BATCH_ONLY).get(self.kind, operation):
            return False
        if not re.fullmatch(self.operation, operation):
            return False
        if self.table != ".*" and not re.fullmatch(self.table, _table(request)):
            return False
        self._seen += 1
        position = self._seen - self.skip
        if position <= 0 or (self.first is not None and position > self.first):
            return False
        return self._dice.random() < self.rate

    def pick(self, count: int) -> set[int]:
        """Which entries of a batch of `count` come back unprocessed."""
        return set(self._dice.sample(range(count), max(1, int(count * self.share))))

    def throttle_code(self) -> str:
        return self.code or self._dice.choice(list(_THROTTLES))


@dataclass
class Answer:
    """An HTTP answer."""

    status: int
    body: bytes
    headers: list[tuple[str, str]] = field(default_factory=list)

    @staticmethod
    def of(status: int, body: bytes) -> "Answer":
        """An answer as DynamoDB makes them, with the right CRC."""
        headers = [
            ("Content-Type", "application/x-amz-json-1.0"),
            ("x-amzn-RequestId", f"FAULT{zlib.crc32(body):08X}"),
            ("X-Amz-Crc32", str(zlib.crc32(body))),
        ]
        return Answer(status, body, headers)


def refusal(rule: Rule, operation: str, request: bytes) -> Answer:
    """The answer to a request that is not forwarded."""
    match rule.kind:
        case "throttle":
            return throttled(rule.throttle_code(), operation, request)
        case "internal_error":
            return _error(500, _NAMESPACE + "InternalServerError", "Internal server error")
        case "unavailable":
            return _error(503, _NAMESPACE + "ServiceUnavailable", "Service unavailable")
        case "expired_token":
            message = "The security token included in the request is expired"
            return _error(400, "com.amazon.coral.service#ExpiredTokenException", message)
        case "refuse":
            return _error(400, _NAMESPACE + rule.code, "refused on behalf of a test")
        case "total_unprocessed":
            unprocessed = json.loads(request)["RequestItems"]
            return Answer.of(200, json.dumps({"UnprocessedItems": unprocessed}).encode())
        case "lost_writes":
            return Answer.of(200, b'{"UnprocessedItems":{}}')
    raise ValueError(f"{rule.kind} is forwarded")


def split_batch(rule: Rule, request: bytes) -> tuple[bytes | None, dict[str, list[Any]]]:
    """A smaller BatchWriteItem to forward (None when nothing is left) and what is held back."""
    call = json.loads(request)
    entries = [(table, entry) for table, rows in call["RequestItems"].items() for entry in rows]
    held = rule.pick(len(entries))
    kept: dict[str, list[Any]] = {}
    back: dict[str, list[Any]] = {}
    for index, (table, entry) in enumerate(entries):
        (back if index in held else kept).setdefault(table, []).append(entry)
    return (json.dumps(call | {"RequestItems": kept}).encode() if kept else None), back


def split_keys(rule: Rule, request: bytes) -> tuple[bytes | None, dict[str, Any]]:
    """A smaller BatchGetItem to forward (None when nothing is left) and what is held back."""
    call = json.loads(request)
    ((table, wanted),) = call["RequestItems"].items()
    held = rule.pick(len(wanted["Keys"]))
    parts = [[key for index, key in enumerate(wanted["Keys"]) if (index in held) == back] for back in (False, True)]
    kept, back = ({table: wanted | {"Keys": keys}} for keys in parts)
    return (json.dumps(call | {"RequestItems": kept}).encode() if parts[0] else None), back


def merge_unprocessed_keys(answer: Answer | None, held: dict[str, Any]) -> Answer:
    """The server's answer to the smaller batch with the held-back keys added."""
    if answer is not None and answer.status != 200:
        return answer
    content = json.loads(answer.body) if answer else {"Responses": {}}
    return Answer.of(200, json.dumps(content | {"UnprocessedKeys": held}).encode())


def merge_unprocessed(answer: Answer | None, held: dict[str, list[Any]]) -> Answer:
    """The server's answer to the smaller batch with the held-back entries added."""
    if answer is not None and answer.status != 200:
        return answer
    content = json.loads(answer.body) if answer else {}
    unprocessed = content.get("UnprocessedItems", {})
    for table, rows in held.items():
        unprocessed.setdefault(table, []).extend(rows)
    return Answer.of(200, json.dumps(content | {"UnprocessedItems": unprocessed}).encode())


def spoil(rule: Rule, answer: Answer) -> Answer:
    """The server's answer with other bytes in it; faults of the connection leave it alone."""
    match rule.kind:
        case "bad_crc" if answer.body:
            middle = len(answer.body) // 2
            flipped = bytes([answer.body[middle] ^ 1])
            body = answer.body[:middle] + flipped + answer.body[middle + 1 :]
            kept = [row for row in answer.headers if row[0].lower() != "x-amz-crc32"]
            return Answer(answer.status, body, kept + [("X-Amz-Crc32", str(zlib.crc32(answer.body)))])
        case "rewrite" if answer.status == 200:
            return Answer.of(200, re.sub(rule.old, rule.new, answer.body.decode()).encode())
        case "garbage":
            return Answer.of(200, b"<html>It works!</html>")
        case _:
            return answer


def _error(status: int, kind: str, message: str, **more: Any) -> Answer:
    return Answer.of(status, json.dumps({"__type": kind, "message": message} | more).encode())


def throttled(code: str, operation: str, request: bytes, index: str | None = None) -> Answer:
    """A throttle that blames the table, or one of its indexes."""
    namespace, reason = _THROTTLES[code]
    direction = "Write" if re.search("Write|Put|Update|Delete", operation) else "Read"
    resource = _RESOURCE + _table(request) + (f"/index/{index}" if index else "")
    reasons = [{"reason": f"{'Index' if index else 'Table'}{direction}{reason}", "resource": resource}]
    # The service spells the member in lower case in this one exception.
    member = "throttlingReasons" if code == "ThrottlingException" else "ThrottlingReasons"
    return _error(400, namespace + code, "Throughput exceeds the current capacity", **{member: reasons})


def _table(request: bytes) -> str:
    call = json.loads(request)
    return call.get("TableName") or next(iter(call.get("RequestItems", {})), "unknown")
