"""The floor: what the same work costs with curl and zstd and nothing else.

A dump cannot be cheaper than fetching the pages and compressing them: two `curl | zstd` pipes side
by side, over the same pages, without checking or understanding anything. A load cannot be cheaper
than decompressing the archive, hashing the bodies to sign them, and posting them.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import struct
import subprocess
from pathlib import Path

from servers import REGION

from .datasets import DataSet
from .measure import BenchmarkError
from .pageserver import ACCOUNT, PageServer

PIPES = 2
BATCH = 25
EMPTY_PAGE = b'{"Count":0,"Items":[],"ScannedCount":0}'


class Pipes:
    """Two pipes that read a table: each its half of the segments' pages, over one connection."""

    def __init__(self, server: PageServer, data: DataSet, tls: bool, directory: Path):
        self._data = data
        self._configs: list[Path] = []
        self._halves: list[Path] = []
        for segment in range(PIPES):
            path = directory / f"{data.name}-{'tls' if tls else 'plain'}-{segment}.curl"
            path.write_text(curl_config(server, data, tls, segment))
            self._configs.append(path)

    def fetch(self) -> str:
        return _side_by_side(f"curl -K '{config}' >/dev/null" for config in self._configs)

    def dump(self, level: int) -> str:
        """Makes `floor-0.zst` and `floor-1.zst`."""
        return _side_by_side(
            f"curl -K '{config}' | zstd -q -{level} -f -o floor-{segment}.zst"
            for segment, config in enumerate(self._configs)
        )

    def compress(self, level: int) -> str:
        """Zstd alone, over the same pages from files."""
        if not self._halves:
            for segment, config in enumerate(self._configs):
                half = config.with_suffix(".json")
                with open(half, "wb") as file:
                    for number in range(segment, len(self._data.pages), PIPES):
                        file.write(self._data.page(number).read_bytes())
                self._halves.append(half)
        return _side_by_side(f"zstd -q -{level} -f -o /dev/null '{half}'" for half in self._halves)

    def check(self, directory: Path) -> None:
        """Whether the pipes have written every page."""
        for segment in range(PIPES):
            expected = hashlib.sha256()
            for number in range(segment, len(self._data.pages), PIPES):
                expected.update(self._data.page(number).read_bytes())
            expected.update(EMPTY_PAGE)
            name = f"floor-{segment}.zst"
            with subprocess.Popen(
                ["zstd", "-dcq", directory / name], stdout=subprocess.PIPE
            ) as process:
                got = hashlib.file_digest(process.stdout, "sha256")
            if got.digest() != expected.digest():
                raise BenchmarkError(f"the floor's {name} is not what the server has")


def _side_by_side(commands) -> str:
    started = "".join(f"{command} & jobs+=($!)\n" for command in commands)
    return f'jobs=()\n{started}for job in "${{jobs[@]}}"; do wait "$job"; done'


def curl_config(server: PageServer, data: DataSet, tls: bool, segment: int) -> str:
    """A config file for curl: a request for each page, the empty one behind the last included."""
    options = [
        "no-progress-meter",
        "fail",
        f'url = "{server.tls_endpoint if tls else server.endpoint}"',
    ]
    options += ['header = "X-Amz-Target: DynamoDB_20120810.Scan"']
    options += ['header = "Content-Type: application/x-amz-json-1.0"']
    if tls:
        options.append(f'cacert = "{server.ca}"')
    requests = []
    request: dict = {"TableName": data.table, "Segment": segment, "TotalSegments": PIPES}
    for number in range(segment, len(data.pages) + PIPES, PIPES):
        # Twice: what is JSON in the body is a quoted string in the config file.
        body = json.dumps(json.dumps(request, ensure_ascii=False), ensure_ascii=False)
        requests.append("\n".join([*options, f"data-raw = {body}"]))
        if number < len(data.pages):
            request["ExclusiveStartKey"] = data.pages[number]["last"]
    return "\nnext\n".join(requests) + "\n"


class Posts:
    """Prebuilt requests that put a data set into its target table."""

    def __init__(self, data: DataSet, directory: Path):
        self.path = directory / f"{data.name}.posts"
        # The bodies alone, for hashing.
        self.bodies = directory / f"{data.name}.bodies"
        signer = Signer()
        with open(self.path, "wb") as posts, open(self.bodies, "wb") as bodies:
            for body in batches(data):
                fields = signer.fields(body)
                posts.write(struct.pack("=II", len(fields), len(body)) + fields + body)
                bodies.write(body)


def batches(data: DataSet):
    """The bodies of BatchWriteItem, 25 items each, in the order of the pages."""
    items: list[bytes] = []
    for page in data.page_items():
        items += page
        while len(items) >= BATCH:
            yield batch_body(data.table + "Target", items[:BATCH])
            del items[:BATCH]
    if items:
        yield batch_body(data.table + "Target", items)


def batch_body(table: str, items: list[bytes]) -> bytes:
    puts = b",".join(b'{"PutRequest":{"Item":' + item + b"}}" for item in items)
    return (
        b'{"RequestItems":{"' + table.encode() + b'":[' + puts
        + b']},"ReturnConsumedCapacity":"TOTAL"}'
    )  # fmt: skip


class Signer:
    """Signs as AWS Signature Version 4 says; for a fixed host and time, since the server does not
    look at signatures and only their size matters to a client that has them made beforehand."""

    TIME = "20260101T000000Z"
    HOST = "127.0.0.1:8000"
    TARGET = "DynamoDB_20120810.BatchWriteItem"
    SIGNED = "content-type;host;x-amz-date;x-amz-target"

    def __init__(self) -> None:
        self._scope = f"{self.TIME[:8]}/{REGION}/dynamodb/aws4_request"
        self._key = b"AWS4not-a-secret"
        for part in self._scope.split("/"):
            self._key = hmac.digest(self._key, part.encode(), "sha256")

    def fields(self, body: bytes) -> bytes:
        """The header fields, each ended by a NUL."""
        content_type = "application/x-amz-json-1.0"
        canonical = (
            f"POST\n/\n\ncontent-type:{content_type}\nhost:{self.HOST}\nx-amz-date:{self.TIME}\n"
            f"x-amz-target:{self.TARGET}\n\n{self.SIGNED}\n{hashlib.sha256(body).hexdigest()}"
        )
        hashed = hashlib.sha256(canonical.encode()).hexdigest()
        to_sign = f"AWS4-HMAC-SHA256\n{self.TIME}\n{self._scope}\n{hashed}"
        signature = hmac.digest(self._key, to_sign.encode(), "sha256").hex()
        fields = (
            "Expect:",
            f"Content-Type: {content_type}",
            f"X-Amz-Target: {self.TARGET}",
            f"X-Amz-Date: {self.TIME}",
            f"Authorization: AWS4-HMAC-SHA256 Credential={ACCOUNT}/{self._scope}, "
            f"SignedHeaders={self.SIGNED}, Signature={signature}",
        )
        return b"".join(field.encode() + b"\0" for field in fields)
