"""The files of one repo in memory, and codegen on them: what plan/ does, without a disk."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ashflow.change.apply import apply_all
from ashflow.history.history import History, read_history
from ashflow.history.load import load
from ashflow.plan.choices import Choices
from ashflow.plan.codegen import Change, Folders, find_change
from ashflow.plan.files import generate
from ashflow.schema.table import Schema

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ashflow.history.snapshot import Snapshot

FOLDERS = Folders("repo", "priv/repo/migrations", "priv/resource_snapshots/repo")
NO = Choices(no_renames=True)


class Repo:
    """The files of one repo, and codegen on them.

    Args:
        declared: What is written down first; None: nothing.
        files: What is there.
        version: The newest version.
    """

    def __init__(
        self,
        declared: Schema | None = None,
        files: Mapping[str, str] | None = None,
        version: int = 20260101000000,
    ) -> None:
        self.files = dict(files or {})
        self.version = version
        if declared is not None:
            self.codegen(declared, NO)

    def branch(self, at: int) -> Repo:
        """A branch of it, whose versions begin `at` seconds after its own."""
        return Repo(files=self.files, version=self.version + at)

    def merge(self, *others: Repo) -> Repo:
        """What git makes of branches: all their files, none of which conflict."""
        files = dict(self.files)
        for other in others:
            assert all(files.get(path, text) == text for path, text in other.files.items())
            files |= other.files
        return Repo(files=files, version=max(one.version for one in (self, *others)))

    @property
    def history(self) -> History:
        places = {"migrations": FOLDERS.migrations, "snapshots": FOLDERS.snapshots}
        return read_history(self.files, **places)

    def leaves(self, *, resolve: bool = False) -> dict[str, Snapshot]:
        return self.history.leaves(resolve=resolve)

    def find(self, declared: Schema, choices: Choices = NO, **more: Any) -> Change:
        return find_change(self.leaves(resolve=choices.resolve), declared, choices, **more)

    def codegen(self, declared: Schema, choices: Choices = NO) -> Change:
        """Find what differs and write it down; return what was found."""
        change = self.find(declared, choices)
        if change:
            self.version += 1
            generated = generate(
                change,
                self.leaves(resolve=choices.resolve),
                version=str(self.version),
                name="work",
                folders=FOLDERS,
            )
            assert not self.files.keys() & generated.files.keys()
            self.files.update(generated.files)
        return change

    def operations(self, version: str) -> tuple[Any, ...]:
        """What the migration of a version does."""
        file = self.history.migration(version)
        return tuple(load(self.files[file.path], file.path, shown=file.path).operations)

    @property
    def database(self) -> Schema:
        """The schema that all migrations make, one after the other."""
        schema = Schema()
        for file in self.history.migrations:
            schema = apply_all(schema, self.operations(file.version))
        return schema

    @property
    def said(self) -> Schema:
        """The schema that the snapshots say is there."""
        return Schema(leaf.physical for leaf in self.leaves().values() if leaf.standing)
