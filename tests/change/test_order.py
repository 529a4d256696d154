from __future__ import annotations

from hypothesis import given
from strategies import schemas

from ashflow.change.order import creation_order, reading_order
from ashflow.schema.table import Column, ForeignKey, Table


def table(name, *targets):
    columns = [Column(f"{target}_id", "integer") for target in targets]
    keys = [ForeignKey(target, columns=[f"{target}_id"]).owned(name) for target in targets]
    return Table(name, [Column("id", "integer"), *columns], foreign_keys=keys)


def names(tables):
    return [table.name for table in tables]


def test_tables_that_need_nothing_stay_in_their_order():
    assert names(creation_order([table("c"), table("a"), table("b")])) == ["c", "a", "b"]


def test_what_is_referred_to_comes_first():
    ordered = creation_order([table("posts", "teams"), table("tags", "posts"), table("teams")])
    assert names(ordered) == ["teams", "posts", "tags"]
    assert all(table.foreign_keys for table in ordered[1:])


def test_a_table_may_refer_to_itself_and_to_what_stands_already():
    (ordered,) = creation_order([table("posts", "posts", "elsewhere")])
    assert [key.table for key in ordered.foreign_keys] == ["posts", "elsewhere"]


def test_in_a_circle_the_keys_that_lead_forward_are_left_out():
    ordered = creation_order([table("a", "b"), table("b", "c"), table("c", "a")])
    assert names(ordered) == ["c", "b", "a"]
    assert [len(each.foreign_keys) for each in ordered] == [0, 1, 1]


def test_a_chain_may_be_longer_than_the_stack():
    chain = [table(f"t{n}", f"t{n + 1}") for n in range(3000)] + [table("t3000")]
    assert names(creation_order(chain)) == [f"t{n}" for n in range(3000, -1, -1)]


@given(schemas())
def test_each_table_comes_after_those_that_it_still_refers_to(schema):
    ordered = creation_order(schema.values())
    assert sorted(names(ordered)) == sorted(schema)
    done = set()
    for each in ordered:
        done.add(each.name)
        assert all(key.table in done for key in each.foreign_keys)
        assert set(each.foreign_keys) <= set(schema[each.name].foreign_keys)


@given(schemas())
def test_without_circles_no_key_is_left_out(schema):
    ordered = creation_order(schema.values())
    again = creation_order(ordered)
    assert [len(each.foreign_keys) for each in again] == [len(e.foreign_keys) for e in ordered]


def computed(name, text):
    return Column(name, "text", generated_as=text)


def test_what_a_computed_column_reads_comes_before_it():
    columns = [
        computed("a", "b || c"),
        Column("n", "text"),
        computed("b", "upper(\"C\") || 'a'"),
        Column("c", "text"),
    ]
    assert names(reading_order(columns)) == ["c", "b", "a", "n"]
    assert names(reading_order([columns[1], columns[3]])) == ["n", "c"]


def test_a_computed_column_that_names_itself_is_left_to_the_database():
    assert names(reading_order([computed("a", "a + b"), computed("b", "a")])) == ["b", "a"]
