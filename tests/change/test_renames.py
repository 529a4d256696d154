from __future__ import annotations

import pytest
from hypothesis import given
from strategies import schemas

from ashflow.change.renames import (
    Question,
    Renames,
    check_renames,
    parse_renames,
    questions,
    unanswered,
)
from ashflow.errors import UsageError
from ashflow.schema.table import Column, Schema, Statement, Table


def schema(**tables):
    """Tables by name, their columns as a text: `schema(t="a b:integer")`."""
    return Schema(
        Table(name, [Column(*(([*c.split(":"), "text"])[:2])) for c in columns.split()])
        for name, columns in tables.items()
    )


def test_answers_are_read_as_they_are_written():
    assert parse_renames(["posts.title=headline", "posts=articles", "posts.body=posts.text"]) == (
        Renames({"posts": "articles"}, {"posts": {"title": "headline", "body": "text"}})
    )
    assert parse_renames([]) == Renames()
    assert parse_renames(["größe=语"]) == Renames({"größe": "语"})


@pytest.mark.parametrize(
    "flag", ["", "=", "a", "a=", "=b", ".a=b", "a.=b", "a.b", "a.b=", "a=a", "a.b=b", "a.b=a.b"]
)
def test_what_is_no_answer_is_refused(flag):
    with pytest.raises(UsageError, match=f"--rename {flag}: "):
        parse_renames([flag])


@pytest.mark.parametrize(
    "flags", [["a=b", "a=c"], ["a=c", "b=c"], ["t.a=b", "t.a=c"], ["t.a=c", "t.b=c"]]
)
def test_one_name_has_one_answer(flags):
    with pytest.raises(UsageError, match=f"--rename {flags[1]}: .* already"):
        parse_renames(flags)


def test_answers_of_two_tables_do_not_meet():
    assert parse_renames(["t.a=c", "u.a=c"]).columns == {"t": {"a": "c"}, "u": {"a": "c"}}


def test_answers_are_asked_by_their_old_names():
    renames = Renames({"t": "u"}, {"t": {"a": "b"}})
    assert renames.columns_of("t") == {"a": "b"}
    assert renames.columns_of("u") == {}
    assert (renames.old_table("u"), renames.old_table("v")) == ("t", "v")
    assert renames.about == {"t", "u"}
    assert renames
    assert not Renames(refused=frozenset({("t", None)}))


def test_answers_come_one_by_one():
    renames = Renames().plus("t", None, "u").plus("t", "a", "b").plus("t", "c", "d")
    assert renames == Renames({"t": "u"}, {"t": {"a": "b", "c": "d"}})
    assert renames.without("t", "e").refused == {("t", "e")}


def test_one_set_of_answers_overrules_another():
    own = Renames({"t": "u"}, {"t": {"a": "b", "c": "d"}}, frozenset({("x", None)}))
    other = Renames({"t": "v"}, {"t": {"a": "z"}, "w": {"a": "b"}}, frozenset({("y", None)}))
    assert own.overruled_by(other) == Renames(
        {"t": "v"},
        {"t": {"a": "z", "c": "d"}, "w": {"a": "b"}},
        frozenset({("x", None), ("y", None)}),
    )
    assert own.overruled_by(Renames()) == own
    assert Renames().overruled_by(own) == own


def test_answers_split_at_what_a_schema_knows():
    renames = Renames({"t": "u", "x": "y"}, {"t": {"a": "b", "new": "c"}, "x": {"a": "b"}})
    known, rest = renames.split(schema(t="a"))
    assert known == Renames({"t": "u"}, {"t": {"a": "b"}})
    assert rest == Renames({"x": "y"}, {"t": {"new": "c"}, "x": {"a": "b"}})


def test_answers_fit_where_both_ends_are():
    renames = Renames({"t": "u", "x": "y"}, {"t": {"a": "b", "c": "d"}, "v": {"a": "b"}})
    own = renames.fitting(schema(t="a", v="a"), schema(u="b", v="b"))
    assert own == Renames({"t": "u"}, {"t": {"a": "b"}, "v": {"a": "b"}})
    assert renames.minus(own) == Renames({"x": "y"}, {"t": {"c": "d"}})
    assert not renames.minus(renames)


GOOD = [
    (["t.a=b"], schema(t="a"), schema(t="b")),
    (["t=u"], schema(t="a"), schema(u="a")),
    (["t=u", "t.a=b"], schema(t="a"), schema(u="b")),
    (["t.a=b", "t.b=a"], schema(t="a b"), schema(t="a b")),
    (["t.a=b", "t.b=c"], schema(t="a b"), schema(t="b c")),
    (["t=u", "u=t"], schema(t="a", u="b"), schema(t="b", u="a")),
    (["t.a=b"], schema(t="a b"), schema(t="b")),
    (["t.a=b"], schema(t="a"), schema(t="a b")),
]


@pytest.mark.parametrize(("flags", "old", "new"), GOOD, ids=range(len(GOOD)))
def test_answers_that_fit_are_taken(flags, old, new):
    check_renames(parse_renames(flags), old, new)


BAD = [
    (["t.x=b"], "--rename t.x=b: there was no column x"),
    (["t.a=x"], "--rename t.a=x: the resources declare no column x"),
    (["x.a=b"], "there is no table x in the snapshots"),
    (["gone.a=b"], "there is no table gone in the resources"),
    (["x=t"], "--rename x=t: there was no table x"),
    (["gone=x"], "--rename gone=x: the resources declare no table x"),
    (["t.a=c"], "--rename t.a=c: a and c were there before, and both are declared"),
    (["t=u"], "--rename t=u: t and u were there before, and both are declared"),
    (["@domain=u"], "there was no table @domain"),
]


@pytest.mark.parametrize(("flags", "said"), BAD, ids=range(len(BAD)))
def test_answers_that_do_not_fit_are_refused(flags, said):
    domain = Table("@domain", statements=[Statement("v", "", "")])
    old = Schema([*schema(t="a c", u="a", gone="a").values(), domain])
    with pytest.raises(UsageError) as caught:
        check_renames(parse_renames(flags), old, schema(t="a b c", u="a"))
    assert said in caught.value.message
    assert "@domain" not in caught.value.hint


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
    error = unanswered(asked)
    assert error.message == "t.a, u went and b, c, v came: is it a rename?"
    assert "--rename t.a=b --rename u=v" in error.hint
    assert "--no-renames" in error.hint
    assert error.questions == [question.as_json() for question in asked]
    assert error.exit_code == 2


def test_the_options_that_are_named_can_be_given_together():
    asked = questions(schema(t="aa ab", u="x"), schema(t="ac ad", u="y"), Renames())
    flags = unanswered(asked).hint.partition("say ")[2].partition(";")[0].split("--rename ")[1:]
    parse_renames(flag.strip() for flag in flags)
    assert len(flags) == 3
    asked = questions(schema(t="aa ab"), schema(t="ac"), Renames())
    assert unanswered(asked).hint.count("--rename ") == 1
