"""One policy for the whole suite: deterministic examples, and a missing tool is named here but fails in CI."""

import logging
import os
import signal
import sys
import threading
from collections.abc import Generator, Iterator

import pytest
from hypothesis import HealthCheck, settings

collect_ignore = ["micropython"]  # run by MicroPython alone: tests/run_portable.py
IN_CI = bool(os.environ.get("CI"))
# Folders whose modules take a minute and more each, with few tests in them.
_LONG = {"chaos", "system"}

settings.register_profile(
    "zrazkovo",
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
settings.load_profile("zrazkovo")

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # A shell's background job has interrupts ignored, and hands that on to every process that it starts.
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def _logs_as_before() -> Iterator[None]:
    """A program that a test runs in this process sets up its logs for itself; what comes after has its own again."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    hooks = sys.excepthook, threading.excepthook
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    sys.excepthook, threading.excepthook = hooks


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Long modules first, all in random order otherwise: at the end one worker would be busy and three idle."""
    items.sort(key=lambda item: item.path.parent.name not in _LONG)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Generator[None, object, object]:
    """In CI nothing may be skipped: what is missing there is a broken install step."""
    report = yield
    if IN_CI and getattr(report, "skipped", False) and not hasattr(report, "wasxfail"):
        report.outcome = "failed"  # type: ignore[attr-defined]
        report.longrepr = f"{item.nodeid} was skipped in CI: {report.longrepr}"  # type: ignore[attr-defined]
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Says at the very end, by name, which optional servers are missing on this machine and how to get them."""
    reasons = {str(report.longrepr[2]) for report in terminalreporter.stats.get("skipped", [])}  # type: ignore[index]
    if reasons:
        terminalreporter.section("not tested on this machine")
        for reason in sorted(reasons):
            terminalreporter.line(reason.removeprefix("Skipped: "))
