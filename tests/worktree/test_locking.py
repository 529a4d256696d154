"""The lock of a file: who is kept out, and for how long."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from ashflow.errors import FileError, LockedError
from ashflow.worktree.locking import holding, is_held

HOLDER = """
import sys, time
from pathlib import Path
from ashflow.errors import LockedError
from ashflow.worktree.locking import holding
with holding(Path(sys.argv[1]), 5, LockedError("no")):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def path(tmp_path):
    return tmp_path / "lock"


def held(path, lock_timeout=0.0):
    return holding(path, lock_timeout, LockedError("somebody else has it"))


def test_who_holds_it_keeps_others_out_until_it_is_let_go(path):
    with held(path):
        assert is_held(path)
        with pytest.raises(LockedError, match="somebody else has it"), held(path):
            pass
    assert not is_held(path)
    with held(path):
        pass


def test_it_is_waited_for(path):
    begun, order = threading.Event(), []

    def hold():
        with held(path):
            begun.set()
            time.sleep(0.2)
            order.append("holder")

    thread = threading.Thread(target=hold)
    thread.start()
    assert begun.wait(5)
    with held(path, 5):
        order.append("waiter")
    thread.join()
    assert order == ["holder", "waiter"]


def test_it_goes_with_a_holder_that_is_killed(path):
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(path)], stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(LockedError), held(path, 0.1):
            pass
        holder.send_signal(signal.SIGKILL)
        with held(path, 5):
            pass


def test_it_is_let_go_also_where_a_forked_process_has_the_file_open(path):
    inside, outside = os.pipe()
    with held(path):
        child = os.fork()
        if child == 0:
            os.close(outside)
            os.read(inside, 1)  # until the parent lets it go
            os._exit(0)
    try:
        with held(path):
            pass
    finally:
        os.close(outside)
        os.close(inside)
        os.waitpid(child, 0)


def test_one_who_waited_while_the_file_was_removed_holds_the_one_that_stands_there(path):
    begun, held_by = threading.Event(), []

    def hold():
        with held(path):
            begun.set()
            time.sleep(0.2)
            path.unlink()

    thread = threading.Thread(target=hold)
    thread.start()
    assert begun.wait(5)
    with held(path, 5):
        held_by.append(is_held(path))
    thread.join()
    assert held_by == [True]


def test_a_file_that_can_not_be_made_is_named(tmp_path):
    with pytest.raises(FileError, match="lock cannot be made"), held(tmp_path / "nowhere/lock"):
        pass
