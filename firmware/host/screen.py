"""What the person sees and answers while pads are made: on stderr, as stdout holds only the record's JSON lines."""

import sys
from collections.abc import Callable, Iterable

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from firmware.host.selftest import Answer

_ANSWERS: dict[str, Answer] = {"": "again", "r": "again", "s": "skip", "b": "broken"}


class Terminal:
    """A Screen of provision.py on a terminal, or on a log if there is nobody."""

    def __init__(self, console: Console | None = None):
        self._console = console or Console(stderr=True, highlight=False)
        self._bar: Progress | None = None

    @property
    def has_person(self) -> bool:
        return sys.stdin.isatty()

    def step(self, text: str) -> None:
        self._stop_bar()
        self._console.print(text, style="bold", markup=False)

    def say(self, text: str) -> None:
        self._stop_bar()
        self._console.print(f"  {text}", markup=False, soft_wrap=True)

    def problem(self, text: str) -> None:
        self._stop_bar()
        self._console.print(f"  {text}", style="bold red", markup=False, soft_wrap=True)

    def progress(self, text: str, total_bytes: int) -> Callable[[int], None]:
        self._stop_bar()
        columns = (TextColumn("  {task.description}"), BarColumn(24), DownloadColumn(), TimeRemainingColumn())
        self._bar = Progress(*columns, console=self._console)
        task = self._bar.add_task(text, total=total_bytes)
        self._bar.start()
        bar = self._bar
        return lambda moved: bar.advance(task, moved)

    def ask_panel(self, problem: str) -> Answer:
        self.problem(problem)
        if not self.has_person:
            return "broken"
        while True:
            answer = self.ask("  Enter: try again, s: skip, b: it is broken > ").lower()
            if answer in _ANSWERS:
                return _ANSWERS[answer]

    def ask(self, question: str) -> str:
        """The person's line, without spaces around it. The question goes to stderr."""
        self._stop_bar()
        self._console.print(question, end="", markup=False)
        line = sys.stdin.readline()
        if not line:
            raise KeyboardInterrupt
        return line.strip()

    def table(self, title: str, head: Iterable[str], rows: Iterable[Iterable[str]]) -> None:
        self._stop_bar()
        table = Table(*head, title=title, title_justify="left")
        for row in rows:
            table.add_row(*row)
        self._console.print(table)

    def _stop_bar(self) -> None:
        if self._bar:
            self._bar.stop()
            self._bar = None
