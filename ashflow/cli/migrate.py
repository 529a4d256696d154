"""`ashflow migrate`: apply the migrations that are pending."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from ashflow.cli.options import care_of, common, opened, running
from ashflow.cli.output import Output, arrow, count
from ashflow.errors import UsageError
from ashflow.plan.steps import as_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ashflow.adapters.protocol import Log
    from ashflow.project.migrate import Ran
    from ashflow.run.migrating import Planned


@click.command(short_help="Apply pending migrations.", epilog="Example: ashflow migrate --dry-run")
@click.option(
    "-n", "--step", type=click.IntRange(min=1), metavar="N", help="How many migrations at most."
)
@click.option("--to", metavar="VERSION", help="Up to and including this one.")
@click.option("--mark", metavar="VERSION", help="Record it as applied, and run nothing.")
@click.option("--strict", is_flag=True, help="Refuse one that is older than an applied one.")
@click.option("--allow-edited", is_flag=True, help="Go on though an applied one was edited since.")
@click.option(
    "--no-fold",
    is_flag=True,
    help="Apply one by one also where nothing is applied yet.",
)
@running
@common
def migrate(step: int | None, to: str | None, mark: str | None, **options: Any) -> int:
    """Apply pending migrations; makes the SQLite file where it is not there."""
    from ashflow.plan.migrate import Asked, Rules
    from ashflow.project import migrate as doing

    output = Output(options["as_json"], options["quiet"])
    dry_run = options["dry_run"]
    log = sql_log(output, shown=dry_run or options["log_sql"], dry=dry_run)
    care = care_of(output, rebuild=options["rebuild"], no_verify=options["no_verify"])
    project = opened(output, log=log, care=care, writes=not dry_run)
    given = one_of({"--step": step, "--to": to, "--mark": mark})
    repos = project.repos(options["repos"])
    if given:
        repos = project.one_repo(options["repos"], given)
    if mark is not None:
        if dry_run:
            raise UsageError("--mark runs nothing, so there is no SQL to print")
        report(output, [doing.mark_up(project, repos[0], mark)], "marked as applied")
        return 0
    rules = Rules(allow_out_of_order=not options["strict"], allow_edited=options["allow_edited"])
    planned = doing.plan_up(project, repos, Asked(step, to, rules))
    fold = not options["no_fold"]
    if dry_run:
        doing.rehearse(planned, fold=fold)
        report_plan(output, planned)
        return 0
    backup = not options["no_backup"]
    ran = doing.run(project, planned, create=True, backup=backup, fold=fold)
    report(output, ran, "applied")
    return 0


def one_of(given: dict[str, object]) -> str:
    """Return the one option that was given; empty where none was.

    Raises:
        UsageError: Several were.
    """
    names = [name for name, value in given.items() if value not in (None, False)]
    if len(names) > 1:
        raise UsageError(f"{' and '.join(names)} can't be said together", hint="Give one of them.")
    return names[0] if names else ""


def sql_log(output: Output, *, shown: bool, dry: bool) -> Log | None:
    """Return what prints each statement: on stdout where that is the result, else on stderr.

    What is really run is told with the time that it took, on a line of its own below it: the
    statement stands there as long as it runs.
    """
    if not shown:
        return None

    def log(sql: str, ms: float | None = None) -> None:
        if ms is None:
            (output.result if dry else output.message)(f"{sql.rstrip().rstrip(';')};")
        elif not dry:
            output.message(f"-- {ms:.1f} ms")

    return log


def report(output: Output, ran: Sequence[Ran], deed: str) -> None:
    """Print what was run, a line a repo."""
    for one in ran:
        if one.done:
            output.result(f"{one.repo}: {deed} {count(len(one.done), 'migration')}")
        else:
            output.result(f"{one.repo}: nothing to do")
    output.data({"repos": [as_json(one.repo, one.done) for one in ran]})


def report_plan(output: Output, planned: Sequence[Planned]) -> None:
    """Print what would be run."""
    for one in planned:
        for step in one.steps:
            output.message(f"{one.repo}: would go {arrow(step)}")
        if not one.steps:
            output.message(f"{one.repo}: nothing to do")
    output.data({"repos": [as_json(one.repo, one.steps) for one in planned]})
