"""Each fault of the proxy really happens, seen by a plain client."""

from __future__ import annotations

import http.client
import json
import time
import zlib
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from capacity import Capacity, Use
from faultproxy import FaultProxy
from faults import Rule

BODY = json.dumps({"Items": [{"pk": {"S": "x" * 2000}}]}).encode()


class Upstream(BaseHTTPRequestHandler):
    """Answers every call with BODY, notes what came, and knows one table's keys."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        request = self.rfile.read(int(self.headers["Content-Length"]))
        operation = self.headers["X-Amz-Target"].rpartition(".")[2]
        self.server.seen.append((operation, json.loads(request)))
        body = {
            "BatchWriteItem": b'{"UnprocessedItems":{}}',
            "DescribeTable": b'{"Table":{"TableName":"TTT","KeySchema":[{"AttributeName":"pk","KeyType":"HASH"}]}}',
        }.get(operation, BODY)
        self.send_response(200)
        self.send_header("X-Amz-Crc32", str(zlib.crc32(body)))
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def upstream():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Upstream)
    server.daemon_threads = True
    server.seen = []
    thread = Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def proxy(upstream):
    with FaultProxy(f"http://127.0.0.1:{upstream.server_address[1]}") as proxy:
        yield proxy


@pytest.fixture
def connection(proxy):
    connection = http.client.HTTPConnection(proxy.endpoint.removeprefix("http://"), timeout=5)
    yield connection
    connection.close()


def call(connection, operation="Scan", request=None):
    headers = {"X-Amz-Target": f"DynamoDB_20120810.{operation}"}
    connection.request("POST", "/", json.dumps(request or {"TableName": "TTT"}), headers)
    answer = connection.getresponse()
    return answer, answer.read()


def crc_holds(answer, body) -> bool:
    return answer.headers["X-Amz-Crc32"] == str(zlib.crc32(body))


def batch(*keys):
    entries = [{"PutRequest": {"Item": {"pk": {"S": key}}}} for key in keys]
    return {"RequestItems": {"TTT": entries}}


def test_passes_through_on_one_connection(proxy, connection):
    for _ in range(3):
        answer, body = call(connection)
        assert (answer.status, body, crc_holds(answer, body)) == (200, BODY, True)
    assert proxy.record.operations == {"Scan": 3}
    assert not proxy.record.faults


@pytest.mark.parametrize(
    "kind, status, name",
    [
        ("throttle", 400, "ProvisionedThroughputExceededException"),
        ("throttle", 400, "ThrottlingException"),
        ("throttle", 400, "RequestLimitExceeded"),
        ("internal_error", 500, "InternalServerError"),
        ("unavailable", 503, "ServiceUnavailable"),
        ("expired_token", 400, "ExpiredTokenException"),
    ],
)
def test_refusals_do_not_reach_the_server(proxy, connection, upstream, kind, status, name):
    proxy.set_rules([Rule(kind, code=name if kind == "throttle" else None)])
    answer, body = call(connection)
    error = json.loads(body)
    assert (answer.status, error["__type"].rpartition("#")[2]) == (status, name)
    assert crc_holds(answer, body)
    assert upstream.seen == []
    if kind == "throttle":
        reasons = error["throttlingReasons" if name == "ThrottlingException" else "ThrottlingReasons"]
        assert reasons[0]["reason"].startswith("TableRead")
        assert reasons[0]["resource"].endswith("table/TTT")


def test_what_is_signed_with_an_expired_key_is_refused(proxy, connection, upstream):
    proxy.expire("OLD")
    statuses = []
    for key in ("OLD", "NEW"):
        headers = {
            "X-Amz-Target": "DynamoDB_20120810.Scan",
            "Authorization": f"AWS4-HMAC-SHA256 Credential={key}/20261122/eu-central-1/dynamodb/aws4_request, …",
        }
        connection.request("POST", "/", b"{}", {name: value.encode() for name, value in headers.items()})
        statuses.append(connection.getresponse())
        statuses[-1].read()
    assert [answer.status for answer in statuses] == [400, 200]
    assert proxy.record.faults == {"expired_token": 1}


def test_total_unprocessed(proxy, connection, upstream):
    proxy.set_rules([Rule("total_unprocessed")])
    sent = batch("a", "b")
    answer, body = call(connection, "BatchWriteItem", sent)
    assert (answer.status, crc_holds(answer, body)) == (200, True)
    assert json.loads(body)["UnprocessedItems"] == sent["RequestItems"]
    assert upstream.seen == []


def test_partial_unprocessed_splits_the_batch(proxy, connection, upstream):
    proxy.set_rules([Rule("partial_unprocessed", share=0.4)])
    sent = batch(*"abcdefghij")
    answer, body = call(connection, "BatchWriteItem", sent)
    back = json.loads(body)["UnprocessedItems"]["TTT"]
    ((_, forwarded),) = upstream.seen
    assert (answer.status, crc_holds(answer, body), len(back)) == (200, True, 4)
    together = back + forwarded["RequestItems"]["TTT"]
    key = lambda entry: entry["PutRequest"]["Item"]["pk"]["S"]
    assert sorted(together, key=key) == sent["RequestItems"]["TTT"]


def test_partial_unprocessed_of_a_single_entry_keeps_it_back(proxy, connection, upstream):
    proxy.set_rules([Rule("partial_unprocessed")])
    _, body = call(connection, "BatchWriteItem", batch("a"))
    assert json.loads(body)["UnprocessedItems"] == batch("a")["RequestItems"]
    assert upstream.seen == []


def test_unprocessed_keys_splits_the_batch(proxy, connection, upstream):
    proxy.set_rules([Rule("unprocessed_keys", share=0.4)])
    keys = [{"pk": {"S": name}} for name in "abcdefghij"]
    _, body = call(connection, "BatchGetItem", {"RequestItems": {"TTT": {"Keys": keys, "ConsistentRead": True}}})
    back = json.loads(body)["UnprocessedKeys"]["TTT"]
    ((_, forwarded),) = upstream.seen
    kept = forwarded["RequestItems"]["TTT"]
    assert (len(back["Keys"]), back["ConsistentRead"], kept["ConsistentRead"]) == (4, True, True)
    assert sorted(back["Keys"] + kept["Keys"], key=lambda key: key["pk"]["S"]) == keys


def test_reset_comes_after_the_server_did_the_work(proxy, connection, upstream):
    proxy.set_rules([Rule("reset")])
    with pytest.raises(ConnectionResetError):
        call(connection)
    assert len(upstream.seen) == 1


def test_reset_in_body(proxy, connection):
    proxy.set_rules([Rule("reset_in_body")])
    connection.request("POST", "/", "{}", {"X-Amz-Target": "D.Scan"})
    answer = connection.getresponse()
    assert answer.status == 200
    with pytest.raises(ConnectionResetError):
        answer.read()


def test_truncate(proxy, connection):
    proxy.set_rules([Rule("truncate")])
    connection.request("POST", "/", "{}", {"X-Amz-Target": "D.Scan"})
    answer = connection.getresponse()
    with pytest.raises(http.client.IncompleteRead) as caught:
        answer.read()
    assert 0 < len(caught.value.partial) < len(BODY) == int(answer.headers["Content-Length"])


def test_bad_crc(proxy, connection):
    proxy.set_rules([Rule("bad_crc")])
    answer, body = call(connection)
    assert (answer.status, len(body)) == (200, len(BODY))
    assert body != BODY and not crc_holds(answer, body)


def test_garbage(proxy, connection):
    proxy.set_rules([Rule("garbage")])
    answer, body = call(connection)
    assert (answer.status, crc_holds(answer, body)) == (200, True)
    with pytest.raises(ValueError):
        json.loads(body)


@pytest.mark.parametrize("kind", ["stall", "slow_drip"])
def test_slow_answers_are_whole(proxy, connection, kind):
    proxy.set_rules([Rule(kind, seconds=0.3)])
    start = time.monotonic()
    _, body = call(connection)
    assert body == BODY
    assert time.monotonic() - start >= 0.25


def test_first_skip_and_operation_bound_a_rule(proxy, connection):
    proxy.set_rules([{"kind": "unavailable", "operation": "Scan|Query", "skip": 1, "first": 2}])
    statuses = [call(connection, name)[0].status for name in ["PutItem", "Scan", "Query", "Scan", "Scan"]]
    assert statuses == [200, 200, 503, 503, 200]


def test_rate_is_seeded():
    def hits(seed):
        rule = Rule("throttle", rate=0.3, seed=seed)
        return [rule.strikes("Scan") for _ in range(1000)]

    assert hits(1) == hits(1) != hits(2)
    assert 250 < sum(hits(1)) < 350


def test_record_finds_what_dynamodb_would_refuse(proxy, connection):
    call(connection, "BatchWriteItem", batch("a"))
    assert proxy.record.batches[0].duplicate_keys is None
    call(connection, "DescribeTable")
    call(connection, "BatchWriteItem", batch("a", "b", "a"))
    call(connection, "BatchWriteItem", batch(*map(str, range(26))))
    assert [one.entries for one in proxy.record.batches] == [1, 3, 26]
    assert [fault.split(" ", 2)[2] for fault in proxy.record.batch_faults()] == [
        "repeats None keys",
        "repeats 1 keys",
        "has 26 entries",
    ]


def test_control_endpoint(connection):
    def control(method, body=None):
        connection.request(method, "/_faults", body)
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())

    assert control("PUT", '[{"kind":"unavailable"}]')[0] == 200
    assert call(connection)[0].status == 503
    assert control("GET")[1]["faults"] == {"unavailable": 1}
    assert control("PUT", '[{"kind":"flood"}]')[0] == 400
    assert control("DELETE")[1]["faults"] == {}
    assert call(connection)[0].status == 200


def test_capacity_tells_what_the_bytes_cost(proxy, connection):
    capacity = proxy.set_capacity(Capacity())
    _, body = call(connection)
    assert json.loads(body)["ConsumedCapacity"]["CapacityUnits"] == 0.5
    _, body = call(connection, request={"TableName": "TTT", "ConsistentRead": True})
    assert json.loads(body)["ConsumedCapacity"]["CapacityUnits"] == 1
    _, body = call(connection, "BatchWriteItem", batch("a", "b" * 1024, "c" * 5000))
    assert json.loads(body)["ConsumedCapacity"][0]["CapacityUnits"] == 1 + 2 + 5
    assert call(connection, "DescribeTable")[1].startswith(b'{"Table"')
    assert [(use.operation, use.units) for use in capacity.uses] == [
        ("Scan", 0.5),
        ("Scan", 1),
        ("BatchWriteItem", 8),
    ]


def test_capacity_throttles_beyond_its_limit(proxy, connection, upstream):
    capacity = proxy.set_capacity(Capacity(limit=3, index="by-day"))
    statuses = [call(connection, "BatchWriteItem", batch("a", "b"))[0].status for _ in range(3)]
    answer, body = call(connection, "BatchWriteItem", batch("a"))
    # Three units of burst: the second batch goes into debt.
    assert statuses == [200, 200, 400]
    assert (answer.status, capacity.throttles, len(upstream.seen)) == (400, 2, 2)
    (reason,) = json.loads(body)["ThrottlingReasons"]
    assert reason["reason"] == "IndexWriteProvisionedThroughputExceeded"
    assert reason["resource"].endswith("table/TTT/index/by-day")
    time.sleep(0.7)
    assert call(connection, "BatchWriteItem", batch("a"))[0].status == 200


def test_windows_of_use():
    capacity = Capacity()
    capacity.uses = [Use(second / 2, "Scan", 5.0) for second in range(60)]
    assert capacity.windows() == (95.0, 100.0)
    capacity.uses.append(Use(15.1, "Scan", 30.0))
    assert capacity.windows() == (95.0, 130.0)


def test_a_rule_may_concern_one_table(proxy, connection, upstream):
    proxy.set_rules([{"kind": "throttle", "operation": "Scan|BatchWriteItem", "table": "T.*", "first": 2}])
    assert call(connection, "Scan", {"TableName": "Other"})[0].status == 200
    assert call(connection, "Scan", {"TableName": "TTT"})[0].status == 400
    write = {"RequestItems": {"TTT": [{"PutRequest": {"Item": {"pk": {"S": "a"}}}}]}}
    assert call(connection, "BatchWriteItem", write)[0].status == 400
    # Those of others did not count.
    assert call(connection, "Scan", {"TableName": "TTT"})[0].status == 200
    assert [operation for operation, _ in upstream.seen] == ["Scan", "Scan"]
