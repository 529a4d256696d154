"""Laws of codegen over random schemas, and what it decides, case by case."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from strategies import changed_schemas, schemas

from ashflow.change.apply import apply_all
from ashflow.change.codec import decode_operation
from ashflow.change.operations import (
    AddColumn,
    AlterColumn,
    DropColumn,
    DropForeignKey,
    DropTable,
    RenameColumn,
    RenameTable,
)
from ashflow.change.renames import Renames
from ashflow.errors import RenameQuestions, UsageError
from ashflow.history.history import read_history
from ashflow.history.load import load
from ashflow.plan.choices import Choices, dealt
from ashflow.plan.codegen import Folders, Kept, find_change
from ashflow.plan.files import generate
from ashflow.schema.table import Column, ForeignKey, Schema, Statement, Table

FOLDERS = Folders("repo", "priv/repo/migrations", "priv/resource_snapshots/repo")
NO = Choices(no_renames=True)
DROP = Choices(no_renames=True, drop_columns=True, drop_tables=True)


class Repo:
    """The files of one repo, and codegen on them."""

    def __init__(self, declared=None):
        self.files = {}
        self.version = 20260101000000
        if declared is not None:
            self.codegen(declared, NO)

    @property
    def history(self):
        places = {"migrations": FOLDERS.migrations, "snapshots": FOLDERS.snapshots}
        return read_history(self.files, **places)

    @property
    def leaves(self):
        return self.history.leaves()

    def find(self, declared, choices=NO, unmanaged=frozenset()):
        return find_change(self.leaves, declared, choices, unmanaged)

    def codegen(self, declared, choices=NO):
        """Find what differs and write it down; return what was found."""
        change = self.find(declared, choices)
        if change:
            self.version += 1
            generated = generate(
                change, self.leaves, version=str(self.version), name="work", folders=FOLDERS
            )
            assert not self.files.keys() & generated.files.keys()
            self.files.update(generated.files)
        return change

    @property
    def database(self):
        """The schema that all migrations make, one after the other."""
        schema = Schema()
        for file in self.history.migrations:
            schema = apply_all(
                schema, load(self.files[file.path], file.path, shown=file.path).operations
            )
        return schema

    @property
    def said(self):
        """The schema that the snapshots say is there."""
        return Schema(leaf.physical for leaf in self.leaves.values() if leaf.standing)


def table(name, *columns, **more):
    return Table(name, [Column("id", "integer"), *columns], primary_key=["id"], **more)


def text(name, **more):
    return Column(name, "text", **more)


@given(changed_schemas())
def test_what_was_written_down_is_found_no_more(pair):
    old, new = pair
    repo = Repo(old)
    assert not repo.find(old)
    try:
        change = repo.codegen(new)
    except UsageError:  # the name of what is kept is wanted for something else
        return
    assert not any(isinstance(op, DropTable | DropColumn) for op in change.operations)
    assert not repo.find(new)
    assert repo.said == repo.database


@given(changed_schemas())
def test_what_is_dropped_leaves_what_the_resources_declare(pair):
    old, new = pair
    repo = Repo(old)
    repo.codegen(new, DROP)
    assert repo.said == new
    assert repo.database == new
    assert not repo.find(new, DROP)


@given(changed_schemas())
def test_keeping_and_then_dropping_comes_to_the_same(pair):
    old, new = pair
    repo = Repo(old)
    try:
        repo.codegen(new)
    except UsageError:
        return
    repo.codegen(new, DROP)
    assert repo.said == repo.database == new
    assert not repo.find(new, DROP)


@given(changed_schemas())
def test_what_went_and_comes_back_is_as_it_was(pair):
    old, new = pair
    repo = Repo(old)
    try:
        repo.codegen(new)
        repo.codegen(old)
    except UsageError:
        return
    repo.codegen(old, DROP)
    assert repo.said == repo.database == old


@given(schemas(), schemas())
def test_any_resources_follow_on_any_others(old, new):
    repo = Repo(old)
    repo.codegen(new, DROP)
    assert repo.said == repo.database == new


@given(changed_schemas())
def test_the_operations_in_the_snapshots_are_those_of_the_migration(pair):
    repo = Repo(pair[0])
    change = repo.codegen(pair[1], DROP)
    told = [
        decode_operation(operation)
        for path, content in repo.files.items()
        if path.endswith(f"/{repo.version}.json")
        for operation in json.loads(content)["operations"]
    ]
    if change:
        assert all(operation in told for operation in change.operations)
        assert len(told) == len(change.operations), "no rename, so each is told once"


@given(changed_schemas())
def test_the_same_facts_give_the_same_files(pair):
    one, other = Repo(pair[0]), Repo(pair[0])
    one.codegen(pair[1], DROP)
    other.codegen(pair[1], DROP)
    assert one.files == other.files


def test_nothing_and_nothing_is_no_change():
    assert not Repo().find(Schema())


def test_a_kept_column_is_relaxed_so_that_rows_can_be_written():
    columns = [
        text("needed"),
        text("given", default="x"),
        text("loose", nullable=True),
        Column("computed", "text", generated_as="upper(given)"),
    ]
    repo = Repo(Schema([table("t", *columns)]))
    change = repo.codegen(Schema([table("t")]))
    loosened = replace(columns[0], nullable=True)
    assert change.operations == (AlterColumn("t", old=columns[0], new=loosened),)
    assert [kept.column for kept in change.kept] == ["needed", "given", "loose", "computed"]
    assert repo.leaves["t"].retired == ("needed", "given", "loose", "computed")


def test_a_kept_integer_key_is_no_key_that_counts_any_more():
    key = Column("n", "integer", autoincrement=True)
    repo = Repo(Schema([Table("t", [key], primary_key=["n"])]))
    repo.codegen(Schema([Table("t", [text("name")], primary_key=["name"])]))
    assert repo.said["t"].column("n") == Column("n", "integer", nullable=True)
    assert repo.said == repo.database


def test_the_columns_stay_in_their_places_and_newcomers_follow():
    repo = Repo(Schema([table("t", text("a", nullable=True), text("b"))]))
    repo.codegen(Schema([Table("t", [text("c"), text("b"), Column("id", "integer")])]))
    assert [c.name for c in repo.said["t"].columns] == ["id", "b", "c", "a"]
    data = repo.leaves["t"].data
    assert [column["name"] for column in data["columns"]] == ["id", "b", "c"]


def test_a_table_that_is_not_managed_is_left_alone():
    repo = Repo(Schema([table("t", text("a")), table("u")]))
    assert not repo.find(Schema([table("u")]), unmanaged=frozenset({"t"}))
    assert not repo.find(Schema([table("u")]), DROP, unmanaged=frozenset({"t"}))
    assert repo.find(Schema([table("u")]))


def test_what_is_a_rename_only_the_user_knows():
    repo = Repo(Schema([table("t", text("a"))]))
    renamed = Schema([table("t", text("b"))])
    with pytest.raises(RenameQuestions) as caught:
        repo.find(renamed, Choices())
    assert caught.value.questions[0]["flag"] == "--rename t.a=b"
    answered = Choices(Renames(columns={"t": {"a": "b"}}))
    assert repo.codegen(renamed, answered).operations == (RenameColumn("t", "a", "b"),)
    assert not repo.find(renamed, Choices())


def test_a_refused_rename_is_not_asked_of_again():
    repo = Repo(Schema([table("t", text("a"))]))
    refused = Choices(Renames(refused=frozenset({("t", "a")})))
    change = repo.find(Schema([table("t", text("b"))]), refused)
    assert Kept("t", "a") in change.kept


def test_statements_are_no_tables_that_could_be_renamed_or_kept():
    domain = Table("@domain", statements=[Statement("v", "CREATE VIEW v", "DROP VIEW v")])
    repo = Repo(Schema([table("t"), domain]))
    change = repo.codegen(Schema([table("t"), table("u")]), Choices())
    assert change.kept == ()
    assert repo.leaves["@domain"].state == "dropped"
    assert repo.said == repo.database


def test_a_renamed_table_leaves_word_of_its_new_name():
    repo = Repo(Schema([table("t", text("a"), text("old", nullable=True))]))
    repo.codegen(Schema([table("t", text("a"))]))
    answer = Choices(Renames({"t": "u"}))
    change = repo.codegen(Schema([table("u", text("a"))]), answer)
    assert change.operations == (RenameTable("t", "u"),)
    assert change.kept == (), "old was kept before"
    left, new = repo.leaves["t"], repo.leaves["u"]
    assert (left.state, left.data["renamed_to"], left.ancestors) == ("renamed", "u", 2)
    assert (new.state, new.retired, new.ancestors) == ("live", ("old",), 0)
    assert new.parents == (left.hash,)
    assert left.operations == new.operations


def test_a_kept_table_follows_what_it_refers_to():
    key = ForeignKey("teams", columns=["team_id"]).owned("posts")
    posts = table("posts", Column("team_id", "integer"), foreign_keys=[key])
    repo = Repo(Schema([table("teams"), posts]))
    repo.codegen(Schema([table("teams")]))
    change = repo.codegen(Schema([table("groups")]), Choices(Renames({"teams": "groups"})))
    assert change.operations == (RenameTable("teams", "groups"),)
    assert repo.said["posts"].foreign_keys[0].table == "groups"
    assert repo.leaves["posts"].state == "retired"
    assert repo.said == repo.database
    change = repo.codegen(Schema([table("groups")]), DROP)
    assert [type(operation) for operation in change.operations] == [DropTable]
    assert repo.database == Schema([table("groups")])


def test_a_kept_column_refers_to_nothing():
    key = ForeignKey("teams", columns=["team_id"]).owned("posts")
    posts = table("posts", Column("team_id", "integer", nullable=True), foreign_keys=[key])
    repo = Repo(Schema([table("teams"), posts]))
    change = repo.codegen(Schema([table("teams"), table("posts")]))
    assert change.operations == (DropForeignKey("posts", key),)
    assert repo.said == repo.database


def test_a_new_table_may_have_the_old_name_of_a_renamed_one():
    repo = Repo(Schema([table("t", text("a"))]))
    answer = Choices(Renames({"t": "u"}))
    for fresh in (table("t"), table("t", text("a"))):
        other = Repo(Schema([table("t", text("a"))]))
        declared = Schema([table("u", text("a")), fresh])
        other.codegen(declared, answer)
        assert other.said == other.database == declared
        assert not other.find(declared)
    assert repo.find(Schema([table("u", text("a"))]), answer)


def test_tables_that_swap_their_names():
    repo = Repo(Schema([table("t", text("a")), table("u", text("b"))]))
    hashes = sorted(leaf.hash for leaf in repo.leaves.values())
    swapped = Schema([table("u", text("a")), table("t", text("b"))])
    repo.codegen(swapped, Choices(Renames({"t": "u", "u": "t"})))
    assert repo.said == repo.database == swapped
    for leaf in repo.leaves.values():
        assert leaf.ancestors == 1
        assert sorted(leaf.parents) == hashes, "its own last one, and that of its old name"
    assert not repo.find(swapped)


def test_columns_of_one_kind_that_swap_their_names_are_written_down():
    repo = Repo(Schema([table("t", text("a"), text("b"))]))
    answer = Choices(Renames(columns={"t": {"a": "b", "b": "a"}}))
    change = repo.codegen(Schema([table("t", text("a"), text("b"))]), answer)
    assert len(change.operations) == 3
    assert repo.leaves["t"].ancestors == 1
    assert repo.said == repo.database


def test_no_two_things_have_one_name():
    repo = Repo(Schema([table("t", text("a", nullable=True)), table("u")]))
    repo.codegen(Schema([table("t"), table("u")]))
    with pytest.raises(UsageError, match=r"column t\.a is kept, and its name is wanted for A"):
        repo.find(Schema([table("t", text("A")), table("u")]))
    with pytest.raises(UsageError, match="table u is kept, and its name is wanted for t"):
        repo.find(Schema([table("u")]), Choices(Renames({"t": "u"})))
    with pytest.raises(UsageError, match="table u is kept, and its name is wanted for U"):
        repo.find(Schema([table("t"), table("U")]))
    change = repo.find(Schema([table("t", text("A")), table("u")]), DROP)
    assert [type(operation) for operation in change.operations] in (
        [DropColumn, AddColumn],
        [AddColumn, DropColumn],
    )


def test_answers_are_dealt_to_the_repos_where_they_fit():
    one, other = Repo(Schema([table("t", text("a"))])), Repo(Schema([table("t", text("a"))]))
    renamed, same = Schema([table("t", text("b"))]), Schema([table("t", text("a"))])
    choices = Choices(Renames(columns={"t": {"a": "b"}}), drop_tables=True)
    first, second = dealt(choices, [(one.leaves, renamed), (other.leaves, same)])
    assert (first, second) == (choices, Choices(drop_tables=True))
    assert dealt(choices, [(one.leaves, same)]) == [choices], "alone, it is judged there"
    with pytest.raises(UsageError, match="the resources declare no column b"):
        dealt(choices, [(one.leaves, same), (other.leaves, same)])
    wrong = Choices(Renames({"x": "y"}))
    with pytest.raises(UsageError, match="there was no table x"):
        dealt(wrong, [(one.leaves, same), (other.leaves, same)])


@pytest.mark.parametrize(
    ("kept", "note"),
    [
        (Kept("t", "a"), "kept: t.a. To drop it: ashflow codegen NAME --drop-columns"),
        (Kept("t"), "kept: table t. To drop it: ashflow codegen NAME --drop-tables"),
        (Kept("t", "a", back=True), "back: t.a, which had been kept."),
        (Kept("t", back=True), "back: table t, which had been kept."),
    ],
)
def test_what_is_kept_is_noted(kept, note):
    assert kept.note == note


def leads_there(repo, before, snapshot):
    """Whether the operations of a snapshot make its table of the tables before."""
    tables = Schema(leaf.physical for leaf in before.values() if leaf.standing)
    operations = [decode_operation(operation) for operation in snapshot.operations]
    return apply_all(tables, operations)[snapshot.table] == snapshot.physical


@given(changed_schemas())
def test_the_operations_of_a_snapshot_lead_from_its_parents_to_it(pair):
    old, new = pair
    repo = Repo(old)
    before = repo.leaves
    if repo.codegen(new, DROP):
        for table in new:
            snapshot = repo.leaves[table]
            if snapshot != before.get(table):
                assert leads_there(repo, before, snapshot)


@pytest.mark.parametrize(
    "renames",
    [
        Renames({"teams": "squads"}),
        Renames({}, {"teams": {"id": "key"}}),
    ],
)
def test_a_table_is_told_of_the_rename_that_its_foreign_key_follows(renames):
    def declared(table, key):
        to = ForeignKey(table, key, columns=["team_id"]).owned("posts")
        return Schema(
            [
                Table(table, [Column(key, "integer")], primary_key=[key]),
                Table("posts", [Column("team_id", "integer")], foreign_keys=[to]),
            ]
        )

    repo = Repo(declared("teams", "id"))
    before = repo.leaves
    new = declared(*(("squads", "id") if renames.tables else ("teams", "key")))
    repo.codegen(new, replace(NO, renames=renames))
    snapshot = repo.leaves["posts"]
    assert [operation["op"] for operation in snapshot.operations] == [
        "RenameTable" if renames.tables else "RenameColumn"
    ]
    assert leads_there(repo, before, snapshot)


def test_two_tables_that_swap_their_names_are_told_all_of_it():
    def declared(one, two):
        return Schema([Table(one, [Column("x", "text")]), Table(two, [Column("y", "text")])])

    repo = Repo(declared("a", "b"))
    repo.codegen(declared("b", "a"), replace(NO, renames=Renames({"a": "b", "b": "a"})))
    told = {name: [op["op"] for op in repo.leaves[name].operations] for name in "ab"}
    assert sorted(map(len, told.values())) == [1, 2]
    assert {op for ops in told.values() for op in ops} == {"RenameTable"}


def test_another_order_of_statements_is_no_change():
    def declared(*names):
        made = [Statement(n, [f"CREATE VIEW {n} AS SELECT 1"], [f"DROP VIEW {n}"]) for n in names]
        return Schema([Table("t", [Column("a", "text")], statements=made)])

    repo = Repo(declared("v", "w"))
    assert not repo.find(declared("w", "v"))
