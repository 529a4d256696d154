"""`ashflow codegen`: compare the resources with the snapshots and write a migration."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import click

from ashflow.cli.ask import answered, choices_of
from ashflow.cli.listing import show_change, show_files, warn
from ashflow.cli.options import common, opened, renaming
from ashflow.cli.output import Output
from ashflow.errors import UsageError
from ashflow.project.codegen import Found, derived_name, empty, find, generate, write

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ashflow.plan.codegen import Change, Generated
    from ashflow.project.checkout import Project


@click.command(
    short_help="Write a migration and snapshots from the resources.",
    epilog="Example: ashflow codegen add_rpm_to_combobulators",
)
@click.argument("name", required=False)
@click.option("--name", "name_option", metavar="NAME", help="The name of the migration.")
@click.option("--auto-name", is_flag=True, help="Name the migration after what it does.")
@click.option("--empty", is_flag=True, help="Write a migration to be filled by hand.")
@click.option("--check", is_flag=True, help="Write nothing; exit 1 where something is stale.")
@click.option("--dry-run", is_flag=True, help="Print what would be written, and write nothing.")
@click.option(
    "--snapshots-only",
    is_flag=True,
    help="Write no migration: one that was written by hand has done it.",
)
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
    name = _name(name, name_option, options)
    project = opened(output)
    if options["empty"] and name is not None:
        return _empty(project, output, name, options)
    choices = choices_of(options, no_renames=options["check"])
    repos = project.repos(options["repos"])
    found = answered(
        lambda answers: find(project, repos, answers, name),
        replace(choices, resolve=options["resolve"]),
    )
    warn(output, found, rows=not options["snapshots_only"])
    if options["check"]:
        return _check(output, project, found)
    return _write(project, output, [(one, _named(one, name, options)) for one in found], options)


generate_migrations = click.Command(
    "generate-migrations",
    callback=codegen.callback,
    params=codegen.params,
    help=codegen.help,
    short_help="The lower-level name of codegen.",
    epilog=codegen.epilog,
)


def _name(name: str | None, option: str | None, options: Mapping[str, Any]) -> str | None:
    """Return the name that was given, as files have it; None where none is needed."""
    from ashflow.history.version import clean_name

    given = [one for one in (name, option and f"--name {option}") if one is not None]
    given += [flag for flag in ("--auto-name", "--snapshots-only") if options[_key(flag)]]
    if len(given) > 1:
        raise UsageError(
            f"two names: {' and '.join(given)}",
            hint="Give one of them; with --snapshots-only no migration is written.",
        )
    _check_together(options)
    name = name if name is not None else option
    if name is not None:
        return clean_name(name)
    if options["empty"] or not (given or options["check"] or options["dry_run"]):
        raise UsageError(
            "a migration needs a name",
            hint="For example: ashflow codegen add_rpm. With --auto-name it is named after what "
            "it does; --check, --dry-run and --snapshots-only need none.",
        )
    return None


_COMPARING: Final = (
    "--auto-name",
    "--check",
    "--snapshots-only",
    "--resolve",
    "--rename",
    "--no-renames",
    "--fill",
    "--drop-columns",
    "--drop-tables",
)
"""The options that say how resources and snapshots are compared."""


def _check_together(options: Mapping[str, Any]) -> None:
    """Refuse an option that has no meaning beside another one."""
    pairs = [("--empty", flag, "no resource is looked at") for flag in _COMPARING]
    pairs.append(("--snapshots-only", "--fill", "no migration is written that could fill"))
    for flag, other, why in pairs:
        if options[_key(flag)] and options[_key(other)]:
            raise UsageError(
                f"{flag} and {other} do not go together",
                hint=f"With {flag} {why}: leave one of them out.",
            )


def _named(found: Found, name: str | None, options: Mapping[str, Any]) -> str | None:
    """Return the name of the migration of a repo; None for none."""
    if options["snapshots_only"] or name is not None or not found.change:
        return name
    return derived_name(found)


def _key(flag: str) -> str:
    """Return the key that an option's value has; those that may be repeated are plural."""
    key = flag.removeprefix("--").replace("-", "_")
    return {"rename": "renames", "fill": "fills"}.get(key, key)


def _check(output: Output, project: Project, found: Sequence[Found]) -> int:
    stale = [one for one in found if one.change]
    for one in stale:
        show_change(output, one, named=len(project.config.repos) > 1)
    if not stale:
        output.result("the snapshots say what the resources say")
    elif not output.as_json:
        output.message("stale: write it down with ashflow codegen NAME")
    output.data(as_json([(one, None) for one in found]))
    return 1 if stale else 0


def _write(
    project: Project,
    output: Output,
    named: Sequence[tuple[Found, str | None]],
    options: Mapping[str, Any],
) -> int:
    generated = [(one, generate(project, one, name)) for one, name in named]
    files = [one for _, one in generated if one is not None]
    if not options["dry_run"] and files:
        write(project, files, [one for one, _ in named])
    for one, written in generated:
        show_change(output, one, named=len(project.config.repos) > 1)
        if written is not None:
            show_files(output, written, texts=options["dry_run"])
    if not files:
        output.result("nothing to do: the snapshots say what the resources say")
    output.data(as_json(generated))
    return 0


def _empty(project: Project, output: Output, name: str, options: Mapping[str, Any]) -> int:
    repos = project.one_repo(options["repos"], "--empty")
    history = project.history(repos[0].name)
    generated = empty(project, history, repos[0].name, name)
    if not options["dry_run"]:
        write(project, [generated])
    show_files(output, generated, texts=options["dry_run"])
    written = {"name": repos[0].name, **migration_json(generated), "operations": []}
    output.data({"stale": False, "repos": [written]})
    return 0


def as_json(generated: Sequence[tuple[Found, Generated | None]]) -> dict[str, Any]:
    """Return what codegen found and wrote, as the contract has it."""
    return {
        "stale": any(bool(found.change) for found, _ in generated),
        "repos": [
            {
                "name": found.repo,
                **migration_json(written),
                "operations": operations_json(found.change),
            }
            for found, written in generated
        ],
    }


def migration_json(generated: Generated | None) -> dict[str, Any]:
    """Return the files of a migration, as the contract has it."""
    if generated is None:
        return {"migration": None, "snapshots": []}
    if not generated.path:
        return {"migration": None, "snapshots": list(generated.snapshots)}
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
