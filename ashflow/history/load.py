"""Source as a migration: the one room that runs a migration's file."""

from __future__ import annotations

import json
import sys
from contextlib import redirect_stdout
from types import CodeType, ModuleType
from typing import TYPE_CHECKING, Final

from ashflow.change.migration import Migration
from ashflow.change.operations import Run
from ashflow.errors import MigrationFileError

if TYPE_CHECKING:
    from types import TracebackType

    from ashflow.change.operations import Operation

_NAME: Final = "ashflow_migration_file"
"""What a migration's file reads as its `__name__`."""
_MEND: Final = "The README has a table of the operations and their arguments."
_WHAT_IT_IS: Final = (
    "A migration's file ends with `migration = Migration(operations=[…])`. Restore it from git, "
    "or move it out of the folder where it is no migration."
)


def load(text: str, path: str, *, shown: str) -> Migration:
    """Run the source of a migration and return what it says.

    Args:
        text: The source.
        path: Where the file is, for tracebacks.
        shown: The file's path as a message names it.

    Raises:
        MigrationFileError: It does not run, or is no migration; what it raised is the cause.
    """
    if not text.strip():
        raise MigrationFileError(f"{shown} is empty", hint=_WHAT_IT_IS)
    module = _run(_compiled(text, path, shown), path, shown)
    migration = getattr(module, "migration", None)
    if not isinstance(migration, Migration):
        what = "has no `migration`" if migration is None else "has a `migration` that is none"
        raise MigrationFileError(f"{shown} {what}", hint=_WHAT_IT_IS)
    for operation in migration.operations:
        if isinstance(operation, Run):
            _check_functions(operation, module, shown)
        _check_it_can_be_kept(operation, shown)
    return migration


def _check_it_can_be_kept(operation: Operation, shown: str) -> None:
    """Refuse an operation that would not come back from the ledger as it is."""
    from ashflow.change.codec import decode_operation, encode_operation

    name = type(operation).__name__
    try:
        kept = decode_operation(json.loads(json.dumps(encode_operation(operation))))
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise MigrationFileError(f"{shown}: {name}: {error}", hint=_MEND) from error
    if kept != operation:
        raise MigrationFileError(f"{shown}: {name} has an argument of a wrong kind", hint=_MEND)


def _compiled(text: str, path: str, shown: str) -> CodeType:
    from linecache import cache

    # Tracebacks show these lines also where the text is not the one on disk.
    cache[path] = (len(text), None, text.splitlines(keepends=True), path)
    try:
        return compile(text, path, "exec", dont_inherit=True)
    except SyntaxError as error:
        where = f"{shown}, line {error.lineno}" if error.lineno else shown
        raise MigrationFileError(
            f"{where}: this is no Python: {error.msg}",
            hint="Was it cut off, or is a merge unfinished? Mend it, or restore it from git.",
        ) from error
    except (ValueError, RecursionError, MemoryError) as error:
        raise MigrationFileError(
            f"{shown}: this is no Python: {error}", hint="Mend it, or restore it from git."
        ) from error


def _run(code: CodeType, path: str, shown: str) -> ModuleType:
    module = ModuleType(_NAME)
    module.__file__ = path
    sys.modules[_NAME] = module  # where dataclasses and enums look for their own module
    try:
        with redirect_stdout(sys.stderr):  # stdout belongs to the command
            exec(code, module.__dict__)  # noqa: S102  (a migration is a program; this is the room for it)
    except (Exception, SystemExit) as error:
        line = _line(error.__traceback__, path)
        raise MigrationFileError(
            f"{shown}{line}: {_what_happened(error)}",
            hint="Nothing was run on a database. Mend the file and try again.",
        ) from error
    finally:
        sys.modules.pop(_NAME, None)
    return module


def _line(traceback: TracebackType | None, path: str) -> str:
    """The last line of the file itself that the traceback goes through."""
    found = ""
    while traceback is not None:
        if traceback.tb_frame.f_code.co_filename == path:
            found = f", line {traceback.tb_lineno}"
        traceback = traceback.tb_next
    return found


def _what_happened(error: BaseException) -> str:
    if isinstance(error, SystemExit):
        return "it calls sys.exit() where it should only say what to do"
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__


def _check_functions(run: Run, module: ModuleType, shown: str) -> None:
    for function in (run.up, run.down):
        if function is None:
            continue
        name = getattr(function, "__name__", None)
        own = getattr(function, "__module__", None) == _NAME
        if not (own and getattr(module, str(name), None) is function):
            raise MigrationFileError(
                f"{shown}: Run calls {name or repr(function)}, which is no function at the top "
                "level of the file",
                hint="Write it into the file as `def name(db): …` and hand over the function "
                "itself: a migration has to stay whole when the rest of the program changes.",
            )
