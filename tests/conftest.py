"""Fixtures and settings that several test files share."""

import os

if "PYTEST_XDIST_WORKER" in os.environ:
    # Parallel test processes share the cores: each computes with one thread, and so do the processes that it starts.
    os.environ.setdefault("OMP_NUM_THREADS", "1")

import gc
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from xdist.scheduler import LoadFileScheduling

# What imports torch is imported where it is used: the process that hands out the tests reads this file too, and all
# wait for it.
from resnet_demo.memory import made_to_stay

# Whole pages are made and left here again and again. To look for them as often as Python does takes a tenth of the
# tests' time.
gc.set_threshold(7_000, 10, 50)

# The networks trained by the developer who runs the tests are never searched for, not even during collection.
os.environ["RESNET_DEMO_WEIGHTS"] = str(Path(tempfile.gettempdir()) / "resnet_demo tests have no weights")

ROOT = Path(__file__).parents[1]


class ByFile(LoadFileScheduling):
    """The tests of a file run in one of the parallel processes. So do all of browser/, which share a server and a
    Chromium, whose first pages take several times as long as the next ones, and all of hostile/, which share a server.
    """

    def _split_scope(self, nodeid):
        rooms = ("tests/browser/", "tests/hostile/")
        return next(filter(nodeid.startswith, rooms), super()._split_scope(nodeid))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    return ByFile(config, log)


@pytest.hookimpl(wrapper=True)
def pytest_collection():
    with made_to_stay():
        return (yield)


@pytest.fixture
def photo(tmp_path):
    from tests.pictures import save_photo

    return save_photo(tmp_path / "photos" / "photo.png")


@pytest.fixture
def narrow(monkeypatch):
    """Networks of an eighth of the channels, or half in the cifar family: each depth's structure, with less to add."""
    from resnet_demo.networks import NetworkSpec

    monkeypatch.setattr(NetworkSpec, "planes", property(lambda spec: tuple(8 * 2**i for i in range(len(spec.stages)))))


@pytest.fixture
def assert_clear_sentence(tmp_path):
    """A check that a message is fit for users: one line, no jargon, no path of this machine but the expected ones."""

    def check(message, *, paths=()):
        assert re.fullmatch(r"[^\n]+[.]", message), message
        assert not re.search(r"Traceback|Error\b|Exception", message), message
        for path in paths:
            message = message.replace(str(path), "")
        assert str(tmp_path) not in message, message

    return check


@pytest.fixture
def own_folders(tmp_path, monkeypatch):
    """Caches and the user's weights in `tmp_path`, without any setting or proxy of the machine that runs the tests."""
    monkeypatch.setenv("RESNET_DEMO_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("RESNET_DEMO_WEIGHTS", str(tmp_path / "own"))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.delenv("RESNET_DEMO_OFFLINE", raising=False)


@pytest.fixture
def shipped(tmp_path, monkeypatch):
    """A folder of shipped weights with one entry, resnet20.cifar10, which has random weights and a card."""
    from resnet_demo.zoo import paths
    from tests.cards import put_weights

    folder = tmp_path / "weights"
    folder.mkdir()
    monkeypatch.setattr(paths, "shipped_folder", lambda: folder)
    put_weights(folder, "resnet20.cifar10")
    return folder


@pytest.fixture
def run(monkeypatch, capsys):
    """Runs a command line and returns its exit code, stdout and stderr."""
    from resnet_demo.__main__ import main

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["resnet_demo", *map(str, arguments)])
        with pytest.raises(SystemExit) as stopped:
            main()
        out, err = capsys.readouterr()
        return SimpleNamespace(code=stopped.value.code, out=out, err=err)

    return run


@pytest.fixture
def run_process():
    """As `run`, in a process of its own, for behaviour that only a process shows; returns as `subprocess.run`."""

    def run_process(*arguments, **environment):
        environment = {**os.environ, "PYTHONPATH": str(ROOT), **environment}
        command = [sys.executable, "-m", "resnet_demo", *map(str, arguments)]
        return subprocess.run(command, capture_output=True, env=environment, timeout=120, check=False)

    return run_process


@pytest.fixture
def npz(tmp_path):
    """64 training and 20 test images of 32 x 32 pixels in three classes that differ in colour."""
    path, draw = tmp_path / "tiny.npz", np.random.default_rng(0)
    arrays = {}
    for split, count in (("train", 64), ("test", 20)):
        labels = np.arange(count) % 3
        pixels = draw.integers(0, 60, (count, 32, 32, 3)) + 180 * np.eye(3, dtype=int)[labels][:, None, None]
        arrays |= {f"{split}_x": pixels.astype(np.uint8), f"{split}_y": labels}
    np.savez(path, classes=np.array(["red", "green", "blue"]), **arrays)
    return path
