"""What a run did in one repo, as a value and as JSON: enough to end it, and to take it back."""

from __future__ import annotations

import json
from dataclasses import asdict, field, fields
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

from ashflow.errors import FileError
from ashflow.history.ledger import Applied
from ashflow.values import value
from ashflow.worktree.porcelain import Entry, Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

FORMAT: Final = 1
_Json: TypeAlias = Any
Deed = Literal["regen", "codegen", "undo"]


@value
class Kept:
    """Values that a run kept aside.

    Args:
        table: Their table, as it was called before the run.
        column: Their column; None for the whole table.
        rows: How many rows, or values, there were.
        left: How many of them the run did not bring back: they are in the file alone.
        to: What their table is called where they return.
        columns: What its columns are called there, each after its old name; no others are listed.
        squeezed: Whether the column stays, with a type that cannot hold all that is kept.
    """

    table: str
    column: str | None
    rows: int
    left: int
    to: str
    columns: tuple[tuple[str, str], ...] = ()
    squeezed: bool = False

    def __str__(self) -> str:
        rows = "1 row" if self.left == 1 else f"{self.left:,} rows"
        if self.column is None:
            return f"table {self.table} ({rows})"
        return f"column {self.table}.{self.column} (a value in {rows})"


@value
class Record:
    """What a run does, or did, in one repo.

    Args:
        id: The name of the run; those of its other repos have the same.
        deed: What it is.
        repo: The repo.
        project: The folder of the project, a real path.
        name: The name of the migration that it writes; empty where it writes none.
        database: The database as it may be shown; empty where nothing is done in it.
        database_id: What the database called itself; None: it was not there, or had no name yet.
        removed: The files that go: their SHA-256, by path.
        written: The files that come: their SHA-256, by path.
        taken: The rows of the ledger that go, newest first.
        given: Those that come, in order of application; a position of 0: the database gives it.
        apart: How many of those given, from the first on, share no table with the rest.
        net: The operations that were run for all the others, as JSON; None: each was really run.
        undoes: The name of the run that it takes back; empty where it takes none back.
        entries: The entries of git's index that are replaced, by path.
        restored: Those that come back, of the run that is taken back, by path.
        index: How the new files stand in git's index: `staged`, `intent`, or None for not at all.
        made: Whether the run makes the database.
        committed: Whether it is done, where no database says so.
        files: A digest of the migrations and snapshots that are there after it.
        ledger: A digest of the ledger after it.
        schema: A digest of the tables that it is about, after it; empty where nothing is done.
        tables: Those tables; None: all.
        kept: The values that it kept aside.
        parked: The file that has them, below the run's folder; empty where there is none.
        renames: What the values that go are called where they return: tables, and columns by table.
        waits: The version whose `migrate` brings them in; empty where none does.
        brings: The runs that had kept aside what it has brought back.
        carried: How many rows it carried.
    """

    id: str
    deed: Deed
    repo: str
    project: str
    name: str = ""
    undoes: str = ""
    database: str = ""
    database_id: str | None = None
    removed: Mapping[str, str] = field(default_factory=dict)
    written: Mapping[str, str] = field(default_factory=dict)
    taken: tuple[Applied, ...] = ()
    given: tuple[Applied, ...] = ()
    apart: int = 0
    net: tuple[Mapping[str, Any], ...] | None = None
    entries: Mapping[str, Entry] = field(default_factory=dict)
    restored: Mapping[str, Entry] = field(default_factory=dict)
    index: Kind | None = None
    made: bool = False
    committed: bool = False
    files: str = ""
    ledger: str = ""
    schema: str = ""
    tables: tuple[str, ...] | None = ()
    kept: tuple[Kept, ...] = ()
    parked: str = ""
    renames: tuple[Any, ...] = ()
    waits: str = ""
    brings: tuple[str, ...] = ()
    carried: int = 0

    @property
    def changes_database(self) -> bool:
        """Whether something is done in the database."""
        return bool(self.taken or self.given)


def encode_record(record: Record) -> str:
    """Return a record as the text of a file."""
    rows = {n: [row._asdict() for row in getattr(record, n)] for n in ("taken", "given")}
    data = {"format": FORMAT, **asdict(record), **rows}
    return json.dumps(data, indent=2, ensure_ascii=False) + "\n"


def decode_record(text: str, shown: str) -> Record:
    """Return the record that a file holds.

    Args:
        text: What it says.
        shown: The file, for messages.

    Raises:
        FileError: It is none, or was written by a newer ashflow.
    """
    try:
        data = json.loads(text)
        found = data.pop("format")
        if found != FORMAT:
            raise FileError(
                f"{shown} has format {found}, and this ashflow knows {FORMAT}",
                hint="Install a newer ashflow.",
            )
        known = {one.name for one in fields(Record)}
        return Record(**{n: _READ.get(n, _same)(v) for n, v in data.items() if n in known})
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise FileError(
            f"{shown} can't be read: {error}",
            hint="It was changed by hand, or cut off; the files that it tells of lie beside it.",
        ) from error


def _rows(data: _Json) -> tuple[Applied, ...]:
    return tuple(Applied(**row) for row in data)


def _kept(data: _Json) -> tuple[Kept, ...]:
    return tuple(Kept(**{**one, "columns": tuple(map(tuple, one["columns"]))}) for one in data)


def _entries(data: _Json) -> dict[str, Entry]:
    return {path: Entry(**one) for path, one in data.items()}


def _list(data: _Json) -> tuple[Any, ...] | None:
    return None if data is None else tuple(data)


def _same(data: _Json) -> _Json:
    return data


_READ: Final[Mapping[str, Callable[[Any], Any]]] = {
    "taken": _rows,
    "given": _rows,
    "net": _list,
    "renames": _list,
    "tables": _list,
    "brings": tuple,
    "kept": _kept,
    "entries": _entries,
    "restored": _entries,
}
"""How the fields are read that are no plain JSON."""
