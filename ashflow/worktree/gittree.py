"""A tree of text that git has: the files of a commit, or those of the index."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from ashflow.errors import UnreadableError


class GitTree(Mapping[str, str]):
    """Files by their paths, each read from git when it is asked for.

    Args:
        names: The name of each file's object, by its path relative to the project.
        read: Returns the content of an object.
        where: What the files are of, for messages: `the index`, or a commit.
    """

    __slots__ = ("_names", "_read", "_texts", "_where")

    def __init__(self, names: Mapping[str, str], read: Callable[[str], bytes], where: str) -> None:
        self._names = dict(sorted(names.items()))
        self._read = read
        self._texts: dict[str, str] = {}
        self._where = where

    def __getitem__(self, path: str) -> str:
        """Return the text of a file, with LF line ends.

        Raises:
            UnreadableError: It is not UTF-8.
        """
        text = self._texts.get(path)
        if text is None:
            text = self._texts[path] = self._decoded(path)
        return text

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    def __contains__(self, path: object) -> bool:
        return path in self._names

    def name(self, path: str) -> str | None:
        """Return the name of a file's object: two files of one name are equal to the byte."""
        return self._names.get(path)

    def _decoded(self, path: str) -> str:
        try:
            text = self._read(self._names[path]).decode("utf-8")
        except UnicodeDecodeError as error:
            raise UnreadableError(
                f"{path} in {self._where} is not UTF-8 (byte {error.start + 1})",
                hint="Save it as UTF-8 and stage it again.",
            ) from error
        return text.replace("\r\n", "\n").replace("\r", "\n")
