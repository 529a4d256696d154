"""`ashflow hook`: the hooks of git, put there and taken away; and what they run."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import click

from ashflow.cli.output import Output, count
from ashflow.config import current_folder
from ashflow.errors import AshflowError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ashflow.worktree.hooks import Hook


def printing(command: Callable[..., int]) -> Callable[..., int]:
    """Give a command the options that say how it prints."""
    command = click.option("--quiet", "-q", is_flag=True, help="Print nothing but errors.")(command)
    return click.option("--json", "as_json", is_flag=True, help="Print one JSON object on stdout.")(
        command
    )


@click.group(short_help="Put the git hooks there, or take them away.", invoke_without_command=True)
@click.pass_context
def hook(ctx: click.Context) -> None:
    """Keep stale snapshots out of commits, and say when a database is not that of the branch.

    The hooks stand beside those that are there already, which run first.
    """
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help(), err=True)
        ctx.exit(2)


@hook.command(short_help="Put the hooks there.", epilog="Example: ashflow hook install")
@printing
def install(*, as_json: bool, quiet: bool) -> int:
    """Put the hooks pre-commit, pre-merge-commit, post-checkout and post-merge there."""
    from ashflow.project.hooks import located_here
    from ashflow.worktree.hooks import install as put

    return _told(Output(as_json, quiet), put(located_here(current_folder()), sys.executable))


@hook.command(short_help="Take the hooks away.", epilog="Example: ashflow hook uninstall")
@printing
def uninstall(*, as_json: bool, quiet: bool) -> int:
    """Take the hooks away, and put back those that stood there before."""
    from ashflow.project.hooks import located_here
    from ashflow.worktree.hooks import uninstall as take

    return _told(Output(as_json, quiet), take(located_here(current_folder())))


@hook.command(short_help="Say which hooks are there.", epilog="Example: ashflow hook status")
@printing
def status(*, as_json: bool, quiet: bool) -> int:
    """Say which of the hooks are there."""
    from ashflow.project.hooks import located_here
    from ashflow.worktree.hooks import hooks

    return _told(Output(as_json, quiet), hooks(located_here(current_folder())))


def _told(output: Output, found: Sequence[Hook]) -> int:
    says = {"installed": "installed", "absent": "not there", "another": "another tool's, or yours"}
    rows = [
        (one.name, says[one.state] + (", runs another one first" if one.chained else ""))
        for one in found
    ]
    output.table(("hook", "state"), rows)
    output.data(
        {
            "hooks": [
                {
                    "name": one.name,
                    "state": one.state,
                    "chained": one.chained,
                    "path": one.path.as_posix(),
                }
                for one in found
            ]
        }
    )
    return 0


@hook.command(hidden=True, context_settings={"ignore_unknown_options": True})
@click.argument("name")
@click.argument("arguments", nargs=-1)
def run(name: str, arguments: Sequence[str]) -> int:  # noqa: ARG001  (git hands them over)
    """Do what a hook does; for the hooks themselves."""
    from ashflow.worktree.hooks import JUDGING, WARNING

    if name in JUDGING:
        return _judge()
    if name in WARNING:
        return _warn()
    raise click.UsageError(
        f"there is no hook {name!r}; there are: {', '.join((*JUDGING, *WARNING))}"
    )


def _judge() -> int:
    from ashflow.cli.check import show
    from ashflow.cli.failure import failure
    from ashflow.project.hooks import judge_commit

    output, problems, code = Output(as_json=False, quiet=False), 0, 0
    for root, verdict in judge_commit(current_folder(), os.environ):
        place = os.path.relpath(root)
        if isinstance(verdict, AshflowError):
            failure(verdict)
            output.message(f"ashflow: {_named(place)} cannot be judged, so nothing was committed")
            code = 2
        else:
            problems += len(verdict)
            show(output, verdict, root=place)
    if problems:
        output.message(f"ashflow: {count(problems, 'problem')}, so nothing was committed")
    return code or min(problems, 1)


def _named(place: str) -> str:
    return "the project" if place == "." else f"the project in {place}"


def _warn() -> int:
    from ashflow.project.hooks import standing

    try:
        for line in standing(current_folder(), os.environ):
            click.echo(f"ashflow: {line}", err=True)
    except (AshflowError, OSError) as error:  # whoever switches branches has not asked for this
        click.echo(f"ashflow: {error}", err=True)
    return 0
