"""A git-aware workflow for database migrations.

What a file of resources imports from here is loaded when it is first asked for: the name of the
package alone costs nothing at start-up.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

__version__ = "0.1.0"

_HOMES = {
    "Domain": "ashflow.sources.resource",
    "Resource": "ashflow.sources.resource",
    "attribute": "ashflow.sources.words",
    "belongs_to": "ashflow.sources.words",
    "check": "ashflow.sources.words",
    "create_timestamp": "ashflow.sources.words",
    "desc": "ashflow.schema.datatypes",
    "foreign_key": "ashflow.sources.words",
    "identity": "ashflow.sources.words",
    "index": "ashflow.sources.words",
    "integer_primary_key": "ashflow.sources.words",
    "primary_key": "ashflow.sources.words",
    "sql": "ashflow.schema.datatypes",
    "statement": "ashflow.sources.words",
    "update_timestamp": "ashflow.sources.words",
    "utc_now": "ashflow.schema.datatypes",
    "uuid_primary_key": "ashflow.sources.words",
}

__all__ = [
    "Domain",
    "Resource",
    "attribute",
    "belongs_to",
    "check",
    "create_timestamp",
    "desc",
    "foreign_key",
    "identity",
    "index",
    "integer_primary_key",
    "primary_key",
    "sql",
    "statement",
    "update_timestamp",
    "utc_now",
    "uuid_primary_key",
]

if TYPE_CHECKING:
    from ashflow.schema.datatypes import desc, sql, utc_now
    from ashflow.sources.resource import Domain, Resource
    from ashflow.sources.words import (
        attribute,
        belongs_to,
        check,
        create_timestamp,
        foreign_key,
        identity,
        index,
        integer_primary_key,
        primary_key,
        statement,
        update_timestamp,
        uuid_primary_key,
    )


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'ashflow' has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
