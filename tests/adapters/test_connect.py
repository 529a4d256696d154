from __future__ import annotations

import pytest

from ashflow.adapters.connect import connect, shown
from ashflow.errors import ConfigError


def test_a_relative_url_starts_from_the_root(tmp_path):
    connect("sqlite:///priv/repo/dev.sqlite3", root=tmp_path).create()
    assert (tmp_path / "priv/repo/dev.sqlite3").is_file()


def test_an_absolute_url_has_four_strokes(tmp_path):
    connect(f"sqlite:///{tmp_path}/a.db", root=tmp_path / "elsewhere").create()
    assert (tmp_path / "a.db").is_file()


def test_nothing_is_opened_before_it_is_asked_for(tmp_path):
    database = connect("sqlite:///a.db", root=tmp_path)
    assert not database.exists()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["it's % a#b", "größe 🐘", "a b"])
def test_odd_file_names_are_kept(tmp_path, name):
    connect(f"sqlite:///{name}", root=tmp_path).create()
    assert [path.name for path in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize(
    "url",
    [
        *("sqlite://", "sqlite:", "sqlite:///", "sqlite:///:memory:", "sqlite:///file::memory:"),
        *("file::memory:", "sqlite://a.db", "sqlite:///a.db?mode=ro", "sqlite:////", ""),
        *("nonsense", "mysql://ada:secret@host/db", "sqlite:///a\0b", "sqlite://ada:secret@h/x"),
    ],
)
def test_what_names_no_file_is_refused(tmp_path, url):
    with pytest.raises(ConfigError) as caught:
        connect(url, root=tmp_path)
    assert "secret" not in caught.value.message + caught.value.hint
    assert "sqlite:///" in caught.value.hint


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("postgres://ada:se:c@ret@host:5/db", "postgres://ada:***@host:5/db"),
        ("postgres://ada@host/db", "postgres://ada@host/db"),
        ("postgres://host/db?user=a&password=x&b=1", "postgres://host/db?user=a&password=***&b=1"),
        ("sqlite:////home/a:b@c/x.db", "sqlite:////home/a:b@c/x.db"),
    ],
)
def test_a_password_is_never_shown(url, told):
    assert shown(url) == told
