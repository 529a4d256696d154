"""`ashflow recover`: end a run that was cut off."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from ashflow.cli.options import common, opened
from ashflow.cli.output import Output
from ashflow.cli.runs import as_json, parked_lines

if TYPE_CHECKING:
    from ashflow.project.cut_off import Recovered


@click.command(short_help="End a regen that was cut off.", epilog="Example: ashflow recover")
@common
def recover(**options: Any) -> int:
    """End a regen that was cut off: all is as it was before it, or done where it had committed.

    Nothing is asked: the database says which of the two it is. In several repos, those before the
    one that was cut off are done, those after it not begun.
    """
    from ashflow.project.cut_off import recover as end

    output = Output(options["as_json"], options["quiet"])
    project = opened(output)
    names = [repo.name for repo in project.repos(options["repos"])]
    ended = end(project, names)
    if ended is None:
        output.result("nothing to do: no run was cut off")
    else:
        _show(output, ended)
    done = [(ended.record, ended.parked)] if ended is not None and ended.forward else []
    told = as_json(done, project.root)
    output.data({**told, "id": ended.record.id if ended is not None else ""})
    return 0


def _show(output: Output, ended: Recovered) -> None:
    record = ended.record
    what = f"{record.deed} {record.id}"
    if not ended.forward:
        output.result(f"{record.repo}: {what} was undone; files and database are as before it")
        for path in ended.others.moved if ended.others else ():
            output.result(f"{record.repo}: what stood in the place of an old file is now {path}")
        for path in ended.others.left if ended.others else ():
            output.result(f"{record.repo}: {path} was changed meanwhile, and stays: look at it")
        return
    output.result(f"{record.repo}: {what} had committed, and is done now")
    for line in parked_lines(record, ended.parked):
        output.result(f"{record.repo}: {line}")
