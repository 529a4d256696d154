"""`ashflow check`: what should not be committed."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import click

from ashflow.cli.options import common, opened
from ashflow.cli.output import Output, count
from ashflow.config import current_folder
from ashflow.errors import AshflowError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ashflow.plan.problem import Problem


@click.command(
    short_help="Say what should not be committed.",
    epilog="Example: ashflow check --since main",
)
@click.option("--staged", is_flag=True, help="Judge what is about to be committed: the index.")
@click.option(
    "--since", metavar="REV", help="Judge what this branch adds over REV, such as origin/main."
)
@click.option("--all", "everything", is_flag=True, help="Read old snapshots and migrations too.")
@common
def check(**options: Any) -> int:
    """Say whether migrations and snapshots are as they should be: no database is opened.

    Exit 0 where they are, 1 where not, 2 where that cannot be told.
    """
    from ashflow.cli.failure import failure
    from ashflow.project.check import Asked, open_staged
    from ashflow.project.check import check as judge

    output = Output(options["as_json"], options["quiet"])
    asked = Asked(options["staged"], options["since"], options["everything"])
    try:
        project = open_staged(current_folder(), os.environ) if asked.staged else opened(output)
        found = judge(project, options["repos"], asked)
    except AshflowError as error:
        failure(error)
        return 2
    show(output, found)
    if found:
        output.message(f"{count(len(found), 'problem')} found")
    else:
        output.result("the migrations and snapshots are as they should be")
    output.data({"ok": not found, "problems": [_as_json(problem) for problem in found]})
    return 1 if found else 0


def show(output: Output, found: Sequence[Problem], *, root: str = ".") -> None:
    """Print problems, each with what mends it.

    Args:
        output: Where to.
        found: The problems.
        root: The folder of their project, as seen from here.
    """
    place = "" if root == "." else f"{root}/"
    for problem in found:
        code = click.style(problem.code, fg="red", bold=True)
        output.result(f"{place}{problem.path}: {code}: {problem.message}")
        output.result(f"  {click.style('fix', fg='cyan')}: {problem.fix}")


def _as_json(problem: Problem) -> dict[str, Any]:
    return {
        "code": problem.code,
        "repo": problem.repo,
        "table": problem.table,
        "path": problem.path,
        "message": problem.message,
        "fix": problem.fix,
    }
