"""`ashflow create`, `drop`, `setup` and `reset`: whole databases."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from ashflow.cli.migrate import report
from ashflow.cli.options import care_of, common, confirm, opened
from ashflow.cli.output import Output

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ashflow.config import RepoConfig
    from ashflow.project.checkout import Project


@click.command(
    short_help="Make the databases, empty.", epilog="Example: ashflow create --repo repo"
)
@common
def create(**options: Any) -> int:
    """Make the databases, empty; those that are there stay as they are."""
    from ashflow.project import migrate as doing

    output = Output(options["as_json"], options["quiet"])
    project = opened(output, writes=True)
    made = doing.create(project, project.repos(options["repos"]))
    _report(output, made, "made", "is there already")
    return 0


@click.command(short_help="Remove the databases.", epilog="Example: ashflow drop --yes")
@click.option("--yes", "-y", is_flag=True, help="Do not ask.")
@common
def drop(*, yes: bool, **options: Any) -> int:
    """Remove the databases, with all that is in them."""
    output = Output(options["as_json"], options["quiet"])
    project = opened(output, writes=True)
    repos = project.repos(options["repos"])
    _report(output, _dropped(project, repos, yes=yes), "dropped", "was not there")
    return 0


@click.command(short_help="Create, then migrate.", epilog="Example: ashflow setup")
@common
def setup(**options: Any) -> int:
    """Make the databases and apply all migrations: create, then migrate."""
    output = Output(options["as_json"], options["quiet"])
    project = opened(output, care=care_of(output), writes=True)
    _set_up(project, output, project.repos(options["repos"]))
    return 0


@click.command(short_help="Drop, create, migrate.", epilog="Example: ashflow reset --yes")
@click.option("--yes", "-y", is_flag=True, help="Do not ask.")
@common
def reset(*, yes: bool, **options: Any) -> int:
    """Begin anew: drop, create, migrate."""
    from ashflow.project import migrate as doing

    output = Output(options["as_json"], options["quiet"])
    project = opened(output, care=care_of(output), writes=True)
    repos = project.repos(options["repos"])
    planned = doing.plan_all(project, repos)
    _dropped(project, repos, yes=yes)
    report(output, doing.run(project, planned, create=True), "applied")
    return 0


def _set_up(project: Project, output: Output, repos: Sequence[RepoConfig]) -> None:
    from ashflow.project import migrate as doing

    planned = doing.plan_up(project, repos)
    report(output, doing.run(project, planned, create=True), "applied")


def _dropped(project: Project, repos: Sequence[RepoConfig], *, yes: bool) -> list[tuple[str, bool]]:
    from ashflow.project import migrate as doing

    shown = [project.database(repo).shown for repo in repos if project.database(repo).exists()]
    if shown:
        confirm(f"Drop {', '.join(shown)} with all that is in it?", yes=yes)
    return doing.drop(project, repos)


def _report(output: Output, done: Sequence[tuple[str, bool]], deed: str, otherwise: str) -> None:
    for repo, was_done in done:
        output.result(f"{repo}: {deed if was_done else otherwise}")
    output.data({"repos": [{"name": repo, "done": was_done} for repo, was_done in done]})
