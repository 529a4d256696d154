"""Short names for large states, to tell whether one is still what it was."""

from __future__ import annotations

from hashlib import sha256
from itertools import chain, repeat
from operator import attrgetter
from typing import TYPE_CHECKING

from ashflow.worktree.ground import read_bytes, refused

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from ashflow.history.ledger import Applied
    from ashflow.schema.table import Schema


def digest_of(text: str | bytes) -> str:
    """Return the SHA-256 of what a file holds, in hex.

    Args:
        text: Its text, or its bytes.
    """
    return sha256(text.encode() if isinstance(text, str) else text).hexdigest()


def file_digests(root: Path, paths: Iterable[str]) -> dict[str, str]:
    """Return the SHA-256 of files, by path.

    Args:
        root: The folder that the paths are relative to.
        paths: The paths.

    Raises:
        FileError: One can't be read.
    """
    found = {}
    for path in paths:
        with refused(f"{path} cannot be read"):
            found[path] = digest_of(read_bytes(f"{root}/{path}"))
    return found


def file_digest(path: Path) -> str | None:
    """Return the SHA-256 of a regular file; None where there is none.

    Raises:
        FileError: It can't be read.
    """
    if path.is_symlink() or not path.is_file():
        return None
    with refused(f"{path} cannot be read"):
        return digest_of(read_bytes(str(path)))


def ledger_digest(rows: Iterable[Applied]) -> str:
    """Return a name for what is applied, in its order.

    Args:
        rows: The rows of the ledger, in order of application.
    """
    found = tuple(rows)  # there may be ten thousands
    versions, checksums = map(attrgetter("version"), found), map(attrgetter("checksum"), found)
    lines = zip(versions, repeat(" "), checksums, repeat("\n"))
    return sha256("".join(chain.from_iterable(lines)).encode()).hexdigest()


def files_digest(paths: Iterable[str]) -> str:
    """Return a name for a set of files.

    Args:
        paths: Their paths.
    """
    return sha256("\n".join(sorted(paths)).encode(errors="surrogateescape")).hexdigest()


def schema_digest(schema: Schema) -> str:
    """Return a name for tables; the order of columns and members is no part of it.

    Args:
        schema: The tables.
    """
    from ashflow.change.codec import canonical
    from ashflow.schema.codec import encode_table

    told = []
    for name in sorted(schema):
        data = encode_table(schema[name])
        for key, value in data.items():
            if isinstance(value, list) and key not in {"primary_key", "statements"}:
                data[key] = sorted(value, key=canonical)
        told.append(data)
    return sha256(canonical(told).encode()).hexdigest()
