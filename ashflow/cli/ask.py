"""Ask on a terminal what was renamed."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

import click

from ashflow.cli.output import on_terminal
from ashflow.errors import RenameQuestions
from ashflow.plan.choices import Choices

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ashflow.change.renames import Renames

T = TypeVar("T")


def choices_of(options: Mapping[str, Any], *, no_renames: bool = False) -> Choices:
    """Return what the options of a command say.

    Args:
        options: Those that codegen and regen share.
        no_renames: Whether what is not answered is no rename, whatever they say.

    Raises:
        UsageError: A value of `--rename` can't be understood.
    """
    choices = Choices(
        no_renames=options["no_renames"] or no_renames,
        drop_columns=options["drop_columns"],
        drop_tables=options["drop_tables"],
        fills=options["fills"],
        resolve=options.get("resolve", False),
    )
    if not options["renames"]:
        return choices
    from ashflow.change.renames import parse_renames

    return replace(choices, renames=parse_renames(options["renames"]))


def answered(plan: Callable[[Choices], T], choices: Choices) -> T:
    """Make a plan; what it can't know is asked, where somebody is there to be asked.

    Args:
        plan: Makes the plan of what the user chose.
        choices: What the user chose so far.

    Raises:
        RenameQuestions: Nobody is there to be asked.
    """
    while True:
        try:
            return plan(choices)
        except RenameQuestions as questions:
            if not on_terminal():
                raise
            renames = choices.renames
            for question in questions.questions:
                drops = question["kind"] in questions.drops
                renames = _ask(question, renames, drops=drops)
            choices = replace(choices, renames=renames)


def _ask(question: dict[str, Any], renames: Renames, *, drops: bool) -> Renames:
    table, old = question["table"], question["from"]
    column = None if question["kind"] == "table" else old
    taken = (renames.tables if column is None else renames.columns_of(table)).values()
    candidates = [name for name in question["candidates"] if name not in taken]
    what = f"{table}.{old}" if column else f"table {table}"
    if not candidates:
        return renames.without(table, column)
    click.echo(f"{what} is not declared any more. Was it renamed?", err=True)
    for i, candidate in enumerate(candidates, 1):
        click.echo(f"  {i}  yes, to {candidate}", err=True)
    added = candidates[0] if len(candidates) == 1 else "what is new"
    click.echo(f"  n  no, {'drop' if drops else 'keep'} it and add {added}", err=True)
    numbers = [str(i) for i in range(1, len(candidates) + 1)]
    answer = click.prompt("?", type=click.Choice([*numbers, "n"]), show_choices=False, err=True)
    if answer == "n":
        return renames.without(table, column)
    return renames.plus(table, column, candidates[int(answer) - 1])
