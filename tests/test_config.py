"""What `[tool.ashflow]` may say, and what is said of what it may not."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ashflow.config import Config, RepoConfig, find_project, read_config
from ashflow.errors import ConfigError
from ashflow.worktree.scaffold import add_section


@pytest.fixture
def read(tmp_path):
    """Read a configuration from its text: that of the section, or a whole file."""

    def read(text: str = "", env: dict[str, str] | None = None) -> Config:
        whole = text if "[tool.ashflow]" in text else f"[tool.ashflow]\n{text}"
        (tmp_path / "pyproject.toml").write_text(whole)
        return read_config(tmp_path, env or {})

    return read


def url(text: str) -> str:
    return f"[tool.ashflow.repos.main-db]\nurl = '{text}'\n"


# -- finding it


def test_the_project_is_found_from_any_folder_below(tmp_path):
    (tmp_path / "pyproject.toml").write_text("[tool.ashflow]\n")
    deep = tmp_path / "shop" / "deep"
    deep.mkdir(parents=True)
    assert find_project(deep) == tmp_path
    assert find_project(tmp_path) == tmp_path


def test_a_pyproject_of_another_kind_on_the_way_is_passed_by(tmp_path):
    (tmp_path / "pyproject.toml").write_text("[tool.ashflow]\n")
    inner = tmp_path / "inner"
    inner.mkdir()
    for text in ("[project]\nname = 'ashflow-user'\n", "this is no TOML", "tool = 'ashflow'"):
        (inner / "pyproject.toml").write_text(text)
        assert find_project(inner) == tmp_path


def test_the_nearest_project_is_taken(tmp_path):
    inner = tmp_path / "inner"
    inner.mkdir()
    for folder in (tmp_path, inner):
        (folder / "pyproject.toml").write_text("[tool.ashflow]\n")
    assert find_project(inner) == inner


def test_a_project_reached_through_a_link_is_found_at_its_real_place(tmp_path):
    root = tmp_path / "real"
    root.mkdir()
    (root / "pyproject.toml").write_text("[tool.ashflow]\n")
    (tmp_path / "link").symlink_to(root)
    assert find_project(tmp_path / "link") == root


def test_where_there_is_no_project_the_way_to_make_one_is_told(tmp_path):
    with pytest.raises(ConfigError, match=str(tmp_path)) as caught:
        find_project(tmp_path)
    assert "ashflow init" in caught.value.hint
    assert caught.value.exit_code == 2


def test_reading_where_there_is_no_section_says_so(tmp_path):
    (tmp_path / "pyproject.toml").write_text("[project]\n")
    with pytest.raises(ConfigError, match=r"no \[tool.ashflow\]"):
        read_config(tmp_path, {})
    with pytest.raises(ConfigError, match="cannot be read: No such file"):
        read_config(tmp_path / "nowhere", {})


# -- what it says


def test_an_empty_section_is_a_project_with_the_defaults(read, tmp_path):
    config = read()
    assert config == Config(
        root=tmp_path,
        repos=(RepoConfig("repo", "sqlite:///priv/repo/dev.sqlite3"),),
        pythonpath=(str(tmp_path),),
    )
    assert config.repos[0].ledger == "ashflow_migrations"
    assert config.repos[0].lock_timeout == 60


def test_all_keys_are_taken(read, tmp_path):
    (tmp_path / "lib").mkdir()
    config = read("""
        [tool.ashflow]
        domains = ["shop.resources", "shop.more:tables"]
        pythonpath = ["lib", "."]
        drop_columns = true
        drop_tables = true
        base = "develop"

        [tool.ashflow.repos.shop]
        url = "sqlite:///shop.db"
        ledger = "history"
        lock_timeout = 2.5

        [tool.ashflow.repos.audit_log]
        url = "sqlite:////var/audit.db"
    """)
    assert config == Config(
        root=tmp_path,
        repos=(
            RepoConfig("shop", "sqlite:///shop.db", "history", 2.5),
            RepoConfig("audit_log", "sqlite:////var/audit.db"),
        ),
        domains=("shop.resources", "shop.more:tables"),
        pythonpath=(str(tmp_path / "lib"), str(tmp_path)),
        drop_columns=True,
        drop_tables=True,
        base="develop",
    )
    assert config.repo("audit_log") is config.repos[1]


def test_src_is_on_the_path_where_it_is_there(read, tmp_path):
    (tmp_path / "src").mkdir()
    assert read().pythonpath == (str(tmp_path), str(tmp_path / "src"))


def test_folders_of_a_repo_are_told_relative_to_the_root(read):
    config = read()
    assert config.migrations("repo") == "priv/repo/migrations"
    assert config.snapshots("repo") == "priv/resource_snapshots/repo"


def test_a_repo_that_is_not_there_is_told_with_those_that_are(read):
    with pytest.raises(ConfigError, match="'nope'") as caught:
        read(url("sqlite:///x")).repo("nope")
    assert "main-db" in caught.value.hint


# -- the url


def test_variables_of_the_environment_are_filled_in(read):
    config = read(
        url("${KIND}:///${DIR:-priv}/${FILE:-dev}${NONE:-}.db"), {"KIND": "a", "FILE": ""}
    )
    assert config.repos[0].url == "a:///priv/dev.db"


def test_a_value_of_a_variable_is_not_expanded_again(read):
    assert read(url("${A}"), {"A": "${B}$A"}).repos[0].url == "${B}$A"


def test_a_dollar_without_a_brace_is_a_dollar(read):
    assert read(url("x://u:pa$$word$HOME@h")).repos[0].url == "x://u:pa$$word$HOME@h"


def test_a_variable_that_is_not_set_is_an_error_for_who_needs_the_url(read):
    config = read(url("pg://u:${SECRET}@${HOST:-h}"))
    with pytest.raises(ConfigError, match=r"main-db.*SECRET") as caught:
        _ = config.repos[0].url
    assert "ASHFLOW_MAIN_DB_URL" in caught.value.hint


@pytest.mark.parametrize("text", ["x${", "${}", "${1A}", "${A", "${A:x}", "${A-x}", "${Ä}"])
def test_a_brace_that_is_no_variable_is_an_error_for_who_needs_the_url(read, text):
    with pytest.raises(ConfigError, match="no variable"):
        _ = read(url(text), {"A": "a"}).repos[0].url


def test_the_environment_overrides_the_url_as_it_stands(read):
    config = read(url("${UNSET}"), {"ASHFLOW_MAIN_DB_URL": "sqlite:///${x}.db"})
    assert config.repos[0].variable == "ASHFLOW_MAIN_DB_URL"
    assert config.repos[0].url == "sqlite:///${x}.db"


def test_the_default_repo_can_be_overridden_too(read):
    assert read("", {"ASHFLOW_REPO_URL": "sqlite:///t.db"}).repos[0].url == "sqlite:///t.db"


def test_an_override_that_is_empty_does_not_fall_back_to_another_database(read):
    with pytest.raises(ConfigError, match="ASHFLOW_REPO_URL is set, and empty"):
        _ = read("", {"ASHFLOW_REPO_URL": ""}).repos[0].url


def test_a_password_is_not_in_what_python_shows(read):
    config = read(url("pg://ada:hunter2@h"))
    assert "hunter2" not in repr(config)
    assert "hunter2" in config.repos[0].url


# -- the environment


@pytest.mark.parametrize(
    ("said", "word"),
    [("production", "production"), (" Production\n", "production"), ("", ""), (" \t", "")],
)
def test_the_environment_is_one_word_however_it_is_written(read, said, word):
    assert read("", {"ASHFLOW_ENV": said}).environment == word
    assert read("").environment == ""


@pytest.mark.parametrize("said", ["pro\nduction", "prod\udcff", "\x1b[2J"])
def test_an_environment_that_is_no_name_is_told(read, said):
    with pytest.raises(ConfigError, match=r"ASHFLOW_ENV is .* no name of an environment"):
        read("", {"ASHFLOW_ENV": said})


# -- what it may not say


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("domain = ['a']", "the key 'domain' is not known"),
        ("domains = 'a'", "domains is a text"),
        ("domains = ['a', 1]", "domains holds the number 1"),
        ("domains = ['']", "domains holds an empty text"),
        ("pythonpath = 1", "pythonpath is the number 1"),
        ("pythonpath = ['gone']", "'gone' in pythonpath is no folder"),
        ("drop_columns = 'yes'", "drop_columns is a text"),
        ("drop_tables = 0", "drop_tables is the number 0"),
        ("base = true", "base is true"),
        ("base = ''", "base is an empty text"),
        ("base = 2026-11-23", "base is a date or time"),
        ("repos = []", "repos is a list"),
        ("repos.repo = 'sqlite:///x'", "repo is a text"),
        ("repos.repo = {}", "url is missing"),
        ("repos.repo.url = {}", "url is a table"),
        ('repos.repo.url = "a\\u0000"', "url is a text"),
        ("repos.repo = {url = 'x', pool = 1}", "the key 'pool' is not known"),
        ("repos.repo = {url = 'x', ledger = ''}", "ledger is an empty text"),
        ("repos.repo = {url = 'x', lock_timeout = -1}", "lock_timeout is the number -1"),
        ("repos.repo = {url = 'x', lock_timeout = nan}", "lock_timeout is the number nan"),
        ("repos.repo = {url = 'x', lock_timeout = true}", "lock_timeout is true"),
        ("repos.Repo.url = 'x'", "'Repo' is no name for a repo"),
        ("repos.'a/../b'.url = 'x'", "'a/../b' is no name for a repo"),
        ("repos.''.url = 'x'", "'' is no name for a repo"),
        ("repos.resource_snapshots.url = 'x'", "'resource_snapshots' is taken"),
        ("repos = {a-b = {url = 'x'}, a_b = {url = 'x'}}", "ASHFLOW_A_B_URL"),
    ],
)
def test_what_does_not_fit_is_told_with_the_file_and_what_to_write(read, tmp_path, text, said):
    with pytest.raises(ConfigError) as caught:
        read(text)
    assert said in caught.value.message
    assert str(tmp_path / "pyproject.toml") in caught.value.message
    assert caught.value.hint


def test_the_known_keys_are_listed(read):
    with pytest.raises(ConfigError) as caught:
        read("domain = []")
    for key in ("domains", "pythonpath", "drop_columns", "drop_tables", "base", "repos"):
        assert key in caught.value.hint


def test_a_section_that_is_no_table_is_told(tmp_path):
    (tmp_path / "pyproject.toml").write_text("tool.ashflow = 1\n")
    with pytest.raises(ConfigError, match=r"tool\.ashflow .* is the number 1"):
        find_project(tmp_path)


def test_broken_toml_is_told_with_file_and_line(read, tmp_path):
    with pytest.raises(ConfigError, match="line 3") as caught:
        read("[tool.ashflow]\n\ndomains =\n")
    assert str(tmp_path / "pyproject.toml") in caught.value.message


def test_a_file_that_is_not_utf_8_is_told_with_its_line(tmp_path):
    (tmp_path / "pyproject.toml").write_bytes(b"[tool.ashflow]\n# caf\xe9\n")
    with pytest.raises(ConfigError, match=r"pyproject\.toml is not UTF-8 \(line 2\)"):
        find_project(tmp_path)


def test_reading_the_configuration_loads_nothing_heavy(python):
    loaded = python("""
