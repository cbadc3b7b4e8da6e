"""How every process logs: to standard error, as text for people or as JSON lines for machines. One place for all.

What stands in a log is seen by more people than the database: no line may name a ticket, an operator, a rating, a
password or a token. Who logs leaves them out; what slips in from a library's error, a URL with a password or a bearer
token, is struck out here, whatever the format.

    log.info("took %d events", 3, extra=about(branch="centre", events=3))

    {"time": "2026-11-24T01:02:03.004Z", "level": "info", "logger": "collector.feed.webhook",
     "message": "took 3 events", "branch": "centre", "events": 3}
"""

import json
import logging
import re
import sys
import threading
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Literal, TextIO

LogFormat = Literal["text", "json"]
_TEXT = "%(asctime)s %(name)s %(levelname)s %(message)s"
# Libraries that tell of every request or migration at INFO.
_TALKATIVE = ("alembic", "httpx2", "httpcore2", "uvicorn.error", "asyncio")
_URL_PASSWORD = re.compile(r"([a-z][a-z0-9+.-]*://[^\s:/@]*:)[^\s/@]+(?=@)", re.IGNORECASE)
_BEARER = re.compile(r"\b(bearer\s+)[A-Za-z0-9._~+/=-]{8,}", re.IGNORECASE)


def set_up(form: LogFormat = "text", stream: TextIO | None = None) -> None:
    """Lets everything be logged in ``form``; called again it takes the place of what was set up before."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonLines() if form == "json" else Text(_TEXT))
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(logging.WARNING)
    sys.excepthook = _uncaught
    threading.excepthook = lambda failed: _uncaught(failed.exc_type, failed.exc_value, failed.exc_traceback)


def about(**fields: object) -> dict[str, object]:
    """For ``extra``: what a line is about, as fields of its own in JSON; text has them in the message only."""
    return {"about": fields}


def redacted(text: str) -> str:
    """``text`` without the passwords of URLs and without bearer tokens."""
    return _BEARER.sub(r"\1***", _URL_PASSWORD.sub(r"\1***", text))


class Text(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return redacted(super().format(record))


class JsonLines(logging.Formatter):
    """A line a record, whatever its message holds."""

    def format(self, record: logging.LogRecord) -> str:
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        line: dict[str, Any] = {
            "time": at,
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": redacted(record.getMessage()),
        }
        if record.exc_info:
            line["exception"] = redacted(self.formatException(record.exc_info))
        for name, value in getattr(record, "about", {}).items():
            line.setdefault(name, redacted(value) if isinstance(value, str) else value)
        return json.dumps(line, ensure_ascii=False, default=str)


def _uncaught(kind: type[BaseException], error: BaseException | None, trace: TracebackType | None) -> None:
    if error is None or issubclass(kind, KeyboardInterrupt):
        return
    logging.getLogger("program").critical("ended by an error of ours", exc_info=(kind, error, trace))
