"""Read `[tool.ashflow]` of a project's pyproject.toml, and what the environment says over it."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from ashflow.errors import ConfigError
from ashflow.toml import Table, kind, parse

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

FILE: Final = "pyproject.toml"
SECTION: Final = "[tool.ashflow]"
DEFAULT_REPO: Final = "repo"
DEFAULT_URL: Final = "sqlite:///priv/repo/dev.sqlite3"
DEFAULT_LEDGER: Final = "ashflow_migrations"
META: Final = "ashflow_meta"  # beside the ledger, in every database
DEFAULT_LOCK_TIMEOUT: Final = 60.0
DEFAULT_KEEP_RUNS: Final = 20
ENVIRONMENT_VARIABLE: Final = "ASHFLOW_ENV"

_KEYS: Final = (
    "domains",
    "pythonpath",
    "drop_columns",
    "drop_tables",
    "base",
    "keep_runs",
    "repos",
)
_REPO_KEYS: Final = ("url", "ledger", "lock_timeout", "backup_limit_mb")
_REPO_NAME: Final = re.compile(r"[a-z0-9_-]+")
_VARIABLE: Final = re.compile(
    r"\$\{(?:(?P<name>[A-Za-z_]\w*)(?::-(?P<default>[^}]*))?\})?", re.ASCII
)


class RepoConfig(NamedTuple):
    """One database of a project.

    Args:
        name: Its name; `priv/<name>/migrations` holds its migrations.
        location: The url with its variables filled in, or why it could not be made. It may hold
            a password, so it is not part of the `repr`.
        ledger: The table that says what has been applied.
        lock_timeout: How many seconds to wait for another process that writes.
        backup_limit_mb: The largest database that migrate and rollback copy before values in it
            go, in megabytes; None: whatever its size.
    """

    name: str
    location: str | ConfigError
    ledger: str = DEFAULT_LEDGER
    lock_timeout: float = DEFAULT_LOCK_TIMEOUT
    backup_limit_mb: float | None = None

    def __repr__(self) -> str:
        told = (f"{key}={said!r}" for key, said in self._asdict().items() if key != "location")
        return f"RepoConfig({', '.join(told)})"

    @property
    def url(self) -> str:
        """The url, which may hold a password.

        Raises:
            ConfigError: A variable in it is not set. Only who needs the database hears of it.
        """
        if isinstance(self.location, ConfigError):
            raise self.location
        return self.location

    @property
    def variable(self) -> str:
        """The environment variable that overrides the url."""
        return _variable(self.name)


class Config(NamedTuple):
    """What a project says of itself.

    Args:
        root: The folder of its pyproject.toml, a real path.
        repos: Its databases, in the order of the file; at least one.
        domains: Where its resources come from: `module` or `module:object`.
        pythonpath: Folders to put on `sys.path`, absolute.
        drop_columns: Whether codegen drops columns that left the resources.
        drop_tables: Whether codegen drops tables that left the resources.
        base: The branch to compare with; None for the remote's default, `main` or `master`.
        keep_runs: Of how many runs that replaced migrations the old files and rows are kept.
        environment: What `ASHFLOW_ENV` says; empty where it says nothing.
    """

    root: Path
    repos: tuple[RepoConfig, ...]
    domains: tuple[str, ...] = ()
    pythonpath: tuple[str, ...] = ()
    drop_columns: bool = False
    drop_tables: bool = False
    base: str | None = None
    keep_runs: int = DEFAULT_KEEP_RUNS
    environment: str = ""

    def repo(self, name: str) -> RepoConfig:
        """Return the database of a name.

        Raises:
            ConfigError: The project has none of that name.
        """
        for repo in self.repos:
            if repo.name == name:
                return repo
        known = ", ".join(repo.name for repo in self.repos)
        raise ConfigError(
            f"There is no repo {name!r} in {self.root / FILE}",
            hint=f"Configured are: {known}. Another one needs [tool.ashflow.repos.{name}] there.",
        )

    def migrations(self, repo: str) -> str:
        """Return the folder of a repo's migrations, relative to the root, with `/`."""
        return f"priv/{repo}/migrations"

    def snapshots(self, repo: str) -> str:
        """Return the folder of a repo's snapshots, relative to the root, with `/`."""
        return f"priv/resource_snapshots/{repo}"

    def folders(self, repos: Sequence[str]) -> list[str]:
        """Return the folders in which the files of some repos are, relative to the root.

        Args:
            repos: The names of the repos.
        """
        return [*map(self.migrations, repos), *map(self.snapshots, repos)]


