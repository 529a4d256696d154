"""`ashflow codegen`: compare the resources with the snapshots and write a migration."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import click

from ashflow.cli.guard import guard, knowing
from ashflow.cli.options import common, opened, renaming
from ashflow.cli.output import Output
from ashflow.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ashflow.config import RepoConfig
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
@click.option("--auto-name", is_flag=True, help="Name the migration after what it does.")
@click.option(
    "--dev",
    is_flag=True,
    help="Write one for now, without a name; a later codegen NAME replaces all of them.",
)
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
@click.option(
    "--discard-edits",
    is_flag=True,
    help="Where dev migrations are replaced: go on without what was done by hand in them.",
)
@click.option("--yes", "-y", is_flag=True, help="Do not ask before values go into the store.")
@knowing
@renaming
@common
def codegen(name: str | None, name_option: str | None, **options: Any) -> int:
    """Compare the resources with the snapshots and write a migration and new snapshots.

    Columns and tables that left the resources are kept in the database, and noted, unless
    --drop-columns or --drop-tables is given. Migrations that were made with --dev are replaced by
    the one with a name, as regen does it.
    """
    output = Output(options["as_json"], options["quiet"])
    name = _name(name, name_option, options)
    project = opened(output, writes=not (options["check"] or options["dry_run"]))
    if options["empty"] and name is not None:
        return _empty(project, output, name, options)
    from ashflow.cli.ask import answered, choices_of
    from ashflow.cli.listing import warn
    from ashflow.project.codegen import dev_among, find

    choices = choices_of(options, no_renames=options["check"] or options["dev"])
    repos = project.repos(options["repos"])
    project.refuse_left_out(repos)
    histories = [project.history(repo.name) for repo in repos]
    dev = dev_among(histories)
    if dev and not (options["dev"] or options["check"]):
        _check_replaces(dev, options)
        return _replace(output, project, repos, name, choices, options)
    found = answered(
        lambda answers: find(project, repos, answers, name, histories=histories), choices
    )
    warn(output, found, rows=not options["snapshots_only"])
    if options["check"]:
        return _check(output, project, found, dev)
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
    unnamed = ("--auto-name", "--snapshots-only", "--dev")
    given += [flag for flag in unnamed if options[_key(flag)]]
    if len(given) > 1:
        raise UsageError(
            f"two names: {' and '.join(given)}",
            hint="Give one of them; --dev needs none, and with --snapshots-only no migration is "
            "written.",
        )
    _check_together(options)
    name = name if name is not None else option
    if name is not None:
        return clean_name(name)
    if options["empty"] or not (given or options["check"] or options["dry_run"]):
        raise UsageError(
            "a migration needs a name",
            hint="For example: ashflow codegen add_rpm. With --auto-name it is named after what "
            "it does; --dev, --check, --dry-run and --snapshots-only need none.",
        )
    return None


_COMPARING: Final = (
    "--auto-name",
    "--dev",
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
    from ashflow.project.codegen import derived_name

    if options["snapshots_only"] or name is not None or not found.change:
        return name
    return derived_name(found, dev=options["dev"])


def _key(flag: str) -> str:
    """Return the key that an option's value has; those that may be repeated are plural."""
    key = flag.removeprefix("--").replace("-", "_")
    return {"rename": "renames", "fill": "fills"}.get(key, key)


def _check_replaces(dev: Sequence[str], options: Mapping[str, Any]) -> None:
    """Refuse what does not go together with the replacing of dev migrations."""
    for flag in ("--snapshots-only", "--resolve"):
        if options[_key(flag)]:
            raise UsageError(
                f"{flag} does not go together with dev migrations, and there is {dev[0]}",
                hint="Replace them first: ashflow codegen NAME",
            )


def _replace(
    output: Output,
    project: Project,
    repos: Sequence[RepoConfig],
    name: str | None,
    choices: Choices,
    options: Mapping[str, Any],
) -> int:
    """Replace the migrations that were made with --dev by one."""
    from ashflow.cli.ask import answered
    from ashflow.cli.listing import show_change, show_files, warn
    from ashflow.cli.plan import ask, run_all, show_plan
    from ashflow.project.regen import plan_regen
    from ashflow.project.rerun import run_regen
    from ashflow.project.untracked import Scope

    ground, plans = answered(
        lambda answers: plan_regen(
            project,
            repos,
            name,
            migrate=False,
            choices=answers,
            scope=Scope(dev=True),
            discard_edits=options["discard_edits"],
        ),
        choices,
    )
    guard(
        output,
        project,
        "codegen",
        [plan.repo for plan in plans if plan],
        knows=options["knows"],
        dry_run=options["dry_run"],
    )
    found = [(plan.found, plan.generated) for plan in plans if plan.found is not None]
    warn(output, [one for one, _ in found], rows=True)
    show_plan(output, plans, keep=True)
    told = as_json(found)
    if not options["dry_run"]:
        ask(plans, keep=True, yes=options["yes"])
        ran = run_all(output, project, plans, run_regen(project, ground, plans, deed="codegen"))
        told["repos"] = [{**b, **a} for a, b in zip(told["repos"], ran["repos"], strict=True)]
    for one, written in found:
        show_change(output, one, named=len(project.config.repos) > 1)
        if written is not None and options["dry_run"]:
            show_files(output, written, texts=True)
    output.data(told)
    return 0


def _check(output: Output, project: Project, found: Sequence[Found], dev: Sequence[str]) -> int:
    from ashflow.cli.listing import show_change

    stale = [one for one in found if one.change]
    for one in stale:
        show_change(output, one, named=len(project.config.repos) > 1)
    for path in (path for path in dev if path.endswith(".py")):
        output.result(f"{path} was made with --dev, to be replaced by one with a name")
    told = as_json([(one, None) for one in found])
    output.data({**told, "stale": True, "dev": list(dev)} if dev else told)
    if not (stale or dev):
        output.result("the snapshots say what the resources say")
        return 0
    deed = "write it down with" if stale else "replace what was made with --dev:"
    if not output.as_json:
        output.message(f"{'stale: ' if stale else ''}{deed} ashflow codegen NAME")
    return 1


def _write(
    project: Project,
    output: Output,
    named: Sequence[tuple[Found, str | None]],
    options: Mapping[str, Any],
) -> int:
    from ashflow.cli.listing import show_change, show_files
    from ashflow.project.codegen import generate, write

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
    from ashflow.cli.listing import show_files
    from ashflow.cli.runs import migration_json
    from ashflow.project.codegen import empty, write

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
    from ashflow.cli.runs import migration_json

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
