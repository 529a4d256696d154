"""Say of a failure which of several repos it stopped."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from ashflow.errors import AshflowError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


@contextmanager
def placed(repos: Sequence[str], at: int) -> Iterator[None]:
    """Say which repo failed, which are done, and which were not begun.

    Args:
        repos: The repos, in the order in which they are worked on.
        at: Which of them this is.

    Raises:
        AshflowError: What was raised inside.
    """
    try:
        yield
    except AshflowError as error:
        if len(repos) > 1:
            done = ", ".join(repos[:at]) or "none"
            later = ", ".join(repos[at + 1 :]) or "none"
            where = f"repo {repos[at]}: {error.message}"
            error.message = f"{where}\nDone before it: {done}. Not begun: {later}."
            error.args = (error.message,)
        raise
