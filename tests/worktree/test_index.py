"""The user's index follows the files, in real git repositories."""

from __future__ import annotations

import os
import shlex
import stat
import subprocess
import threading
from typing import TYPE_CHECKING

import pytest

from ashflow.errors import FileError, GitError, LockedError
from ashflow.worktree.git import Objects, locate, status
from ashflow.worktree.index import change_index, kinds_for, restore_entries, save_blobs
from ashflow.worktree.porcelain import Entry, Located

if TYPE_CHECKING:
    from pathlib import Path

FOLDER = "priv/repo/migrations"
OLD, NEW = f"{FOLDER}/20261123061000_old.py", f"{FOLDER}/20261123061100_new.py"
ODD = [
    "two words.py",
    'it\'s "quoted".py',
    "line\nbreak.py",
    "tab\tand back\\slash.py",
    "é日本.py",
    "-leading.py",
    "[a-z]*?.py",
    ":(top)x.py",
    os.fsdecode(b"\xff\xfe.py"),
]


def put(root: Path, path: str = OLD, text: str = "one\n") -> Path:
    place = root / path
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(text.encode())
    return place


def at(root: Path) -> Located:
    located = locate(root)
    assert isinstance(located, Located)
    return located


def entries(root: Path) -> dict[str, Entry]:
    return dict(status(at(root), ("priv",)).entries)


def letters(git) -> dict[str, str]:
    """What git says of each file, `??` for one that it does not track."""
    records = git("status", "--porcelain", "-z", "--untracked-files=all").split("\0")[:-1]
    return {record[3:]: record[:2] for record in records}


def staged(git, path: str) -> str:
    """The content that the index has of a file."""
    return git("cat-file", "blob", f":{path}")


def regenerated(git, folder: Path, **arguments) -> dict[str, Entry]:
    """What a regen does: keep, remove, change the index; what the index had comes back."""
    before = entries(git.root)
    save_blobs(at(git.root), before, folder)
    for path in before:
        (git.root / path).unlink(missing_ok=True)
    change_index(at(git.root), remove=before, **arguments)
    return before


@pytest.fixture
def kept(tmp_path) -> Path:
    return tmp_path / "kept"


# -- what the index has of a file


def test_a_staged_file_has_the_mode_and_the_object_of_the_index(git):
    put(git.root).chmod(0o755)
    git("add", ".")
    put(git.root, text="two\n")
    oid = git("rev-parse", f":{OLD}").strip()
    assert entries(git.root) == {OLD: Entry("staged", "100755", oid)}


def test_a_staged_file_that_is_gone_has_an_entry_too(git):
    put(git.root)
    git("add", ".")
    (git.root / OLD).unlink()
    assert entries(git.root)[OLD].kind == "staged"


def test_an_intended_file_has_an_entry_without_content(git):
    put(git.root)
    git("add", "--intent-to-add", ".")
    assert entries(git.root) == {OLD: Entry("intent", "000000", "0" * 40)}


@pytest.mark.parametrize("commit", [True, False])
def test_an_intended_file_that_is_gone_has_an_entry_too(git, commit):
    if commit:
        git.commit()
    put(git.root)
    git("add", "--intent-to-add", ".")
    (git.root / OLD).unlink()
    assert entries(git.root)[OLD].kind == "intent"
    change_index(at(git.root), remove=[OLD])
    assert (letters(git), entries(git.root)) == ({}, {})


def test_what_the_last_commit_has_has_no_entry_whatever_is_done_to_it(git):
    for name in ("edited", "staged", "gone", "removed", "intended", "same"):
        put(git.root, f"priv/{name}")
    git.commit()
    put(git.root, "priv/edited", "two\n")
    put(git.root, "priv/staged", "two\n")
    git("add", "priv/staged")
    (git.root / "priv/gone").unlink()
    git("rm", "--quiet", "--cached", "priv/removed", "priv/intended")
    git("add", "--intent-to-add", "priv/intended")
    put(git.root, "priv/untracked")
    assert entries(git.root) == {}


# -- out and in


def test_a_staged_file_leaves_the_index_and_the_new_one_is_staged(git):
    put(git.root)
    git("add", ".")
    (git.root / OLD).unlink()
    put(git.root, NEW)
    change_index(at(git.root), remove=[OLD], add=[NEW])
    assert letters(git) == {NEW: "A "}


