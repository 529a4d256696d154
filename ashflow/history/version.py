"""Versions: 14 digits that order migrations, and the names that go with them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from ashflow.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

DEV: Final = "_dev"
"""How the names of migrations end that are to be replaced by one with a name."""

LAST: Final = "99999999999999"
_VERSION = re.compile(r"\d{14}", re.ASCII)
_NAME = re.compile(r"_*[a-z0-9][a-z0-9_]*", re.ASCII)
_LONGEST_NAME: Final = 100


def is_version(text: str) -> bool:
    """Whether a text is a version: 14 digits of ASCII."""
    return _VERSION.fullmatch(text) is not None


def next_version(now: datetime, taken: Iterable[str]) -> str:
    """Return a version for something new.

    Args:
        now: The moment, in UTC.
        taken: The versions of the repo, in any order.

    Returns:
        `YYYYMMDDHHMMSS`, or the greatest version plus one where the clock is behind it.

    Raises:
        UsageError: The greatest version there can be is taken.
    """
    greatest = max(taken, default="")
    version = now.strftime("%Y%m%d%H%M%S").zfill(14)
    if version > greatest:
        return version
    if greatest >= LAST:
        raise UsageError(
            f"no version comes after {greatest}, which a migration or a snapshot has",
            hint="Give that file a version that is a moment, YYYYMMDDHHMMSS.",
        )
    return str(int(greatest) + 1).zfill(14)


def is_dev(name: str) -> bool:
    """Whether a migration of that name was made with --dev, to be replaced by one with a name."""
    return name.endswith(DEV)


def clean_name(name: str) -> str:
    """Return the name of a migration as files have it: lower case, `_` for `-` and blanks.

    Raises:
        UsageError: Something is in it that no name of a migration has.
    """
    cleaned = re.sub(r"[- \t]+", "_", name.strip(" \t").lower())
    if not _NAME.fullmatch(cleaned) or len(cleaned) > _LONGEST_NAME:
        raise UsageError(
            f"{name!r} is no name for a migration",
            hint="Use letters a to z, digits and _, up to 100 of them, such as add_rpm.",
        )
    if is_dev(cleaned):
        raise UsageError(
            f"{cleaned!r} is no name for a migration: what ends in {DEV} is to be replaced by one",
            hint="Leave the ending out.",
        )
    return cleaned
