"""From a url to the database that it names."""

from __future__ import annotations

import re
from importlib import import_module
from typing import TYPE_CHECKING, Final

from ashflow.adapters.protocol import CAREFUL
from ashflow.errors import ConfigError
from ashflow.history.ledger import DEVELOPMENT, LEDGER

if TYPE_CHECKING:
    from pathlib import Path

    from ashflow.adapters.protocol import Care, Database, Log

DRIVERS: Final = {"sqlite": "ashflow.adapters.sqlite"}
"""The schemes of urls, and the rooms that know them; a room is entered when it is asked for."""

_PASSWORD: Final = re.compile(r"(//[^/?#@:]*|^[^/?#@:]*(?=:(?!//))):[^\n]*@")
_SECRET: Final = re.compile(
    r"([?&;][^=&;]*(?:pass|pwd|token|secret|key)[^=&;]*=)[^&;]*", re.IGNORECASE
)


def connect(
    url: str,
    *,
    root: Path | None,
    lock_timeout: float = 60.0,
    log: Log | None = None,
    ledger: str = LEDGER,
    environment: str = "",
    care: Care = CAREFUL,
) -> Database:
    """Return the database that a url names; nothing is opened yet.

    Args:
        url: `sqlite:///relative/to/the/root.db` or `sqlite:////absolute.db`.
        root: The folder that a relative path starts from; None: the current one.
        lock_timeout: How long to wait for a lock, in seconds.
        log: Told of every statement before it runs.
        ledger: What the table is called that says what is applied.
        environment: What the database remembers as its environment where that table is made;
            empty: development.
        care: How carefully it is changed.

    Raises:
        ConfigError: The url names no database that can be migrated.
    """
    room = _room(url)
    path = import_module(f"{room}.url").path_of(url, root=root)
    kind = import_module(f"{room}.database").SqliteDatabase
    database: Database = kind(
        path,
        shown=shown(url),
        ledger=ledger,
        environment=environment or DEVELOPMENT,
        lock_timeout=lock_timeout,
        log=log,
        care=care,
    )
    return database


def shown(url: str) -> str:
    """Return a url without its password.

    Args:
        url: Any text that is meant to be a url.
    """
    if url.startswith("sqlite:///"):
        path, mark, options = url.partition("?")
        return path + _SECRET.sub(r"\1***", mark + options)
    return _SECRET.sub(r"\1***", _PASSWORD.sub(r"\1:***@", url))


def _room(url: str) -> str:
    scheme, colon, _ = url.partition(":")
    if not colon or scheme.lower() not in DRIVERS:
        raise ConfigError(
            f"the url {shown(url)!r} names no kind of database that ashflow knows",
            hint=f"It begins with one of: {', '.join(f'{known}://' for known in DRIVERS)}; for a "
            'SQLite file, url = "sqlite:///priv/repo/dev.sqlite3".',
        )
    return DRIVERS[scheme.lower()]
