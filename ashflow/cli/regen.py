"""`ashflow regen`: replace the untracked migrations by one."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ashflow.cli.ask import answered, choices_of
from ashflow.cli.codegen import migration_json
from ashflow.cli.options import care_of, common, confirm, opened, renaming
from ashflow.cli.output import Output, count
from ashflow.errors import UsageError
from ashflow.run.events import Warned

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ashflow.project.regen import Regen
    from ashflow.project.rerun import Outcome


@click.command(
    short_help="Replace the untracked migrations by one.",
    epilog="Example: ashflow regen add_combobulator -m",
)
@click.argument("name", required=False)
@click.option("-m", "--migrate", is_flag=True, help="Apply the new migration too.")
@click.option(
    "--since",
    metavar="REV",
    help="Replace those too that this branch has committed since it left REV, such as main.",
)
@click.option(
    "--published",
    is_flag=True,
    help="With --since: go on where a migration is on a branch of a remote already.",
)
@click.option(
    "--discard-edits",
    is_flag=True,
    help="Go on without what was done by hand in the old files; they are kept in the store.",
)
@click.option("--dry-run", is_flag=True, help="Print the plan, and do nothing.")
@click.option(
    "--yes", "-y", is_flag=True, help="Drop values without asking; a copy of the database is kept."
)
@renaming
@common
def regen(name: str | None, *, migrate: bool, **options: Any) -> int:
    """Replace the migrations that git does not track by one, called NAME.

    With --since main, those too that this branch has committed. Those that are applied are rolled
    back, and the files move into a store in git's folder. With -m the new migration is applied, and
    the rows of what it brings back stay where they are.
    """
    from ashflow.history.version import clean_name
    from ashflow.project.regen import plan_regen
    from ashflow.project.rerun import run_id, run_regen
    from ashflow.project.untracked import Scope

    output = Output(options["as_json"], options["quiet"])
    if name is None:
        raise UsageError(
            "regen needs the name of the new migration",
            hint="For example: ashflow regen add_combobulator -m",
        )
    name = clean_name(name)
    if options["published"] and options["since"] is None:
        raise UsageError(
            "--published is about migrations that are committed",
            hint="Say since when: --since main --published",
        )
    project = opened(output, care=care_of(output))
    repos = project.repos(options["repos"])
    choices = choices_of(options)
    ground, plans = answered(
        lambda answers: plan_regen(
            project,
            repos,
            name,
            migrate=migrate,
            choices=answers,
            scope=Scope(options["since"], options["published"]),
            discard_edits=options["discard_edits"],
        ),
        choices,
    )
    _show_plan(output, plans)
    if options["dry_run"]:
        for plan in plans:
            if not plan:
                output.result(f"{plan.repo}: {', '.join(_said(plan))}")
        output.data(as_json("", [(plan, None) for plan in plans], project.root, migrate=False))
        return 0
    if any(plan.losses for plan in plans):
        confirm(_question(plans, migrate=migrate), yes=options["yes"])
    run = run_id(project.now())
    outcomes = []
    for outcome in run_regen(project, ground, plans, run, migrate=migrate):
        _show_outcome(output, outcome)
        outcomes.append((outcome.plan, outcome))
    output.data(as_json(run, outcomes, project.root, migrate=migrate))
    return 0


def _show_plan(output: Output, plans: Sequence[Regen]) -> None:
    for plan in plans:
        for warning in plan.warnings:
            output.tell(Warned(plan.repo, warning))
    rows = [(plan.repo, *row) for plan in plans for row in plan_rows(plan)]
    if rows:
        output.table(("repo", "what happens", "to what"), rows)


def plan_rows(plan: Regen) -> list[tuple[str, str]]:
    """Return what will happen, step by step: what is done, and to what."""
    stretch = plan.stretch
    again = set(plan.reapplied)
    rows = [("roll back", f"{down.version}_{down.name}") for down in stretch.downs]
    rows += [("drop", str(loss)) for loss in plan.losses]
    rows += [("remove", path) for path in plan.replaced.paths]
    rows += [("write", path) for path in (plan.generated.files if plan.generated else ())]
    for step in (*stretch.before, *stretch.ups):
        deed = "apply again" if step.version in again else "apply"
        rows.append((deed, f"{step.version}_{step.name}"))
    return rows


def _question(plans: Sequence[Regen], *, migrate: bool) -> str:
    losses = ", ".join(str(loss) for plan in plans for loss in plan.losses)
    other = "" if migrate else "; with -m, what the new migration brings back stays"
    return f"Drop {losses}? A copy of the database is kept{other}"


def _show_outcome(output: Output, outcome: Outcome) -> None:
    repo = outcome.plan.repo
    output.result(f"{repo}: {', '.join(_said(outcome.plan))}")
    if outcome.rows_carried:
        output.result(f"{repo}: {count(outcome.rows_carried, 'row')} kept")
    for note in outcome.notes:
        output.result(f"{repo}: {note}")
    if outcome.parked is not None:
        output.result(f"{repo}: a copy of the database from before is {outcome.parked}")


def _said(plan: Regen) -> Iterator[str]:
    new = plan.generated
    kind = "untracked migration" if plan.scope.since is None else "migration"
    if plan.replaced.migrations:
        yield f"replaced {count(len(plan.replaced.migrations), kind)}"
    elif plan.replaced.paths:
        yield f"removed {count(len(plan.replaced.paths), 'snapshot')} without a migration"
    if plan.same:
        yield f"nothing to replace: the {kind} says what the resources say"
    elif new is not None:
        yield f"wrote {new.path}"
    elif plan.replaced.paths:
        yield "the resources equal the tracked snapshots, so nothing new was written"
    else:
        yield f"nothing to replace: no {kind}, and the resources equal the snapshots"
    applied = [step.version for step in (*plan.stretch.before, *plan.stretch.ups)]
    if others := [v for v in applied if v not in plan.reapplied and (not new or v != new.version)]:
        yield f"applied {', '.join(others)}"
    if new is not None:
        yield "applied it" if new.version in applied else "not applied yet: ashflow migrate"


def as_json(
    run: str, plans: Sequence[tuple[Regen, Outcome | None]], root: Path, *, migrate: bool
) -> dict[str, Any]:
    """Return what a regen did, or would do, as the contract has it."""
    return {"id": run, "repos": [_repo_json(p, o, root, migrate=migrate) for p, o in plans]}


def _repo_json(
    plan: Regen, outcome: Outcome | None, root: Path, *, migrate: bool
) -> dict[str, Any]:
    parked = None if outcome is None else outcome.parked
    return {
        "name": plan.repo,
        "rolled_back": list(plan.rolled_back),
        "reapplied": list(plan.reapplied),
        "removed": list(plan.replaced.paths),
        "migration": migration_json(plan.generated)["migration"],
        "migrated": migrate and plan.generated is not None,
        "rows_carried": 0 if outcome is None else outcome.rows_carried,
        "parked": None if parked is None else Path(os.path.relpath(parked, root)).as_posix(),
    }
