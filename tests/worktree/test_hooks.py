"""The hooks' scripts: put beside those that stand already, and taken away again."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from ashflow.errors import FileError, GitError
from ashflow.worktree.git import locate
from ashflow.worktree.hooks import JUDGING, MARK, WARNING, hooks, install, text_of, uninstall

NAMES = (*JUDGING, *WARNING)
DASH = shutil.which("dash") or "sh"


@pytest.fixture
def folder(repo: Path) -> Path:
    """The folder of the hooks, without git's samples."""
    folder = repo / ".git/hooks"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    return folder


def put(path: Path, text: str, mode: int = 0o755) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    path.chmod(mode)
    return path


def script(path: Path, *lines: str, mode: int = 0o755) -> Path:
    """A Python that stands for ours, or a hook of somebody else."""
    return put(path, "\n".join(("#!/bin/sh", *lines, "")), mode)


def states(repo: Path) -> dict[str, str]:
    return {hook.name: hook.state for hook in hooks(locate(repo))}


def everything(folder: Path) -> dict[str, tuple[str, int]]:
    return {p.name: (p.read_text(), p.stat().st_mode) for p in sorted(folder.iterdir())}


# ------------------------------------------------------------------ there, and gone again
def test_the_four_hooks_are_put_there_and_taken_away(repo, folder):
    assert states(repo) == dict.fromkeys(NAMES, "absent")
    put_there = install(locate(repo), sys.executable)
    assert [hook.name for hook in put_there] == list(NAMES)
    assert states(repo) == dict.fromkeys(NAMES, "installed")
    assert {path.name for path in folder.iterdir()} == set(NAMES)
    assert all(os.access(folder / name, os.X_OK) for name in NAMES)
    uninstall(locate(repo))
    assert states(repo) == dict.fromkeys(NAMES, "absent")
    assert list(folder.iterdir()) == []


def test_installing_twice_changes_nothing(repo, folder):
    script(folder / "pre-commit", "exit 3")
    install(locate(repo), sys.executable)
    once = everything(folder)
    install(locate(repo), sys.executable)
    assert everything(folder) == once


def test_an_old_hook_of_ours_is_written_anew_and_is_no_hook_that_stood_before(repo, folder):
    script(folder / "pre-commit", f"{MARK} 0: an older release", "exit 1")
    install(locate(repo), sys.executable)
    assert (folder / "pre-commit").read_text() == text_of("pre-commit", sys.executable)
    assert {path.name for path in folder.iterdir()} == set(NAMES)


def test_the_folder_of_the_hooks_is_made_where_it_is_not_there(repo):
    shutil.rmtree(repo / ".git/hooks", ignore_errors=True)
    install(locate(repo), sys.executable)
    assert states(repo) == dict.fromkeys(NAMES, "installed")


@pytest.mark.parametrize("mode", [0o755, 0o644], ids=["executable", "not executable"])
def test_a_hook_that_stands_is_put_back_as_it_was(repo, folder, mode):
    script(folder / "post-merge", "echo mine", mode=mode)
    before = everything(folder)
    install(locate(repo), sys.executable)
    assert {hook.name for hook in hooks(locate(repo)) if hook.chained} == {"post-merge"}
    uninstall(locate(repo))
    assert everything(folder) == before


def test_a_hook_that_is_a_link_is_put_back_as_a_link(repo, folder):
    script(repo / "tools/check.sh", "exit 0")
    (folder / "pre-commit").symlink_to("../../tools/check.sh")
    install(locate(repo), sys.executable)
    assert not (folder / "pre-commit").is_symlink()
    assert (repo / "tools/check.sh").read_text() == "#!/bin/sh\nexit 0\n"
    uninstall(locate(repo))
    assert (folder / "pre-commit").readlink() == Path("../../tools/check.sh")


def test_uninstall_leaves_the_hooks_of_others_alone(repo, folder):
    script(folder / "pre-commit", "exit 0")
    before = everything(folder)
    uninstall(locate(repo))
    assert everything(folder) == before