def current_folder() -> Path:
    """Return the current folder.

    Raises:
        ConfigError: It was removed under our feet.
    """
    from pathlib import Path

    try:
        return Path.cwd()
    except FileNotFoundError as error:
        raise ConfigError(
            "the current folder is not there any more", hint="Go to a folder that is: cd"
        ) from error


def find_project(start: Path) -> Path:
    """Return the nearest folder, from `start` upwards, whose pyproject.toml has our section.

    Args:
        start: Where to begin, as a rule the current folder.

    Raises:
        ConfigError: There is none, or a pyproject.toml that speaks of ashflow cannot be read.
    """
    start = start.resolve()
    for folder in (start, *start.parents):
        path = folder / FILE
        if path.is_file() and _section(path) is not None:
            return folder
    raise ConfigError(
        f"No {FILE} with {SECTION} in {start} or in a folder above it",
        hint="Go to the project's folder, or run `ashflow init` to make this one a project.",
    )


def is_project(path: Path, data: bytes) -> bool:
    """Whether a pyproject.toml has our section.

    Args:
        path: The file.
        data: What it says.

    Raises:
        ConfigError: It speaks of ashflow and cannot be read.
    """
    return _section(path, data) is not None


def read_config(root: Path, env: Mapping[str, str], data: bytes | None = None) -> Config:
    """Read the configuration of a project.

    Args:
        root: The project's folder, as `find_project` gives it.
        env: The environment.
        data: What the file says; None: what it says on disk.

    Raises:
        ConfigError: Something in it cannot be used; the message says what, and in which file.
    """
    section = _section(root / FILE, data)
    if section is None:
        raise ConfigError(f"{root / FILE} has no {SECTION}", hint="Run `ashflow init` there.")
    table = Table(root / FILE, SECTION, section)
    table.only(_KEYS)
    return Config(
        root=root,
        repos=_repos(table, env),
        domains=table.texts("domains"),
        pythonpath=_pythonpath(table, root),
        drop_columns=table.flag("drop_columns"),
        drop_tables=table.flag("drop_tables"),
        base=table.text("base"),
        keep_runs=table.number("keep_runs", DEFAULT_KEEP_RUNS),
        environment=environment_of(env),
    )


def environment_word(text: str) -> str:
    """Return the name of an environment as it is compared: ` Production` is `production`.

    Args:
        text: What somebody wrote.
    """
    return text.strip().lower()


def environment_of(env: Mapping[str, str]) -> str:
    """Return what `ASHFLOW_ENV` says; empty where it says nothing.

    Args:
        env: The environment of the process.

    Raises:
        ConfigError: It says what is no name.
    """
    word = environment_word(env.get(ENVIRONMENT_VARIABLE, ""))
    if not word.isprintable():
        raise ConfigError(
            f"{ENVIRONMENT_VARIABLE} is {word!a}, which is no name of an environment",
            hint=f"Say {ENVIRONMENT_VARIABLE}=production, or leave it unset: development.",
        )
    return word


_parsed = lru_cache(maxsize=1)(parse)  # it is sought, and then read


def _section(path: Path, data: bytes | None = None) -> dict[str, Any] | None:
    """Return `[tool.ashflow]` of a file, or None where the file does not have it."""
    try:
        data = path.read_bytes() if data is None else data
    except OSError as error:
        raise ConfigError(
            f"{path} cannot be read: {error.strerror}", hint="Make it readable for you."
        ) from error
    if b"ashflow" not in data:  # somebody else's: it need not even be valid
        return None
    tool = _parsed(data, path).get("tool", {})
    section = tool.get("ashflow") if isinstance(tool, dict) else None
    if section is not None and not isinstance(section, dict):
        raise ConfigError(
            f"tool.ashflow in {path} is {kind(section)}", hint=f"Write a table: {SECTION}."
        )
    return section


