"""What the person at the terminal sees of a demonstration: progress while it starts, then one panel. It starts nothing.

On a terminal this is drawn; into a file or a pipe go plain lines, one a step.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console
from rich.markup import escape
from rich.panel import Panel
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskProgressColumn, TextColumn, TimeElapsedColumn

_PLAIN_STEPS = 10  # a plain progress says a line for each of so many parts


class Screen:
    def __init__(self) -> None:
        # The panel holds the address that people copy: it may never be broken by a narrow terminal.
        self._console = Console(file=sys.stdout, highlight=False, soft_wrap=True)

    def say(self, text: str) -> None:
        self._console.print(f"zrazkovo: {escape(text)}")

    @contextmanager
    def progress(self, title: str) -> Iterator["Told"]:
        """Inside, call the result with a fraction 0..1 and a word on where it is."""
        if not self._console.is_terminal:
            yield _Plain(title, self)
            return
        columns = (
            SpinnerColumn(),
            TextColumn("zrazkovo: {task.description}"),
            BarColumn(),
            TaskProgressColumn(),
            TimeElapsedColumn(),
        )
        with Progress(*columns, console=self._console, transient=True) as bar:
            task = bar.add_task(escape(title), total=1.0)

            def told(fraction: float, text: str) -> None:
                bar.update(task, completed=fraction, description=escape(f"{title}, {text}"))

            yield told

    def panel(self, address: str, lines: list[str]) -> None:
        """The address alone on its line, then what to do with it."""
        if not self._console.is_terminal:
            for line in (f"open {address}", *lines):
                self._console.print(escape(line))
            return
        self._console.print(Panel("\n".join(escape(line) for line in lines), title="Zrazkovo", expand=False))
        self._console.print(f"  [bold]open[/]  {escape(address)}\n")


class Told(Protocol):
    def __call__(self, fraction: float, text: str, /) -> None: ...


class _Plain:
    def __init__(self, title: str, screen: Screen):
        self._title = title
        self._screen = screen
        self._told = -1

    def __call__(self, fraction: float, text: str, /) -> None:
        part = int(fraction * _PLAIN_STEPS)
        if part > self._told:
            self._told = part
            self._screen.say(f"{self._title}, {text}: {fraction:.0%}")
