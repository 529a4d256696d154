"""Commands in forks of a process that has imported everything: a start without the starting.

Run as a program, this is that process. A fork has the folder, the environment and the rights of a
process of its own; what a Python reads as it starts it has from the process that it is a fork of.
"""

from __future__ import annotations

import ctypes
import gc
import json
import marshal
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
MEASURED = "COVERAGE_PROCESS_CONFIG"
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
            [sys.executable, __file__, str(folder), os.environ.get(MEASURED, "")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            encoding="utf-8",
            env={**_unmeasured(), "COVERAGE_FILE": os.environ.get("COVERAGE_FILE", ".coverage")},
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
        asked |= {"at": at, "deed": deed, "env": whole, "measured": measured and MEASURED in whole}
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
        really: The commands that are always run so.
    """

    root: Path
    forge: Forge
    real: Any
    really: tuple[str, ...] = ()

    def __call__(self, *arguments, cwd=None, env=None):
        if (arguments and arguments[0] in self.really) or not self.forge.serves(env):
            return self.real(*arguments, cwd=cwd, env=env)
        return self.forge.run(cwd or self.root, *arguments, env=env, measured=True)


class Seen:
    """What coverage sees in all forks, written once: to do so for each takes longer than most.

    Args:
        configuration: That of coverage, as it hands it to processes.
    """

    def __init__(self, configuration: str) -> None:
        from coverage import Coverage, CoverageData

        import ashflow

        self._looks = Coverage(config_file=f":data:{configuration}", data_file=None)
        # Not the package by its name: each fork would look for all files of it that it has not run.
        self._looks.set_option("run:source_pkgs", [])
        self._looks.set_option("run:include", [f"{Path(ashflow.__file__).parent}/*"])
        silent = ["no-data-collected", "module-not-imported", "module-not-measured"]
        self._looks.set_option("run:disable_warnings", silent)
        self._looks.start()  # what it does but once is done for all forks
        self._looks.stop()
        self._written = CoverageData(os.environ.get("COVERAGE_FILE", ".coverage"), suffix=True)
        self._arcs: dict[str, set[Any]] = {}

    def look(self) -> None:
        """Look, in a fork, from now on."""
        self._looks.start()

    def hand_over(self, place: Path) -> None:
        """Write, in a fork, what was seen, for the process that it is a fork of."""
        self._looks.stop()
        data = self._looks.get_data()
        place.write_bytes(marshal.dumps({path: data.arcs(path) for path in data.measured_files()}))

    def add(self, place: Path) -> None:
        """Take over what a fork has written."""
        if place.exists():  # it was not killed
            for path, arcs in marshal.loads(place.read_bytes()).items():
                self._arcs.setdefault(path, set()).update(arcs)
            place.unlink()

    def write(self) -> None:
        """Write what was seen in all of them."""
        self._written.add_arcs(self._arcs)
        self._written.write()


def serve(folder: Path, configuration: str) -> None:
    """Run what is asked for, until nobody asks any more."""
    import ashflow

    here = str(Path(__file__).parent)
    sys.path.insert(0, here)
    import_module("kills")
    sys.path[:] = [path for path in sys.path if path != here]
    for module in pkgutil.walk_packages(ashflow.__path__, "ashflow."):
        if not module.name.endswith("__main__") and "postgres" not in module.name:
            import_module(module.name)
    seen = Seen(configuration) if configuration else None
    gc.freeze()  # what a fork never writes to, it shares
    for line in sys.stdin:
        asked = json.loads(line)
        measured = asked.pop("measured")
        child = os.fork()
        if child == 0:
            if measured:
                seen.look()
            code = command(folder, **asked)
            if measured:
                seen.hand_over(folder / "arcs")
            os._exit(code)
        _, status = os.waitpid(child, 0)
        if measured:
            seen.add(folder / "arcs")
        print(os.waitstatus_to_exitcode(status), flush=True)  # noqa: T201 - it is the answer
    if seen:
        seen.write()


def command(folder: Path, *, root, arguments, now, states, at, deed, env) -> int:
    """Run a command in this process, which is one of its own; returns its exit code."""
    import traceback

    from kills import Moments

    from ashflow.cli import main
    from ashflow.project.checkout import Project

    os.environ.clear()
    os.environ.update(env)
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
    serve(Path(sys.argv[1]), sys.argv[2])
