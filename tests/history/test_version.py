from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ashflow.errors import UsageError
from ashflow.history.version import LAST, clean_name, is_version, next_version

NOW = datetime(2026, 11, 23, 6, 10, tzinfo=UTC)
versions = st.integers(0, 10**14 - 2).map(lambda number: f"{number:014}")


def test_a_version_is_the_moment():
    assert next_version(NOW, []) == "20261123061000"
    assert next_version(NOW, ["20261123060959", "20200101000000"]) == "20261123061000"


def test_where_the_clock_is_behind_a_version_it_is_one_more():
    assert next_version(NOW, ["20261123061000"]) == "20261123061001"
    assert next_version(NOW, ["20261123061059"]) == "20261123061060", "as a number, not as a moment"
    assert next_version(NOW, ["99999999999998"]) == LAST


@given(st.datetimes(timezones=st.just(UTC)), st.lists(versions))
def test_a_new_version_is_greater_than_all_that_there_are(now, taken):
    version = next_version(now, taken)
    assert is_version(version)
    assert all(version > other for other in taken)


def test_after_the_last_version_there_is_none():
    with pytest.raises(UsageError, match=f"no version comes after {LAST}") as caught:
        next_version(NOW, ["20200101000000", LAST])
    assert "YYYYMMDDHHMMSS" in caught.value.hint


@pytest.mark.parametrize(
    "text", ["", "2026112306100", "202611230610000", "2026112306100x", "٢٠٢٦١١٢٣٠٦١٠٠٠", " " * 14]
)
def test_what_is_no_version(text):
    assert not is_version(text)


@pytest.mark.parametrize(
    ("given_name", "cleaned"),
    [
        ("add_rpm", "add_rpm"),
        ("Add RPM", "add_rpm"),
        ("  add  -  rpm\t", "add_rpm"),
        ("2fa", "2fa"),
        ("_x", "_x"),
        ("x" * 100, "x" * 100),
    ],
)
def test_a_name_is_cleaned(given_name, cleaned):
    assert clean_name(given_name) == cleaned


@given(st.text(max_size=20))
def test_a_cleaned_name_is_safe_as_a_file_and_clean(text):
    try:
        cleaned = clean_name(text)
    except UsageError:
        return
    assert cleaned == clean_name(cleaned)
    assert cleaned.isascii()
    assert cleaned.replace("_", "").isalnum()
    assert cleaned == cleaned.lower()


@pytest.mark.parametrize(
    "text", ["", "-", "__", "a\nb", "a\x0bb", "a.b", "a/b", "..", "ü", "a\0", "x" * 101, "a;b"]
)
def test_a_name_that_no_file_should_have_is_refused(text):
    with pytest.raises(UsageError, match="is no name for a migration") as caught:
        clean_name(text)
    assert "add_rpm" in caught.value.hint
