"""Put the source of what was written by hand together for a migration that replaces others."""

from __future__ import annotations

import re
from itertools import groupby
from typing import TYPE_CHECKING, Final

from ashflow.change.migration import Migration
from ashflow.errors import EditedError, MigrationFileError
from ashflow.history.render import NOTHING, Carried, words_of
from ashflow.history.source import joined, read_source
from ashflow.migration import __name__ as face
from ashflow.plan.by_hand import HINT, edited, in_order
from ashflow.plan.regen import is_same

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from ashflow.change.operations import Operation
    from ashflow.history.files import MigrationFile
    from ashflow.history.layout import Passage
    from ashflow.history.source import Definition, Needed, Source
    from ashflow.plan.by_hand import Old, Work

_OURS: Final = re.compile(
    r"# (carried over from \d{14}_\w+:"
    r"|kept: .*\. To drop it: ashflow codegen NAME --drop-(tables|columns)"
    r"|back: .*, which had been kept\."
    r"|resolved: .*, changed on branches by \d{14}.*\.)"
)
"""The comments that ashflow writes among operations; it writes them anew."""


def carry(works: Sequence[Work], new: Sequence[Operation]) -> Carried:
    """Return the source of operations by hand, with all that it needs.

    Args:
        works: The operations, in order.
        new: What is generated beside them.

    Raises:
        EditedError: The source is not there to be taken, or two files use one name for two things.
    """
    if not works:
        return NOTHING
    sources = {work.old.file: _read(work.old) for work in works}
    needed = {
        file: source.needed(w.place for w in works if w.old.file == file)
        for file, source in sources.items()
    }
    _check_names(needed, words_of(Migration(new)))
    parts = needed.values()
    return Carried(
        tuple(_passages([work for work in works if work.first], sources)),
        tuple(_passages([work for work in works if not work.first], sources)),
        joined(list(dict.fromkeys(d for part in parts for d in part.definitions))),
        tuple(dict.fromkeys(one for part in parts for one in part.imports)),
    )


def _read(old: Old) -> Source:
    source = read_source(old.text)
    if source is None or len(source.operations) != len(old.migration.operations):
        raise edited(old.file, "has work by hand, and its operations are not written as one list")
    return source


def _passages(works: Sequence[Work], sources: Mapping[MigrationFile, Source]) -> Iterator[Passage]:
    for file, group in groupby(works, key=lambda work: work.old.file):
        origin = [f"# carried over from {file.version}_{file.name}:"]
        for work in group:
            written = sources[file].operations[work.place]
            comments = (line for line in written.comments if not _OURS.fullmatch(line))
            yield written.passage.below((*origin, *comments))
            origin = []


def _check_names(needed: Mapping[MigrationFile, Needed], words: Iterable[str]) -> None:
    """See to it that no name stands for two things in the new file."""
    known: dict[str, tuple[object, MigrationFile | None]] = {
        name: ((face, name), None) for name in words
    }
    for file, part in needed.items():
        for name, thing in _names(part):
            other, where = known.setdefault(name, (thing, file))
            if other != thing and where != file:
                of = "the new migration needs" if where is None else f"{where.path} has too"
                raise edited(
                    file,
                    f"has work by hand that needs {name}, a name that {of}, for something else",
                    hint=f"Give {name} another name in one of them. Or: {HINT}",
                )


def _names(part: Needed) -> Iterator[tuple[str, object]]:
    """Yield the names that a file brings along, each with what it stands for there."""
    for one in part.imports:
        yield one.binds, one.what
    by_name: dict[str, list[Definition]] = {}
    for definition in part.definitions:
        for name in definition.binds:
            by_name.setdefault(name, []).append(definition)
    yield from by_name.items()


def check_written(
    text: str, path: str, works: Sequence[Work], new: Sequence[Operation]
) -> Migration:
    """Return the migration that a text says, sure that it says what it should.

    Args:
        text: The text of the new file.
        path: Where it will be, for tracebacks.
        works: What is carried over.
        new: What is generated.

    Raises:
        EditedError: It says something else: what was carried over does not do the same elsewhere.
    """
    from ashflow.history.load import load

    files = ", ".join(dict.fromkeys(work.old.file.path for work in works))
    try:
        found = load(text, path, shown="the new migration")
    except MigrationFileError as error:
        raise EditedError(
            f"{files}: work by hand can't be carried: {error.message}", hint=HINT
        ) from error
    if not is_same(found, Migration(in_order(works, new))):
        raise EditedError(
            f"{files}: work by hand can't be carried: in another file it says something else",
            hint=HINT,
        )
    return found
