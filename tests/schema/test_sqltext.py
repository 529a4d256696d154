from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest
import strategies as some
from hypothesis import given
from hypothesis import strategies as st

from ashflow.schema.sqltext import (
    fold,
    mentions,
    quote,
    reads,
    rename,
    same,
    significant,
    tokens,
    unquote,
)

anything = st.text(max_size=20) | st.text("'\"`[]-*/x0 \n\\ab.1e", max_size=20)


@given(anything)
def test_tokens_joined_are_the_text_again(text):
    assert "".join(token.text for token in tokens(text)) == text


@given(some.names())
def test_a_quoted_name_is_one_token_and_reads_back(name):
    assert unquote(quote(name)) == name
    assert [(token.kind, token.name) for token in tokens(quote(name))] == [("quoted", name)]


@given(some.names())
def test_sqlite_reads_a_quoted_name_as_we_do(name):
    with closing(sqlite3.connect(":memory:")) as db:
        assert db.execute(f"SELECT 1 AS {quote(name)}").description[0][0] == name


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("a.b", ["word", "punct", "word"]),
        ("x'00fF'", ["blob"]),
        ("'it''s'", ["string"]),
        ('"a""b"', ["quoted"]),
        ("`a``b`", ["quoted"]),
        ("[a b]", ["quoted"]),
        ("-- a\n1", ["comment", "space", "number"]),
        ("/* a", ["comment"]),
        ("1.5e-3", ["number"]),
        ("0x1F", ["number"]),
        ("a||b", ["word", "punct", "word"]),
        ("a->>'$.b'", ["word", "punct", "string"]),
        ("größe", ["word"]),
        ("'open", ["punct", "word"]),
    ],
)
def test_a_text_falls_into_tokens(text, kinds):
    assert [token.kind for token in tokens(text)] == kinds


def test_what_says_nothing_is_left_out():
    assert [token.text for token in significant("a /* b */ + -- c\n d")] == ["a", "+", "d"]


@pytest.mark.parametrize(("text", "name"), [("[a]]", "a"), ("`a`", "a"), ('"A"', "A"), ("a", "a")])
def test_a_token_knows_its_name(text, name):
    assert next(tokens(text)).name == name


def test_a_string_is_no_name():
    assert next(tokens("'a'")).name is None


def test_a_word_is_known_in_any_case():
    assert next(tokens("Where")).is_word("FROM", "WHERE")
    assert not next(tokens('"where"')).is_word("WHERE")


def test_only_letters_of_ascii_lose_their_case():
    assert fold("ÄAZ_é") == "Äaz_é"


@pytest.mark.parametrize("sql", ["name > 1", 'lower("NAME")', "[Name] = 1", "t.name", "`name`"])
def test_a_name_is_mentioned_in_any_case_and_any_quotes(sql):
    assert mentions(sql, "name")


@pytest.mark.parametrize("sql", ["'name'", "names", "-- name", "/* name */ a", "x'00'", "na.me"])
def test_what_only_looks_like_the_name_is_no_mention(sql):
    assert not mentions(sql, "name")


@pytest.mark.parametrize(
    ("sql", "new", "renamed"),
    [
        ("Name > 1 AND name<9", "title", "title > 1 AND title<9"),
        ("name = 'name' -- name", "title", "title = 'name' -- name"),
        ('lower("name")', "title", 'lower("title")'),
        ("name(name)", "title", "name(title)"),
        ("name (1)", "title", "name (1)"),
        ("name > 1", "order", '"order" > 1'),
        ("name > 1", "Title", '"Title" > 1'),
        ("name > 1", 'a"b', '"a""b" > 1'),
        ("[name]", "title", '"title"'),
        ("other", "title", "other"),
        ("name.name > posts.name", "title", "name.title > posts.title"),
        ("CAST(name AS name) COLLATE name", "title", "CAST(title AS name) COLLATE name"),
    ],
)
def test_a_rename_touches_the_name_and_nothing_else(sql, new, renamed):
    assert rename(sql, "name", new) == renamed


def test_a_word_of_the_grammar_is_a_name_in_quotes_only():
    assert rename('"null" IS NOT NULL', "null", "a") == '"a" IS NOT NULL'
    assert rename("key = \"key\" AND 'key' <> key", "key", "a") == "a = \"a\" AND 'key' <> a"
    assert mentions('"In" IN (1)', "in")
    assert not mentions("a IN (1)", "in")


@given(some.names(), some.names())
def test_a_rename_there_and_back_says_the_same(old, new):
    sql = f"length({quote(old)}) > 1 AND 'x' <> 'y'"
    there = rename(sql, old, new)
    assert mentions(there, new)
    assert fold(old) == fold(new) or not mentions(there, old) or mentions("length x y", old)
    back = rename(there, new, old)
    assert [token.name or token.text for token in significant(back)] == [
        token.name or token.text for token in significant(sql)
    ]


def test_blanks_and_comments_make_no_difference():
    assert same("a  >1", "a > 1 -- sure")
    assert not same("a > 1", "a > 2")
    assert not same("'a b'", "'a  b'")


@pytest.mark.parametrize(
    ("sql", "name", "answer"),
    [
        ("Body <> ''", "body", True),
        ('"end" > 1', "end", True),
        ("CASE WHEN n THEN 1 END > 1", "n", True),
        ("date(made) > '2020'", "date", False),
        ("date > 1", "date", True),
        ("cast(n AS text) = 'text'", "text", False),
        ("n COLLATE nocase = 'a'", "nocase", False),
        ("posts.title = 'a'", "posts", False),
        ("posts.title = 'a'", "title", True),
        ("n > 1 -- body", "body", False),
    ],
)
def test_what_an_expression_reads_is_a_column(sql, name, answer):
    assert reads(sql, name) is answer
