"""One small server for all who give out credentials: instance metadata, a container's endpoint, IAM
Identity Center's portal and token service, GitHub's tokens, and an STS whose keys tell how they came
about. What it answers can be made to go wrong, path by path.

    with Issuer() as issuer:
        issuer.goes("/container", "500", "garbage", "ok")   # one after the other, the last for ever
"""

from __future__ import annotations

import hashlib
import json
import socketserver
import threading
import time
from collections import defaultdict
from datetime import datetime, timedelta, timezone
from http.server import BaseHTTPRequestHandler
from urllib.parse import parse_qs, urlsplit

import servers

ROLE = "instance-role"
HANG_SECONDS = 12.0


def stamp(seconds: float) -> str:
    """The time so many seconds from now, as AWS writes it."""
    return (datetime.now(timezone.utc) + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")


class Issuer(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.account = servers.ACCOUNT_A
        self.lifetime = 3600.0
        self.requests: list[dict] = []
        self._behaviour: dict[str, list[str]] = defaultdict(lambda: ["ok"])
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05})

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def goes(self, path: str, *behaviour: str) -> None:
        """How the next answers for a path go: `ok`, `hang`, `garbage`, `empty`, `cut` or a status."""
        self._behaviour[path] = list(behaviour)

    def next(self, path: str) -> str:
        with self._lock:
            steps = self._behaviour[path]
            return steps.pop(0) if len(steps) > 1 else steps[0]

    def asked(self, path: str) -> list[dict]:
        return [request for request in self.requests if request["path"] == path]

    def __enter__(self) -> "Issuer":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.server_close()
        self._thread.join()


class Handler(BaseHTTPRequestHandler):
    server: Issuer
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._serve()

    do_POST = do_PUT = do_GET

    def log_message(self, *_: object) -> None:
        pass

    def _serve(self) -> None:
        url = urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        form = {name: values[0] for name, values in parse_qs(body.decode()).items()}
        query = {name: values[0] for name, values in parse_qs(url.query).items()}
        self.server.requests.append(
            {"method": self.command, "path": url.path, "query": query, "body": body, "form": form,
             "headers": {name.lower(): value for name, value in self.headers.items()}}
        )  # fmt: skip
        step = self.server.next(url.path)
        if step == "hang":
            time.sleep(HANG_SECONDS)
            self.close_connection = True
            return
        if step == "cut":
            self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{")
            self.close_connection = True
            return
        if step.isdigit():
            return self._answer(int(step), '{"message": "no", "Code": "Refused"}')
        if step in ("garbage", "empty"):
            return self._answer(200, "<<<nonsense" if step == "garbage" else "")
        text = self._text(url.path, query, body, form)
        self._answer(200 if text is not None else 404, text or "")

    def _answer(self, status: int, text: str) -> None:
        data = text.encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def _text(self, path: str, query: dict, body: bytes, form: dict) -> str | None:
        account, life = self.server.account, self.server.lifetime
        keys = {
            "AccessKeyId": account, "SecretAccessKey": servers.SECRET, "Token": "session-token",
            "Expiration": stamp(life),
        }  # fmt: skip
        metadata = "/latest/meta-data/"
        match path:
            case "/latest/api/token":
                return "metadata-token" if self.command == "PUT" else None
            case "/container":
                return json.dumps(keys)
            case "/github":
                return json.dumps({"value": "github-jwt"})
            case "/federation/credentials":
                found = {
                    "accessKeyId": account, "secretAccessKey": servers.SECRET,
                    "sessionToken": "session-token", "expiration": int((time.time() + life) * 1000),
                }  # fmt: skip
                return json.dumps({"roleCredentials": found})
            case "/token":
                token = {"accessToken": "renewed-token", "expiresIn": 28800, "refreshToken": "next-refresh"}
                return json.dumps(token)
            case "/v1/token":
                names = ("AccessKeyId", "SecretAccessKey")
                access = {name[0].lower() + name[1:]: keys[name] for name in names} | {"sessionToken": "session-token"}
                return json.dumps({"accessToken": access, "expiresIn": 900, "refreshToken": "next-refresh"})
            case "/":
                return self._sts(form)
        if not path.startswith(metadata) or self.headers.get("x-aws-ec2-metadata-token") != "metadata-token":
            return None
        match path.removeprefix(metadata):
            case "placement/region":
                return servers.REGION
            case "iam/security-credentials/":
                return ROLE + "\n"
            case "iam/security-credentials/instance-role":
                return json.dumps(keys | {"Code": "Success"})
        return None

    def _sts(self, form: dict) -> str:
        """Whoever assumes the same role in the same way gets the same key."""
        signer = self.headers.get("Authorization", "").partition("Credential=")[2].partition("/")[0]
        if form.get("Action") == "GetCallerIdentity":
            return f"<R><Account>111122223333</Account><Arn>arn:aws:iam::111122223333:user/{signer}</Arn></R>"
        names = ("Action", "RoleArn", "ExternalId", "WebIdentityToken", "DurationSeconds")
        story = "|".join([signer] + [form.get(name, "") for name in names])
        key = "ASIA" + hashlib.sha256(story.encode()).hexdigest()[:16].upper()
        account = form.get("RoleArn", "").split(":")[4:5] or [""]
        action = form.get("Action", "")
        return (
            f"<{action}Response><{action}Result>"
            f"<AssumedRoleUser><Arn>arn:aws:sts::{account[0]}:assumed-role/r/s</Arn></AssumedRoleUser>"
            f"<Credentials><AccessKeyId>{key}</AccessKeyId><SecretAccessKey>{servers.SECRET}</SecretAccessKey>"
            f"<SessionToken>session-token</SessionToken><Expiration>{stamp(3600)}</Expiration></Credentials>"
            f"</{action}Result></{action}Response>"
        )
