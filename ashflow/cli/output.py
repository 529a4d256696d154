"""Print results, messages and tables; colour and frames only where a person looks."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any, assert_never

import click

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ashflow.plan.steps import Step
    from ashflow.run.events import Event


class Output:
    """Where a command prints.

    Args:
        as_json: Whether stdout holds one JSON object and nothing else.
        quiet: Whether only errors are printed.
    """

    __slots__ = ("as_json", "quiet")

    def __init__(self, as_json: bool, quiet: bool) -> None:
        self.as_json = as_json
        self.quiet = quiet

    @property
    def on_terminal(self) -> bool:
        """Whether a person looks at what is printed on stdout."""
        return sys.stdout is not None and sys.stdout.isatty()

    @property
    def is_watched(self) -> bool:
        """Whether a person looks at what is printed on stderr while it is printed."""
        return not self.quiet and sys.stderr is not None and sys.stderr.isatty()

    def result(self, text: str = "") -> None:
        """Print a line that the user asked for, on stdout."""
        if not self.as_json and not self.quiet:
            click.echo(text)

    def message(self, text: str) -> None:
        """Print a line about what is going on, on stderr."""
        if not self.quiet:
            click.echo(text, err=True)

    def data(self, value: dict[str, Any]) -> None:
        """Print the JSON object, on stdout."""
        if self.as_json:
            click.echo(json.dumps(value, ensure_ascii=False, indent=2))

    def table(self, headers: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """Print a table, on stdout: with frames for a person, in columns for a program."""
        if self.as_json or self.quiet:
            return
        if self.on_terminal:
            _framed(headers, rows)
            return
        for line in columns([headers, *rows]):
            click.echo(line)

    def tell(self, event: Event) -> None:
        """Print what happens while a plan runs, on stderr."""
        from ashflow.run.events import Began, Created, Ended, Warned

        match event:
            case Created(_, shown):
                self.message(f"made the database {shown}, which was not there")
            case Warned(repo, text):
                self.message(click.style("warning: ", fg="yellow") + f"{repo}: {text}")
            case Began(_, step):
                if self.is_watched:
                    click.echo(f"  {arrow(step)} …\r", nl=False, err=True)
            case Ended(_, done):
                name = f"{done.version}_{done.name}"
                self.message(f"  {sign(done.direction)} {name} ({done.ms:.0f} ms)")
                for note in done.notes:
                    self.message(f"       {note}")
            case _:
                assert_never(event)


def sign(direction: str) -> str:
    """Return the sign for a way: green for up, yellow for down."""
    up = direction == "up"
    return click.style("up  " if up else "down", fg="green" if up else "yellow")


def arrow(step: Step) -> str:
    """Return a step in a few words."""
    return f"{sign(step.direction)} {step.version}_{step.name}"


def columns(rows: Sequence[Sequence[str]]) -> list[str]:
    """Return rows as lines in which the cells stand below each other."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    padded = (
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        for row in rows
    )
    return [line.rstrip() for line in padded]


def count(number: int, what: str) -> str:
    """Return a number of things, in words."""
    return f"{number:,} {what}" if number == 1 else f"{number:,} {what}s"


def on_terminal() -> bool:
    """Whether somebody is there to answer a question."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def _framed(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table

    table = Table(*headers, box=SIMPLE_HEAD, header_style="bold")
    for row in rows:
        table.add_row(*(_coloured(cell) for cell in row))
    Console().print(table)


_COLOURS = {
    "up": "green",
    "apply": "green",
    "apply again": "green",
    "write": "green",
    "down": "yellow",
    "roll back": "yellow",
    "remove": "yellow",
    "missing": "red",
    "drop": "red",
    "edited": "red",
    "untracked": "cyan",
}


def _coloured(cell: str) -> Any:
    from rich.text import Text

    return Text(cell, style=_COLOURS.get(cell.strip().lstrip("✓·✗ "), ""))
