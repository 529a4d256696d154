from __future__ import annotations

from shlex import split

from hypothesis import assume, given
from strategies import names, schemas

from ashflow.change.questions import Question, joined, questions, unanswered
from ashflow.change.renames import Renames, parse_renames
from ashflow.schema.table import Column, Schema, Statement, Table


def schema(**tables):
    """Tables by name, their columns as a text: `schema(t="a b:integer")`."""
    return Schema(
        Table(name, [Column(*(([*c.split(":"), "text"])[:2])) for c in columns.split()])
        for name, columns in tables.items()
    )


def test_where_something_went_and_nothing_came_nothing_is_asked():
    assert questions(schema(t="a b"), schema(t="a"), Renames()) == ()
    assert questions(schema(t="a", u="a"), schema(t="a"), Renames()) == ()
    assert questions(schema(t="a"), schema(t="a b"), Renames()) == ()
    assert questions(schema(), schema(t="a"), Renames()) == ()


@given(schemas())
def test_of_a_schema_and_itself_nothing_is_asked(some):
    assert questions(some, some, Renames()) == ()


def test_tables_are_asked_of_before_columns():
    old, new = schema(t="a b"), schema(x="q", u="a b")
    (asked,) = questions(old, new, Renames())
    assert asked == Question("table", "t", "t", ("u", "x")), "the one with the same columns first"
    assert asked.as_json() == {
        "kind": "table",
        "table": "t",
        "from": "t",
        "candidates": ["u", "x"],
        "flag": "--rename t=u",
    }
    assert questions(old, new, Renames({"t": "u"})) == ()
    assert questions(old, new, Renames().without("t", None)) == ()


def test_columns_of_other_tables_are_asked_of_with_the_tables():
    old, new = schema(t="a", u="b c"), schema(x="a", u="b d")
    table, column = questions(old, new, Renames())
    assert table == Question("table", "t", "t", ("x",))
    assert column == Question("column", "u", "c", ("d",))
    fate = unanswered([table, column], drops=("table",)).hint
    assert fate.endswith("--no-renames: of what went, a table is dropped then.")
    fate = unanswered([table, column], drops=("column",)).hint
    assert fate.endswith("--no-renames: of what went, a column is dropped then.")


def test_what_several_ask_is_asked_once():
    asked = questions(schema(t="a"), schema(t="b"), Renames())
    one = unanswered(asked, drops=("column",))
    both = joined([one, one])
    assert (both.message, both.hint, both.questions) == (one.message, one.hint, one.questions)
    assert both.drops == {"column"}


def test_columns_are_asked_of_with_the_likeliest_first():
    old = schema(t="title:text count:integer keep")
    new = schema(t="keep total:integer titles:text")
    first, second = questions(old, new, Renames())
    assert first == Question("column", "t", "title", ("titles", "total"))
    assert second == Question("column", "t", "count", ("total", "titles"))
    (left,) = questions(old, new, Renames(columns={"t": {"title": "titles"}}))
    assert left == Question("column", "t", "count", ("total",))
    assert questions(old, new, Renames().without("t", "title").without("t", "count")) == ()


def test_columns_of_a_renamed_table_are_asked_of_under_its_old_name():
    (asked,) = questions(schema(t="a"), schema(u="b"), Renames({"t": "u"}))
    assert asked.flag("b") == "--rename t.a=b"


def test_the_table_that_loses_its_name_to_another_is_not_asked_of():
    old, new = schema(t="a", u="b"), schema(u="a")
    assert questions(old, new, Renames({"t": "u"})) == ()


def test_statements_of_a_domain_are_no_table_that_could_come():
    domain = Table("@domain", statements=[Statement("v", "", "")])
    assert questions(schema(t="a"), Schema([domain]), Renames()) == ()


def test_the_error_names_all_that_went_and_came_and_the_options():
    asked = [Question("column", "t", "a", ("b", "c")), Question("table", "u", "u", ("v",))]
    error = unanswered(asked, drops=())
    assert error.message == "t.a, u went and b, c, v came: is it a rename?"
    assert "--rename t.a=b --rename u=v" in error.hint
    assert error.hint.endswith("--no-renames: what went stays in the database then.")
    assert unanswered(asked, drops=("table", "column")).hint.endswith("what went is dropped then.")
    assert error.questions == [question.as_json() for question in asked]
    assert error.exit_code == 2


def test_the_options_that_are_named_can_be_given_together():
    asked = questions(schema(t="aa ab", u="x"), schema(t="ac ad", u="y"), Renames())
    said, _, _ = unanswered(asked, drops=("table", "column")).hint.partition(";")
    flags = [flag.strip() for flag in said.split("--rename ")[1:]]
    assert parse_renames(flags)
    assert len(flags) == 3
    asked = questions(schema(t="aa ab"), schema(t="ac"), Renames())
    assert unanswered(asked, drops=("table", "column")).hint.count("--rename ") == 1


def test_the_likelier_of_two_gets_the_one_that_came():
    asked = questions(schema(t="name title"), schema(t="titles"), Renames())
    assert "say --rename t.title=titles;" in unanswered(asked, drops=("table", "column")).hint


def test_a_table_of_the_same_columns_is_likelier_than_one_of_more():
    old, new = schema(notes="id text"), schema(x="id text a b c", y="id text", texts="id")
    (asked,) = questions(old, new, Renames())
    assert asked.candidates == ("y", "texts", "x")


def test_of_the_same_columns_the_name_that_is_alike_is_likelier():
    (asked,) = questions(schema(Posts="id"), schema(a="id", posts="id", p="id"), Renames())
    assert asked.candidates == ("posts", "p", "a")


def test_what_loses_its_name_to_another_went():
    old, new = schema(t="a b"), schema(t="b c")
    (asked,) = questions(old, new, Renames(columns={"t": {"a": "b"}}))
    assert asked == Question("column", "t", "b", ("c",))
    (asked,) = questions(schema(t="a", u="b"), schema(u="a", v="b"), Renames({"t": "u"}))
    assert asked == Question("table", "u", "u", ("v",))


def test_the_name_of_what_is_renamed_away_may_be_that_of_what_came():
    old, new = schema(t="a", u="b"), schema(t="b", v="a")
    (asked,) = questions(old, new, Renames({"t": "v"}))
    assert asked == Question("table", "u", "u", ("t",))
    (asked,) = questions(schema(t="a b"), schema(t="a c"), Renames(columns={"t": {"a": "c"}}))
    assert asked == Question("column", "t", "b", ("a",))


def test_the_option_can_be_pasted_into_a_shell():
    flags = {
        ("t", "a b"): "--rename 't.a b=c'",
        ("my.table", "a=b"): """--rename '"my.table"."a=b"=c'""",
        ("it's", "x"): """--rename 'it'"'"'s.x=c'""",
    }
    for (table, old), flag in flags.items():
        assert Question("column", table, old, ("c",)).flag("c") == flag
    assert Question("table", "a.b", "a.b", ("c",)).flag("d.e") == """--rename '"a.b"="d.e"'"""


@given(names(), names(), names())
def test_the_option_that_is_named_answers(table, old, new):
    assume(new != old)
    flag = Question("column", table, old, (new,)).flag(new)
    (_, value) = split(flag)
    assert parse_renames([value]) == Renames().plus(table, old, new)
