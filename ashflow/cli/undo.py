"""`ashflow undo`: take the last regen back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from ashflow.cli.guard import guard, knowing
from ashflow.cli.options import care_of, common, confirm, opened
from ashflow.cli.output import Output, count
from ashflow.cli.runs import as_json, path_json, plan_json, show_rows

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ashflow.project.checkout import Project
    from ashflow.project.undo import Undo
    from ashflow.run.record import Record


@click.command(short_help="Take the last regen back.", epilog="Example: ashflow undo")
@click.argument("run", required=False)
@click.option("--list", "listing", is_flag=True, help="Show the last runs, and change nothing.")
@click.option("--dry-run", is_flag=True, help="Print the plan, and do nothing.")
@click.option("--yes", "-y", is_flag=True, help="Do not ask before committed files go.")
@knowing
@common
def undo(
    run: str | None,
    *,
    listing: bool,
    dry_run: bool,
    yes: bool,
    knows: bool,
    **options: Any,
) -> int:
    """Take the last regen back, or another RUN: files, ledger and schema are as before it.

    Rows that were written since stay where their columns stay; others are kept in the store. Where
    files, ledger or schema are no longer what that run left, nothing is done. An undo is a run too:
    undo again takes it back.
    """
    from ashflow.project.undo import plan_undo, run_undo, runs

    output = Output(options["as_json"], options["quiet"])
    project = opened(output, care=care_of(output), writes=not (listing or dry_run))
    repos = project.repos(options["repos"])
    if listing:
        return _list(output, project, list(runs(project, repos)))
    plans = plan_undo(project, repos, run)
    if not plans:
        output.result("nothing to take back: there was no regen")
        output.data(as_json([], project.root))
        return 0
    guard(output, project, "undo", [plan.repo for plan in plans], knows=knows, dry_run=dry_run)
    output.table(
        ("repo", "what happens", "to what"),
        [(plan.repo, *row) for plan in plans for row in _rows(plan)],
    )
    if dry_run:
        output.data(
            {"id": "", "repos": [plan_json(p.repo, p.stretch, p.replaced.paths) for p in plans]}
        )
        return 0
    if committed := [path for plan in plans for path in plan.committed]:
        confirm(f"Remove {', '.join(committed)}, committed since?", yes=yes)
    done = []
    for plan, outcome in zip(plans, run_undo(project, plans), strict=True):
        if outcome is not None:
            output.result(f"{plan.repo}: took {plan.record.deed} {plan.record.id} back")
            show_rows(output, outcome)
            done.append((outcome.record, outcome.parked))
    output.data(as_json(done, project.root))
    output.result("to have it again: ashflow undo")
    return 0


def _rows(plan: Undo) -> Iterator[tuple[str, str]]:
    """Yield what will happen, step by step: what is done, and to what."""
    for down in plan.stretch.downs:
        yield "roll back", f"{down.version}_{down.name}"
    for loss in plan.losses:
        yield "park", str(loss)
    for path in plan.replaced.paths:
        yield "remove", path
    for path in plan.files:
        yield "bring back", path
    for up in plan.stretch.ups:
        yield "apply", f"{up.version}_{up.name}"
    for parcel in plan.parcels:
        for kept in parcel.kept:
            if kept.rows:
                yield "bring back", str(kept)


def _list(output: Output, project: Project, found: Sequence[Record]) -> int:
    if not found:
        output.result("there was no regen")
    else:
        output.table(
            ("run", "repo", "what", "migration", "replaced", "rows kept aside"),
            [_listed(record) for record in found],
        )
    output.data({"runs": [_record_json(project, record) for record in found]})
    return 0


def _listed(record: Record) -> tuple[str, ...]:
    what = f"{record.deed} of {record.undoes}" if record.undoes else record.deed
    old = sum(path.endswith(".py") for path in record.removed)
    left = [str(kept) for kept in record.kept if kept.left]
    return record.id, record.repo, what, record.name, count(old, "migration"), ", ".join(left)


def _record_json(project: Project, record: Record) -> dict[str, Any]:
    from ashflow.run.journal import run_folder
    from ashflow.worktree.store import store_folder

    folder = run_folder(store_folder(project.root), record.id, record.repo)
    return {
        "id": record.id,
        "repo": record.repo,
        "deed": record.deed,
        "undoes": record.undoes or None,
        "name": record.name,
        "removed": list(record.removed),
        "written": list(record.written),
        "folder": path_json(folder, project.root),
    }
