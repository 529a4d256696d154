"""`ashflow rollback`: take applied migrations back."""

from __future__ import annotations

from typing import Any

import click

from ashflow.cli.guard import guard, knowing
from ashflow.cli.migrate import one_of, report, report_plan, sql_log
from ashflow.cli.options import care_of, common, opened, running
from ashflow.cli.output import Output
from ashflow.errors import UsageError


@click.command(
    short_help="Take migrations back, the last one first.",
    epilog="Example: ashflow rollback --step 2",
)
@click.option(
    "-n", "--step", type=click.IntRange(min=1), metavar="N", help="How many; 1 by default."
)
@click.option("--to", metavar="VERSION", help="Back to and including this one.")
@click.option("--all", "everything", is_flag=True, help="All of them.")
@click.option("--mark", metavar="VERSION", help="Forget that it is applied, and run nothing.")
@knowing
@running
@common
def rollback(
    step: int | None,
    to: str | None,
    mark: str | None,
    *,
    everything: bool,
    **options: Any,
) -> int:
    """Take migrations back, the one that was applied last first."""
    from ashflow.project import migrate as doing

    output = Output(options["as_json"], options["quiet"])
    dry_run = options["dry_run"]
    log = sql_log(output, shown=dry_run or options["log_sql"], dry=dry_run)
    care = care_of(output, rebuild=options["rebuild"], no_verify=options["no_verify"])
    project = opened(output, log=log, care=care, writes=not dry_run)
    given = one_of({"--step": step, "--to": to, "--all": everything, "--mark": mark})
    repos = project.repos(options["repos"])
    if not everything:
        repos = project.one_repo(options["repos"], given or "rollback without --all")
    if mark is not None:
        if dry_run:
            raise UsageError("--mark runs nothing, so there is no SQL to print")
        guard(output, project, "rollback", [repos[0].name], knows=options["knows"])
        report(output, [doing.mark_down(project, repos[0], mark)], "forgot")
        return 0
    planned = doing.plan_down(project, repos, step=step or 1, to=to, everything=everything)
    touched = [one.repo for one in planned if one.steps]
    guard(output, project, "rollback", touched, knows=options["knows"], dry_run=dry_run)
    if dry_run:
        doing.rehearse(planned)
        report_plan(output, planned)
        return 0
    report(output, doing.run(project, planned, backup=not options["no_backup"]), "rolled back")
    return 0
