"""Who is told what: a real SMTP server with STARTTLS, a real HTTP receiver, both of which fail for a while."""

import hmac
import json
import ssl
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from collector.fleet.alerts import PAUSES_S, Hook, Mailer, Post, recipients
from collector.store import Fault, Notice, Store
from collector.store.faults import Closed, Opened
from sim.ports import choose_lasting
from tests.integration.fleet_process import DESKS, open_store

SECRET = "a secret of the webhook's receiver"
IT, HEAD = "mail:it@example.org", "mail:head@example.org"


class Mailbox:
    """What an SMTP server took; ``refuses`` so many messages first."""

    def __init__(self, folder: Path) -> None:
        self.mails: list[Any] = []
        self.refuses = 0
        certificate, key = _certificate(folder)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        self.trust = ssl.create_default_context(cafile=certificate)
        self.controller = Controller(
            self,
            hostname="127.0.0.1",
            port=choose_lasting(),
            tls_context=context,
            require_starttls=True,
            auth_required=True,
            authenticator=self._authenticate,
        )
        self.controller.start()

    @property
    def port(self) -> int:
        return int(self.controller.server.sockets[0].getsockname()[1])

    def mailer(self, password: str = "right") -> Mailer:
        return Mailer("localhost", self.port, "zrazkovo@example.org", True, "fleet", password, self.trust)

    async def handle_DATA(self, server: SMTP, session: Any, envelope: Any) -> str:  # noqa: N802  # aiosmtpd's name
        if self.refuses:
            self.refuses -= 1
            return "451 later, please"
        self.mails.append((envelope.rcpt_tos, message_from_bytes(envelope.content, policy=policy.default)))
        return "250 taken"

    @staticmethod
    def _authenticate(server: SMTP, session: Any, envelope: Any, mechanism: str, data: LoginPassword) -> AuthResult:
        return AuthResult(success=(data.login, data.password) == (b"fleet", b"right"))