import sys, ashflow.config
print(*sys.modules.keys() & {"git", "rich", "click", "sqlite3", "subprocess", "tomllib"})
""")
    assert loaded.split() == []


# -- writing it


SECTION = """\
[tool.ashflow]
domains = ["shop.resources"]

[tool.ashflow.repos.repo]
url = "sqlite:///priv/repo/dev.sqlite3"
"""


@pytest.mark.parametrize("text", [None, ""])
def test_a_new_file_is_the_section(text):
    assert add_section(text, ["shop.resources"]) == SECTION


@pytest.mark.parametrize(
    "text",
    [
        "[project]\nname   =   'x'   # kept\n",
        "[project]\nname = 'x'",
        "[tool.ruff]\nline-length = 100\n\n[[tool.mypy.overrides]]\nmodule = 'x'\n",
        "tool.x = 1\n",
        "# only a comment, é\n",
    ],
)
def test_what_stands_in_a_file_is_kept_byte_for_byte(text):
    after = add_section(text, ["shop.resources"])
    assert after.startswith(text)
    assert after.endswith(f"\n\n{SECTION}")


def test_the_line_ends_of_a_file_are_kept():
    after = add_section("[project]\r\nname = 'x'\r\n", ["a"])
    assert after.startswith("[project]\r\nname = 'x'\r\n\r\n[tool.ashflow]\r\n")
    assert after.count("\n") == after.count("\r\n")


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]))))
def test_any_text_of_a_domain_is_read_back(domains):
    text = add_section("[project]\n", domains)
    assert tomllib.loads(text)["tool"]["ashflow"]["domains"] == domains


@pytest.mark.parametrize("text", ["tool = {}", "tool = 1", "[[tool]]\na = 1\n"])
def test_a_file_that_takes_no_section_is_told_with_the_section(text):
    with pytest.raises(ConfigError, match="cannot take") as caught:
        add_section(text, ["shop.resources"])
    assert SECTION in caught.value.hint


def test_a_section_that_is_there_is_not_written_twice():
    with pytest.raises(ConfigError, match="already"):
        add_section(SECTION, ["shop.resources"])


def test_a_file_that_is_no_toml_is_left_alone():
    with pytest.raises(ConfigError, match=r"no valid TOML.*line 1"):
        add_section("[project\n", ["a"])


def test_what_init_writes_can_be_read(tmp_path):
    (tmp_path / "pyproject.toml").write_text(add_section(None, ["shop.resources"]))
    config = read_config(find_project(Path(tmp_path)), {})
    assert config.domains == ("shop.resources",)
    assert config.repos == (RepoConfig("repo", "sqlite:///priv/repo/dev.sqlite3"),)