def test_an_intended_file_leaves_the_index_and_the_new_one_is_intended(git):
    put(git.root)
    git("add", "--intent-to-add", ".")
    (git.root / OLD).unlink()
    put(git.root, NEW)
    change_index(at(git.root), remove=[OLD], intend=[NEW])
    assert letters(git) == {NEW: " A"}


def test_what_leaves_the_index_stays_on_disk(git):
    put(git.root, text="staged\n")
    git("add", ".")
    place = put(git.root, text="and edited\n")
    change_index(at(git.root), remove=[OLD])
    assert place.read_text() == "and edited\n"
    assert letters(git) == {OLD: "??"}


def test_what_else_is_staged_stays_as_it_is(git):
    put(git.root)
    put(git.root, "priv/a.py", "staged\n")
    put(git.root, "b.py")
    git("add", ".")
    put(git.root, "priv/a.py", "edited\n")
    put(git.root, NEW)
    (git.root / OLD).unlink()
    change_index(at(git.root), remove=[OLD], add=[NEW])
    assert letters(git) == {"priv/a.py": "AM", "b.py": "A ", NEW: "A "}
    assert staged(git, "priv/a.py") == "staged\n"


def test_twice_is_as_once(git):
    put(git.root)
    git("add", ".")
    put(git.root, NEW)
    put(git.root, "priv/c.py")
    for _ in range(2):
        change_index(at(git.root), remove=[OLD], add=[NEW], intend=["priv/c.py"])
        assert letters(git) == {OLD: "??", NEW: "A ", "priv/c.py": " A"}


def test_what_was_cut_off_in_the_middle_is_ended_by_running_it_again(git):
    put(git.root)
    git("add", ".")
    put(git.root, NEW)
    change_index(at(git.root), remove=[OLD])
    change_index(at(git.root), remove=[OLD], add=[NEW])
    assert letters(git) == {OLD: "??", NEW: "A "}


@pytest.mark.parametrize("name", ODD)
def test_any_name_goes_out_comes_in_and_comes_back(git, kept, name):
    path, new, maybe = f"priv/{name}", f"priv/new {name}", f"priv/maybe {name}"
    put(git.root, "priv/other.py")
    put(git.root, path)
    git("--literal-pathspecs", "add", "--", path)
    put(git.root, new)
    put(git.root, maybe)
    before = entries(git.root)
    save_blobs(at(git.root), before, kept)
    change_index(at(git.root), remove=before, add=[new], intend=[maybe])
    all_of_it = {path: "??", new: "A ", maybe: " A", "priv/other.py": "??"}
    assert letters(git) == all_of_it
    restore_entries(at(git.root), before, kept)
    assert letters(git) == all_of_it | {path: "A "}
    assert entries(git.root)[path] == before[path]


def test_paths_are_those_of_a_project_in_a_subfolder(git, kept):
    root = git.root / "apps/my shop"
    put(root)
    put(git.root)
    git("add", ".")
    put(root, NEW)
    put(root, "priv/c.py")
    before = entries(root)
    assert list(before) == [OLD]
    save_blobs(at(root), before, kept)
    change_index(at(root), remove=[OLD], add=[NEW], intend=["priv/c.py"])
    inside = {f"apps/my shop/{path}": what for path, what in {NEW: "A ", OLD: "??"}.items()}
    rest = {OLD: "A ", "apps/my shop/priv/c.py": " A"}
    assert letters(git) == inside | rest
    restore_entries(at(root), before, kept)
    assert letters(git) == inside | rest | {f"apps/my shop/{OLD}": "A "}


def test_a_linked_worktree_has_an_index_of_its_own(git, tmp_path, kept):
    git.commit()
    put(git.root)
    git("add", ".")
    git("worktree", "add", "--quiet", "-b", "other", str(tmp_path / "linked"))
    linked = git.at(tmp_path / "linked")
    put(linked.root)
    linked("add", ".")
    put(linked.root, NEW)
    before = regenerated(linked, kept, add=[NEW])
    assert letters(linked) == {NEW: "A "}
    assert letters(git) == {OLD: "A "}
    put(linked.root)
    restore_entries(at(linked.root), before, kept)
    assert letters(linked) == {OLD: "A ", NEW: "A "}


