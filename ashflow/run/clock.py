"""What time it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime


def utc_clock() -> datetime:
    """Return the moment, in UTC."""
    from datetime import UTC, datetime

    return datetime.now(UTC)
