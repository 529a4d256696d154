"""Trees of text, and files that are written and moved whole."""

from __future__ import annotations

import errno
import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ashflow.errors import FileError, UnreadableError
from ashflow.worktree import ground, staging
from ashflow.worktree.files import (
    DiskTree,
    came_or_went,
    move_away,
    read_tree,
    write_new,
)
from ashflow.worktree.folders import table_folder

MIGRATIONS = "priv/repo/migrations"
SNAPSHOTS = "priv/resource_snapshots/repo"
ONE = f"{MIGRATIONS}/20261123061000_add_posts.py"
TWO = f"{SNAPSHOTS}/posts/20261123061000.json"


def put(root: Path, path: str, text: str | bytes = "one\n") -> Path:
    place = root / path
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(text.encode() if isinstance(text, str) else text)
    return place


def everything(root: Path) -> dict[str, str]:
    """All that is below a folder: texts of files, targets of links, and folders."""
    found = {}
    for path in sorted(root.rglob("*")):
        name = path.relative_to(root).as_posix()
        if path.is_symlink():
            found[name] = f"-> {path.readlink()}"
        else:
            found[name] = "/" if path.is_dir() else path.read_text()
    return found


@contextmanager
def nobody():
    """Act as a user whom permissions bind, as root is not."""
    if os.geteuid():
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.fixture
def shared():
    """A folder that everybody may enter."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o777)
        yield Path(name).resolve()


# -- a tree


def test_a_tree_has_the_files_below_its_folders_sorted(tmp_path):
    for path in (ONE, TWO, f"{MIGRATIONS}/b/c/d.txt", f"{MIGRATIONS}/b.txt", "priv/notes", "x"):
        put(tmp_path, path)
    tree = read_tree(tmp_path, [MIGRATIONS, SNAPSHOTS, "priv/nowhere"])
    assert list(tree) == sorted([ONE, TWO, f"{MIGRATIONS}/b/c/d.txt", f"{MIGRATIONS}/b.txt"])
    assert len(tree) == 4
    assert ONE in tree
    assert "priv/notes" not in tree
    assert tree == dict.fromkeys(tree, "one\n")
    with pytest.raises(KeyError):
        tree["priv/notes"]


def test_a_folder_named_twice_or_within_another_is_listed_once(tmp_path):
    put(tmp_path, ONE)
    assert list(read_tree(tmp_path, ["priv", MIGRATIONS, "priv"])) == [ONE]


def test_a_text_is_read_when_it_is_asked_for_and_once(tmp_path):
    place = put(tmp_path, ONE, "early\n")
    tree = read_tree(tmp_path, [MIGRATIONS])
    place.write_text("late\n")
    assert tree[ONE] == "late\n"
    place.write_text("later\n")
    assert tree[ONE] == "late\n"


def test_line_ends_are_those_of_unix(tmp_path):
    put(tmp_path, ONE, "a\r\nb\rc\né")
    assert read_tree(tmp_path, ["priv"])[ONE] == "a\nb\nc\né"


def test_a_file_that_is_not_utf_8_is_named_when_it_is_read(tmp_path):
    put(tmp_path, ONE, b"caf\xe9")
    put(tmp_path, TWO)
    tree = read_tree(tmp_path, ["priv"])
    assert tree[TWO] == "one\n"
    with pytest.raises(UnreadableError, match=r"add_posts\.py is not UTF-8 \(byte 4\)") as caught:
        tree[ONE]
    assert "git restore" in caught.value.hint


def test_a_file_that_went_meanwhile_is_named(tmp_path):
    with pytest.raises(FileError, match=r"gone\.py cannot be read: No such file"):
        DiskTree(tmp_path, ["gone.py"])["gone.py"]


def test_a_folder_that_is_a_file_is_named(tmp_path):
    put(tmp_path, MIGRATIONS)
    with pytest.raises(FileError, match=f"{MIGRATIONS} cannot be read: Not a directory"):
        read_tree(tmp_path, [MIGRATIONS])


def test_a_folder_that_may_not_be_read_is_named(shared):
    put(shared, ONE)
    (shared / MIGRATIONS).chmod(0o000)
    with nobody(), pytest.raises(FileError, match=f"{MIGRATIONS} cannot be read: Permission"):
        read_tree(shared, [MIGRATIONS])
    (shared / MIGRATIONS).chmod(0o700)


def test_links_to_folders_are_not_followed_and_pipes_are_no_files(tmp_path):
    put(tmp_path, "outside/a.py")
    put(tmp_path, ONE)
    (tmp_path / MIGRATIONS / "linked").symlink_to(tmp_path / "outside")
    (tmp_path / MIGRATIONS / "loop").symlink_to(tmp_path / MIGRATIONS)
    (tmp_path / MIGRATIONS / "broken").symlink_to("nowhere")
    os.mkfifo(tmp_path / MIGRATIONS / "pipe")
    assert list(read_tree(tmp_path, ["priv"])) == [ONE]


def test_twenty_thousand_files_are_listed_at_once(tmp_path):
    for folder in range(200):
        place = tmp_path / SNAPSHOTS / f"t{folder}"
        place.mkdir(parents=True)
        for number in range(100):
            os.close(os.open(place / f"{number:014}.json", os.O_CREAT | os.O_WRONLY))
    assert len(read_tree(tmp_path, [SNAPSHOTS])) == 20_000


@pytest.mark.parametrize("age", [0, 3600])
def test_what_came_or_went_since_a_listing_is_found(tmp_path, age):
    for path in (ONE, TWO, f"{SNAPSHOTS}/gone/1.json", f"{SNAPSHOTS}/still/1.json"):
        put(tmp_path, path)
    for folder in (MIGRATIONS, f"{SNAPSHOTS}/gone", f"{SNAPSHOTS}/still", SNAPSHOTS):
        os.utime(tmp_path / folder, (time.time() - age,) * 2)  # one that is old is not read again
    folders = [MIGRATIONS, SNAPSHOTS, "priv/nowhere"]
    then = read_tree(tmp_path, folders)
    assert came_or_went(tmp_path, folders, then) == frozenset()
    (tmp_path / ONE).unlink()
    shutil.rmtree(tmp_path / SNAPSHOTS / "gone")
    came = {f"{MIGRATIONS}/b.py", f"{SNAPSHOTS}/new/er/1.json", "priv/nowhere/x"}
    for path in came:
        put(tmp_path, path)
    expected = {ONE, f"{SNAPSHOTS}/gone/1.json", *came}
    assert came_or_went(tmp_path, folders, then) == expected
    assert (
        came_or_went(tmp_path, folders, dict.fromkeys(then, "")) == expected
    )  # of any other tree too


def test_a_folder_that_has_not_changed_is_not_listed_again(tmp_path, monkeypatch):
    put(tmp_path, ONE)
    put(tmp_path, TWO)
    os.utime(tmp_path / MIGRATIONS, (1, 1))
    then = read_tree(tmp_path, [MIGRATIONS, SNAPSHOTS])
    listed, scandir = [], os.scandir
    monkeypatch.setattr(os, "scandir", lambda path: listed.append(path) or scandir(path))
    came_or_went(tmp_path, [MIGRATIONS, SNAPSHOTS], then)
    assert listed
    assert not [path for path in listed if path.endswith(MIGRATIONS)]


# -- new files


def test_new_files_are_written_as_they_are(tmp_path):
    write_new(tmp_path, {ONE: "a\nb\né", TWO: "{}\n"})
    assert (tmp_path / ONE).read_bytes() == "a\nb\né".encode()
    assert (tmp_path / TWO).read_bytes() == b"{}\n"
    assert list(read_tree(tmp_path, ["priv"])) == sorted([ONE, TWO])


def test_nothing_is_written_over_a_file(tmp_path):
    put(tmp_path, TWO, "kept")
    before = everything(tmp_path)
    with pytest.raises(FileError, match=r"posts/20261123061000\.json is there already"):
        write_new(tmp_path, {ONE: "new", TWO: "new"})
    assert everything(tmp_path) == before


@pytest.mark.parametrize("target", ["nowhere", "notes"])
def test_nothing_is_written_over_a_link(tmp_path, target):
    put(tmp_path, f"{MIGRATIONS}/notes")
    (tmp_path / ONE).symlink_to(target)
    with pytest.raises(FileError, match="is there already"):
        write_new(tmp_path, {ONE: "new"})


def test_nothing_is_written_through_a_link(tmp_path):
    (tmp_path / "outside").mkdir()
    (tmp_path / "priv").mkdir()
    (tmp_path / "priv/repo").symlink_to(tmp_path / "outside")
    before = everything(tmp_path)
    with pytest.raises(FileError, match="priv/repo is a link") as caught:
        write_new(tmp_path, {TWO: "new", ONE: "new"})
    assert caught.value.hint
    assert everything(tmp_path) == before


@pytest.mark.parametrize(
    "path",
    [
        "a.py",
        "priv",
        "/etc/a.py",
        "../a.py",
        "priv/../a.py",
        "priv/./a.py",
        "priv//a.py",
        "priv/a/",
        "priv/a\0b",
        "priv/..\\a.py",
        "",
    ],
)
def test_nothing_is_written_outside_of_priv(tmp_path, path):
    with pytest.raises(FileError, match="no path below priv/"):
        write_new(tmp_path, {ONE: "new", path: "new"})
    assert everything(tmp_path) == {}


@pytest.mark.parametrize("path", ["priv", "priv/repo", MIGRATIONS])
def test_a_file_where_a_folder_should_be_is_named(tmp_path, path):
    put(tmp_path, path)
    with pytest.raises(FileError, match=f"{path} is no folder"):
        write_new(tmp_path, {TWO: "new", ONE: "new"})
    assert (tmp_path / path).read_text() == "one\n"


def test_a_folder_that_may_not_be_written_to_is_named_and_nothing_is_left(shared):
    (shared / "priv").mkdir()
    (shared / "priv").chmod(0o777)
    (shared / MIGRATIONS).mkdir(parents=True)
    (shared / MIGRATIONS).chmod(0o555)
    before = everything(shared)
    with nobody(), pytest.raises(FileError) as caught:
        write_new(shared, {TWO: "new", ONE: "new"})
    assert caught.value.message == f"{MIGRATIONS} cannot be written to: Permission denied"
    assert "writable" in caught.value.hint
    assert everything(shared) == before


def test_a_name_that_the_disk_refuses_takes_all_back(tmp_path):
    put(tmp_path, "priv/kept")
    before = everything(tmp_path)
    with pytest.raises(FileError, match="cannot be written: File name too long"):
        write_new(tmp_path, {ONE: "new", TWO: "new", f"{SNAPSHOTS}/t/{'x' * 300}": "new"})
    assert everything(tmp_path) == before


def interrupt(monkeypatch, way, name, *, late):
    """Let Ctrl-C come before a call of the system that has to do with a name, or right after it."""
    real = getattr(os, way)

    def interrupted(source, *target):
        if name in f"{source}{target}":
            if late:
                real(source, *target)
            raise KeyboardInterrupt
        return real(source, *target)

    monkeypatch.setattr(os, way, interrupted)


@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize("way", ["link", "rename"])
def test_an_interruption_between_two_files_takes_all_back(tmp_path, monkeypatch, way, late):
    """A file is linked into a folder that stands; a folder that is new is moved as a whole."""
    put(tmp_path, f"{MIGRATIONS}/kept")
    if way == "link":
        put(tmp_path, f"{SNAPSHOTS}/posts/kept")
    before = everything(tmp_path)
    with monkeypatch.context() as patched:
        interrupt(patched, way, "posts", late=late)
        with pytest.raises(KeyboardInterrupt):
            write_new(tmp_path, {ONE: "new", TWO: "new"})
    assert everything(tmp_path) == before
    write_new(tmp_path, {ONE: "new", TWO: "new"})


def test_a_folder_that_comes_at_the_last_moment_stays_as_it_is(tmp_path, monkeypatch):
    real = os.rename

    def late(source, target):
        put(tmp_path, TWO, "theirs")
        real(source, target)

    monkeypatch.setattr(os, "rename", late)
    with pytest.raises(FileError, match="posts cannot be made: Directory not empty"):
        write_new(tmp_path, {TWO: "ours"})
    assert {n: text for n, text in everything(tmp_path).items() if text != "/"} == {TWO: "theirs"}


@pytest.mark.parametrize("error", [errno.EXDEV, errno.ENOSPC])
def test_folders_of_another_file_system_get_their_files_one_by_one(tmp_path, monkeypatch, error):
    def refuse(source, target):
        raise OSError(error, os.strerror(error))

    monkeypatch.setattr(os, "rename", refuse)
    if error == errno.EXDEV:
        write_new(tmp_path, {ONE: "new", TWO: "new"})
        assert dict(read_tree(tmp_path, ["priv"])) == {ONE: "new", TWO: "new"}
    else:
        with pytest.raises(FileError, match="cannot be made: No space left"):
            write_new(tmp_path, {ONE: "new", TWO: "new"})
        assert everything(tmp_path) == {}


def test_what_comes_in_the_meantime_is_neither_written_over_nor_taken_away(tmp_path, monkeypatch):
    real = staging.stage_all

    def meanwhile(folder, files, modes):
        put(tmp_path, f"{SNAPSHOTS}/posts/theirs.json", "theirs")
        put(tmp_path, f"{SNAPSHOTS}/teams/20261123061000.json", "theirs")
        return real(folder, files, modes)

    monkeypatch.setattr("ashflow.worktree.files.stage_all", meanwhile)
    with pytest.raises(
        FileError, match=r"teams/20261123061000\.json cannot be written: File exists"
    ):
        write_new(tmp_path, {ONE: "new", TWO: "new", TWO.replace("posts", "teams"): "new"})
    left = {name: text for name, text in everything(tmp_path).items() if text != "/"}
    assert left == {
        f"{SNAPSHOTS}/posts/theirs.json": "theirs",
        f"{SNAPSHOTS}/teams/20261123061000.json": "theirs",
    }


@pytest.mark.parametrize("stands", [False, True])
def test_the_disk_is_asked_as_often_for_a_thousand_tables_as_for_twenty(
    tmp_path, monkeypatch, stands
):
    asked = []
    monkeypatch.setattr(os, "fsync", lambda _: asked.append("fsync"))
    monkeypatch.setattr(os, "sync", lambda: asked.append("sync"))
    counts = []
    for number in (20, 1000):
        root = tmp_path / str(number)
        if stands:
            for i in range(number):
                put(root, f"{SNAPSHOTS}/t{i}/kept")
        asked.clear()
        write_new(root, {f"{SNAPSHOTS}/t{i}/1.json": "{}\n" for i in range(number)} | {ONE: "new"})
        counts.append(tuple(asked))
    assert counts == [("sync", "sync")] * 2, "the texts, and then their places"


def test_few_files_are_put_on_the_disk_one_by_one(tmp_path, monkeypatch):
    asked = []
    real = os.fsync
    monkeypatch.setattr(os, "fsync", lambda file: (asked.append(file), real(file)))
    monkeypatch.setattr(os, "sync", lambda: pytest.fail("other programs' files are not ours"))
    write_new(tmp_path, {ONE: "new", TWO: "new"})
    assert len(asked) == 2 + len({*Path(ONE).parents, *Path(TWO).parents})


def test_where_there_are_no_links_files_are_copied_and_nothing_is_overwritten(
    tmp_path, monkeypatch
):
    def refuse(source, target):
        raise OSError(errno.EPERM, os.strerror(errno.EPERM))

    monkeypatch.setattr(os, "link", refuse)
    put(tmp_path, f"{MIGRATIONS}/kept")
    write_new(tmp_path, {ONE: "new"})
    assert everything(tmp_path)[ONE] == "new"
    with pytest.raises(FileExistsError):
        ground.move(put(tmp_path, "priv/other"), tmp_path / ONE)
    assert (tmp_path / ONE).read_text() == "new"
    assert (tmp_path / "priv/other").exists()


def test_a_killed_process_leaves_whole_files_or_none(tmp_path):
    text = "x" * 100_000
    program = (
        "import sys; from pathlib import Path; from ashflow.worktree.files import write_new\n"
        "print(flush=True)\n"
        f"for n in range(9999): write_new(Path(sys.argv[1]), {{f'priv/{{n}}.py': {text!r}}})"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path)], stdout=subprocess.PIPE
    ) as writer:
        writer.stdout.read(1)
        time.sleep(0.1)
        writer.kill()
    written = list((tmp_path / "priv").glob("[0-9]*.py"))
    assert written
    assert all(path.read_text() == text for path in written)


def test_a_killed_process_is_in_nobodys_way(tmp_path):
    """Snapshots of a thousand tables, and the process is killed in the middle of moving them."""
    files = {f"{SNAPSHOTS}/t{i}/1.json": "x" * 500 for i in range(1000)} | {ONE: "new"}
    program = (
        "import os, signal, sys; from pathlib import Path; from ashflow.worktree import files\n"
        "real, moved = files.move_folder, []\n"
        "def killed(source, target):\n"
        "    real(source, target)\n"
        "    moved.append(target)\n"
        "    if len(moved) == 500: os.kill(os.getpid(), signal.SIGKILL)\n"
        "files.move_folder = killed\n"
        "files.write_new(Path(sys.argv[1]), eval(sys.stdin.read()))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path)], input=repr(files), text=True, check=False
    )
    assert done.returncode == -signal.SIGKILL
    left = [path for path in (tmp_path / "priv").iterdir() if path.name.startswith(".ashflow-")]
    assert len(left) == 1
    assert (left[0] / ".gitignore").read_text() == "*\n"
    written = read_tree(tmp_path, [MIGRATIONS, SNAPSHOTS])
    assert len(written) == 500
    assert dict(written) == {path: files[path] for path in written}
    write_new(tmp_path, {path: text for path, text in files.items() if path not in written})
    assert dict(read_tree(tmp_path, [MIGRATIONS, SNAPSHOTS])) == files


# -- moving away, and back


@pytest.fixture
def store(tmp_path):
    return tmp_path / "store" / "1"


@pytest.fixture
def root(tmp_path):
    root = tmp_path / "root"
    put(root, ONE, "migration")
    put(root, TWO, "snapshot")
    put(root, f"{SNAPSHOTS}/teams/1.json", "stays")
    return root


def test_files_move_into_the_store_with_their_paths(root, store):
    put(root, f"{SNAPSHOTS}/teams/2.json")
    moved = move_away(root, [ONE, TWO, f"{SNAPSHOTS}/teams/2.json"], store)
    assert moved.paths == (ONE, TWO, f"{SNAPSHOTS}/teams/2.json")
    assert (store / ONE).read_text() == "migration"
    assert (store / TWO).read_text() == "snapshot"
    assert list(read_tree(root, ["priv"])) == [f"{SNAPSHOTS}/teams/1.json"]
    assert stat.S_IMODE(store.stat().st_mode) == 0o700


def test_the_folder_of_a_table_goes_when_it_is_empty_and_no_other(root, store):
    move_away(root, [ONE, TWO], store)
    assert not (root / SNAPSHOTS / "posts").exists()
    assert (root / SNAPSHOTS / "teams").exists()
    assert (root / MIGRATIONS).exists()


def test_putting_back_is_the_way_back(root, store):
    before = everything(root)
    (root / ONE).chmod(0o640)
    move_away(root, [ONE, TWO], store).put_back()
    assert everything(root) == before
    assert stat.S_IMODE((root / ONE).stat().st_mode) == 0o640
    assert not [path for path in store.rglob("*") if path.is_file()]


def test_on_another_file_system_files_are_copied_and_removed(root, store, monkeypatch):
    def refuse(source, target):
        raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))

    monkeypatch.setattr(os, "link", refuse)
    before = everything(root)
    (root / ONE).chmod(0o640)
    moved = move_away(root, [ONE, TWO], store)
    assert list(read_tree(root, ["priv"])) == [f"{SNAPSHOTS}/teams/1.json"]
    moved.put_back()
    assert everything(root) == before
    assert stat.S_IMODE((root / ONE).stat().st_mode) == 0o640


@pytest.fixture
def elsewhere(tmp_path):
    """A folder on another file system."""
    here = tmp_path.stat().st_dev
    for place in map(Path, ("/dev/shm", "/var/tmp", Path(__file__).parent)):
        if place.is_dir() and place.stat().st_dev != here and os.access(place, os.W_OK):
            with tempfile.TemporaryDirectory(dir=place) as folder:
                yield Path(folder)
            return
    pytest.skip("needs a second file system")


def test_a_store_on_a_real_other_file_system_works(root, elsewhere):
    before = everything(root)
    moved = move_away(root, [ONE, TWO], elsewhere / "store")
    assert (elsewhere / "store" / ONE).read_text() == "migration"
    moved.put_back()
    assert everything(root) == before


def test_one_file_that_is_not_there_stops_all(root, store):
    before = everything(root)
    with pytest.raises(FileError, match=r"gone\.py is not there"):
        move_away(root, [ONE, f"{MIGRATIONS}/gone.py"], store)
    assert everything(root) == before
    assert not store.exists()


def test_a_link_and_a_folder_are_not_moved(root, store):
    (root / f"{MIGRATIONS}/link.py").symlink_to(root / ONE)
    before = everything(root)
    for path in (f"{MIGRATIONS}/link.py", MIGRATIONS):
        with pytest.raises(FileError, match="is no regular file"):
            move_away(root, [ONE, path], store)
    assert everything(root) == before


def test_nothing_is_moved_through_a_link_or_from_elsewhere(root, store, tmp_path):
    put(tmp_path, "outside/a.py")
    put(root, "a.py")
    (root / "priv/linked").symlink_to(tmp_path / "outside")
    for path in ("priv/linked/a.py", "a.py", "priv/../a.py"):
        with pytest.raises(FileError):
            move_away(root, [path], store)
    assert (tmp_path / "outside/a.py").exists()


def test_what_is_in_the_store_already_is_not_overwritten_and_all_is_put_back(root, store):
    put(store, TWO, "older")
    before = everything(root)
    with pytest.raises(FileError, match="cannot be moved") as caught:
        move_away(root, [ONE, TWO], store)
    assert "there already" in caught.value.hint
    assert everything(root) == before
    assert (store / TWO).read_text() == "older"


def test_what_came_in_the_meantime_is_not_overwritten_by_putting_back(root, store):
    moved = move_away(root, [ONE, TWO], store)
    put(root, TWO, "newer")
    with pytest.raises(FileError, match="is there already"):
        moved.put_back()
    assert (root / TWO).read_text() == "newer"
    assert not (root / ONE).exists()
    assert (store / TWO).read_text() == "snapshot"


def test_a_store_that_cannot_be_made_moves_nothing(root, tmp_path):
    put(tmp_path, "taken")
    with pytest.raises(FileError, match="cannot be made"):
        move_away(root, [ONE], tmp_path / "taken" / "store")
    assert (root / ONE).exists()


# -- the folder of a table


NAMES = st.text(max_size=200) | st.text("aA%~.@/\\é", max_size=60)


@pytest.mark.parametrize("table", ["users", "order_items2", "a-b", "a.b", "console", "@domain"])
def test_a_plain_name_is_its_own_folder(table):
    assert table_folder(table) == table


@pytest.mark.parametrize(
    ("table", "folder"),
    [
        ("Users", "%55sers"),
        ("..", "%2E%2E"),
        (".hidden", "%2Ehidden"),
        ("dot.", "dot%2E"),
        ("a/b", "a%2Fb"),
        ("a\\b", "a%5Cb"),
        ("a\0b", "a%00b"),
        ("two words", "two%20words"),
        ("é", "%C3%A9"),
        ("50%", "50%25"),
        ("a~b", "a%7Eb"),
        ("con", "%63on"),
        ("nul.txt", "%6Eul.txt"),
        ("com1", "%63om1"),
        ("lpt9.", "%6Cpt9%2E"),
        ("@domains", "%40domains"),
        ("", "%"),
    ],
)
def test_a_name_that_is_not_safe_is_percent_encoded(table, folder):
    assert table_folder(table) == folder


def test_a_name_that_is_too_long_is_cut_and_still_its_own():
    folders = {table_folder("é" * 100 + end) for end in ("", "a", "b")}
    assert len(folders) == 3
    assert all(len(folder) <= 120 for folder in folders)
    assert all("%C3%A9~" in folder or "%C3~" in folder for folder in folders)


@given(NAMES, NAMES)
@example("Users", "users")
@example("con", "%63on")
@example("", "%")
@example("é" * 100, "é" * 101)
def test_no_two_tables_share_a_folder_in_any_case(one, other):
    same = table_folder(one).casefold() == table_folder(other).casefold()
    assert same == (one == other)


@given(NAMES)
def test_a_folder_is_one_plain_part_of_a_path(table):
    folder = table_folder(table)
    assert ground.is_below_priv(f"priv/{folder}/1.json")
    assert folder.isascii()
    assert 0 < len(folder) <= 120
    assert not folder.startswith(".")
    assert not folder.endswith((".", " "))
