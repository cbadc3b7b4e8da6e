"""A QSystem that is none: speaks QSystem's wire (TCP, URL-encoded JSON, one request a connection), and behaves by what
its source says of operators, clients and shadows (queue-systems.md section 1). Emulated: no running QSystem was met.

Its answers hold what a real one's do: passwords, names, plans of services, and times without a zone.
"""

import json
import socket
import socketserver
import threading
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import quote_plus, unquote_plus
from zoneinfo import ZoneInfo

from collector.feed.qsystem import LIST_OPERATORS

KYIV = ZoneInfo("Europe/Kyiv")
PASSWORD = "пароль-оператора"
CLIENTS_DATA = "Петренко 050 123 45 67"


@dataclass
class Client:
    id: int
    prefix: str
    number: int
    service: int
    state: str = "STATE_WAIT"


@dataclass
class Operator:
    id: int
    point: str
    client: Client | None = None
    shadow: dict[str, Any] | None = None
    pause: bool = False

    def row(self) -> dict[str, Any]:
        row: dict[str, Any] = {
            "id": self.id, "enable": 1, "is_admin": False, "is_report_access": False, "pass": PASSWORD,
            "point": self.point, "name": f"Оператор Операторович {self.id}", "adress_rs": 32 + self.id, "point_ext": "",
            "plan": [{"id": 1, "coefficient": 1, "service": {"id": 17, "name": "Паспорт"}, "worked": 3}],
            "services_cnt": 1, "pause": self.pause,
        }  # fmt: skip
        return row if self.shadow is None else {**row, "shadow": self.shadow}


@dataclass
class QSystemServer:
    """``clock`` gives its wall clock in Unix milliseconds; its methods are what operators do."""

    clock: Any
    operators: dict[int, Operator] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    answer: str | None = None  # said instead of everything else
    sentence: str = LIST_OPERATORS
    serves: bool = True  # without: no socket, ``reply`` is called

    def __post_init__(self) -> None:
        if self.serves:
            self._serve()

    def _serve(self) -> None:
        outer = self

        class Handler(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                self.request.settimeout(60)
                heard = unquote_plus(self.request.recv(65536).decode())
                self.request.sendall(quote_plus(outer.reply(heard)).encode())

        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def reply(self, heard: str) -> str:
        if self.answer is not None:
            return self.answer
        request = json.loads(heard)
        self.asked.append(request["method"])
        head = {"jsonrpc": "2.0", "id": str(self.clock())}
        if request["method"] != self.sentence:
            error = {"code": -1, "message": "Unknown error.", "data": "нет такой команды"}
            return json.dumps({**head, "error": error}, ensure_ascii=False)
        rows = [each.row() for each in self.operators.values()]
        return json.dumps({**head, "result": rows}, ensure_ascii=False)

    # ---- what happens in the office
    def invite(self, operator: int, client: Client) -> None:
        at = self.operators[operator]
        first = client.state == "STATE_WAIT"
        at.client = client
        self._shadow(at)
        self._set(at, "STATE_INVITED" if first else "STATE_INVITED_SECONDARY")

    def start(self, operator: int) -> None:
        at = self.operators[operator]
        assert at.client
        self._set(at, "STATE_WORK" if at.client.state == "STATE_INVITED" else "STATE_WORK_SECONDARY")

    def end(self, operator: int, state: str, service: int | None = None) -> None:
        """FINISH, DEAD, REDIRECT, POSTPONED, BACK, WAIT_COMPLEX_SERVICE; ``service``: where the client goes next."""
        at = self.operators[operator]
        assert at.client
        self._set(at, "STATE_" + state)
        at.client.service = service or at.client.service
        self._shadow(at)
        assert at.shadow
        at.shadow["old_fin_time"] = at.shadow.pop("old_start_time")
        at.client = None

    def clear(self) -> None:
        for each in self.operators.values():
            each.client = each.shadow = None

    def _set(self, at: Operator, state: str) -> None:
        assert at.client and at.shadow is not None
        at.client.state = at.shadow["old_cust_state"] = state

    def _shadow(self, at: Operator) -> None:
        assert at.client
        at.shadow = {
            "id_old_service": at.client.service,
            "id_old_customer": at.client.id,
            "old_nom": at.client.number,
            "old_pref": at.client.prefix,
            "old_start_time": datetime.fromtimestamp(self.clock() / 1000, KYIV).strftime("%d.%m.%Y %H:%M:%S"),
            "inp_data": CLIENTS_DATA,
            "old_cust_state": at.client.state,
        }


def broadcast(port: int, word: str = "17") -> None:
    """What QSystem shouts when a queue has changed: the number of a service."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as mouth:
        mouth.sendto(word.encode(), ("127.0.0.1", port))
