"""`python -m ashflow.release`: migrate in a container, with what Python brings along."""

from __future__ import annotations

import argparse
import json
import logging
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

from ashflow import release
from ashflow.errors import AshflowError, UsageError
from ashflow.history.version import is_dev
from ashflow.plan.steps import as_json
from ashflow.release.logged import LOGGER
from ashflow.signals import end_as_interrupted
from ashflow.traceback import users_traceback

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ashflow.release import Migrated, Repo, Standing

_INTERRUPTED: Final = 130
_EXAMPLES: Final = """\
examples:
  python -m ashflow.release migrate
  python -m ashflow.release migrate --url sqlite:////data/app.db --migrations shop:migrations
  python -m ashflow.release rollback --repo repo --to 20261123061000
  python -m ashflow.release status --json
"""


def main(words: Sequence[str] | None = None) -> int:
    """Run the command that the arguments name.

    Args:
        words: The arguments; None: those of the process.

    Returns:
        The exit code: 0 done, 1 the work failed, 2 found before any work, 130 interrupted.
    """
    options = _parser().parse_args(words)
    end_as_interrupted()
    _log(options)
    try:
        _COMMANDS[options.command](options)
    except AshflowError as error:
        _tell(error, as_json=options.json)
        return error.exit_code
    except KeyboardInterrupt:
        sys.stderr.write("interrupted: what was not committed is undone\n")
        return _INTERRUPTED
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m ashflow.release",
        description="Migrate databases in production, without git and without the resources.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    migrate = commands.add_parser("migrate", help="apply the pending migrations")
    rollback = commands.add_parser("rollback", help="take migrations back, the last one first")
    status = commands.add_parser("status", help="show what stands where")
    for command in (migrate, rollback, status):
        _add_common(command)
    for command in (migrate, rollback):
        _add_running(command)
    migrate.add_argument(
        "--allow-out-of-order",
        action="store_true",
        help="apply one that is older than an applied one",
    )
    migrate.add_argument(
        "--allow-edited",
        action="store_true",
        help="go on though the file of an applied one was edited since",
    )
    migrate.add_argument(
        "--no-fold", action="store_true", help="apply one by one also where nothing is applied yet"
    )
    return parser


def _add_common(command: argparse.ArgumentParser) -> None:
    add = command.add_argument
    add("--repo", action="append", metavar="NAME", help="only this repo of the project; repeatable")
    add("--url", help="a database that needs no project; may hold a password: better leave it in")
    add("--migrations", metavar="WHERE", help="the folder of its migrations, or package:folder")
    add("--json", action="store_true", help="print one JSON object on stdout")
    add("--quiet", "-q", action="store_true", help="print nothing but errors")


def _add_running(command: argparse.ArgumentParser) -> None:
    add = command.add_argument
    add("--to", metavar="VERSION", help="up to, or back to, and including this one")
    add("--step", "-n", type=int, metavar="N", help="how many migrations")
    add("--copies", metavar="FOLDER", help="keep a copy of a database there before values in it go")
    add("--lock-timeout", type=float, metavar="SECONDS", help="how long to wait for others")
    add("--log-sql", action="store_true", help="log each statement with its time")


def _migrate(options: argparse.Namespace) -> None:
    done = release.migrate(
        _given(options),
        to=options.to,
        step=options.step,
        allow_out_of_order=options.allow_out_of_order,
        allow_edited=options.allow_edited,
        fold=not options.no_fold,
        copies=options.copies,
        lock_timeout=options.lock_timeout,
    )
    _report(done, options, "applied")


def _rollback(options: argparse.Namespace) -> None:
    given = _given(options)
    if given is not None and len(given) != 1:
        raise UsageError("rollback works on one database", hint="Name it: --repo NAME")
    done = release.rollback(
        given[0] if given else None,
        to=options.to,
        step=options.step,
        copies=options.copies,
        lock_timeout=options.lock_timeout,
    )
    _report([done], options, "rolled back")


def _status(options: argparse.Namespace) -> None:
    found = release.status(_given(options))
    if options.json:
        _print({"repos": [_standing(one) for one in found]})
        return
    for one in found:
        there = "" if one.exists else "  (not there yet)"
        _result(f"{one.name}  {one.url}{there}", options)
        for state in one.migrations:
            edited = "  edited" if state.edited else ""
            _result(f"  {state.state:<8}{state.version}  {state.name}{edited}", options)


_COMMANDS: Final = {"migrate": _migrate, "rollback": _rollback, "status": _status}


def _given(options: argparse.Namespace) -> list[Repo | str] | None:
    """Return the repos that the options name; None: all of the project."""
    if (options.url is None) != (options.migrations is None):
        raise UsageError(
            "--url and --migrations go together: a database, and what it is migrated with",
            hint="Say both, or neither: then the project says it.",
        )
    if options.url is None:
        named: list[Repo | str] | None = options.repo
        return named
    names = options.repo or ["repo"]
    if len(names) != 1:
        raise UsageError("--url is one database", hint="Give it one name: --repo NAME")
    return [release.Repo(names[0], url=options.url, migrations=options.migrations)]


def _report(done: Sequence[Migrated], options: argparse.Namespace, deed: str) -> None:
    for one in done:
        count = len(one.migrations)
        what = (
            f"{deed} {count:,} migration{'' if count == 1 else 's'}" if count else "nothing to do"
        )
        _result(f"{one.name}: {what}", options)
    if options.json:
        _print({"repos": [as_json(one.name, one.migrations) for one in done]})


def _standing(one: Standing) -> dict[str, Any]:
    """Return what stands where as `ashflow status --json` has it; git is not asked here."""
    migrations = [
        {**asdict(state), "git": None, "branches": [], "dev": is_dev(state.name)}
        for state in one.migrations
    ]
    return {"name": one.name, "url": one.url, "migrations": migrations}


def _result(text: str, options: argparse.Namespace) -> None:
    if not options.json and not options.quiet:
        sys.stdout.write(f"{text}\n")


def _print(data: dict[str, Any]) -> None:
    sys.stdout.write(f"{json.dumps(data, ensure_ascii=False, indent=2)}\n")


def _tell(error: AshflowError, *, as_json: bool) -> None:
    """Print an error: as JSON on stdout where that was asked for, else as text on stderr."""
    traceback = users_traceback(error)
    if as_json:
        told = {"code": error.code, "message": error.message, "hint": error.hint}
        _print({"error": {**told, **({"traceback": traceback} if traceback else {})}})
        return
    hint = f"hint: {error.hint}\n" if error.hint else ""
    sys.stderr.write(f"{traceback}error: {error.message}\n{hint}")


def _log(options: argparse.Namespace) -> None:
    """Let the log be seen on stderr."""
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(levelname)s %(message)s"))
    LOGGER.addHandler(handler)
    statements = getattr(options, "log_sql", False)
    LOGGER.setLevel(
        logging.ERROR if options.quiet else logging.DEBUG if statements else logging.INFO
    )


if __name__ == "__main__":
    sys.exit(main())
