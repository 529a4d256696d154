"""`ashflow create`, `drop`, `setup` and `reset`: whole databases."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from ashflow.cli.guard import guard, knowing
from ashflow.cli.migrate import report
from ashflow.cli.options import care_of, common, confirm, opened
from ashflow.cli.output import Output
from ashflow.history.ledger import DEVELOPMENT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ashflow.config import RepoConfig
    from ashflow.project.checkout import Project
    from ashflow.project.guard import Guarded


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
@knowing
@common
def drop(*, yes: bool, knows: bool, **options: Any) -> int:
    """Remove the databases, with all that is in them."""
    from ashflow.project import migrate as doing

    output = Output(options["as_json"], options["quiet"])
    project = opened(output, writes=True)
    repos = project.repos(options["repos"])
    others = [repo for repo in project.config.repos if repo not in repos]
    doing.refuse_held_together(project, repos, others)
    guard(output, project, "drop", [repo.name for repo in repos], knows=knows)
    _ask_to_drop(project, repos, yes=yes)
    _report(output, doing.drop(project, repos), "dropped", "was not there")
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
@knowing
@common
def reset(*, yes: bool, knows: bool, **options: Any) -> int:
    """Begin anew: drop, create, migrate."""
    from ashflow.project import migrate as doing
    from ashflow.project.reset import reset as anew

    output = Output(options["as_json"], options["quiet"])
    project = opened(output, care=care_of(output), writes=True)
    repos = project.repos(options["repos"])
    doing.refuse_held_together(project, repos, project.config.repos)
    found = guard(output, project, "reset", [repo.name for repo in repos], knows=knows)
    _tell_what_becomes(output, found)
    planned = doing.plan_all(project, repos)
    _ask_to_drop(project, repos, yes=yes)
    report(output, anew(project, planned, found), "applied")
    return 0


def _set_up(project: Project, output: Output, repos: Sequence[RepoConfig]) -> None:
    from ashflow.project import migrate as doing

    planned = doing.plan_up(project, repos)
    report(output, doing.run(project, planned, create=True), "applied")


def _tell_what_becomes(output: Output, found: Sequence[Guarded]) -> None:
    """Say which environment a new database gets, where the old one had another or production."""
    for one in found:
        if one.is_production or one.heir != (one.marked or DEVELOPMENT):
            output.message(f"{one.repo}: the new database will be marked {one.heir}")


def _ask_to_drop(project: Project, repos: Sequence[RepoConfig], *, yes: bool) -> None:
    shown = [project.database(repo).shown for repo in repos if project.database(repo).exists()]
    if shown:
        confirm(f"Drop {', '.join(shown)} with all that is in it?", yes=yes)


def _report(output: Output, done: Sequence[tuple[str, bool]], deed: str, otherwise: str) -> None:
    for repo, was_done in done:
        output.result(f"{repo}: {deed if was_done else otherwise}")
    output.data({"repos": [{"name": repo, "done": was_done} for repo, was_done in done]})