def test_two_foreign_hooks_are_nothing_that_we_may_choose_between(repo, folder):
    script(folder / "pre-commit", "echo old")
    install(locate(repo), sys.executable)
    script(folder / "pre-commit", "echo written over ours")
    before = everything(folder)
    with pytest.raises(GitError, match="neither is ashflow's") as caught:
        install(locate(repo), sys.executable)
    assert "pre-commit.before-ashflow" in caught.value.hint
    assert everything(folder) == before


def test_a_folder_that_is_a_file_is_told(repo, folder):
    folder.rmdir()
    folder.write_text("")
    with pytest.raises(FileError, match="hooks cannot be made"):
        install(locate(repo), sys.executable)


# ------------------------------------------------------------------ where they go
def test_a_linked_worktree_has_the_hooks_of_all(git, folder):
    git.commit()
    git("worktree", "add", "--quiet", "../other")
    install(locate(git.root.parent / "other"), sys.executable)
    assert states(git.root) == dict.fromkeys(NAMES, "installed")
    assert {path.name for path in folder.iterdir()} == set(NAMES)


def test_a_submodule_has_hooks_of_its_own(git, tmp_path):
    inner = git.at(tmp_path / "inner")
    inner.root.mkdir()
    inner("init", "--quiet")
    inner.commit()
    git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(inner.root), "sub")
    install(locate(git.root / "sub"), sys.executable)
    assert states(git.root / "sub") == dict.fromkeys(NAMES, "installed")
    assert states(git.root) == dict.fromkeys(NAMES, "absent")
    assert (git.root / ".git/modules/sub/hooks/pre-commit").is_file()


def test_hooks_path_within_the_work_tree_is_where_they_go(git, folder):
    git("config", "core.hooksPath", ".githooks")
    script(git.root / ".githooks/pre-commit", "exit 0")
    install(locate(git.root / ".githooks"), sys.executable)
    assert {p.name for p in (git.root / ".githooks").iterdir()} == {
        *NAMES,
        "pre-commit.before-ashflow",
    }
    assert list(folder.iterdir()) == []


def refusal(repo: Path) -> GitError:
    """Nothing is written, and the error says what to do."""
    before = {p: p.read_bytes() for p in repo.rglob("*") if p.is_file()}
    with pytest.raises(GitError) as caught:
        install(locate(repo), sys.executable)
    assert {p: p.read_bytes() for p in repo.rglob("*") if p.is_file()} == before
    return caught.value


@pytest.mark.parametrize("there", [True, False])
def test_hooks_path_outside_is_for_more_than_this_and_refused(git, tmp_path, there):
    outside = tmp_path / "for all"
    git("config", "core.hooksPath", str(outside))
    if there:
        outside.mkdir()
    error = refusal(git.root)
    assert str(outside) in error.message
    assert "ashflow hook run pre-commit" in error.hint
    assert "git config core.hooksPath .githooks" in error.hint
    assert outside.exists() == there


def test_hooks_that_are_switched_off_are_not_switched_on(git):
    git("config", "core.hooksPath", os.devnull)
    assert os.devnull in refusal(git.root).message
    assert states(git.root) == dict.fromkeys(NAMES, "absent")


@pytest.mark.parametrize("path", [".husky/_", ".husky"], ids=["husky 9", "husky 8"])
def test_husky_gets_a_line_and_no_file(git, path):
    git("config", "core.hooksPath", path)
    script(git.root / path / "pre-commit", '. "$(dirname "$0")/h"')
    error = refusal(git.root)
    assert error.message.startswith("husky ")
    assert error.hint.endswith(".husky/pre-commit: ashflow hook run pre-commit")


def test_lefthook_gets_a_paragraph_and_no_file(repo, folder):
    script(folder / "pre-commit", 'call_lefthook run "pre-commit" "$@"')
    error = refusal(repo)
    assert error.message.startswith("lefthook ")
    assert "lefthook.yml:\npre-commit:" in error.hint
    assert "run: ashflow hook run pre-commit" in error.hint


