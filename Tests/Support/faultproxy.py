"""An HTTP/1.1 proxy between a client and a local DynamoDB server that makes faults happen.

    with FaultProxy(server.endpoint) as proxy:
        proxy.set_rules([{"kind": "throttle", "operation": "Scan", "rate": 0.3}])
        …run something against proxy.endpoint…
        assert proxy.record.faults["throttle"] > 0

The rules are described in `faults`, a table's capacity in `capacity`. What passed is in `proxy.record`. As a program,
`faultproxy.py --upstream http://127.0.0.1:8000 [--port P] [--rules rules.json]` does the same;
`PUT /_faults` replaces the rules, `GET /_faults` answers with the record, `DELETE /_faults`
clears both. The server must not check signatures: partial_unprocessed changes a signed body.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import socket
import struct
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Iterable
from urllib.parse import urlsplit

from capacity import Capacity
from faults import (
    NOT_FORWARDED,
    Answer,
    Rule,
    merge_unprocessed,
    merge_unprocessed_keys,
    refusal,
    spoil,
    split_batch,
    split_keys,
)
from record import Record

CONTROL_PATH = "/_faults"
HEAD_LIMIT = 64 * 1024
DRIP_PARTS = 50
# What belongs to one connection and must not be handed on to the other (RFC 9110, 7.6.1), and
# Content-Length, which is always written anew.
HOP_HEADERS = {"connection", "keep-alive", "transfer-encoding", "content-length", "expect"}


@dataclass
class Message:
    """A request or an answer as it was read."""

    start: str
    headers: list[tuple[str, str]]
    body: bytes

    def header(self, name: str) -> str:
        return next((value for key, value in self.headers if key.lower() == name), "")

    @property
    def signer(self) -> str:
        """The access key id in a request's signature."""
        return self.header("authorization").partition("Credential=")[2].partition("/")[0]


