"""What is told while a plan runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from ashflow.plan.steps import Done, Step


class Created(NamedTuple):
    """A database was made because it was not there.

    Args:
        repo: The repo.
        shown: Its url, without a password.
    """

    repo: str
    shown: str


class Warned(NamedTuple):
    """Something is odd, and is done all the same.

    Args:
        repo: The repo.
        text: What is odd, and what may be done.
    """

    repo: str
    text: str


class Began(NamedTuple):
    """A migration begins.

    Args:
        repo: The repo.
        step: What is run.
    """

    repo: str
    step: Step


class Ended(NamedTuple):
    """A migration is done and recorded.

    Args:
        repo: The repo.
        done: What went which way.
    """

    repo: str
    done: Done


Event = Created | Warned | Began | Ended
Tell = Callable[[Event], None]
