"""The options that every command has, and the opening of the project."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from ashflow.cli.output import Output, on_terminal
from ashflow.config import current_folder
from ashflow.errors import Declined

if TYPE_CHECKING:
    from ashflow.adapters.protocol import Care, Log
    from ashflow.project.checkout import Project

F = TypeVar("F", bound=Callable[..., Any])


def common(command: F) -> F:
    """Give a command the options that all have: `--repo`, `--json`, `--quiet`."""
    for option in (
        click.option("--quiet", "-q", is_flag=True, help="Print nothing but errors."),
        click.option("--json", "as_json", is_flag=True, help="Print one JSON object on stdout."),
        click.option(
            "--repo", "repos", multiple=True, metavar="NAME", help="Only this repo; repeatable."
        ),
    ):
        command = option(command)
    return command


def renaming(command: F) -> F:
    """Give a command the options that answer what codegen would ask."""
    for option in (
        click.option(
            "--drop-tables", is_flag=True, help="Drop tables that no resource declares any more."
        ),
        click.option(
            "--drop-columns",
            is_flag=True,
            help="Drop columns that no attribute declares any more.",
        ),
        click.option(
            "--no-renames", is_flag=True, help="Take nothing for a rename: drop, or keep, and add."
        ),
        click.option(
            "--rename",
            "renames",
            multiple=True,
            metavar="OLD=NEW",
            help="posts.title=headline, or posts=articles; repeatable.",
        ),
        click.option(
            "--fill",
            "fills",
            multiple=True,
            metavar="TABLE.COLUMN=SQL",
            help="What rows that stand get in a new column, or where one was NULL; repeatable.",
        ),
    ):
        command = option(command)
    return command


def running(command: F) -> F:
    """Give a command the options that say how migrations are run.

    `--no-backup`, `--rebuild`, `--no-verify`, `--dry-run`, `--log-sql`.
    """
    for option in (
        click.option("--log-sql", is_flag=True, help="Print each statement as it runs."),
        click.option("--dry-run", is_flag=True, help="Print the SQL, and run nothing."),
        click.option(
            "--no-verify",
            is_flag=True,
            help="Compare no values, definitions and counters with those from before.",
        ),
        click.option(
            "--rebuild",
            is_flag=True,
            help="Make a table anew also where its stored definition could be edited.",
        ),
        click.option(
            "--no-backup",
            is_flag=True,
            help="Keep no copy when values are dropped or a type is narrowed.",
        ),
    ):
        command = option(command)
    return command


def care_of(output: Output, *, rebuild: bool = False, no_verify: bool = False) -> Care:
    """Return how carefully databases are changed; a person is shown how far it has come.

    Args:
        output: Where the command prints.
        rebuild: Whether `--rebuild` was given.
        no_verify: Whether `--no-verify` was given.
    """
    from ashflow.adapters.protocol import Care

    watch = None
    if output.is_watched:
        from ashflow.cli.bar import Bar

        watch = bar = Bar()
        click.get_current_context().call_on_close(bar.end)
    return Care(verify=not no_verify, rebuild=rebuild, watch=watch)


def opened(
    output: Output, *, log: Log | None = None, care: Care | None = None, writes: bool = False
) -> Project:
    """Return the project that the current folder is in.

    Args:
        output: Is told what happens.
        log: Is told of every statement of a migration.
        care: How carefully databases are changed.
        writes: Whether the command writes: not where a run was cut off.

    Raises:
        ConfigError: There is none.
        CutOffError: A run was cut off in it.
    """
    from ashflow.project.checkout import open_project

    ahead = click.get_current_context().obj
    project = open_project(
        current_folder(), os.environ, tell=output.tell, log=log, care=care, ahead=ahead
    )
    if writes:
        from ashflow.run.cut_off import refuse_cut_off

        refuse_cut_off(project.root)
    return project


def tell_of_cut_off(output: Output, project: Project) -> None:
    """Warn where a run was cut off, so that what is told now may not be what will be.

    Args:
        output: Where to.
        project: The project.
    """
    from ashflow.errors import AshflowError
    from ashflow.run.cut_off import refuse_cut_off

    try:
        refuse_cut_off(project.root)
    except AshflowError as error:
        output.message(click.style("warning: ", fg="yellow") + f"{error.message}; {error.hint}")


def confirm(question: str, *, yes: bool) -> None:
    """Ask before something that can't be taken back.

    Args:
        question: What is going to happen, as a question.
        yes: Whether `--yes` was given.

    Raises:
        Declined: The user said no, or nobody is there to say yes.
    """
    if yes:
        return
    if not on_terminal():
        raise Declined(
            f"nobody is there to answer: {question}",
            hint="Say --yes where that is what you want.",
        )
    if not click.confirm(question, err=True):
        raise Declined("nothing was changed")
