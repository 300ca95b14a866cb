"""Who dynarc is at each side: a profile for each role, with GitHub's token in a file.

dynarc assumes the roles by itself, and reads the token again whenever it renews a session. The token lives
for some minutes only, so it is replaced for as long as dynarc runs.
"""

from __future__ import annotations

import json
import os
import re
import threading
import urllib.error
import urllib.request
from typing import Any, Mapping

import github
import inputs
import workplace
from github import ActionError

AUDIENCE = "sts.amazonaws.com"
ANSWER_SECONDS = 10
ATTEMPTS = 3
# Well within the minutes that a token of GitHub's lives.
RENEWAL_SECONDS = 120
MOST_BYTES = 1 << 20
# What would lead to somebody else than the roles that were named, or is nothing that dynarc needs.
WITHHELD = (
    "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE", "AWS_DEFAULT_PROFILE",
    "AWS_ROLE_ARN", "AWS_WEB_IDENTITY_TOKEN_FILE", "ACTIONS_ID_TOKEN_REQUEST_URL", "ACTIONS_ID_TOKEN_REQUEST_TOKEN",
)  # fmt: skip


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """The request carries a secret, which is for one host."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


class Roles:
    """The roles of a request while dynarc runs: `environment` is what it is to be started with."""

    def __init__(self, request: Mapping[str, str], directory: str):
        self._request = request
        self._sides = [side for side in inputs.SIDES if f"{side}-role" in request]
        self._token_file = os.path.join(directory, "token")
        self._config_file = os.path.join(directory, "config")
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._renew, daemon=True)

    def __enter__(self) -> "Roles":
        if self._sides:
            token = _token()
            github.mask(token)
            workplace.write(self._token_file, token)
            workplace.write(self._config_file, self._config())
            self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        if self._sides:
            self._thread.join()

    def environment(self) -> dict[str, str]:
        if not self._sides:
            return dict(os.environ)
        if any(f"{side}-endpoint-url" in self._request for side in self._sides):
            for name in ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_DYNAMODB"):
                if os.environ.get(name):
                    raise ActionError(f"{name} is set, and goes before the endpoints of the inputs: name one or the other")
        kept = {name: text for name, text in os.environ.items() if name not in WITHHELD}
        # A file of credentials that happens to be there is none of the roles'.
        return kept | {"AWS_CONFIG_FILE": self._config_file, "AWS_SHARED_CREDENTIALS_FILE": os.devnull}

    def _config(self) -> str:
        lines = []
        for side in self._sides:
            lines += [
                f"[profile {side}]",
                f"role_arn = {self._request[f'{side}-role']}",
                f"web_identity_token_file = {self._token_file}",
                f"role_session_name = dynarc-{os.environ.get('GITHUB_RUN_ID', '0')}",
            ]
            if f"{side}-region" in self._request:
                lines.append(f"region = {self._request[f'{side}-region']}")
            if f"{side}-endpoint-url" in self._request:
                url = self._request[f"{side}-endpoint-url"]
                lines += [f"services = {side}", f"[services {side}]", "dynamodb =", f"  endpoint_url = {url}"]
        return "\n".join(lines) + "\n"

    # MARK: The token

    def _renew(self) -> None:
        while not self._over.wait(RENEWAL_SECONDS):
            try:
                # Not masked: the log takes no commands while dynarc runs, and nobody prints it.
                workplace.write(self._token_file, _token())
            except ActionError:
                # The one that is there may do still; if it does not, dynarc says so.
                pass


def _token() -> str:
    """A token of GitHub's that says who this workflow is."""
    url = os.environ.get("ACTIONS_ID_TOKEN_REQUEST_URL", "")
    bearer = os.environ.get("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "")
    if not url or not bearer:
        raise ActionError("GitHub offers no token for the roles: the job needs `permissions: id-token: write`")
    if not re.match(r"https://|http://(127\.0\.0\.1|localhost)[:/]", url):
        raise ActionError("ACTIONS_ID_TOKEN_REQUEST_URL is not https")
    request = urllib.request.Request(
        url + ("&" if "?" in url else "?") + "audience=" + AUDIENCE,
        headers={"Accept": "application/json", "Authorization": f"bearer {bearer}"},
    )
    opener = urllib.request.build_opener(_NoRedirect)
    reason = ""
    for _ in range(ATTEMPTS):
        try:
            with opener.open(request, timeout=ANSWER_SECONDS) as answer:
                token = json.loads(answer.read(MOST_BYTES))["value"]
            if isinstance(token, str) and re.fullmatch(r"[A-Za-z0-9_.=-]+", token):
                return token
            reason = "the answer holds no token"
        except urllib.error.HTTPError as error:
            reason = f"HTTP status {error.code}"
        except (OSError, ValueError, KeyError, TypeError) as error:
            # Neither has anything of the answer in it.
            reason = type(error).__name__
    raise ActionError(f"GitHub gave no token for the roles ({reason}): the job needs `permissions: id-token: write`")
