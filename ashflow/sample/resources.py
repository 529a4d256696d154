"""The tables of the workshop: change a class, then run `ashflow codegen NAME`."""

from datetime import datetime
from decimal import Decimal
from enum import Enum
from typing import Any
from uuid import UUID

from ashflow import (
    Domain,
    Resource,
    attribute,
    belongs_to,
    check,
    create_timestamp,
    desc,
    identity,
    index,
    sql,
    update_timestamp,
    uuid_primary_key,
)


class Stage(Enum):
    """How far a combobulator has come; the table takes no other text."""

    DRAFT = "draft"
    LIVE = "live"


class Team(Resource, table="teams"):
    """Those who build combobulators."""

    id: UUID = uuid_primary_key()
    name: str

    unique_name = identity("name")


class Combobulator(Resource, table="combobulators"):
    """A machine that combobulates."""

    id: UUID = uuid_primary_key()
    name: str = attribute(max_length=80)
    rpm: int = 0  # a plain value is the default in the database
    price: Decimal | None = attribute(precision=10, scale=2)  # `| None`: may be NULL
    stage: Stage = Stage.DRAFT
    settings: dict[str, Any] = attribute(default=dict)
    label: str = attribute(generated_as="upper(name)")
    team = belongs_to(Team, on_delete="cascade", index=True)  # the column team_id
    inserted_at: datetime = create_timestamp()
    updated_at: datetime = update_timestamp()

    unique_name = identity("team_id", "name", where="stage = 'live'")
    by_price = index(desc("price"), sql("lower(name)"), where="price IS NOT NULL")
    positive_rpm = check("rpm >= 0")


workshop = Domain(Team, Combobulator)
