"""Qmatic's connector orchestra-events that is none: takes hooks by ``GET /hooks/register?url=``, posts events to each,
and drops a hook whose POST once fails, as its source says (commit a460e3d, facts only). Emulated, never live.
"""

import threading
import urllib.error
import urllib.request
from collections.abc import Callable
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import orjson

OPERATOR = "Прізвище Оператора"


def orchestra(name: str, at_unix_ms: int, **parameters: object) -> dict[str, Any]:
    """An event of a service point, with every parameter that an event of a real Orchestra was seen to have."""
    time = datetime.fromtimestamp(at_unix_ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "+0000")
    said: dict[str, object] = {
        "branchId": 1, "visitId": 5, "ticket": "A007", "servicePointName": "Counter 1", "lastName": OPERATOR,
        "firstName": OPERATOR, "workProfileName": "Longest waiting time all queues", "servicePointLogicId": 1,
        "workProfile": 4, "queueId": 110000000001, "queueType": "QUEUE", "userId": 1, "service": 1,
        "servicePointId": 120000000001, "queueName": "Queue 1", "serviceOrigId": 1, "user": OPERATOR,
        "queueServiceLevel": 5,
    }  # fmt: skip
    return {
        "eventName": name,
        "eventTime": time,
        "eventType": "PUBLIC",
        "unitId": 120000000001,
        "parameters": {**said, **parameters},
    }


class Connector:
    """At ``url``; ``door`` is an address of its own at which the one who is hooked may stand (``behind_door``)."""

    def __init__(self) -> None:
        self.hooks: list[str] = []
        self.dropped = self.asked = 0
        self.status = 204
        self.door_shut = False
        self.behind_door: Callable[[str, bytes], int] = lambda path, body: 404
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                parts = urlsplit(self.path)
                outer.asked += 1
                if parts.path == "/qpevents/hooks/register" and outer.status == 204:
                    hook = parse_qs(parts.query)["url"][0]
                    if hook not in outer.hooks:
                        outer.hooks.append(hook)
                self._answer(outer.status if parts.path.startswith("/qpevents/hooks/") else 404)

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if outer.door_shut:
                    self.close_connection = True
                    return
                self._answer(outer.behind_door(self.path, body))

            def _answer(self, status: int) -> None:
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.door = f"http://127.0.0.1:{self._server.server_port}"
        self.url = self.door + "/qpevents"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def publish(self, event: dict[str, Any] | bytes) -> None:
        """Posts to every hook. Any HTTP status is a success to it; a hook that cannot be reached is dropped."""
        body = event if isinstance(event, bytes) else orjson.dumps(event)
        for hook in list(self.hooks):
            request = urllib.request.Request(hook, body, {"Content-Type": "application/json"})
            try:
                urllib.request.urlopen(request, timeout=60).close()
            except urllib.error.HTTPError as answered:
                answered.close()
            except OSError:
                self.hooks.remove(hook)
                self.dropped += 1