@pytest.mark.parametrize("safe", ["warn", "true"])
def test_line_ends_are_staged_as_git_is_configured(git, kept, safe):
    git("config", "core.autocrlf", "true")
    git("config", "core.safecrlf", safe)
    put(git.root, text="one\r\n")
    git("add", ".")
    put(git.root, NEW, "with LF\n")
    put(git.root, "priv/c.py", "with CRLF\r\n")
    before = regenerated(git, kept, add=[NEW])
    change_index(at(git.root), add=["priv/c.py"], intend=[NEW])
    assert letters(git) == {NEW: "A ", "priv/c.py": "A "}
    assert staged(git, "priv/c.py") == "with CRLF\n"
    put(git.root, text="one\r\n")
    restore_entries(at(git.root), before, kept)
    assert letters(git)[OLD] == "A "
    assert entries(git.root)[OLD] == before[OLD]


def test_the_mode_comes_back_and_what_attributes_filter_is_not_filtered_again(git, kept):
    put(git.root, ".gitattributes", "*.py filter=loud\n")
    git("config", "filter.loud.clean", "tr a-z A-Z")
    put(git.root, text="one\n").chmod(0o755)
    git("add", ".")
    git("config", "filter.loud.clean", "sed s/^/again/")
    before = regenerated(git, kept)
    restore_entries(at(git.root), before, kept)
    assert (staged(git, OLD), entries(git.root)[OLD].mode) == ("ONE\n", "100755")


@pytest.mark.parametrize("setting", [["--index-version", "4"], ["--split-index"]])
def test_every_kind_of_index_is_changed(git, kept, setting):
    put(git.root, "priv/a.py")
    git.commit()
    git("update-index", *setting)
    put(git.root)
    git("add", ".")
    put(git.root, NEW)
    before = regenerated(git, kept, add=[NEW])
    assert letters(git) == {NEW: "A "}
    restore_entries(at(git.root), before, kept)
    assert letters(git) == {NEW: "A ", OLD: "AD"}


def test_names_of_objects_may_be_those_of_sha_256(tmp_path, git, kept):
    git("init", "--quiet", "--object-format=sha256", "-b", "main", str(tmp_path / "long"))
    long = git.at(tmp_path / "long")
    put(long.root)
    long("add", ".")
    before = regenerated(long, kept)
    assert letters(long) == {}
    restore_entries(at(long.root), before, kept)
    assert letters(long) == {OLD: "AD"}


@pytest.mark.parametrize("variable", ["GIT_INDEX_FILE", "GIT_DIR", "GIT_WORK_TREE"])
def test_another_index_that_a_hook_has_set_is_not_touched(
    git, tmp_path, monkeypatch, kept, variable
):
    put(git.root)
    git("add", ".")
    git("init", "--quiet", "-b", "main", str(tmp_path / "other"))
    other = git.at(tmp_path / "other")
    put(other.root, "priv/mine.py")
    other("add", ".")
    index = (other.root / ".git/index").read_bytes()
    values = {
        "GIT_DIR": other.root / ".git",
        "GIT_INDEX_FILE": other.root / ".git/index",
        "GIT_WORK_TREE": other.root,
    }
    put(git.root, NEW)
    with monkeypatch.context() as patch:
        patch.setenv(variable, str(values[variable]))
        before = regenerated(git, kept, add=[NEW])
        restore_entries(at(git.root), before, kept)
    assert letters(git) == {NEW: "A ", OLD: "AD"}
    assert (other.root / ".git/index").read_bytes() == index


def test_a_project_outside_of_a_sparse_checkout_is_changed_too(git, kept):
    put(git.root, "seen/a.py")
    put(git.root, "shop/priv/a.py")
    git.commit()
    git("sparse-checkout", "set", "seen")
    root = git.root / "shop"
    put(root)
    git("add", "--sparse", ".")
    put(root, NEW)
    put(root, "priv/c.py")
    before = entries(root)
    save_blobs(at(root), before, kept)
    (root / OLD).unlink()
    for _ in range(2):
        change_index(at(root), remove=before, add=[NEW], intend=["priv/c.py"])
        assert letters(git) == {f"shop/{NEW}": "A ", "shop/priv/c.py": " A"}
    assert "S shop/priv/a.py" in git("ls-files", "-t")
    put(root)
    restore_entries(at(root), before, kept)
    assert letters(git)[f"shop/{OLD}"] == "A "


