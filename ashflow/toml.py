"""Read TOML, and say of what does not fit which key it is and what to write instead."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from ashflow.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path


def parse(data: bytes, path: Path | str) -> dict[str, Any]:
    """Parse TOML; the error names the file and the line.

    Args:
        data: The bytes of the file.
        path: Its name, for the message.

    Raises:
        ConfigError: It is not UTF-8, or no TOML.
    """
    import tomllib  # who only asks for help does not need it

    try:
        return tomllib.loads(data.decode())
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ConfigError(
            f"{path} is not UTF-8 (line {line})", hint="TOML is always UTF-8: save it as that."
        ) from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path} is no valid TOML: {error}", hint="Mend that line.") from error


class Table(NamedTuple):
    """A table of TOML that answers in the kinds that are wanted; all else is a `ConfigError`.

    Args:
        path: The file that it stands in.
        title: Its title, as `[tool.ashflow]`.
        values: What it holds.
    """

    path: Path
    title: str
    values: Mapping[str, Any]

    def wrong(self, message: str, hint: str) -> ConfigError:
        """Return the error that says what is wrong with this table."""
        return ConfigError(f"{self.title} in {self.path}: {message}", hint=hint)

    def only(self, known: Iterable[str]) -> None:
        """Refuse every key that is not known: it is a typing error, or of a newer release."""
        known = tuple(known)
        for key in self.values:
            if key not in known:
                hint = f"Known keys are: {', '.join(known)}."
                raise self.wrong(f"the key {key!r} is not known", hint)

    def text(self, key: str) -> str | None:
        """Return a text that is not empty, or None where the key is not there."""
        value = self.values.get(key)
        if value is None or _is_text(value):
            return value
        raise self._misfit(key, f'{key} = "…"')

    def texts(self, key: str) -> tuple[str, ...]:
        """Return a list of texts; an empty one where the key is not there."""
        value = self.values.get(key, [])
        if not isinstance(value, list):
            raise self._misfit(key, f'a list: {key} = ["…"]')
        for entry in value:
            if not _is_text(entry):
                raise self.wrong(f"{key} holds {kind(entry)}", "Its entries are texts.")
        return tuple(value)

    def flag(self, key: str) -> bool:
        """Return true or false; false where the key is not there."""
        value = self.values.get(key, False)
        if isinstance(value, bool):
            return value
        raise self._misfit(key, f"{key} = true or {key} = false")

    def seconds(self, key: str, default: float) -> float:
        """Return a duration."""
        value = self.values.get(key, default)
        if _is_amount(value):
            return float(value)
        raise self._misfit(key, f"{key} = {default:g}, in seconds")

    def megabytes(self, key: str) -> float | None:
        """Return a size, or None where the key is not there.

        Args:
            key: The key.

        Raises:
            ConfigError: It holds something else.
        """
        value = self.values.get(key)
        if value is None or _is_amount(value):
            return value
        raise self._misfit(key, f"{key} = 500, in megabytes")

    def number(self, key: str, default: int) -> int:
        """Return a number of things, of which there is at least one.

        Args:
            key: The key.
            default: What it is where the key is not there.

        Raises:
            ConfigError: It holds something else.
        """
        value = self.values.get(key, default)
        if isinstance(value, int) and not isinstance(value, bool) and value > 0:
            return value
        raise self._misfit(key, f"{key} = {default}, or another whole number above 0")

    def table(self, key: str) -> Table:
        """Return a table in this one; an empty one where the key is not there."""
        value = self.values.get(key, {})
        title = f"{self.title[:-1]}.{key}]"
        if isinstance(value, dict):
            return Table(self.path, title, value)
        raise self._misfit(key, f"a table: {title}")

    def _misfit(self, key: str, wanted: str) -> ConfigError:
        return self.wrong(f"{key} is {kind(self.values[key])}", f"Write {wanted}.")


def kind(value: object) -> str:
    """Say what a value of TOML is, without showing a text: it may be secret."""
    match value:
        case bool():
            return "true" if value else "false"
        case "":
            return "an empty text"
        case str():
            return "a text"
        case int() | float():
            return f"the number {value}"
        case list():
            return "a list"
        case dict():
            return "a table"
        case _:
            return "a date or time"


def _is_amount(value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return 0 <= value < float("inf")


def _is_text(value: object) -> bool:
    return isinstance(value, str) and value != "" and "\0" not in value
