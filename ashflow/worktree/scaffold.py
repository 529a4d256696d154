"""Write our section into a pyproject.toml that somebody else formatted."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from ashflow.config import DEFAULT_REPO, DEFAULT_URL, FILE, SECTION
from ashflow.errors import ConfigError
from ashflow.toml import parse

if TYPE_CHECKING:
    from collections.abc import Sequence


def add_section(text: str | None, domains: Sequence[str]) -> str:
    """Return the text of a pyproject.toml with `[tool.ashflow]` at its end.

    All that stands in it is kept as it is, byte for byte; line ends are those of the file.

    Args:
        text: What stands in it, with the line ends of the file; None where there is no file.
        domains: Where the resources come from.

    Raises:
        ConfigError: The text is no TOML, has the section, or cannot take one at its end.
    """
    section = _section(domains)
    if not text:
        return section
    if "ashflow" in _tool(parse(text.encode(), FILE)):
        raise ConfigError(
            f"{FILE} has {SECTION} already", hint="This is a project: change the section by hand."
        )
    line_end = "\r\n" if "\r\n" in text else "\n"
    gap = line_end if text.endswith("\n") else 2 * line_end
    result = text + gap + section.replace("\n", line_end)
    if not _adds(section, result, text):
        raise ConfigError(
            f"{FILE} cannot take a section at its end", hint=f"Add it by hand:\n\n{section}"
        )
    return result


def _section(domains: Sequence[str]) -> str:
    # A list of strings is the same text in JSON and in TOML, but for DEL.
    entries = json.dumps(list(domains), ensure_ascii=False).replace("\x7f", "\\u007f")
    return (
        f"{SECTION}\n"
        f"domains = {entries}\n"
        "\n"
        f"[tool.ashflow.repos.{DEFAULT_REPO}]\n"
        f'url = "{DEFAULT_URL}"\n'
    )


def _adds(section: str, result: str, text: str) -> bool:
    """Whether the new text says what the old one said and our section, and no more."""
    before = parse(text.encode(), FILE)
    ours = parse(section.encode(), FILE)
    try:
        after = parse(result.encode(), FILE)
    except ConfigError:  # `tool = {}` is closed for good
        return False
    return after == {**before, "tool": {**_tool(before), **ours["tool"]}}


def _tool(document: dict[str, Any]) -> dict[str, Any]:
    tool = document.get("tool")
    return tool if isinstance(tool, dict) else {}
