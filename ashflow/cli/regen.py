"""`ashflow regen`: replace the untracked migrations by one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from ashflow.cli.guard import guard, knowing
from ashflow.cli.options import care_of, common, opened, renaming
from ashflow.cli.output import Output
from ashflow.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ashflow.config import RepoConfig
    from ashflow.project.asking import Ask
    from ashflow.project.checkout import Project


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
    "--staged", is_flag=True, help="Replace those too that are staged, and not committed yet."
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
@click.option(
    "--no-keep-data",
    is_flag=True,
    help="Neither carry nor keep the values that go: they are lost.",
)
@click.option("--dry-run", is_flag=True, help="Print the plan, and do nothing.")
@click.option("--yes", "-y", is_flag=True, help="Do not ask before values go into the store.")
@knowing
@renaming
@common
def regen(name: str | None, *, migrate: bool, **options: Any) -> int:
    """Replace the migrations that git does not track by one, called NAME.

    With --since main, those too that this branch has committed. Those that are applied are rolled
    back, and the files move into a store in git's folder. With -m the new migration is applied, and
    the rows of what it brings back stay where they are.
    """
    from ashflow.history.version import clean_name
    from ashflow.project.asking import asking_git

    output = Output(options["as_json"], options["quiet"])
    if name is None:
        raise UsageError(
            "regen needs the name of the new migration",
            hint="For example: ashflow regen add_combobulator -m",
        )
    name = clean_name(name)
    if options["published"] and options["since"] is None and not options["staged"]:
        raise UsageError(
            "--published is about migrations that are committed",
            hint="Say since when: --since main --published",
        )
    project = opened(output, care=care_of(output), writes=not options["dry_run"])
    repos = project.repos(options["repos"])
    with asking_git(project, repos) as git:  # git looks while what plans is imported
        _regen(output, project, repos, git, name, migrate=migrate, options=options)
    return 0


def _regen(
    output: Output,
    project: Project,
    repos: Sequence[RepoConfig],
    git: Ask,
    name: str,
    *,
    migrate: bool,
    options: Mapping[str, Any],
) -> None:
    from ashflow.cli.ask import answered, choices_of
    from ashflow.cli.plan import ask, run_all, said, show_plan
    from ashflow.cli.runs import plan_json
    from ashflow.project.regen import plan_regen
    from ashflow.project.rerun import run_regen
    from ashflow.project.untracked import Scope

    ground, plans = answered(
        lambda answers: plan_regen(
            project,
            repos,
            name,
            migrate=migrate,
            choices=answers,
            scope=Scope(options["since"], options["published"], options["staged"]),
            ask=git,
            discard_edits=options["discard_edits"],
        ),
        choices_of(options),
    )
    guard(
        output,
        project,
        "regen",
        [plan.repo for plan in plans if plan],
        knows=options["knows"],
        dry_run=options["dry_run"],
    )
    keep = not options["no_keep_data"]
    show_plan(output, plans, keep=keep)
    if options["dry_run"]:
        for plan in plans:
            if not plan:
                output.result(f"{plan.repo}: {', '.join(said(plan))}")
        would = [plan_json(p.repo, p.stretch, p.replaced.paths, p.generated) for p in plans]
        output.data({"id": "", "repos": would})
        return
    ask(plans, keep=keep, yes=options["yes"])
    output.data(run_all(output, project, plans, run_regen(project, ground, plans, keep=keep)))
