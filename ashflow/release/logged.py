"""Tell the logger `ashflow` what happens."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final, assert_never

from ashflow.run.events import Began, Created, Ended, Warned

if TYPE_CHECKING:
    from ashflow.run.events import Event

LOGGER: Final = logging.getLogger("ashflow")


class Logged:
    """Told what happens; keeps the warnings."""

    def __init__(self) -> None:
        self.warnings: list[str] = []

    def __call__(self, event: Event) -> None:
        """Log an event."""
        match event:
            case Created(repo, shown):
                LOGGER.info("%s: made the database %s, which was not there", repo, shown)
            case Warned(repo, text):
                self.warnings.append(text)
                LOGGER.warning("%s: %s", repo, text)
            case Began():
                pass  # what is told is done
            case Ended(repo, done):
                deed = "applied" if done.direction == "up" else "rolled back"
                name = f"{done.version}_{done.name}"
                LOGGER.info("%s: %s %s (%.1f ms)", repo, deed, name, done.ms)
                for note in done.notes:
                    LOGGER.info("%s: %s: %s", repo, name, note)
            case _:
                assert_never(event)


def log_statement(sql: str, ms: float | None = None) -> None:
    """Log a statement when it is done, with the time that it took."""
    if ms is not None:
        LOGGER.debug("%s -- %.1f ms", sql, ms)
