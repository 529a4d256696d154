"""From a url to the path of a SQLite file."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from ashflow.config import current_folder
from ashflow.errors import ConfigError

_START: Final = "sqlite:///"
_HINT: Final = (
    'Say url = "sqlite:///priv/repo/dev.sqlite3", relative to the folder of the project, or '
    '"sqlite:////absolute/path.sqlite3" with four strokes.'
)


def path_of(url: str, *, root: Path | None) -> Path:
    """Return the absolute path of the file that a url names.

    Args:
        url: `sqlite:///relative.db` or `sqlite:////absolute.db`.
        root: The folder that a relative path starts from; None: the current one, which an absolute
            path does not need.

    Raises:
        ConfigError: The url is written in another way, or names a database in memory.
    """
    from ashflow.adapters.connect import shown

    rest = url[len(_START) :]
    if ":memory:" in url or "mode=memory" in url or url.lower() in {"sqlite:", "sqlite://", _START}:
        raise ConfigError(
            f"the url {shown(url)!r} names a database in memory, which is gone when ashflow ends",
            hint=_HINT,
        )
    if not url[: len(_START)].lower() == _START or not rest.strip("/") or "\0" in rest:
        raise ConfigError(f"the url {shown(url)!r} names no SQLite file", hint=_HINT)
    if "?" in rest or rest.startswith("file:"):
        raise ConfigError(
            f"the url {shown(url)!r} has options, which ashflow does not understand", hint=_HINT
        )
    path = Path(rest)
    if path.is_absolute():
        return path
    return (current_folder() if root is None else root.absolute()) / path
