"""`ashflow status`: what stands where."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from ashflow.cli.options import common, opened, tell_of_cut_off
from ashflow.cli.output import Output

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ashflow.project.status import MigrationStatus, RepoStatus

_SIGNS = {"up": "✓", "down": "·", "missing": "✗"}


@click.command(short_help="Show what stands where.", epilog="Example: ashflow status --json")
@common
def status(**options: Any) -> int:
    """Show the migrations: up, down or missing, when they were applied, and their place in git."""
    from ashflow.project.status import status as gather

    output = Output(options["as_json"], options["quiet"])
    project = opened(output)
    tell_of_cut_off(output, project)
    found = gather(project, project.repos(options["repos"]))
    for repo in found:
        _show(output, repo)
    output.data({"repos": [_as_json(repo) for repo in found]})
    return 0


def _show(output: Output, repo: RepoStatus) -> None:
    there = "" if repo.exists else "  (not there yet: ashflow migrate makes it)"
    output.result(click.style(repo.name, bold=True) + f"  {repo.url}{there}")
    if not repo.migrations:
        output.result("  no migrations")
        return
    headers = ("state", "version", "name", "git", "applied", "")
    output.table(headers, [_row(output, migration) for migration in repo.migrations])
    for fork in repo.forks:
        output.result(f"  {click.style('fork', fg='yellow')}: {fork}")


def _row(output: Output, migration: MigrationStatus) -> Sequence[str]:
    remarks = ["dev"] if migration.dev else []
    remarks += ["edited"] if migration.edited else []
    if migration.branches:
        remarks.append(f"on {', '.join(migration.branches)}")
    return (
        f"{_SIGNS[migration.state]} {migration.state}" if output.on_terminal else migration.state,
        migration.version,
        migration.name,
        migration.git or "-",
        (migration.applied_at or "-")[:19].replace("T", " "),
        " ".join(remarks),
    )


def _as_json(repo: RepoStatus) -> dict[str, Any]:
    migrations = [
        {**asdict(migration), "branches": list(migration.branches)} for migration in repo.migrations
    ]
    return {"name": repo.name, "url": repo.url, "migrations": migrations}
