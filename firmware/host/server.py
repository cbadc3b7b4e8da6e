"""The server's api as the flashing tool needs it: registers a pad, asks how a desk's pad is. No password goes to it."""

import json
import ssl
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from firmware.host.errors import ServerError, UsageError

_TIMEOUT_S = 15
_REFUSED = {
    401: "the server does not know this token; give a token of the scope provision",
    403: "the token may not provision pads; it needs the scope provision",
    404: "the server's register has no desk {desk}",
    409: "the server refuses to register this pad for {desk}",
}


@dataclass(frozen=True, slots=True)
class Broker:
    """Where a pad is to connect, as the server says; ``ca_pem`` None: without TLS."""

    host: str
    port: int
    ca_pem: str | None


class Server:
    def __init__(self, url: str, token: str, ca_file: Path | None = None, broker: Broker | None = None):
        """Args:
            ca_file: what to trust of the server instead of this computer's own list, as PEM.
            broker: where pads connect, whatever the server says.

        Raises:
            UsageError: the address or the file cannot be used.
        """
        parts = urllib.parse.urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise UsageError(f"{url} is no address of a server: https://figures.example.org")
        if not token:
            raise UsageError("the server wants a token: put it into ZRAZKOVO_TOKEN or a file (--token-file)")
        self._url = url.rstrip("/")
        self._token = token
        self._broker = broker
        try:
            self._trust = ssl.create_default_context(cafile=str(ca_file) if ca_file else None)
        except (OSError, ssl.SSLError) as error:
            raise UsageError(f"{ca_file} cannot be used: {error}") from None

    def register(self, desk: str, verifier: str, board: str, hardware: str, firmware: str) -> Broker:
        """Makes this pad the desk's: whatever password the desk's pad had before no longer works."""
        body = {"verifier": verifier, "hardware": hardware or "unknown", "board": board, "firmware": firmware}
        answer = self._ask("POST", f"/v1/desks/{urllib.parse.quote(desk, safe='')}/pad", desk, body)
        if self._broker:
            return self._broker
        if not answer.get("broker_host") or not answer.get("broker_port"):
            raise ServerError("the server was not told where pads find the broker: say --broker HOST:PORT")
        try:
            ca = answer["ca"]
            return Broker(str(answer["broker_host"]), int(answer["broker_port"]), None if ca is None else str(ca))
        except (KeyError, TypeError, ValueError):
            raise ServerError("the server's answer is not understood; is it of the same version?") from None

    def pad(self, desk: str) -> dict[str, Any] | None:
        """What the server last heard of the desk's pad (a row of GET /v1/desks); None if there is no such desk."""
        rows = self._ask("GET", "/v1/desks", desk).get("desks", [])
        return next((row for row in rows if row.get("desk") == desk), None)

    def _ask(self, method: str, path: str, desk: str, body: dict[str, str] | None = None) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {self._token}", "Accept": "application/json"}
        if body is not None:
            headers["Content-Type"] = "application/json"
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self._url + path, data, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=_TIMEOUT_S, context=self._trust) as answer:
                found = json.loads(answer.read())
        except urllib.error.HTTPError as error:
            raise ServerError(_refusal(error, desk), error.code) from None
        except (OSError, ValueError) as error:
            reason = getattr(error, "reason", error)
            raise ServerError(f"the server {self._url} does not answer: {reason}") from None
        if not isinstance(found, dict):
            raise ServerError("the server's answer is not understood; is it of the same version?")
        return found


def _refusal(error: urllib.error.HTTPError, desk: str) -> str:
    """Our words for the status, and the server's own after them."""
    try:
        problem = json.loads(error.read())
        detail = str(problem.get("detail") or problem.get("title") or "")
    except (OSError, ValueError, AttributeError):
        detail = ""
    ours = _REFUSED.get(error.code, "the server refuses: HTTP {status}").format(desk=desk, status=error.code)
    return f"{ours} ({detail})" if detail else ours