def test_an_ignored_file_is_not_staged_and_the_error_names_it(git):
    put(git.root)
    git("add", ".")
    put(git.root, ".gitignore", "*_new.py\n")
    put(git.root, NEW)
    with pytest.raises(FileError, match="ignored") as caught:
        change_index(at(git.root), remove=[OLD], add=[NEW])
    assert NEW in caught.value.message
    assert "hint" not in caught.value.message
    assert f"add -- {NEW}" in caught.value.hint
    assert "--force-remove" not in caught.value.hint  # that is done
    assert caught.value.exit_code == 1


def test_a_file_that_is_not_there_is_not_staged(git):
    with pytest.raises(FileError, match="did not match"):
        change_index(at(git.root), add=[NEW])


# -- the lock


@pytest.mark.parametrize("root", ["", "my shop/it's"])
def test_the_commands_that_a_locked_index_leaves_do_what_is_left(git, root):
    project = git.root / root
    put(project)
    git("add", ".")
    put(project, NEW)
    put(project, "priv/c.py")
    lock = put(git.root, ".git/index.lock", "")
    located = at(project)
    with pytest.raises(LockedError, match="another git") as caught:
        change_index(located, remove=[OLD], add=[NEW], intend=["priv/c.py"], patience=0.1)
    assert str(lock) in caught.value.message
    assert (caught.value.exit_code, lock.exists()) == (1, True)
    lock.unlink()
    subprocess.run(caught.value.hint.partition("left to do: ")[2], shell=True, check=True)
    prefix = f"{root}/" if root else ""
    found = {OLD: "??", NEW: "A ", "priv/c.py": " A"}
    assert letters(git) == {prefix + path: what for path, what in found.items()}


def test_the_commands_that_are_left_put_entries_back_too(git, kept):
    put(git.root, text="staged, and nowhere else\n")
    put(git.root, "priv/it's, a file.py")
    put(git.root, "priv/c.py")
    git("add", OLD, "priv/it's, a file.py")
    git("add", "--intent-to-add", "priv/c.py")
    before = regenerated(git, kept)
    put(git.root, "priv/c.py")
    lock = put(git.root, ".git/index.lock", "")
    with pytest.raises(LockedError) as caught:
        restore_entries(at(git.root), before, kept, patience=0)
    lock.unlink()
    subprocess.run(caught.value.hint.partition("left to do: ")[2], shell=True, check=True)
    assert entries(git.root) == before


def test_a_lock_that_goes_soon_is_waited_for(git):
    put(git.root)
    lock = put(git.root, ".git/index.lock", "")
    timer = threading.Timer(0.3, lock.unlink)
    timer.start()
    change_index(at(git.root), add=[OLD])
    timer.join()
    assert letters(git) == {OLD: "A "}


def test_an_index_that_may_not_be_written_is_an_error_with_the_commands(git):
    put(git.root)
    put(git.root, ".git/index", "this is no index, and long enough")
    with pytest.raises(FileError, match="index") as caught:
        change_index(at(git.root), add=[OLD])
    assert shlex.quote(str(git.root)) in caught.value.hint


# -- keep, and put back


@pytest.mark.parametrize(
    ("on_disk", "found"), [("staged\n", "A "), ("edited\n", "AM"), (None, "AD")]
)
def test_what_was_staged_comes_back_though_git_has_lost_it(git, kept, on_disk, found):
    put(git.root, text="staged\n")
    git("add", ".")
    put(git.root, NEW)
    if on_disk is not None:
        put(git.root, text=on_disk)
    before = regenerated(git, kept, add=[NEW])
    git("-c", "gc.pruneExpire=now", "prune", "--expire=now")
    with Objects(at(git.root)) as objects, pytest.raises(GitError):
        objects.read(before[OLD].oid)
    if on_disk is not None:
        put(git.root, text=on_disk)
    (git.root / NEW).unlink()
    for _ in range(2):
        change_index(at(git.root), remove=[NEW])
        restore_entries(at(git.root), before, kept)
        assert letters(git) == {OLD: found}
        assert staged(git, OLD) == "staged\n"
        assert entries(git.root) == before