def _certificate(folder: Path) -> tuple[Path, Path]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    encoding = serialization.Encoding.PEM
    (folder / "mail.pem").write_bytes(certificate.public_bytes(encoding))
    (folder / "mail.key").write_bytes(
        key.private_bytes(encoding, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return folder / "mail.pem", folder / "mail.key"


class Receiver(ThreadingHTTPServer):
    """What a webhook's receiver was sent; it answers ``status``."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.status = 204
        self.got: list[tuple[str, bytes]] = []
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def recipient(self) -> str:
        return f"hook:http://127.0.0.1:{self.server_address[1]}/faults"


class _Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:  # the library's name
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.got.append((self.headers["X-Zrazkovo-Signature"], body))
        self.send_response(self.server.status)
        if self.server.status == 302:
            self.send_header("Location", "http://127.0.0.1:1/elsewhere")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def mailbox(tmp_path: Path) -> Iterator[Mailbox]:
    mailbox = Mailbox(tmp_path)
    yield mailbox
    mailbox.controller.stop()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    yield receiver
    receiver.shutdown()
    receiver.server_close()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(f"sqlite:///{tmp_path / 'zrazkovo.db'}") as store:
        yield store


class Telling:
    """The store's notices told by a Post in virtual time; three seconds to gather, five minutes to fold."""

    def __init__(self, store: Store, mailer: Mailer | None, hook: Hook | None, *to: str):
        self.store, self.to = store, to
        self.ahead_ms = 0
        self.post = Post(
            mailer,
            hook,
            told=store.fleet.told,
            put_off=store.fleet.put_off,
            gather_s=3,
            fold_s=300,
            clock=lambda: int(datetime.now(UTC).timestamp() * 1000) + self.ahead_ms,
        )

    def after(self, seconds: float) -> int:
        """How many messages went out when so much time had passed."""
        self.ahead_ms += int(seconds * 1000)
        self.store.fleet.announce(lambda fault: self.to)
        return self.post.work(self.store.fleet.notices())


def test_head_and_it_get_one_mail_each_about_all_that_broke_at_once(store: Store, mailbox: Mailbox) -> None:
    telling = Telling(store, mailbox.mailer(), None, IT, HEAD)
    for desk in DESKS:
        store.fleet.record([Opened(desk, "dark", None, "")])
    assert telling.after(0) == 0
    assert telling.after(3.1) == 2
    assert sorted(to for to, _ in mailbox.mails) == [["head@example.org"], ["it@example.org"]]
    mail = mailbox.mails[0][1]
    text = mail.get_content()
    assert mail["Subject"] == "Zrazkovo: 12 (12 відкрито / open)" and mail["Auto-Submitted"] == "auto-generated"
    assert text.count("пульт не засвітився після виклику") == 12 and "Центр, 07 (centre-07)" in text
    assert "книга скарг" in text and "the pad stayed dark after a call" in text
    assert all(fault.told_unix_ms for fault in store.fleet.faults())
    assert telling.after(3600) == 0


def test_a_flapping_pad_is_one_mail_in_five_minutes(store: Store, mailbox: Mailbox) -> None:
    telling = Telling(store, mailbox.mailer(), None, IT)
    store.fleet.record([Opened(DESKS[0], "dark", None, "")])
    assert telling.after(3.1) == 1
    for _ in range(10):
        store.fleet.record([Closed(DESKS[0], "dark")])
        store.fleet.record([Opened(DESKS[0], "dark", None, "")])
        assert telling.after(20) == 0
    assert telling.after(300) == 1
    lines = mailbox.mails[1][1].get_content()
    assert lines.count("fault: the pad stayed dark") == lines.count("mended: the pad stayed dark") == 10


def test_a_mail_server_that_is_busy_or_refuses_us_is_tried_again_later(store: Store, mailbox: Mailbox) -> None:
    mailbox.refuses = 2
    telling = Telling(store, mailbox.mailer(), None, IT)
    store.fleet.record([Opened(DESKS[0], "lamps", None, "")])
    assert telling.after(3.1) == 0
    assert telling.after(PAUSES_S[0] / 2) == 0 and mailbox.refuses == 1  # not asked again yet
    assert telling.after(PAUSES_S[0]) == 0 and mailbox.refuses == 0
    assert telling.after(PAUSES_S[1] + 3.1) == 1
    assert len(mailbox.mails) == 1


@pytest.mark.parametrize("broken", ["password", "trust", "address"])
def test_no_mail_goes_to_a_server_that_is_not_ours(store: Store, mailbox: Mailbox, broken: str) -> None:
    good = mailbox.mailer()
    mailer = {
        "password": mailbox.mailer("wrong"),
        "trust": Mailer(good.host, good.port, good.sender, True, "fleet", "right", ssl.create_default_context()),
        "address": Mailer("127.0.0.1", good.port, good.sender, True, "fleet", "right", mailbox.trust),
    }[broken]
    telling = Telling(store, mailer, None, IT)
    store.fleet.record([Opened(DESKS[0], "lamps", None, "")])
    assert telling.after(3.1) == 0 and mailbox.mails == []
    assert len(store.fleet.notices()) == 1


def test_a_webhook_is_signed_and_says_nothing_of_clients_or_operators(store: Store, receiver: Receiver) -> None:
    telling = Telling(store, None, Hook(SECRET), receiver.recipient)
    store.fleet.record([Opened(DESKS[0], "dark", "01kb3x9c00000001", "offline")])
    fault = store.fleet.faults()[0].id
    assert telling.after(3.1) == 1
    ((signature, body),) = receiver.got
    seconds, _, digest = signature.removeprefix("t=").partition(",sha256=")
    assert hmac.digest(SECRET.encode(), f"{seconds}.".encode() + body, "sha256").hex() == digest
    (told,) = json.loads(body)["faults"]
    assert (told["id"], told["event"], told["kind"], told["desk"]) == (fault, "opened", "dark", DESKS[0])
    assert "01kb3x9c00000001" not in body.decode()


@pytest.mark.parametrize("status", [302, 404, 500])
def test_a_webhook_that_fails_or_moved_is_tried_again(store: Store, receiver: Receiver, status: int) -> None:
    receiver.status = status
    telling = Telling(store, None, Hook(SECRET), receiver.recipient)
    store.fleet.record([Opened(DESKS[0], "dark", None, "")])
    assert telling.after(3.1) == 0 and len(receiver.got) == 1
    receiver.status = 204
    assert telling.after(PAUSES_S[0] + 3.1) == 1


def test_one_recipient_who_cannot_be_reached_keeps_nothing_from_the_others(
    store: Store, mailbox: Mailbox, receiver: Receiver
) -> None:
    receiver.status = 500
    telling = Telling(store, mailbox.mailer(), Hook(SECRET), IT, receiver.recipient)
    store.fleet.record([Opened(DESKS[0], "dark", None, "")])
    assert telling.after(3.1) == 1 and len(mailbox.mails) == 1
    assert [each.recipient for each in store.fleet.notices()] == [receiver.recipient]


def fault(kind: str, branch: str | None) -> Fault:
    return Fault(1, "d", branch, branch, "1", kind, 1, None, None, None, None, "", None, None)


def test_the_head_hears_of_what_clients_notice_and_it_of_everything_that_is_to_be_told() -> None:
    def who(kind: str, branch: str | None = "centre") -> set[str]:
        return recipients(
            fault(kind, branch),
            tell=("dark", "reported", "lamps"),
            it_mail=["it@example.org"],
            head_mail={"centre": ["head@example.org"], "other": ["other@example.org"]},
            webhooks=["http://hook"],
        )

    assert who("dark") == who("reported") == {IT, HEAD, "hook:http://hook"}
    assert who("lamps") == who("dark", None) == {IT, "hook:http://hook"}
    assert who("restarts") == set()


def test_a_notice_without_a_way_stays_until_there_is_one(store: Store) -> None:
    telling = Telling(store, None, Hook(SECRET), IT)
    store.fleet.record([Opened(DESKS[0], "dark", None, "")])
    assert telling.after(3.1) == 0
    (notice,) = store.fleet.notices()
    assert isinstance(notice, Notice) and notice.recipient == IT