def test_pre_commit_gets_a_paragraph_and_no_file(repo, folder):
    script(folder / "pre-commit", "# File generated by pre-commit: https://pre-commit.com")
    error = refusal(repo)
    assert error.message.startswith("pre-commit ")
    assert ".pre-commit-config.yaml, below repos:\n  - repo: local" in error.hint
    assert "entry: ashflow hook run pre-commit" in error.hint


# ------------------------------------------------------------------ the scripts
@pytest.mark.parametrize("name", NAMES)
def test_a_script_is_one_that_a_posix_shell_reads(name, tmp_path):
    path = put(tmp_path / name, text_of(name, '/opt/it\'s a "place"/$HOME/python'))
    done = subprocess.run([DASH, "-n", path], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert path.read_text().startswith(f"#!/bin/sh\n{MARK} ")


@pytest.fixture
def staged(git):
    """A git repository in which a file is staged that ashflow looks at."""
    (git.root / "a.py").write_text("")
    git("add", ".")
    return git


def run_hook(repo: Path, name: str, *arguments: str, stdin: str = "", **env: str):
    return subprocess.run(
        [f".git/hooks/{name}", *arguments],
        cwd=repo,
        env={**os.environ, **env},
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_hook_that_stood_before_runs_first_with_all_that_git_gave(staged, folder, tmp_path):
    script(folder / "pre-commit", 'echo "before: $# $1|$2|$(cat)|$GIT_INDEX_FILE"')
    install(locate(staged.root), str(script(tmp_path / "python", 'echo "ours: $*"')))
    done = run_hook(
        staged.root, "pre-commit", "a b", "*", stdin="given", GIT_INDEX_FILE=".git/index"
    )
    assert done.stdout.splitlines() == [
        "before: 2 a b|*|given|.git/index",
        "ours: -P -m ashflow hook run pre-commit a b *",
    ]


@pytest.mark.parametrize("name", JUDGING)
def test_a_hook_that_stood_before_and_fails_has_the_last_word(staged, folder, tmp_path, name):
    script(folder / name, "exit 7")
    install(locate(staged.root), str(script(tmp_path / "python", "echo ours")))
    done = run_hook(staged.root, name)
    assert (done.returncode, done.stdout) == (7, "")


@pytest.mark.parametrize("name", WARNING)
def test_a_hook_that_only_warns_hands_on_the_code_of_the_one_before(staged, folder, tmp_path, name):
    script(folder / name, "cat; exit 7")
    install(locate(staged.root), str(script(tmp_path / "python", "exit 1")))
    done = run_hook(staged.root, name, "0" * 40, "1" * 40, "1", stdin="given")
    assert (done.returncode, done.stdout) == (7, "given")


def test_a_hook_that_git_would_not_run_is_not_run_by_us(staged, folder, tmp_path):
    script(folder / "pre-commit", "exit 7", mode=0o644)
    install(locate(staged.root), str(script(tmp_path / "python", "exit 0")))
    assert run_hook(staged.root, "pre-commit").returncode == 0


def test_the_code_of_the_judge_is_that_of_the_hook(staged, folder, tmp_path):
    install(locate(staged.root), str(script(tmp_path / "python", "exit 2")))
    assert run_hook(staged.root, "pre-commit").returncode == 2


def test_an_interpreter_that_has_gone_leaves_the_ashflow_on_the_path(staged, folder, tmp_path):
    install(locate(staged.root), str(tmp_path / "gone/python"))
    script(tmp_path / "bin/ashflow", 'echo "ours: $*"', "exit 5")
    path = f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}"
    done = run_hook(staged.root, "pre-commit", PATH=path)
    assert (done.returncode, done.stdout) == (5, "ours: hook run pre-commit\n")


def without_ashflow(tmp_path: Path) -> str:
    """A PATH with git and a shell, and no ashflow."""
    folder = tmp_path / "only"
    folder.mkdir()
    for name in ("git", "sh"):
        (folder / name).symlink_to(shutil.which(name))
    return str(folder)


def test_no_interpreter_at_all_stops_a_commit_and_says_why(staged, folder, tmp_path):
    install(locate(staged.root), str(tmp_path / "gone/python"))
    done = run_hook(staged.root, "pre-commit", PATH=without_ashflow(tmp_path))
    assert done.returncode == 1
    assert done.stderr == (
        f"ashflow: {tmp_path}/gone/python is gone, so nothing was checked; "
        "ashflow hook install puts it right\n"
    )


def test_no_interpreter_at_all_stops_no_merge_that_is_done(staged, folder, tmp_path):
    script(folder / "post-merge", "exit $1")
    install(locate(staged.root), str(tmp_path / "gone/python"))
    without = without_ashflow(tmp_path)
    assert run_hook(staged.root, "post-merge", "7", PATH=without).returncode == 7
    done = run_hook(staged.root, "post-merge", "0", PATH=without)
    assert done.returncode == 0
    assert done.stderr.splitlines()[-1].endswith("ashflow hook install puts it right")
    assert len(done.stderr.splitlines()) == 1


# ------------------------------------------------------------------ the fast way out
WATCHED = [
    "a.py",
    "deep/er/ä b.py",
    "priv/notes.txt",
    "my app/priv/resource_snapshots/repo/posts/1.json",
    "pyproject.toml",
    "my app/pyproject.toml",
]
UNWATCHED = ["README.md", "a.pyi", "private/a.txt", "my.priv/a", "not-pyproject.toml", "a.py/b.txt"]


def judged(git, folder, tmp_path, *paths: str) -> bool:
    """Whether a commit of new files starts a Python."""
    install(locate(git.root), str(script(tmp_path / "python", 'echo "$*" >>started', "exit 0")))
    git.commit("begin")
    assert not (git.root / "started").exists()
    for path in paths:
        put(git.root / path, "text")
    git("add", ".")
    git("commit", "--quiet", "--message", "more")
    return (git.root / "started").exists()


@pytest.mark.parametrize("path", WATCHED)
def test_a_commit_with_a_path_that_matters_is_judged(git, folder, tmp_path, path):
    assert judged(git, folder, tmp_path, path, "README.md")


def test_a_commit_without_one_starts_no_python(git, folder, tmp_path):
    assert not judged(git, folder, tmp_path, *UNWATCHED)


@pytest.mark.parametrize(
    "flag", ["--literal-pathspecs", "--glob-pathspecs", "--noglob-pathspecs", "--icase-pathspecs"]
)
def test_how_the_user_has_git_read_paths_is_not_how_the_hook_has(git, folder, tmp_path, flag):
    install(locate(git.root), str(script(tmp_path / "python", "exit 1")))
    put(git.root / "deep/a.py", "")
    git("add", ".")
    git(flag, "commit", "--quiet", "--message", "more", code=1)


@pytest.mark.parametrize("change", ["delete", "move", "mode"])
def test_a_python_file_that_goes_is_one_that_matters(git, folder, tmp_path, change):
    put(git.root / "a.py", "text\n" * 20, 0o644)
    git.commit()
    install(locate(git.root), str(script(tmp_path / "python", "exit 1")))
    match change:
        case "delete":
            git("rm", "--quiet", "a.py")
        case "move":
            git("mv", "a.py", "a.txt")
        case "mode":
            git("update-index", "--chmod=+x", "a.py")
    git("commit", "--quiet", "--message", "gone", code=1)


def test_a_git_that_is_configured_to_compare_otherwise_changes_nothing(git, folder, tmp_path):
    install(locate(git.root), str(script(tmp_path / "python", "exit 1")))
    put(git.root / ".gitattributes", "*.py diff=odd\n")
    git("config", "diff.odd.textconv", "true")
    git("config", "diff.external", "true")
    git("config", "diff.noprefix", "true")
    put(git.root / "a.py", "")
    git("add", ".")
    git("commit", "--quiet", "--message", "more", code=1)
