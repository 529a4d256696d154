"""Name the folder of a table's snapshots, safe on every file system."""

from __future__ import annotations

import re
from functools import cache
from typing import Final

from ashflow.schema.table import DOMAIN

_LONGEST: Final = 120
# What is safe everywhere are lower-case letters, digits, `_`, `-` and dots within. Names of devices
# on Windows are not, nor with anything after a dot:
# https://learn.microsoft.com/windows/win32/fileio/naming-a-file
_UNSAFE: Final = rb"""(?x)
    [^a-z0-9_.-]
    | \A\. | \.\Z
    | \A(?=(?:con|prn|aux|nul|com[0-9]|lpt[0-9])(?:\.|\Z))[a-z]
"""


@cache
def table_folder(table: str) -> str:
    """Return the name of the folder that holds a table's snapshots.

    Names of lower-case letters, digits and `_` stay as they are. In others, each byte that is not
    safe everywhere is percent-encoded, upper-case letters too: `Users` and `users` are two tables,
    and one folder where the file system does not tell them apart. No two tables share a folder.

    Args:
        table: The table, or `@domain`.
    """
    if table == DOMAIN:
        return table
    raw = table.encode("utf-8", "surrogatepass")
    name = re.sub(_UNSAFE, lambda match: b"%%%02X" % ord(match[0]), raw).decode()
    if len(name) > _LONGEST:
        return _shortened(name)
    return name or "%"  # SQLite allows a table without a name


def _shortened(name: str) -> str:
    """Return a name of the greatest length; `~` is in none that was not shortened."""
    import hashlib  # for very long names only

    digest = hashlib.sha256(name.encode()).hexdigest()[:16]
    start = name[: _LONGEST - len(digest) - 1]
    whole = re.sub(r"%.?\Z", "", start)  # no half of an encoded byte
    return f"{whole}~{digest}"
