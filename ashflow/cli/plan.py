"""Show what a regen is going to do, ask where values would go, and tell what it did."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ashflow.cli.options import confirm
from ashflow.cli.output import count
from ashflow.cli.runs import UNDO, plan_json, repo_json, show_rows
from ashflow.run.events import Warned

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from ashflow.cli.output import Output
    from ashflow.project.checkout import Project
    from ashflow.project.regen import Regen
    from ashflow.project.rerun import Ran


def run_all(
    output: Output, project: Project, plans: Sequence[Regen], ran: Iterable[Ran]
) -> dict[str, Any]:
    """Run plans, and print what each came to.

    Args:
        output: Where to.
        project: The project.
        plans: What is done.
        ran: Does it, one repo after the other.

    Returns:
        What was done, as the contract has it.
    """
    outcomes = []
    for one in ran:
        output.result(f"{one.plan.repo}: {', '.join(said(one.plan))}")
        if one.outcome is not None:
            show_rows(output, one.outcome)
        outcomes.append(one)
    done = [one.outcome for one in outcomes if one.outcome is not None]
    if done:
        output.result(UNDO)
    told = [
        plan_json(plan.repo, plan.stretch, plan.replaced.paths, plan.generated) for plan in plans
    ]
    by_repo = {o.record.repo: repo_json(o.record, o.parked, project.root) for o in done}
    return {
        "id": done[0].record.id if done else "",
        "repos": [by_repo.get(one["name"], one) for one in told],
    }


def show_plan(output: Output, plans: Sequence[Regen], *, keep: bool) -> None:
    """Print what is going to be done, as a table."""
    for plan in plans:
        for warning in plan.warnings:
            output.tell(Warned(plan.repo, warning))
    rows = [(plan.repo, *row) for plan in plans for row in plan_rows(plan, keep=keep)]
    if rows:
        output.table(("repo", "what happens", "to what"), rows)


def plan_rows(plan: Regen, *, keep: bool) -> list[tuple[str, str]]:
    """Return what will happen, step by step: what is done, and to what."""
    stretch = plan.stretch
    again = set(plan.reapplied)
    rows = [("roll back", f"{down.version}_{down.name}") for down in stretch.downs]
    rows += [("keep", str(loss)) for loss in plan.stay]
    for loss in plan.losses:
        back = "carry" if plan.is_applied or plan.generated is None else "keep aside"
        deed = back if loss in plan.returning else "park"
        rows.append((deed if keep else "drop", str(loss)))
    rows += [("remove", path) for path in plan.replaced.paths]
    rows += [("write", path) for path in plan.files]
    for step in (*stretch.before, *stretch.ups):
        deed = "apply again" if step.version in again else "apply"
        rows.append((deed, f"{step.version}_{step.name}"))
    return rows


def ask(plans: Sequence[Regen], *, keep: bool, yes: bool) -> None:
    """Ask before values go, or a migration goes down that is not replaced.

    Raises:
        Declined: The user said no, or nobody is there to say yes.
    """
    gone = [str(loss) for plan in plans for loss in (plan.parked if keep else plan.losses)]
    others = [name for plan in plans for name in plan.others]
    said = []
    if gone:
        said.append(f"{'Park' if keep else 'Drop'} {', '.join(gone)}")
    if others:
        said.append(f"{'roll' if gone else 'Roll'} back {', '.join(others)}")
    if said:
        confirm(f"{', and '.join(said)}?", yes=yes)


def said(plan: Regen) -> Iterator[str]:
    """Yield what a plan comes to, in a few words each."""
    new = plan.generated
    kind = plan.scope.kind
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
