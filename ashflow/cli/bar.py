"""A bar that shows how far a change of a large table has come."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import Progress as Display
    from rich.progress import TaskID

    from ashflow.adapters.protocol import Progress


class Bar:
    """Shows rows and the time that is left, on stderr; it is there only as long as it is needed."""

    __slots__ = ("_display", "_what")

    def __init__(self) -> None:
        self._display: Display | None = None
        self._what: tuple[str, TaskID] | None = None

    def __call__(self, progress: Progress) -> None:
        """Show how far it has come."""
        if self._display is None:
            self._display = _display()
            self._display.start()
        what = f"{progress.deed} {progress.table}"
        if self._what is None or self._what[0] != what:
            self._what = what, self._display.add_task(what, total=progress.total)
        self._display.update(self._what[1], completed=progress.done)
        if progress.done >= progress.total:
            self.end()

    def end(self) -> None:
        """Take the bar away, also where the change ended otherwise."""
        if self._display is not None:
            self._display.stop()
        self._display = self._what = None


def _display() -> Display:
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    return Progress(
        TextColumn("  {task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("rows,"),
        TimeRemainingColumn(),
        TextColumn("left"),
        console=Console(stderr=True),
        transient=True,
    )
