"""The processes that draw what `analyze --output` writes: one that is killed, and a killed parent."""

import os
import signal
import subprocess
import sys
import time

import pytest

from resnet_demo.commands.photos import _finished
from resnet_demo.commands.results_of_photos import FEW, Writer
from resnet_demo.errors import InputError

PATIENCE = 60


def test_a_few_photos_are_written_without_other_processes(tmp_path):
    with Writer(FEW) as writer:
        assert writer.ahead == 0
        writer.write(os.mkdir, tmp_path / "made")()
    assert (tmp_path / "made").exists()


def test_a_killed_process_costs_the_photo_that_it_drew_and_no_other(tmp_path):
    with Writer(FEW + 1) as writer:
        first = writer.write(os._exit, 1)
        file, found = _finished(tmp_path / "photo.png", {}, [first])
        assert isinstance(found, InputError)
        assert "could not be drawn" in str(found)
        second = writer.write(os.mkdir, tmp_path / "made")
        assert _finished(file, {"a": 1}, [second]) == (file, {"a": 1})
    assert (tmp_path / "made").exists()


@pytest.mark.skipif(sys.platform == "win32", reason="sends SIGKILL")
def test_the_processes_end_with_a_killed_parent():
    code = """
import os, time
from resnet_demo.commands.results_of_photos import FEW, Writer
if __name__ == "__main__":
    with Writer(FEW + 1) as writer:
        waiting = [writer.write(time.sleep, 0.5) for _ in range(4)]
        [wait() for wait in waiting]
        print(*writer._pool._processes, flush=True)
        time.sleep(600)
"""
    parent = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    pids = [int(pid) for pid in parent.stdout.readline().split()]
    assert pids
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    deadline = time.monotonic() + PATIENCE
    while any(is_running(pid) for pid in pids) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not any(is_running(pid) for pid in pids)


def is_running(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return "Z" not in subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True).stdout
