"""Tells people of faults: e-mail by SMTP, webhooks by HTTP. What is to be told, and whether it was, the store knows.

Rules of the file
1.  One message a recipient holds everything that is due to them; the next goes out ``fold_s`` later at the soonest, so
    a broken branch is a few mails and not hundreds. The first goes out ``gather_s`` after its fault.
2.  A recipient who cannot be reached is tried again after growing pauses, for as long as it takes.
3.  A message names desks, kinds and times; no call, no operator, no vote.
"""

import hmac
import json
import logging
import smtplib
import ssl
import time
import urllib.request
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.message import EmailMessage
from typing import Any

from collector.fleet.wording import subject, text
from collector.store import Fault, Notice

log = logging.getLogger(__name__)

PAUSES_S = (15, 30, 60, 120, 300, 900, 3600)
_PATIENCE_S = 10.0
MAIL, HOOK = "mail:", "hook:"


@dataclass(frozen=True, slots=True)
class Mailer:
    """How mail goes out. ``starttls``: encrypted before anything is said, with the server's certificate checked."""

    host: str
    port: int
    sender: str
    starttls: bool
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    trust: ssl.SSLContext | None = field(default=None, repr=False)

    def send(self, address: str, about: Sequence[Notice]) -> None:
        """Raises OSError or smtplib.SMTPException."""
        message = EmailMessage()
        message["From"], message["To"] = self.sender, address
        message["Subject"] = subject(about)
        message["Date"] = datetime.now(UTC)
        message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no answering machine answers
        message.set_content(text(about))
        with smtplib.SMTP(self.host, self.port, timeout=_PATIENCE_S) as server:
            if self.starttls:
                server.starttls(context=self.trust or ssl.create_default_context())
            if self.user is not None:
                server.login(self.user, self.password or "")
            server.send_message(message)


@dataclass(frozen=True, slots=True)
class Hook:
    """How webhooks are called. A receiver checks ``X-Zrazkovo-Signature: t=SECONDS,sha256=HEX``: an HMAC with the
    shared secret over SECONDS, a full stop and the body.
    """

    secret: str = field(repr=False)

    def send(self, url: str, about: Sequence[Notice]) -> None:
        """Raises OSError."""
        body = json.dumps({"v": 1, "faults": [_told(each) for each in about]}, ensure_ascii=False).encode()
        seconds = int(time.time())
        signature = hmac.digest(self.secret.encode(), b"%d." % seconds + body, "sha256").hex()
        request = urllib.request.Request(
            url,
            body,
            {
                "Content-Type": "application/json",
                "User-Agent": "zrazkovo-fleet",
                "X-Zrazkovo-Signature": f"t={seconds},sha256={signature}",
            },
        )
        with _OPENER.open(request, timeout=_PATIENCE_S):
            pass


class Post:
    """Works off notices. ``put_off`` and ``told`` are the store's; ``clock`` gives UTC in milliseconds."""

    def __init__(
        self,
        mailer: Mailer | None,
        hook: Hook | None,
        *,
        told: Callable[[Sequence[Notice]], None],
        put_off: Callable[[str, int], None],
        gather_s: float,
        fold_s: float,
        clock: Callable[[], int],
    ):
        self._mailer, self._hook = mailer, hook
        self._told, self._put_off, self._clock = told, put_off, clock
        self._gather_ms, self._fold_ms = int(gather_s * 1000), int(fold_s * 1000)
        self._last_ms: dict[str, int] = {}
        self._failures: dict[str, int] = {}

    def work(self, notices: Iterable[Notice]) -> int:
        """Sends what is due; how many messages went out."""
        by_recipient: dict[str, list[Notice]] = {}
        for notice in notices:
            by_recipient.setdefault(notice.recipient, []).append(notice)
        return sum(self._tell(recipient, about) for recipient, about in by_recipient.items())

    def _tell(self, recipient: str, about: list[Notice]) -> bool:
        now_ms = self._clock()
        oldest_ms = min(each.due_unix_ms for each in about)
        if now_ms < max(oldest_ms + self._gather_ms, self._last_ms.get(recipient, 0) + self._fold_ms):
            return False
        try:
            self._send(recipient, about)
        except (OSError, smtplib.SMTPException, ValueError) as error:
            failures = self._failures[recipient] = self._failures.get(recipient, 0) + 1
            pause_s = PAUSES_S[min(failures, len(PAUSES_S)) - 1]
            log.warning("%s cannot be told: %s; trying again in %d s", recipient, _one_line(error), pause_s)
            self._put_off(recipient, now_ms + pause_s * 1000)
            return False
        self._failures.pop(recipient, None)
        self._last_ms[recipient] = now_ms
        self._told(about)
        log.info("told %s of %d", recipient, len(about))
        return True

    def _send(self, recipient: str, about: Sequence[Notice]) -> None:
        if recipient.startswith(MAIL) and self._mailer is not None:
            self._mailer.send(recipient.removeprefix(MAIL), about)
        elif recipient.startswith(HOOK) and self._hook is not None:
            self._hook.send(recipient.removeprefix(HOOK), about)
        else:
            raise ValueError("there is no way to it in the settings any more")


def recipients(
    fault: Fault,
    *,
    tell: Iterable[str],
    it_mail: Iterable[str],
    head_mail: Mapping[str, Iterable[str]],
    webhooks: Iterable[str],
) -> set[str]:
    """Who is to be told of ``fault``: IT of every one in ``tell``, the head of the branch of what clients notice."""
    if fault.kind not in set(tell):
        return set()
    found = {MAIL + each for each in it_mail} | {HOOK + each for each in webhooks}
    if fault.kind in ("dark", "reported"):  # order P3.3: head and IT
        found |= {MAIL + each for each in head_mail.get(fault.branch or "", ())}
    return found


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any, **__: Any) -> None:
        """A webhook that moved is an error to be mended, not to be followed with a signed body."""


_OPENER = urllib.request.build_opener(_NoRedirects, urllib.request.ProxyHandler({}))


def _told(notice: Notice) -> dict[str, object]:
    fault = notice.fault
    return {
        "id": fault.id,
        "event": notice.event,
        "kind": fault.kind,
        "desk": fault.desk,
        "label": fault.label,
        "branch": fault.branch,
        "detail": fault.detail,
        "opened_at": _moment(fault.opened_unix_ms),
        "closed_at": _moment(fault.closed_unix_ms),
    }


def _moment(unix_ms: int | None) -> str | None:
    return None if unix_ms is None else datetime.fromtimestamp(unix_ms / 1000, UTC).isoformat(timespec="milliseconds")


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__
