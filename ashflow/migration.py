"""The words that a migration file may use."""

from __future__ import annotations

from ashflow.change.migration import Migration
from ashflow.change.operations import (
    AddCheck,
    AddColumn,
    AddForeignKey,
    AddIndex,
    AddStatement,
    AlterColumn,
    ChangePrimaryKey,
    CreateTable,
    Database,
    DropCheck,
    DropColumn,
    DropForeignKey,
    DropIndex,
    DropStatement,
    DropTable,
    Execute,
    Fill,
    RenameColumn,
    RenameTable,
    Run,
    SetOptions,
)
from ashflow.schema.datatypes import desc, sql, utc_now
from ashflow.schema.table import Check, Column, ForeignKey, Index, Options

__all__ = [
    "AddCheck",
    "AddColumn",
    "AddForeignKey",
    "AddIndex",
    "AddStatement",
    "AlterColumn",
    "ChangePrimaryKey",
    "Check",
    "Column",
    "CreateTable",
    "Database",
    "DropCheck",
    "DropColumn",
    "DropForeignKey",
    "DropIndex",
    "DropStatement",
    "DropTable",
    "Execute",
    "Fill",
    "ForeignKey",
    "Index",
    "Migration",
    "Options",
    "RenameColumn",
    "RenameTable",
    "Run",
    "SetOptions",
    "desc",
    "sql",
    "utc_now",
]
