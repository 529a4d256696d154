"""Judge the options of the words: is there such an option, and can it have such a value?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from ashflow.schema.datatypes import RAW, TYPES, Sql, is_type
from ashflow.schema.sqltext import fold
from ashflow.schema.table import ACTIONS
from ashflow.sources.defaults import is_sayable
from ashflow.sources.members import UNSET

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ashflow.sources.members import Member
    from ashflow.sources.places import Spot, Wrong
    from ashflow.sources.resource import Domain

_LEDGERS: Final = ("ashflow_migrations", "ashflow_meta")


def judge(member: Member, spot: Spot) -> None:
    """Raise where a word was given an option that it lacks, or a value that cannot be.

    Args:
        member: What was said.
        spot: Where, for errors.

    Raises:
        Wrong: There is no such option, or no such value for it.
    """
    if member.unknown:
        raise _unknown_option(member.word, member.unknown, spot)
    said = vars(member)
    for option in member.required:
        if said[option] is None:
            raise _wrong_value(option, None, spot)
    for option, value in said.items():
        if value is None or value is UNSET:
            continue
        if (value is True or value is False) and option in _FLAGS:
            continue
        rule = _RULES.get(option)
        if rule is not None and not rule[0](value):
            raise _wrong_value(option, value, spot)


def judge_domain(domain: Domain, spot: Spot) -> None:
    """Raise where a `Domain` was given a keyword that it lacks, or a repo that is no name.

    Args:
        domain: The domain.
        spot: Where it stands, for errors.

    Raises:
        Wrong: There is no such keyword, or no such value for it.
    """
    if domain.unknown:
        raise _unknown_option("Domain", domain.unknown, spot)
    if domain.repo is not None and not is_name(domain.repo):
        raise spot.wrong(f"has repo={domain.repo!r}, which is not a name")


def judge_table(name: str, spot: Spot) -> None:
    """Raise where a table must not have the name.

    Args:
        name: The table's name.
        spot: The class, for errors.

    Raises:
        Wrong: It belongs to SQLite or to ashflow.
    """
    lowered = name.lower()
    if lowered.startswith("sqlite_"):
        raise spot.wrong(f"has table={name!r}: SQLite keeps names with sqlite_ for itself")
    if lowered in _LEDGERS or lowered.startswith(("__ashflow", "@")):
        raise spot.wrong(
            f"has table={name!r}: ashflow keeps {', '.join(_LEDGERS)} and names that begin with "
            "__ashflow or @ for itself"
        )


def is_name(value: object) -> bool:
    """Whether a value can name something in a database."""
    if not isinstance(value, str):
        return False
    return value.isidentifier() or (bool(value.strip()) and is_sayable(value))


def folded(name: str) -> str:
    """Return a name as SQLite compares it; `sqltext.fold`, at the pace of a thousand names."""
    return name.lower() if name.isascii() else fold(name)


def text_of(value: str | Sql) -> str:
    """Return the text of an option that may be given as text or as `sql(...)`."""
    return value.text if isinstance(value, Sql) else value


def _is_flag(value: object) -> bool:
    return isinstance(value, bool)


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0


def _is_scale(value: object) -> bool:
    return _is_count(value) or (value == 0 and not isinstance(value, bool))


def is_sql(value: object) -> bool:
    """Whether a value is a piece of SQL that says something."""
    text = value.text if isinstance(value, Sql) else value
    return isinstance(text, str) and bool(text.strip()) and is_sayable(text)


def _is_text(value: object) -> bool:
    return isinstance(value, str) and is_sayable(value)


def _is_column_type(value: object) -> bool:
    return isinstance(value, str) and is_type(value) and is_sayable(value)


def _are_statements(value: object) -> bool:
    texts = [value] if isinstance(value, str) else value
    return isinstance(texts, (list, tuple)) and all(map(is_sql, texts))


def _is_action(value: object) -> bool:
    return value in ACTIONS


_FLAG: Final = (_is_flag, "True or False")
_NAME: Final = (is_name, "a name")
_COUNT: Final = (_is_count, "a positive number")
_SQL: Final = (is_sql, "a piece of SQL")
_ACTION: Final = (_is_action, f"one of: {', '.join(ACTIONS)}")
_STATEMENTS: Final = (_are_statements, "an SQL statement, or a list of them")
_RULES: Final[dict[str, tuple[Callable[[Any], bool], str]]] = {
    "abstract": _FLAG,
    "autoincrement": _FLAG,
    "base_filter": _SQL,
    "collate": _NAME,
    "comment": (_is_text, "a text"),
    "deferrable": _FLAG,
    "down": _STATEMENTS,
    "generated_as": _SQL,
    "index": _FLAG,
    "max_length": _COUNT,
    "migrate": _FLAG,
    "name": _NAME,
    "nullable": _FLAG,
    "on_delete": _ACTION,
    "on_update": _ACTION,
    "precision": _COUNT,
    "primary_key": _FLAG,
    "repo": _NAME,
    "scale": (_is_scale, "0 or a positive number"),
    "source": _NAME,
    "sql": _SQL,
    "stored": _FLAG,
    "strict": _FLAG,
    "table": _NAME,
    "to": _NAME,
    "type": (_is_column_type, f"one of: {', '.join(TYPES)}, '{RAW}<SQL type>'"),
    "unique": _FLAG,
    "up": _STATEMENTS,
    "where": _SQL,
    "without_rowid": _FLAG,
}
_FLAGS: Final = frozenset(option for option, rule in _RULES.items() if rule is _FLAG)


def _wrong_value(option: str, value: object, spot: Spot) -> Wrong:
    return spot.wrong(f"has {option}={value!r}, which is not {_RULES[option][1]}")


def _unknown_option(word: str, unknown: Mapping[str, object], spot: Spot) -> Wrong:
    import inspect

    from ashflow.sources import resource, words

    home = getattr(words, word, None) or getattr(resource, word)
    function = home.__init_subclass__ if word == "Resource" else home
    named = (inspect.Parameter.KEYWORD_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    known = [p.name for p in inspect.signature(function).parameters.values() if p.kind in named]
    wrong = ", ".join(map(repr, unknown))
    return spot.wrong(f"{word} has no option {wrong}", hint=f"Its options: {', '.join(known)}.")
