"""`ashflow codegen`: compare the resources with the snapshots and write a migration."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from ashflow.cli.ask import answered, choices_of
from ashflow.cli.options import common, opened, renaming
from ashflow.cli.output import Output
from ashflow.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ashflow.plan.choices import Choices
    from ashflow.plan.codegen import Change, Generated
    from ashflow.project.checkout import Project
    from ashflow.project.codegen import Found


@click.command(
    short_help="Write a migration and snapshots from the resources.",
    epilog="Example: ashflow codegen add_rpm_to_combobulators",
)
@click.argument("name", required=False)
@click.option("--name", "name_option", metavar="NAME", help="The name of the migration.")
@click.option("--empty", is_flag=True, help="Write a migration to be filled by hand.")
@click.option("--check", is_flag=True, help="Write nothing; exit 1 where something is stale.")
@click.option("--dry-run", is_flag=True, help="Print what would be written, and write nothing.")
@click.option(
    "--resolve",
    is_flag=True,
    help="Take branches that do not go together in order of version; the resources decide.",
)
@renaming
@common
def codegen(name: str | None, name_option: str | None, **options: Any) -> int:
    """Compare the resources with the snapshots and write a migration and new snapshots.

    Columns and tables that left the resources are kept in the database, and noted, unless
    --drop-columns or --drop-tables is given.
    """
    output = Output(options["as_json"], options["quiet"])
    name = _name(name, name_option, needed=not (options["check"] or options["dry_run"]))
    project = opened(output)
    if options["empty"]:
        return _empty(project, output, name, options)
    choices = choices_of(
        options["renames"],
        no_renames=options["no_renames"] or options["check"],
        drop_columns=options["drop_columns"],
        drop_tables=options["drop_tables"],
    )
    choices = replace(choices, resolve=options["resolve"])
    found = _found(project, options["repos"], choices)
    for one in found:
        for warning in one.warnings:
            output.message(click.style("warning: ", fg="yellow") + warning)
    if options["check"]:
        return _check(output, found)
    return _write(project, output, found, name, dry_run=options["dry_run"])


generate_migrations = click.Command(
    "generate-migrations",
    callback=codegen.callback,
    params=codegen.params,
    help=codegen.help,
    short_help="The lower-level name of codegen.",
    epilog=codegen.epilog,
)


def _name(name: str | None, option: str | None, *, needed: bool) -> str:
    from ashflow.history.version import clean_name

    if name is not None and option is not None:
        raise UsageError(f"two names: {name} and --name {option}", hint="Give one of them.")
    given = name if name is not None else option
    if given is None and needed:
        raise UsageError(
            "a migration needs a name",
            hint="For example: ashflow codegen add_rpm. Only --check and --dry-run need none.",
        )
    return "unnamed" if given is None else clean_name(given)


def _found(project: Project, repos: Sequence[str], choices: Choices) -> list[Found]:
    from ashflow.project.codegen import find

    chosen = project.repos(repos)
    return answered(lambda answers: find(project, chosen, answers), choices)


def _check(output: Output, found: Sequence[Found]) -> int:
    stale = [one for one in found if one.change]
    for one in stale:
        show_change(output, one)
    if not stale:
        output.result("the snapshots say what the resources say")
    elif not output.as_json:
        output.message("stale: write it down with ashflow codegen NAME")
    output.data(as_json([(one, None) for one in found]))
    return 1 if stale else 0


def _write(
    project: Project, output: Output, found: Sequence[Found], name: str, *, dry_run: bool
) -> int:
    from ashflow.project.codegen import generate, write

    generated = [(one, generate(project, one, name)) for one in found]
    files = [one for _, one in generated if one is not None]
    if not dry_run and files:
        write(project, files, found)
    for one, written in generated:
        show_change(output, one)
        if written is not None:
            show_files(output, written, texts=dry_run)
    if not files:
        output.result("nothing to do: the snapshots say what the resources say")
    output.data(as_json(generated))
    return 0


def _empty(project: Project, output: Output, name: str, options: dict[str, Any]) -> int:
    from ashflow.project.codegen import empty, write

    repos = project.one_repo(options["repos"], "--empty")
    if options["check"]:
        raise UsageError("--empty writes a file and --check writes none", hint="Give one of them.")
    history = project.history(repos[0].name)
    generated = empty(project, history, repos[0].name, name)
    if not options["dry_run"]:
        write(project, [generated])
    show_files(output, generated, texts=options["dry_run"])
    written = {"name": repos[0].name, **migration_json(generated), "operations": []}
    output.data({"stale": False, "repos": [written]})
    return 0


def show_change(output: Output, found: Found) -> None:
    """Print what was found in a repo: its operations, by table.

    Args:
        output: Where to.
        found: What was found; nothing is printed where nothing was.
    """
    if not found.change or output.as_json:
        return
    from ashflow.change.describe import describe, destructive, place, summary

    kept = [k for k in found.change.kept if k.table not in summary(found.change.operations)]
    for table, operations in summary(found.change.operations).items():
        output.result(click.style(place(table), bold=True) + _origin(found, table))
        for operation in operations:
            mark = click.style("!", fg="red") if destructive(operation) else " "
            output.result(f"  {mark} {describe(operation)}")
        for one in found.change.kept:
            if one.table == table:
                output.result(click.style(f"  # {one.note}", dim=True))
    for one in kept:
        output.result(click.style(one.table, bold=True) + _origin(found, one.table))
        output.result(click.style(f"  # {one.note}", dim=True))


def _origin(found: Found, table: str) -> str:
    origin = found.origins.get(table)
    return f"  {click.style(origin, dim=True)}" if origin else ""


def show_files(output: Output, generated: Generated, *, texts: bool) -> None:
    """Print the files that were written, or with their texts those that would be."""
    for path, text in generated.files.items():
        if texts:
            output.result(f"\n{click.style(f'--- would write {path}', bold=True)}\n{text}")
        else:
            output.result(f"wrote {path}")


def as_json(generated: Sequence[tuple[Found, Generated | None]]) -> dict[str, Any]:
    """Return what codegen found and wrote, as the contract has it."""
    return {
        "stale": any(bool(found.change) for found, _ in generated),
        "repos": [
            {
                "name": found.repo,
                **migration_json(written),
                "operations": list(operations_json(found.change)),
            }
            for found, written in generated
        ],
    }


def migration_json(generated: Generated | None) -> dict[str, Any]:
    """Return the files of a migration, as the contract has it."""
    if generated is None:
        return {"migration": None, "snapshots": []}
    return {
        "migration": {
            "version": generated.version,
            "name": generated.name,
            "path": generated.path,
        },
        "snapshots": list(generated.snapshots),
    }


def operations_json(change: Change) -> list[dict[str, Any]]:
    """Return the operations of a change, and what it keeps, as the contract has it."""
    if not change:
        return []
    from ashflow.change.describe import describe, table_of

    done = [
        {
            "op": type(operation).__name__,
            "table": table_of(operation),
            "summary": describe(operation),
            "commented": False,
        }
        for operation in change.operations
    ]
    kept = [
        {
            "op": "DropTable" if one.column is None else "DropColumn",
            "table": one.table,
            "summary": one.note,
            "commented": True,
        }
        for one in change.kept
        if not one.back
    ]
    return done + kept
