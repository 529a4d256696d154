from __future__ import annotations

import pytest

from ashflow.change.renames import Renames, check_renames, parse_renames, spelled
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
    assert parse_renames(["posts=articles", "posts.a=articles.b"]).columns == {"posts": {"a": "b"}}


def test_a_name_with_a_dot_or_an_equals_sign_stands_in_quotes():
    assert parse_renames(['"a.b"."c=d"="e.f"']) == Renames(columns={"a.b": {"c=d": "e.f"}})
    assert parse_renames(['"a""b"=say "hi"']) == Renames({'a"b': 'say "hi"'})
    assert [spelled("a b"), spelled("a.b", "c"), spelled('"')] == ["a b", '"a.b".c', '""""']


@pytest.mark.parametrize(
    "flag",
    [
        *("", "=", "a", "a=", "=b", ".a=b", "a.=b", "a.b", "a.b=", "a=a", "a.b=b", "a.b=a.b"),
        *("a.b.c=d", "a.b=c=d", "a=b.c", "a.b=c.d.e", '"a.b=c', '""=b', '"a"b=c', "a.b=x.c"),
    ],
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
    (["gone=v", "v.a=b"], "there is no table v in the snapshots"),
    (["gone=u", "u.a=b"], "--rename u.a=b: table u goes, because gone takes its name"),
    (["t.a=c", "t.c=b", "t.b=d"], "--rename t.b=d: there was no column b"),
]


@pytest.mark.parametrize(("flags", "said"), BAD, ids=range(len(BAD)))
def test_answers_that_do_not_fit_are_refused(flags, said):
    domain = Table("@domain", statements=[Statement("v", "", "")])
    old = Schema([*schema(t="a c", u="a", gone="a").values(), domain])
    with pytest.raises(UsageError) as caught:
        check_renames(parse_renames(flags), old, schema(t="a b c", u="a", v="a"))
    assert said in caught.value.message
    assert "@domain" not in caught.value.hint
