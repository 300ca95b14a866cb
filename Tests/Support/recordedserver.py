"""A server that answers as it is told, and judges every request by AWS's own model of the service.

    with RecordedServer(answers) as server:
        …run dynarc with server.side()…
        assert server.faults == []
        server.sent("UpdateTimeToLive")

`answers` gives for an operation an answer, a `Refusal`, or a function of the request's body that gives either.
An operation without one is refused as unknown. A fault is a request whose members, types, lengths or words are
not those of botocore's service model.
"""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Callable

from botocore.loaders import Loader
from botocore.model import ListShape, MapShape, ServiceModel, StructureShape
from botocore.validate import ParamValidator

import servers
from program import Side

SERVICES = {"DynamoDB_20120810": "dynamodb", "AnyScaleFrontendService": "application-autoscaling"}


@dataclass
class Refusal:
    """An error answer."""

    code: str
    message: str = "refused by the test"
    status: int = 400


Answer = dict | Refusal | Callable[[dict], "dict | Refusal"]


@dataclass
class Request:
    service: str
    operation: str
    body: dict


class RecordedServer:
    def __init__(self, answers: dict[str, Answer], account: str = servers.ACCOUNT_A):
        self.answers = dict(answers)
        self.account = account
        self.requests: list[Request] = []
        self.faults: list[str] = []
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def side(self) -> Side:
        return Side(self.endpoint, self.account)

    def __enter__(self) -> "RecordedServer":
        # The interval is how long the end takes.
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def sent(self, operation: str) -> list[dict]:
        """The bodies of an operation's requests."""
        with self._lock:
            return [one.body for one in self.requests if one.operation == operation]

    def operations(self) -> list[str]:
        with self._lock:
            return [one.operation for one in self.requests]

    def answer(self, target: str, content_type: str, body: bytes) -> dict | Refusal:
        prefix, _, operation = target.partition(".")
        service = SERVICES.get(prefix)
        document = json.loads(body)
        with self._lock:
            self.requests.append(Request(service or prefix, operation, document))
            self.faults += self._judge(service, operation, content_type, document)
            found = self.answers.get(operation, Refusal("UnknownOperationException"))
            return found(document) if callable(found) else found

    def _judge(self, service: str | None, operation: str, content_type: str, body: dict) -> list[str]:
        if service is None:
            return [f"{operation}: no service"]
        model = _model(service)
        version = model.metadata["jsonVersion"]
        faults = []
        if content_type != f"application/x-amz-json-{version}":
            faults.append(f"{operation}: content type {content_type}")
        shape = model.operation_model(operation).input_shape
        report = ParamValidator().validate(body, shape)
        if report.has_errors():
            faults.append(f"{operation}: {report.generate_report()}")
        return faults + [f"{operation}: {fault}" for fault in _words(body, shape, "")]


@cache
def _model(service: str) -> ServiceModel:
    return ServiceModel(Loader().load_service_model(service, "service-2"), service)


def _words(value: Any, shape: Any, place: str) -> list[str]:
    """Texts that are none of those that the model lists, which botocore leaves to the service."""
    if isinstance(shape, StructureShape) and isinstance(value, dict):
        return [
            fault
            for name, one in value.items()
            if name in shape.members
            for fault in _words(one, shape.members[name], f"{place}.{name}")
        ]
    if isinstance(shape, ListShape) and isinstance(value, list):
        return [fault for one in value for fault in _words(one, shape.member, f"{place}[]")]
    if isinstance(shape, MapShape) and isinstance(value, dict):
        return [fault for one in value.values() for fault in _words(one, shape.value, f"{place}.*")]
    allowed = getattr(shape, "enum", None)
    return [f"{place}: {value!r} is none of {allowed}"] if allowed and value not in allowed else []


def _handler(owner: RecordedServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            found = owner.answer(
                self.headers.get("X-Amz-Target", ""), self.headers.get("Content-Type", ""), body
            )
            status = 200
            if isinstance(found, Refusal):
                status = found.status
                found = {"__type": f"com.amazonaws.test#{found.code}", "message": found.message}
            sent = json.dumps(found).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/x-amz-json-1.0")
            self.send_header("Content-Length", str(len(sent)))
            self.end_headers()
            self.wfile.write(sent)

        def log_message(self, *_: object) -> None:
            pass

    return Handler


class NewTable:
    """Answers for a table that is not there until it is created, and then is as it was asked for."""

    def __init__(self, account: str, region: str = servers.REGION):
        self.account, self.region = account, region
        self.table: dict | None = None
        # How often a table is described before an index that was added is ready; None for ever.
        self.patience: int | None = 0
        self.waiting = 0

    def answers(self) -> dict[str, Answer]:
        return {
            "DescribeTable": self._describe,
            "CreateTable": self._create,
            "UpdateTable": self._update,
            "Scan": {"Items": [], "Count": 0, "ScannedCount": 0},
            "BatchWriteItem": {"UnprocessedItems": {}},
        }

    def arn(self, name: str) -> str:
        return f"arn:aws:dynamodb:{self.region}:{self.account}:table/{name}"

    def _describe(self, body: dict) -> dict | Refusal:
        if not self.table:
            return Refusal("ResourceNotFoundException")
        for index in self._unready():
            self.waiting += 1
            index["Backfilling"] = self.waiting > 1
            if self.patience is not None and self.waiting > self.patience:
                index["IndexStatus"] = "ACTIVE"
                del index["Backfilling"]
        status = "UPDATING" if self._unready() else "ACTIVE"
        return {"Table": self.table | {"TableStatus": status}}

    def _unready(self) -> list[dict]:
        return [one for one in self.table["GlobalSecondaryIndexes"] if one["IndexStatus"] != "ACTIVE"]

    def _create(self, body: dict) -> dict:
        kept = ("TableName", "KeySchema", "AttributeDefinitions", "LocalSecondaryIndexes")
        self.table = {name: body[name] for name in kept if name in body} | {
            "TableStatus": "ACTIVE",
            "TableArn": self.arn(body["TableName"]),
            "TableId": "id-1",
            "BillingModeSummary": {"BillingMode": body["BillingMode"]},
            "ProvisionedThroughput": body.get(
                "ProvisionedThroughput", {"ReadCapacityUnits": 0, "WriteCapacityUnits": 0}
            ),
            "GlobalSecondaryIndexes": [
                index | {"IndexStatus": "ACTIVE"} for index in body.get("GlobalSecondaryIndexes", [])
            ],
        }
        return {"TableDescription": self.table}

    def _update(self, body: dict) -> dict | Refusal:
        if self._unready():
            return Refusal("LimitExceededException", "one index at a time")
        for update in body.get("GlobalSecondaryIndexUpdates", []):
            if "Create" in update:
                self.waiting = 0
                self.table["AttributeDefinitions"] = body["AttributeDefinitions"]
                self.table["GlobalSecondaryIndexes"].append(update["Create"] | {"IndexStatus": "CREATING"})
        return {"TableDescription": self.table}

