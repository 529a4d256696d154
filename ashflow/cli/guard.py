"""Name the databases that a command is about to change; one in production asks for a flag."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from ashflow.project.guard import FLAG, guarded, refuse_production

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ashflow.cli.output import Output
    from ashflow.project.checkout import Project
    from ashflow.project.guard import Guarded

F = TypeVar("F", bound=Callable[..., Any])


def knowing(command: F) -> F:
    """Give a command the option that lets it change a database in production, as `knows`."""
    return click.option(
        FLAG, "knows", is_flag=True, help="Go on where a database is in production."
    )(command)


def guard(
    output: Output,
    project: Project,
    command: str,
    repos: Iterable[str],
    *,
    knows: bool,
    dry_run: bool = False,
) -> tuple[Guarded, ...]:
    """Name the databases of some repos; one in production is refused.

    Args:
        output: Where to.
        project: The project.
        command: The command that is about to change them.
        repos: The names of the repos.
        knows: Whether the user said that production is meant.
        dry_run: Whether nothing is going to be changed.

    Returns:
        The databases, as far as they are there.

    Raises:
        ProductionError: One is in production, and nobody said that this is meant.
    """
    found = guarded(project, repos)
    if not (knows or dry_run):
        refuse_production(command, found)
    acts = "would act" if dry_run else "acts"
    for one in found:
        output.message(f"{one.repo}: {command} {acts} on {one}")
    return found
