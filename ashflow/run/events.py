"""What is told while a plan runs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ashflow.plan.steps import Done, Step


@dataclass(frozen=True, slots=True)
class Created:
    """A database was made because it was not there.

    Args:
        repo: The repo.
        shown: Its url, without a password.
    """

    repo: str
    shown: str


@dataclass(frozen=True, slots=True)
class Warned:
    """Something is odd, and is done all the same.

    Args:
        repo: The repo.
        text: What is odd, and what may be done.
    """

    repo: str
    text: str


@dataclass(frozen=True, slots=True)
class Began:
    """A migration begins.

    Args:
        repo: The repo.
        step: What is run.
    """

    repo: str
    step: Step


@dataclass(frozen=True, slots=True)
class Ended:
    """A migration is done and recorded.

    Args:
        repo: The repo.
        done: What went which way.
    """

    repo: str
    done: Done


Event = Created | Warned | Began | Ended
Tell = Callable[[Event], None]