def _pythonpath(table: Table, root: Path) -> tuple[str, ...]:
    """Return the folders for `sys.path`: those asked for, or `.` and `src` where they are."""
    if "pythonpath" not in table.values:
        return tuple(str(path) for path in (root, root / "src") if path.is_dir())
    folders = {entry: (root / entry).resolve() for entry in table.texts("pythonpath")}
    for entry, folder in folders.items():
        if not folder.is_dir():
            raise table.wrong(
                f"{entry!r} in pythonpath is no folder",
                "Each entry is a folder, relative to the project: make it, or take it out.",
            )
    return tuple(str(folder) for folder in folders.values())


def _repos(table: Table, env: Mapping[str, str]) -> tuple[RepoConfig, ...]:
    """Return the databases; the default one where none is configured."""
    tables = table.table("repos")
    if not tables.values:
        return (RepoConfig(DEFAULT_REPO, _location(DEFAULT_REPO, DEFAULT_URL, env)),)
    for name in tables.values:
        _check_name(name, tables)
    repos = tuple(_repo(name, tables.table(name), env) for name in tables.values)
    _check_variables(repos, tables)
    return repos


def _repo(name: str, table: Table, env: Mapping[str, str]) -> RepoConfig:
    table.only(_REPO_KEYS)
    url = table.text("url")
    if url is None:
        raise table.wrong(
            "url is missing", f'Write one: url = "sqlite:///priv/{name}/dev.sqlite3".'
        )
    return RepoConfig(
        name,
        location=_location(name, url, env),
        ledger=_ledger(table),
        lock_timeout=table.seconds("lock_timeout", DEFAULT_LOCK_TIMEOUT),
        backup_limit_mb=table.megabytes("backup_limit_mb"),
    )


def _ledger(table: Table) -> str:
    name = table.text("ledger") or DEFAULT_LEDGER
    low = name.lower()
    if low == META or low.startswith(("sqlite_", "__ashflow", "@")):
        raise table.wrong(
            f"ledger = {name!r}: that name is taken.",
            f"Choose another one, or leave it out: it is {DEFAULT_LEDGER} then.",
        )
    return name


def _check_name(name: str, tables: Table) -> None:
    if not _REPO_NAME.fullmatch(name):
        raise tables.wrong(
            f"{name!r} is no name for a repo",
            "It names folders and a variable: lower-case letters, digits, `-` and `_`.",
        )
    if name == "resource_snapshots":  # priv/resource_snapshots/ is taken
        raise tables.wrong(f"the name {name!r} is taken", "Choose another name.")


def _check_variables(repos: Iterable[RepoConfig], tables: Table) -> None:
    owners: dict[str, str] = {}
    for repo in repos:
        other = owners.setdefault(repo.variable, repo.name)
        if other != repo.name:
            raise tables.wrong(
                f"{other!r} and {repo.name!r} would both be overridden by {repo.variable}",
                "Choose names that differ in more than `-` and `_`.",
            )


def _location(name: str, url: str, env: Mapping[str, str]) -> str | ConfigError:
    """Return where a repo's database is, or the error for who wants to open it."""
    variable = _variable(name)
    override = env.get(variable)
    if override == "":
        return ConfigError(
            f"{variable} is set, and empty", hint="Give it a url, or unset it to use the file's."
        )
    if override is not None:
        return override
    try:
        return _VARIABLE.sub(lambda match: _value(match, name, env), url)
    except ConfigError as error:
        return error


def _value(match: re.Match[str], repo: str, env: Mapping[str, str]) -> str:
    """Return what stands for one `${...}`, as a shell would."""
    name, default = match["name"], match["default"]
    if name is None:
        raise ConfigError(
            f"The url of the repo {repo!r} holds a `${{` that is no variable",
            hint="Write ${VAR} or ${VAR:-default}.",
        )
    value = env.get(name)
    if default is not None:
        return value or default
    if value is None:
        raise ConfigError(
            f"The url of the repo {repo!r} needs the variable {name}, which is not set",
            hint=f"Set {name}, or {_variable(repo)} to a whole url.",
        )
    return value


def _variable(repo: str) -> str:
    return f"ASHFLOW_{repo.upper().replace('-', '_')}_URL"
