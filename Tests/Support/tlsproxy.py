"""A corporate proxy: takes CONNECT, opens the TLS inside with certificates of an authority of its own, and
hands what is in it to a local server.

    with InterceptingProxy(server.endpoint, directory) as proxy:
        environment = {"HTTPS_PROXY": proxy.address, "AWS_CA_BUNDLE": str(proxy.authority)}
"""

from __future__ import annotations

import base64
import socket
import ssl
import subprocess
import threading
import warnings
from pathlib import Path
from urllib.parse import urlsplit


class InterceptingProxy:
    """What it was asked for stands in `connects`: `host:port` each.

    `login` is `user:password`, demanded of clients. `change` replaces one text by another of the same
    length in what clients send. `maximum_version` bounds the TLS versions that it speaks.
    """

    def __init__(
        self,
        upstream: str,
        directory: Path,
        *,
        host: str = "dynamodb.eu-central-1.amazonaws.com",
        login: str | None = None,
        change: tuple[bytes, bytes] | None = None,
        maximum_version: ssl.TLSVersion | None = None,
    ):
        self.connects: list[str] = []
        self.authority = directory / "proxy-ca.pem"
        self._upstream = urlsplit(upstream)
        self._login = login
        self._change = change
        _make_certificates(directory, host)
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(directory / "proxy.pem", directory / "proxy.key")
        if maximum_version:
            # Without a lower level, OpenSSL itself refuses what is older than 1.2.
            self._context.set_ciphers("DEFAULT:@SECLEVEL=0")
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DeprecationWarning)
                self._context.minimum_version = ssl.TLSVersion.TLSv1
                self._context.maximum_version = maximum_version
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.address = f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> "InterceptingProxy":
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with client:
            try:
                head = _read_head(client)
                method, target, _ = head.split(b"\r\n")[0].decode().split(" ")
                self.connects.append(target)
                if method != "CONNECT":
                    client.sendall(b"HTTP/1.1 405 Method Not Allowed\r\nContent-Length: 0\r\n\r\n")
                    return
                if self._login and base64.b64encode(self._login.encode()) not in head:
                    client.sendall(
                        b"HTTP/1.1 407 Proxy Authentication Required\r\n"
                        b'Proxy-Authenticate: Basic realm="proxy"\r\nContent-Length: 0\r\n\r\n'
                    )
                    return
                client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
                with self._context.wrap_socket(client, server_side=True) as inner:
                    self._relay(inner)
            except (OSError, ValueError):
                pass

    def _relay(self, client: ssl.SSLSocket) -> None:
        address = (self._upstream.hostname, self._upstream.port)
        with socket.create_connection(address) as server:
            back = threading.Thread(target=_copy, args=(server, client, None), daemon=True)
            back.start()
            _copy(client, server, self._change)
            back.join(timeout=5)


def _copy(source, target, change: tuple[bytes, bytes] | None) -> None:
    try:
        while data := source.recv(64 << 10):
            target.sendall(data.replace(*change) if change else data)
    except OSError:
        pass
    try:
        target.shutdown(socket.SHUT_WR)
    except OSError:
        pass


def _read_head(client: socket.socket) -> bytes:
    head = b""
    while b"\r\n\r\n" not in head:
        more = client.recv(4096)
        if not more:
            raise ValueError("the client hung up")
        head += more
    return head


def _make_certificates(directory: Path, host: str) -> None:
    def request(name: str, *arguments: str) -> None:
        command = ["openssl", "req", "-x509", "-nodes", "-days", "2", "-newkey", "rsa:2048"]
        command += ["-keyout", f"{name}.key", "-out", f"{name}.pem", *arguments]
        subprocess.run(command, cwd=directory, check=True, capture_output=True)

    request("proxy-ca", "-subj", "/CN=a company's proxy")
    leaf = ["-subj", f"/CN={host}", "-CA", "proxy-ca.pem", "-CAkey", "proxy-ca.key"]
    for extension in (f"subjectAltName=DNS:{host}", "basicConstraints=critical,CA:FALSE"):
        leaf += ["-addext", extension]
    request("proxy", *leaf)
