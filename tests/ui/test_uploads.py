"""The folder of visitors' uploads, and starting the page where it cannot be served."""

import os
import socket
import time
from pathlib import Path

import gradio as gr
import pytest
from filelock import FileLock

from resnet_demo.errors import InputError
from resnet_demo.ui import serve
from resnet_demo.ui.uploads import KEPT, LOCK, PREFIX, delete_old, delete_orphans, upload_folder


def made(path: Path, hours: float) -> Path:
    """A file of the given age."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("sent")
    then = time.time() - 3600 * hours
    os.utime(path, (then, then))
    return path


def test_only_what_is_old_and_not_kept_is_deleted(tmp_path):
    old, young, kept = (made(tmp_path / name / "photo.jpg", hours) for name, hours in (("a", 2), ("b", 0.5), ("c", 2)))
    half = made(tmp_path / "half-an-upload", 2)
    lock = made(tmp_path / LOCK, 2)
    delete_old(tmp_path, {str(kept)})
    assert [path.exists() for path in (old, half, young, kept, lock)] == [False, False, True, True, True]
    delete_old(tmp_path, {str(kept)})
    assert not old.parent.exists()


def test_a_folder_of_its_own_is_made_and_removed_and_only_orphans_go_with_it(tmp_path, monkeypatch):
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "link"))
    (tmp_path / "link").symlink_to(tmp_path)
    orphan, running, starting, other = (tmp_path / name for name in (f"{PREFIX}1", f"{PREFIX}2", f"{PREFIX}3", "other"))
    for folder in (orphan, running, starting, other):
        made(folder / "photo.jpg", 2)
    then = time.time() - KEPT - 60
    for folder in (orphan, running, other):
        os.utime(folder, (then, then))
    with FileLock(running / LOCK):
        os.utime(running, (then, then))
        with upload_folder() as folder:
            assert os.environ["GRADIO_TEMP_DIR"] == str(folder) == str(folder.resolve())
            assert folder.stat().st_mode & 0o077 == 0
            made(folder / "sent.jpg", 0)
            delete_orphans(folder)
            assert [path.exists() for path in (orphan, running, starting, other)] == [False, True, True, True]
    assert not folder.exists()
    assert os.environ["GRADIO_TEMP_DIR"] == str(tmp_path / "link")


def test_a_place_that_cannot_be_used_is_one_sentence(tmp_path, monkeypatch, assert_clear_sentence):
    place = made(tmp_path / "file", 0)
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(place))
    with pytest.raises(InputError, match="set GRADIO_TEMP_DIR to a folder") as caught, upload_folder():
        pass
    assert_clear_sentence(str(caught.value), paths=[place])


@pytest.mark.parametrize("port", ["99999", "-1", "x"])
def test_a_port_that_cannot_be_is_refused(run, port):
    result = run("page", "--offline", "--port", port)
    assert result.code == 2
    assert "Invalid value for '--port'" in result.err
    assert "Traceback" not in result.err


def test_a_page_that_cannot_be_served_is_one_sentence(run, tmp_path, monkeypatch):
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    monkeypatch.setattr("resnet_demo.ui.share_cores", lambda: None)  # All threads stay with the tests.
    with gr.Blocks(analytics_enabled=False) as page:
        pass
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        monkeypatch.setattr("resnet_demo.ui.build_page", lambda *what: page)
        result = run("page", "--port", port, "--offline")
        assert (result.code, result.err.count("\n")) == (2, 1)
        assert result.err.startswith(f"The page cannot be served on 127.0.0.1:{port}: ")
        for host in ("127.0.0.1", "::1"):
            with pytest.raises(InputError, match=f"The page cannot be served on {host}:{port}: ") as caught:
                serve(lambda: page, host, port, share=False, open_=False)
            assert "\n" not in str(caught.value)
    assert not list(tmp_path.glob(f"{PREFIX}*"))
