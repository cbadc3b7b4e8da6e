"""Logs: JSON that any program reads line by line, and secrets that slip in are struck out in either form."""

import io
import json
import logging
from collections.abc import Iterator
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas import logs
from schemas.logs import about, redacted


@pytest.fixture(autouse=True)
def _logging_as_it_was() -> Iterator[None]:
    import sys
    import threading

    root = logging.getLogger()
    handlers, level, hooks = root.handlers[:], root.level, (sys.excepthook, threading.excepthook)
    yield
    root.handlers, root.level = handlers, level
    sys.excepthook, threading.excepthook = hooks


def logged(form: logs.LogFormat, *arguments: object, **named: object) -> str:
    stream = io.StringIO()
    logs.set_up(form, stream)
    logging.getLogger("collector.test").warning(*arguments, **named)  # type: ignore[arg-type]
    return stream.getvalue()


def test_json_has_time_level_logger_message_and_what_it_is_about() -> None:
    line = json.loads(logged("json", "%d votes\nof today", 3, extra=about(votes=3, branch="centre")))
    assert datetime.fromisoformat(line.pop("time").replace("Z", "+00:00")).tzinfo
    assert line == {
        "level": "warning", "logger": "collector.test", "message": "3 votes\nof today", "votes": 3, "branch": "centre",
    }  # fmt: skip


@given(st.text())
def test_whatever_is_logged_in_json_is_one_line(message: str) -> None:
    text = logged("json", "%s", message)
    assert text.count("\n") == 1 and len(text.splitlines()) >= 1
    assert json.loads(text)["logger"] == "collector.test"


def test_text_is_for_people() -> None:
    assert logged("text", "ready", extra=about(x=1)).endswith(" collector.test WARNING ready\n")


@pytest.mark.parametrize("form", ["text", "json"])
def test_an_error_brings_its_trace_without_the_password_in_it(form: logs.LogFormat) -> None:
    try:
        raise ValueError("cannot reach postgresql://zrazkovo:hunter2@db/zrazkovo")
    except ValueError:
        said = logged(form, "it failed", exc_info=True)
    assert "Traceback" in said and "zrazkovo:***@db/zrazkovo" in said and "hunter2" not in said


@pytest.mark.parametrize(
    ("said", "left"),
    [
        ("mqtts://collector:s3cr:et@broker:8883", "mqtts://collector:***@broker:8883"),
        ("https://u:p@a and http://v:q@b", "https://u:***@a and http://v:***@b"),
        ("Authorization: Bearer abcdefgh12345678", "Authorization: Bearer ***"),
        ("http://127.0.0.1:8080/x@y", "http://127.0.0.1:8080/x@y"),
        ("at 10:30 write to it@office.example", "at 10:30 write to it@office.example"),
    ],
)
def test_passwords_and_tokens_are_struck_out_and_nothing_else(said: str, left: str) -> None:
    assert redacted(said) == left
