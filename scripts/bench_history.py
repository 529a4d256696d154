"""Give a project a long past: tracked and applied migrations that leave every table as it was.

    bench_history.py PROJECT MIGRATIONS FILES

It is run by a Python that has ashflow. Every second migration drops the index that the one before
it added. FILES other files are laid beside them, in `docs/`.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

from ashflow.change.codec import encode_operation
from ashflow.change.migration import Migration
from ashflow.change.operations import AddIndex, DropIndex
from ashflow.history.render import render
from ashflow.history.snapshot import Snapshot, new_snapshot, text_of
from ashflow.plan.steps import Up
from ashflow.project.checkout import Project, open_project
from ashflow.run.taking import row_of

A_FOLDER = 1000
"""So many files are in one folder of `docs/`."""


def lengthen(project: Project, count: int) -> None:
    """Write so many migrations with their snapshots, and their rows of the ledger."""
    (repo,) = project.repos()
    history = project.history(repo.name)
    leaves = list(history.leaves().values())
    version = int(history.newest)
    folders = project.folders(repo.name)
    texts, rows = {}, []
    for i in range(count):
        place = i // 2 % len(leaves)
        before = leaves[place]
        table, version = before.physical, version + 1
        kind = DropIndex if i % 2 else AddIndex
        operation = kind(table.name, ["notes"], name=f"{table.name}_by_notes")
        kept = [index for index in table.indexes if index.name != operation.name]
        indexes = kept if i % 2 else [*kept, operation.index]
        name = f"step_{i}"
        path = f"{folders.migrations}/{version}_{name}.py"
        migration = Migration([operation])
        texts[path] = render(migration, title=name)
        data = new_snapshot(
            replace(table, indexes=indexes),
            version=str(version),
            repo=repo.name,
            migration=name,
            operations=[encode_operation(operation)],
            parents=[before],
            ancestors=before.ancestors + 1,
        )
        place_of = f"{before.path.rpartition('/')[0]}/{version}.json"
        leaves[place] = Snapshot(data, place_of)
        texts[place_of] = text_of(data)
        checksum = sha256(texts[path].encode()).hexdigest()
        rows.append(row_of(Up(str(version), name, path, checksum, migration), project.now()))
    for path, text in texts.items():
        (project.root / path).write_text(text, encoding="utf-8")
    database = project.database(repo)
    with database.locked() as session:
        for row in rows:
            session.record(row)
    database.close()


def litter(root: Path, count: int) -> None:
    """Lay so many files that are none of ours into a project."""
    for i in range(count):
        path = root / "docs" / str(i // A_FOLDER) / f"{i}.md"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{i}\n", encoding="utf-8")


def main() -> None:
    """Read the arguments and do it."""
    root, count, files = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    lengthen(open_project(root, {}), count)
    litter(root, files)


if __name__ == "__main__":
    main()
