"""Every error that ashflow raises on purpose: what happened, to what, and what to do next."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any, Self


class AshflowError(Exception):
    """The root of all errors of ashflow.

    Args:
        message: What happened, and to which file, table, class or database.
        hint: What to do next; empty where the message says it all.

    Attributes:
        version: The migration that it is about, 14 digits; None: of none.
        path: The file of that migration; None where it is not here.
        code: The kind of error, as `--json` prints it.
        exit_code: 1, the answer is no or the work failed; 2, found before any work began.
    """

    code = "error"
    exit_code = 1

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        if hint:
            self.add_note(f"hint: {hint}")  # where nobody catches it
        self.version: str | None = None
        self.path: str | None = None

    def at(self, version: str, path: str | None) -> Self:
        """Say which migration it is about, and return the error.

        Args:
            version: 14 digits.
            path: Its file; None where it is not here.
        """
        self.version, self.path = version, path
        return self


class FoundBeforeWork(AshflowError):
    """An error found before the first write: nothing was touched (exit 2)."""

    exit_code = 2


class UsageError(FoundBeforeWork):
    """The command was called in a way that it does not understand."""

    code = "usage"


class ConfigError(FoundBeforeWork):
    """`pyproject.toml` or an environment variable says something that cannot be used."""

    code = "configuration"


class ResourceError(FoundBeforeWork):
    """A resource declares something that is no table; names class, member, file and line."""

    code = "resource"


class ResourceImportError(FoundBeforeWork):
    """The modules that declare the resources do not import; the user's exception is the cause."""

    code = "resource-import"


class SchemaError(FoundBeforeWork):
    """An operation does not fit the schema that it is applied to."""

    code = "schema"


class SnapshotError(FoundBeforeWork):
    """A snapshot file cannot be read, or was changed by hand."""

    code = "invalid-snapshot"


class ForkError(FoundBeforeWork):
    """Two snapshots of one table follow the same one: two branches changed it."""

    code = "forked-snapshot"


class MigrationFileError(FoundBeforeWork):
    """A migration file cannot be read, does not run, or is no migration."""

    code = "invalid-migration"


class DuplicateVersionError(FoundBeforeWork):
    """Two migration files carry one version."""

    code = "duplicate-version"


class IrreversibleError(FoundBeforeWork):
    """A migration that is to go down has an operation without a reverse."""

    code = "irreversible"


class OutOfOrderError(FoundBeforeWork):
    """A migration is older than one that is applied already."""

    code = "out-of-order"


class EditedError(FoundBeforeWork):
    """A migration was edited by hand: that would be lost, or is not what was applied."""

    code = "edited-migration"


class RenameQuestions(FoundBeforeWork):
    """A column or table went and one came: only the user knows whether it is a rename.

    Attributes:
        questions: The open questions, each `{"kind", "table", "from", "candidates", "flag"}`.
        drops: The kinds, `"column"` or `"table"`, of what goes where it is no rename; else it stays
            in the database.
    """

    code = "rename-questions"

    def __init__(
        self,
        message: str,
        *,
        hint: str,
        questions: list[dict[str, Any]],
        drops: frozenset[str] = frozenset(),
    ) -> None:
        super().__init__(message, hint=hint)
        self.questions = questions
        self.drops = drops


class GitError(FoundBeforeWork):
    """git is not there, too old, or refuses."""

    code = "git"


class CutOffError(FoundBeforeWork):
    """A run was cut off in the middle: files and database may not go together."""

    code = "cut-off"


class ProductionError(FoundBeforeWork):
    """A command would change or remove a database in production, and nobody said it is meant."""

    code = "production"


class LedgerError(FoundBeforeWork):
    """The table that should say what is applied belongs to another tool, or was tampered with."""

    code = "ledger"


class NotADatabaseError(FoundBeforeWork):
    """The file that the url names is no database, or is not there."""

    code = "no-database"


class FileError(AshflowError):
    """A file or folder cannot be read, written or moved."""

    code = "file"


class UnreadableError(FoundBeforeWork):
    """A file that had to be read is no text."""

    code = "file"


class DatabaseError(AshflowError):
    """The database refused."""

    code = "database"


class LockedError(DatabaseError):
    """Another process is at work: it holds the database, or has changed what was planned from."""

    code = "locked"


class RowsForbid(AshflowError):
    """Rows that stand in a table forbid a change; the message counts them, never shows them."""

    code = "rows-forbid"


class MigrationFailed(AshflowError):
    """A migration stopped half-way; the database is as it was before that migration."""

    code = "migration-failed"


class TransactionLost(MigrationFailed):
    """A statement undid the whole transaction, also what other migrations had done in it."""


class Overtaken(LockedError):
    """Another process migrated the database since it was looked at."""


class Declined(AshflowError):
    """The user said no, or nobody was there to say yes."""

    code = "declined"
