"""The page server: nginx with its Lua module answers for DynamoDB as fast as a client can ask.

    with PageServer([datasets.ensure("orders", 64)], latency=0.008) as server:
        run("dynarc", "dump", "Orders", "--endpoint-url", server.endpoint)

Each data set is a table to read, `Orders`, and an empty one to write to, `OrdersTarget`. Plain HTTP
and TLS are two ports of one process.
"""

from __future__ import annotations

import http.client
import json
import os
import re
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Iterable

from servers import REGION, ServerError, die_with_parent, end_group, free_port

from .datasets import DataSet
from .tls import authority

SOURCES = Path(__file__).resolve().parents[1] / "server"
NGINX = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin:/sbin")
START_TIMEOUT = 20.0
PORT_ATTEMPTS = 5
ACCOUNT = "111122223333"


class PageServer:
    """Parameters:
    times: how often each page is served in one scan; TotalSegments must be a multiple.
    latency: seconds before each answer.
    unprocessed_every: every how many puts one is returned unprocessed.
    log: a file that gets every batch, see `batches`.
    """

    def __init__(
        self,
        sets: Iterable[DataSet],
        *,
        times: int = 1,
        latency: float = 0,
        unprocessed_every: int | None = None,
        log: Path | None = None,
    ):
        self._sets = list(sets)
        self._settings = {
            "times": times,
            "latency": latency,
            "unprocessedEvery": unprocessed_every,
            "log": str(log) if log else None,
        }
        self._settings = {k: v for k, v in self._settings.items() if v is not None}
        self._directory = Path(tempfile.mkdtemp(prefix="dynarc-pages-"))
        self.ca = authority()
        try:
            self._prepare()
            self._start()
        except BaseException:
            shutil.rmtree(self._directory, ignore_errors=True)
            raise

    def __enter__(self) -> "PageServer":
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        end_group(self.process)
        shutil.rmtree(self._directory, ignore_errors=True)

    def environment(self, tls: bool = False) -> dict[str, str]:
        """What AWS tools need to find the server."""
        return {
            "AWS_ENDPOINT_URL": self.tls_endpoint if tls else self.endpoint,
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ACCESS_KEY_ID": ACCOUNT,
            "AWS_SECRET_ACCESS_KEY": "not-a-secret",
            "AWS_CA_BUNDLE": str(self.ca),
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def cpu_seconds(self) -> float:
        """What the server has used of the processors so far."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def _prepare(self) -> None:
        (self._directory / "pages").mkdir()
        tables = {}
        for data in self._sets:
            (self._directory / "pages" / data.name).symlink_to(data.path / "pages")
            for number in range(len(data.pages)):
                # A page that stands in the page cache costs no disk while a client is measured.
                data.page(number).read_bytes()
            names = [name for name, _ in data.key]
            times = self._settings["times"]
            tables[data.table] = {
                "description": describe(data.table, data, times),
                "key": names,
                "pages": data.name,
                "crcs": [page["crc"] for page in data.pages],
                "index": {
                    " ".join(next(iter(page["last"][name].values())) for name in names): number
                    for number, page in enumerate(data.pages)
                },
            }
            target = f"{data.table}Target"
            tables[target] = {
                "description": describe(target, data, 0),
                "key": names,
                "pages": data.name,
                "crcs": [],
                "index": {},
            }
        content = json.dumps(self._settings | {"tables": tables})
        (self._directory / "tables.json").write_text(content)
        for name in ("server.pem", "server.key"):
            shutil.copy(self.ca.with_name(name), self._directory)

    def _start(self) -> None:
        for attempt in range(PORT_ATTEMPTS):
            port, tls_port = free_port(), free_port()
            self.endpoint = f"http://127.0.0.1:{port}"
            self.tls_endpoint = f"https://127.0.0.1:{tls_port}"
            self._configure(port, tls_port)
            self.process = subprocess.Popen(
                [NGINX or "nginx", "-p", self._directory, "-c", self._directory / "nginx.conf"]
                + ["-e", self._directory / "error.log"],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
                preexec_fn=die_with_parent(os.getpid()),
            )
            if self._answers(port):
                return
            end_group(self.process)
        raise ServerError(f"nginx did not start: {self.errors()[-2000:]}")

    def errors(self) -> str:
        path = self._directory / "error.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def _configure(self, port: int, tls_port: int) -> None:
        values = {
            "RUN": self._directory,
            "MODULES": modules(),
            "LUA": SOURCES / "dynamodb.lua",
            "PORT": port,
            "TLS_PORT": tls_port,
        }
        template = (SOURCES / "nginx.conf.in").read_text()
        text = re.sub(r"@(\w+)@", lambda found: str(values[found[1]]), template)
        (self._directory / "nginx.conf").write_text(text)

    def _answers(self, port: int) -> bool:
        deadline = time.monotonic() + START_TIMEOUT
        while time.monotonic() < deadline and self.process.poll() is None:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
            try:
                headers = {"X-Amz-Target": "DynamoDB_20120810.ListTables"}
                connection.request("POST", "/", "{}", headers)
                return connection.getresponse().status == 200
            except OSError:
                time.sleep(0.02)
            finally:
                connection.close()
        return False


def describe(table: str, data: DataSet, times: int) -> str:
    """The answer of DescribeTable; `times` the data set stands in the table."""
    description = {
        "TableName": table,
        "TableArn": f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{table}",
        "TableId": "00000000-0000-4000-8000-000000000000",
        "TableStatus": "ACTIVE",
        "CreationDateTime": 1735689600.0,
        "AttributeDefinitions": [
            {"AttributeName": name, "AttributeType": type} for name, type in data.key
        ],
        "KeySchema": [
            {"AttributeName": name, "KeyType": role}
            for (name, _), role in zip(data.key, ("HASH", "RANGE"))
        ],
        "BillingModeSummary": {"BillingMode": "PAY_PER_REQUEST"},
        "ProvisionedThroughput": {
            "NumberOfDecreasesToday": 0,
            "ReadCapacityUnits": 0,
            "WriteCapacityUnits": 0,
        },
        "ItemCount": data.items * times,
        "TableSizeBytes": data.item_bytes * times,
    }
    return json.dumps({"Table": description})


def modules() -> str:
    """Where nginx keeps its modules."""
    done = subprocess.run([NGINX or "nginx", "-V"], capture_output=True, text=True, check=True)
    found = re.search(r"--modules-path=(\S+)", done.stderr)
    return found[1] if found else "/usr/lib/nginx/modules"