class FaultProxy:
    """The proxy, with its event loop on a thread of its own."""

    def __init__(self, upstream: str, rules: Iterable[Rule | dict] = (), port: int = 0):
        address = urlsplit(upstream)
        if address.scheme != "http" or not address.hostname:
            raise ValueError(f"the upstream must be an http:// address, not {upstream!r}")
        self._upstream = (address.hostname, address.port or 80)
        self._port = port
        self._lock = threading.Lock()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._clients: set[asyncio.Task] = set()
        self._server: asyncio.Server | None = None
        self.record = Record()
        self._capacity: Capacity | None = None
        self._expired: set[str] = set()
        self.set_rules(rules)

    def set_rules(self, rules: Iterable[Rule | dict]) -> None:
        """Replaces the rules; counting starts anew, the record goes on."""
        made = [rule if isinstance(rule, Rule) else Rule(**rule) for rule in rules]
        with self._lock:
            self._rules = made

    def set_capacity(self, capacity: Capacity | None) -> Capacity | None:
        """Gives the table a capacity, which requests meet that no rule strikes; returns it."""
        with self._lock:
            self._capacity = capacity
        return capacity

    def expire(self, key_id: str) -> None:
        """Refuses from now on what is signed with this access key."""
        with self._lock:
            self._expired.add(key_id)

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    def __enter__(self) -> "FaultProxy":
        self._thread.start()
        self._server = self._call(self._listen())
        self._port = self._server.sockets[0].getsockname()[1]
        return self

    def __exit__(self, *_: object) -> None:
        self._call(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _call(self, work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(timeout=30)

    async def _listen(self) -> asyncio.Server:
        return await asyncio.start_server(self._serve, "127.0.0.1", self._port, limit=HEAD_LIMIT)

    async def _close(self) -> None:
        self._server.close()
        for task in list(self._clients):
            task.cancel()
        await asyncio.gather(*self._clients, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        self._clients.add(task)
        upstream = Upstream(self._upstream)
        try:
            while (request := await _read_message(reader)) is not None:
                if not await self._handle(request, upstream, writer):
                    break
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # The client went away, or the proxy is closing.
        finally:
            self._clients.discard(task)
            upstream.close()
            writer.close()

    async def _handle(
        self, request: Message, upstream: "Upstream", writer: asyncio.StreamWriter
    ) -> bool:
        """Answers one request; False when the connection is not to be used again."""
        if request.start.split(" ")[1] == CONTROL_PATH:
            await _send(writer, self._control(request))
            return True
        operation = request.header("x-amz-target").rpartition(".")[2]
        with self._lock:
            if request.signer in self._expired:
                rule = Rule("expired_token")
            else:
                rule = next((rule for rule in self._rules if rule.strikes(operation, request.body)), None)
            capacity = self._capacity
        self.record.request(operation, request.body, rule.kind if rule else None)
        if rule is None:
            if capacity and capacity.concerns(operation):
                answer = await _metered(capacity, operation, request, upstream)
            else:
                answer = await upstream.exchange(request)
            self.record.answer(operation, request.body, answer.status, answer.body)
            await _send(writer, answer)
            return True
        if rule.kind in NOT_FORWARDED:
            answer = refusal(rule, operation, request.body)
            self.record.answer(operation, request.body, answer.status, answer.body)
            await _send(writer, answer)
            return True
        if rule.kind in ("partial_unprocessed", "unprocessed_keys"):
            split, merge = (
                (split_batch, merge_unprocessed)
                if rule.kind == "partial_unprocessed"
                else (split_keys, merge_unprocessed_keys)
            )
            kept, held = split(rule, request.body)
            forwarded = Message(request.start, request.headers, kept) if kept else None
            answer = merge(forwarded and await upstream.exchange(forwarded), held)
        else:
            answer = spoil(rule, await upstream.exchange(request))
        self.record.answer(operation, request.body, answer.status, answer.body)
        return await _deliver(writer, rule, answer)

    def _control(self, request: Message) -> Answer:
        method = request.start.split(" ")[0]
        try:
            if method == "PUT":
                self.set_rules(json.loads(request.body))
            elif method == "DELETE":
                self.set_rules([])
                self.record = Record()
            elif method != "GET":
                return Answer.of(405, b'{"error":"GET, PUT or DELETE"}')
        except (ValueError, TypeError) as error:
            return Answer.of(400, json.dumps({"error": str(error)}).encode())
        return Answer.of(200, json.dumps(self.record.summary()).encode())


class Upstream:
    """One kept-alive connection to the server, opened when needed."""

    def __init__(self, address: tuple[str, int]):
        self._address = address
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def exchange(self, request: Message) -> Answer:
        reused = self._writer is not None
        try:
            return await self._exchange(request)
        except (ConnectionError, asyncio.IncompleteReadError):
            self.close()
            if not reused:
                raise
        # The server had closed the idle connection before it saw this request.
        return await self._exchange(request)

    async def _exchange(self, request: Message) -> Answer:
        if self._writer is None:
            self._reader, self._writer = await asyncio.open_connection(
                *self._address, limit=HEAD_LIMIT
            )
        self._writer.write(_head(request.start, request.headers, len(request.body)) + request.body)
        await self._writer.drain()
        message = await _read_message(self._reader)
        if message is None:
            raise ConnectionResetError("the server closed the connection without an answer")
        if message.header("connection").lower() == "close" or message.start.startswith("HTTP/1.0"):
            self.close()
        headers = [row for row in message.headers if row[0].lower() not in HOP_HEADERS]
        return Answer(int(message.start.split(" ")[1]), message.body, headers)

    def close(self) -> None:
        if self._writer is not None:
            self._writer.close()
        self._reader = self._writer = None


async def _metered(
    capacity: Capacity, operation: str, request: Message, upstream: Upstream
) -> Answer:
    """Answers a request as a table of that capacity does."""
    await asyncio.sleep(capacity.latency)
    if refused := capacity.refusal(operation, request.body):
        return refused
    return capacity.account(operation, request.body, await upstream.exchange(request))


async def _deliver(writer: asyncio.StreamWriter, rule: Rule, answer: Answer) -> bool:
    """Sends an answer the way a rule wants it; False when the connection is gone."""
    head, body = _answer_head(answer), answer.body
    match rule.kind:
        case "reset":
            _reset(writer)
            return False
        case "reset_in_body" | "truncate":
            writer.write(head + body[: len(body) // 2])
            await writer.drain()
            if rule.kind == "truncate":
                return False
            # What is in flight must arrive first, or the client sees a reset before the answer.
            await asyncio.sleep(0.05)
            _reset(writer)
            return False
        case "stall":
            await asyncio.sleep(rule.seconds)
            await _send(writer, answer)
        case "slow_drip":
            writer.write(head)
            step = max(1, -(-len(body) // DRIP_PARTS))
            for start in range(0, len(body), step):
                writer.write(body[start : start + step])
                await writer.drain()
                await asyncio.sleep(rule.seconds / DRIP_PARTS)
        case _:
            await _send(writer, answer)
    return True


async def _send(writer: asyncio.StreamWriter, answer: Answer) -> None:
    writer.write(_answer_head(answer) + answer.body)
    await writer.drain()


def _answer_head(answer: Answer) -> bytes:
    return _head(f"HTTP/1.1 {answer.status} Status", answer.headers, len(answer.body))


def _head(start: str, headers: list[tuple[str, str]], length: int) -> bytes:
    rows = [f"{name}: {value}" for name, value in headers if name.lower() not in HOP_HEADERS]
    return "\r\n".join([start, *rows, f"Content-Length: {length}", "", ""]).encode("latin-1")


def _reset(writer: asyncio.StreamWriter) -> None:
    # Lingering for no time turns the close into a TCP reset.
    writer.get_extra_info("socket").setsockopt(
        socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
    )
    writer.transport.abort()


async def _read_message(reader: asyncio.StreamReader) -> Message | None:
    """The next request or answer; None when the other side closed in between."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError as error:
        if error.partial:
            raise
        return None
    start, *rows = head[:-4].decode("latin-1").split("\r\n")
    headers = [(name, value.strip()) for name, _, value in (row.partition(":") for row in rows)]
    message = Message(start, headers, b"")
    if "chunked" in message.header("transfer-encoding").lower():
        message.body = await _read_chunked(reader)
    elif length := message.header("content-length"):
        message.body = await reader.readexactly(int(length))
    elif start.startswith("HTTP/"):
        message.body = await reader.read()
    return message


async def _read_chunked(reader: asyncio.StreamReader) -> bytes:
    body = bytearray()
    while size := int((await reader.readline()).split(b";")[0], 16):
        body += await reader.readexactly(size)
        await reader.readline()
    while (await reader.readline()).strip():
        pass
    return bytes(body)


def main() -> None:
    parser = argparse.ArgumentParser(description="Put faults between a client and a server.")
    parser.add_argument("--upstream", required=True, help="http:// address of the server")
    parser.add_argument("--port", type=int, default=0, help="port to listen on (default: a free one)")
    parser.add_argument("--rules", type=Path, help="JSON file with a list of rules")
    arguments = parser.parse_args()
    rules = json.loads(arguments.rules.read_text()) if arguments.rules else []
    with FaultProxy(arguments.upstream, rules, arguments.port) as proxy:
        print(proxy.endpoint, flush=True)
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            pass
        print(json.dumps(proxy.record.summary(), indent=2))


if __name__ == "__main__":
    main()
