"""Work on one repo after the other, and say of a failure which of them it stopped."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

from ashflow.errors import AshflowError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

ItemT = TypeVar("ItemT")
DoneT = TypeVar("DoneT")


def one_by_one(
    items: Sequence[tuple[str, ItemT]], deed: Callable[[ItemT], DoneT]
) -> Iterator[DoneT]:
    """Do something for one repo after the other; the first failure ends it.

    Args:
        items: The repos by their names, each with what is worked on.
        deed: What is done with that.

    Yields:
        What came of each, as soon as it is done.

    Raises:
        AshflowError: What was raised for one of them; where there are several, it says for which,
            which are done, and which were not begun.
    """
    repos = [repo for repo, _ in items]
    for at, (_, item) in enumerate(items):
        with _placed(repos, at):
            done = deed(item)
        yield done


@contextmanager
def _placed(repos: Sequence[str], at: int) -> Iterator[None]:
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
