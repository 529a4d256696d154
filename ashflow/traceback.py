"""The traceback of an exception of the user's own code, from the user's first frame on."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from ashflow.errors import AshflowError, MigrationFailed, MigrationFileError, ResourceImportError

if TYPE_CHECKING:
    from traceback import TracebackException

_PACKAGE: Final = Path(__file__).parent
_SAMPLE: Final = _PACKAGE / "sample"


def users_traceback(error: AshflowError) -> str:
    """Return the traceback of the exception that the user's own code raised, if it did.

    Args:
        error: An error.

    Returns:
        The text that Python would print, from the user's frame on; empty where it was ours.
    """
    users = (ResourceImportError, MigrationFileError, MigrationFailed)
    if not isinstance(error, users) or isinstance(error.__cause__, AshflowError):
        return ""
    return user_traceback(error)


def user_traceback(error: BaseException) -> str:
    """Return the traceback of the exception that caused an error of ours.

    Args:
        error: An error whose cause the user's code raised.

    Returns:
        The text that Python would print, without the frames of ashflow and of the import system;
        empty where there is no cause, or no frame of the user's in it.
    """
    from traceback import TracebackException

    if error.__cause__ is None:
        return ""
    told = TracebackException.from_exception(error.__cause__)
    _keep_the_users_frames(told)
    return "".join(told.format()) if told.stack or isinstance(error.__cause__, SyntaxError) else ""


def _keep_the_users_frames(told: TracebackException) -> None:
    told.stack[:] = [frame for frame in told.stack if _is_the_users(frame.filename)]
    for earlier in (told.__cause__, told.__context__):
        if earlier is not None:
            _keep_the_users_frames(earlier)


def _is_the_users(file: str) -> bool:
    """Whether a frame's file is neither ours nor the import system's; the sample is a user's."""
    path = Path(file)
    if file.startswith("<frozen importlib") or path.parent.name == "importlib":
        return False
    return path.is_relative_to(_SAMPLE) or not path.is_relative_to(_PACKAGE)
