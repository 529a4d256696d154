"""Let a process that is told to end do so as Ctrl-C does: what was begun is undone."""

from __future__ import annotations

import signal


def end_as_interrupted() -> None:
    """Take a closed terminal, and a machine that is shut down, for a Ctrl-C."""
    for name in ("SIGTERM", "SIGHUP"):
        if hasattr(signal, name):  # Windows has not all of them
            signal.signal(getattr(signal, name), signal.default_int_handler)