def test_what_was_intended_comes_back_where_its_file_is(git, kept):
    put(git.root)
    put(git.root, NEW)
    git("add", "--intent-to-add", ".")
    before = regenerated(git, kept)
    assert not kept.exists()
    put(git.root)
    for _ in range(2):
        restore_entries(at(git.root), before, kept)
        assert letters(git) == {OLD: " A"}


def test_before_the_first_commit_as_after_it(git, kept):
    put(git.root)
    put(git.root, "priv/c.py")
    git("add", OLD)
    git("add", "--intent-to-add", "priv/c.py")
    before = regenerated(git, kept)
    assert (letters(git), git("ls-files")) == ({}, "")
    put(git.root)
    put(git.root, "priv/c.py")
    restore_entries(at(git.root), before, kept)
    assert letters(git) == {OLD: "A ", "priv/c.py": " A"}
    git("commit", "--quiet", "--message", "first")
    assert git("show", f"HEAD:{OLD}") == "one\n"


def test_contents_are_kept_byte_for_byte_and_for_their_owner_only(git, kept):
    put(git.root)
    (git.root / OLD).write_bytes(content := b"\0\xff\r\n no end of line")
    put(git.root, "priv/empty", "")
    git("add", ".")
    umask = os.umask(0)
    try:
        for _ in range(2):
            save_blobs(at(git.root), entries(git.root), kept)
    finally:
        os.umask(umask)
    assert (kept / OLD).read_bytes() == content
    assert (kept / "priv/empty").read_bytes() == b""
    modes = {stat.S_IMODE(path.stat().st_mode) for path in kept.rglob("*") if path.is_file()}
    folders = [kept, *(path for path in kept.rglob("*") if path.is_dir())]
    assert modes == {0o600}
    assert {stat.S_IMODE(path.stat().st_mode) for path in folders} == {0o700}


def test_a_content_that_is_not_kept_any_more_is_an_error(git, kept):
    put(git.root)
    git("add", ".")
    before = regenerated(git, kept)
    (kept / OLD).unlink()
    with pytest.raises(FileError, match="20261123061000_old"):
        restore_entries(at(git.root), before, kept)
    assert letters(git) == {}


def test_where_a_content_cannot_be_kept_the_file_is_named(git, kept):
    put(git.root)
    git("add", ".")
    put(kept.parent, kept.name, "a file in the way")
    with pytest.raises(FileError, match=r"_old\.py cannot be written"):
        save_blobs(at(git.root), entries(git.root), kept)


def test_where_there_is_nothing_to_do_no_git_is_started(git, kept, monkeypatch):
    located = at(git.root)
    monkeypatch.setenv("PATH", "/nowhere")
    save_blobs(located, {}, kept)
    save_blobs(located, {OLD: Entry("intent", "000000", "0" * 40)}, kept)
    change_index(located)
    restore_entries(located, {}, kept)
    assert not kept.exists()


def test_git_is_started_once_for_each_thing_to_do(git, tmp_path, kept, monkeypatch):
    for number in range(40):
        put(git.root, f"{FOLDER}/{number}.py", str(number))
    git("add", ".")
    put(git.root, NEW)
    put(git.root, "priv/c.py")
    before, located = entries(git.root), at(git.root)
    monkeypatch.setenv("GIT_TRACE2_EVENT", str(tmp_path / "trace"))
    save_blobs(located, before, kept)
    change_index(located, remove=before, add=[NEW], intend=["priv/c.py"])
    restore_entries(located, before, kept)
    begun = (tmp_path / "trace").read_text().count('"event":"start"')
    assert begun == 1 + 3 + 2


# -- how new files come into it


@pytest.mark.parametrize(
    ("were", "come"),
    [
        ([], {}),
        (["intent"], {NEW: "intent"}),
        (["staged"], {NEW: "staged"}),
        (["intent", "staged", "intent"], {NEW: "staged"}),
    ],
)
def test_new_files_come_as_the_old_ones_stood_there(were, come):
    assert kinds_for([NEW], [Entry(kind, "100644", "0" * 40) for kind in were]) == come
