"""Commands in forks of a process that has imported everything: a start without the starting.

Run as a program, this is that process. A fork has the folder, the environment and the rights of a
process of its own; what a Python reads as it starts it has from the process that it is a fork of.
"""

from __future__ import annotations

import ctypes
import gc
import json
import os
import pkgutil
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

LIBC = ctypes.CDLL(None)
BUG = 70
"""The exit code of a command that raised what is no message."""

EARLY = ("PYTHON", "LC_", "LANG", "TZ", "PATH", "GIT_PYTHON_")
"""How the variables begin that are read as Python starts, or as a module is imported."""


def as_anybody() -> None:
    """Give up what root may do and nobody else: write where the permissions say no."""
    if sys.platform == "linux" and os.geteuid() == 0:
        for capability in (1, 2):  # CAP_DAC_OVERRIDE and CAP_DAC_READ_SEARCH
            LIBC.prctl(24, capability, 0, 0, 0)  # PR_CAPBSET_DROP: out of what exec may give
        # Out of what this process has: effective, permitted, inheritable, of 32 and of the others.
        header = (ctypes.c_uint32 * 2)(0x20080522, 0)  # _LINUX_CAPABILITY_VERSION_3, of this one
        held = (ctypes.c_uint32 * 6)()
        LIBC.capget(header, held)
        for place in range(3):
            held[place] &= ~0b110
        LIBC.capset(header, held)


class Forge:
    """Runs commands in forks of a process that has imported everything but the resources.

    Args:
        folder: Where they write what they say.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._began = _early(os.environ)
        self._process = subprocess.Popen(
            [sys.executable, __file__, str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            encoding="utf-8",
            env=_unmeasured(),
        )

    def run(self, root, *arguments, now="", states="", at=0, deed="kill", env=None, measured=False):
        """Run a command; returns its exit code, below zero where it was killed, and what it said.

        Args:
            root: The folder in which it is run.
            arguments: The command.
            now: The moment that it believes in; empty: the true one.
            states: Where to put a copy of all files for each moment of it; empty: nowhere.
            at: At which moment something happens to it; 0: at none.
            deed: What: `kill`, `ctrl-c` or `error`.
            env: What else is in its environment.
            measured: Whether coverage looks, where it looks at the tests.
        """
        whole = {**(os.environ if measured else _unmeasured()), **(env or {})}
        asked = {"root": str(root), "arguments": arguments, "now": now, "states": str(states)}
        asked |= {"at": at, "deed": deed, "env": whole}
        self._process.stdin.write(json.dumps(asked) + "\n")
        self._process.stdin.flush()
        code = int(self._process.stdout.readline())
        said = ((self._folder / name).read_text(encoding="utf-8") for name in ("out", "err"))
        return Said(code, *said)

    def serves(self, env) -> bool:
        """Whether a fork would know all of an environment: nothing that is read at the start."""
        return _early({**os.environ, **(env or {})}) == self._began

    def close(self) -> None:
        """End the process."""
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()


def _early(environment) -> dict[str, str]:
    return {name: value for name, value in environment.items() if name.startswith(EARLY)}


def _unmeasured() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if "COVERAGE" not in name}


class Said(NamedTuple):
    """What a command did."""

    code: int
    out: str
    err: str

    def json(self):
        """The one object on stdout."""
        return json.loads(self.out)


@dataclass(frozen=True)
class Forked:
    """Runs the command in a fork: `ashflow("codegen", "add_posts")`.

    Args:
        root: The folder of the project.
        forge: Where the forks are made.
        real: Runs it in a process of its own; so it is where only a start would do.
    """

    root: Path
    forge: Forge
    real: Any

    def __call__(self, *arguments, cwd=None, env=None):
        if not self.forge.serves(env):
            return self.real(*arguments, cwd=cwd, env=env)
        return self.forge.run(cwd or self.root, *arguments, env=env, measured=True)


def serve(folder: Path) -> None:
    """Run what is asked for, until nobody asks any more."""
    import ashflow

    here = str(Path(__file__).parent)
    sys.path.insert(0, here)
    import_module("kills")
    sys.path[:] = [path for path in sys.path if path != here]
    with suppress(ImportError):
        import_module("coverage")
    for module in pkgutil.walk_packages(ashflow.__path__, "ashflow."):
        if not module.name.endswith("__main__") and "postgres" not in module.name:
            import_module(module.name)
    gc.freeze()  # what a fork never writes to, it shares
    for line in sys.stdin:
        asked = json.loads(line)
        child = os.fork()
        if child == 0:
            os._exit(measured(folder, **asked))
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)  # noqa: T201 - it is the answer


def measured(folder: Path, *, env, **asked) -> int:
    """Run a command in this process, and let coverage look where the environment says so."""
    os.environ.clear()
    os.environ.update(env)
    if "COVERAGE_PROCESS_CONFIG" not in env:
        return command(folder, **asked)
    from coverage import process_startup

    coverage = process_startup(force=True)
    code = command(folder, **asked)
    coverage.stop()
    coverage.save()
    return code


def command(folder: Path, *, root, arguments, now, states, at, deed) -> int:
    """Run a command in this process, which is one of its own; returns its exit code."""
    import traceback

    from kills import Moments

    from ashflow.cli import main
    from ashflow.project.checkout import Project

    os.chdir(root)
    for number, name in enumerate((os.devnull, folder / "out", folder / "err")):
        opened = os.open(name, os.O_RDWR | os.O_CREAT | os.O_TRUNC)
        os.dup2(opened, number)
        os.close(opened)
    as_anybody()
    sys.argv = ["ashflow", *arguments]
    if now:
        moment = datetime.fromisoformat(now)
        Project.__init__.__kwdefaults__["now"] = lambda: moment
    if states or at:
        Moments(root, states, at, deed).watch()
    code = BUG
    try:
        main()
    except SystemExit as stop:
        code = stop.code or 0
    except BaseException:  # noqa: BLE001 - whatever it is, it is a bug
        traceback.print_exc()
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError):
            stream.flush()
    return code


if __name__ == "__main__":
    serve(Path(sys.argv[1]))
