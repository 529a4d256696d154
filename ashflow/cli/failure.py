"""Turn an error into a message for a person or for a program, and into an exit code."""

from __future__ import annotations

import os
import sys
from typing import Any

import click

from ashflow.errors import AshflowError, RenameQuestions

INTERRUPTED = 130


def failure(error: BaseException) -> int:
    """Tell an error and return the exit code that goes with it.

    Args:
        error: What was raised.

    Raises:
        BaseException: The error itself, where it is a bug of ours: its traceback is what helps.
    """
    match error:
        case AshflowError():
            tell(error.code, error.message, error.hint, _more(error))
            return error.exit_code
        case click.ClickException():
            tell("usage", error.format_message(), _usage_hint(error), {})
            return 2
        case click.Abort() if isinstance(error.__context__, EOFError):
            tell("declined", "no answer: nothing was changed", "", {})
            return 1
        case KeyboardInterrupt() | click.Abort():
            tell("interrupted", "interrupted: what was not committed is undone", "", {})
            return INTERRUPTED
        case BrokenPipeError():
            sys.stderr.close()
            return 1
        case OSError():
            tell("file", f"the system refuses: {error}", "Mend that, and run it again.", {})
            return 1
        case _:
            raise error


def tell(code: str, message: str, hint: str, more: dict[str, Any]) -> None:
    """Print an error: as JSON on stdout where that was asked for, else as text on stderr."""
    if wants_json():
        import json

        data = {"code": code, "message": message, "hint": hint, **more}
        click.echo(json.dumps({"error": data}, ensure_ascii=False, indent=2))
        return
    if traceback := more.get("traceback"):
        click.echo(traceback.rstrip(), err=True)
    click.echo(click.style("error: ", fg="red", bold=True) + message, err=True, color=colour())
    if hint:
        click.echo(click.style("hint: ", fg="cyan") + hint, err=True, color=colour())


def colour() -> bool | None:
    """Return False where `NO_COLOR` is set (https://no-color.org), else None: on a terminal."""
    return False if os.environ.get("NO_COLOR") else None


def wants_json() -> bool:
    """Whether the command line asks for JSON; it may be what is wrong with it."""
    return "--json" in sys.argv[1:]


def _more(error: AshflowError) -> dict[str, Any]:
    if isinstance(error, RenameQuestions):
        return {"questions": error.questions}
    from ashflow.traceback import users_traceback

    text = users_traceback(error)
    return {"traceback": text} if text else {}


def _usage_hint(error: click.ClickException) -> str:
    context = getattr(error, "ctx", None)
    return f"{context.command_path if context else 'ashflow'} --help shows what there is."
