"""The terminal: one file a command, and the one place where errors become messages."""

from __future__ import annotations

import gc
import os
import sys
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from typing import NoReturn

    from ashflow.sources.ahead import Ahead

_OF_RESOURCES: Final = frozenset({"codegen", "generate-migrations", "check"})
"""The commands that read files, and then import the resources."""
_NOT_THESE: Final = frozenset({"--staged", "--empty", "--help", "-h"})
"""What has them import others, or none."""


def main() -> NoReturn:
    """Run the command that the arguments of the process name, and exit."""
    # Nearly all that a command makes lives until it ends; to walk over it again and again, in
    # search of garbage, takes a tenth of the time.
    gc.set_threshold(1_000_000, 50, 50)
    ahead = _compiling(sys.argv[1:])
    try:
        code = _run(ahead)
    finally:
        if ahead is not None:
            ahead.end()
    gc.freeze()  # nor does Python have to look through all of it once more before it ends
    sys.exit(code)


def _run(ahead: Ahead | None) -> int:
    """Run the command, and return its exit code."""
    import click

    from ashflow.cli.failure import failure
    from ashflow.cli.group import ashflow
    from ashflow.errors import AshflowError
    from ashflow.signals import end_as_interrupted

    end_as_interrupted()
    try:
        code: int | None = ashflow.main(prog_name="ashflow", standalone_mode=False, obj=ahead)
    except click.exceptions.Exit as stop:
        code = stop.exit_code
    except (AshflowError, click.ClickException, click.Abort, KeyboardInterrupt, OSError) as error:
        code = failure(error)
    return code or 0


def _compiling(arguments: list[str]) -> Ahead | None:
    """Begin to compile resources that were edited, while what reads the arguments is imported."""
    if not _OF_RESOURCES.intersection(arguments[:1]) or _NOT_THESE.intersection(arguments):
        return None
    from ashflow.config import current_folder, find_project, read_config
    from ashflow.errors import AshflowError
    from ashflow.sources.ahead import compile_ahead

    try:
        config = read_config(find_project(current_folder()), os.environ)
    except (AshflowError, OSError):  # the command finds the same, and says so
        return None
    return compile_ahead(config.domains, config.pythonpath)
