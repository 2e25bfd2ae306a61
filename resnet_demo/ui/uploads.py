"""The folder of uploads: each server has its own, and it is deleted when the server ends, however it ends."""

import os
import secrets
import shutil
import tempfile
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout
from gradio import processing_utils

from resnet_demo.errors import InputError

PREFIX = "resnet_demo-"
LOCK = ".lock"
# Seconds after which an upload is deleted.
KEPT = 3600
# Seconds that a server has to lock the folder that it has made.
STARTING = 120


@contextmanager
def upload_folder() -> Iterator[Path]:
    """A new folder for Gradio's uploads, in `GRADIO_TEMP_DIR` or else where temporary files are; deleted at the end.

    Raises `InputError` when no folder can be made.
    """
    given = os.environ.get("GRADIO_TEMP_DIR")
    folder = _make_folder(given)
    # Gradio names an upload by its content and a secret that it never changes: by that name, whoever has a photo could
    # find out whether it was uploaded before.
    processing_utils.hash_seed = secrets.token_bytes(32)
    os.environ["GRADIO_TEMP_DIR"] = str(folder)
    try:
        with FileLock(folder / LOCK):  # As long as it is held, no other server takes this folder for an orphan.
            yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        del os.environ["GRADIO_TEMP_DIR"]
        if given is not None:
            os.environ["GRADIO_TEMP_DIR"] = given


def _make_folder(given: str | None) -> Path:
    try:
        base = Path(given or tempfile.gettempdir()).resolve()  # As Gradio spells it too.
        base.mkdir(parents=True, exist_ok=True)
        return Path(tempfile.mkdtemp(prefix=PREFIX, dir=base))
    except OSError as error:
        raise InputError(
            f"Uploads cannot be stored ({error.strerror}: {error.filename}): set GRADIO_TEMP_DIR to a folder that can "
            "be written to."
        ) from error


def uploaded(path: Any, cache: str) -> Path | None:
    """The real path of a file that was uploaded into `cache`; None for any other path, whether it exists or not."""
    try:
        real = Path(path).resolve(strict=True)
    except (OSError, RuntimeError, TypeError, ValueError):  # RuntimeError: links that go in a circle.
        return None
    return real if real.is_file() and real.is_relative_to(Path(cache).resolve()) else None


def delete_old(folder: Path, kept: Collection[str] = (), seconds: float = KEPT) -> None:
    """Delete the files in `folder` older than so many seconds, unfinished uploads too, except those in `kept`."""
    for path in list(folder.rglob("*")):
        with suppress(OSError):  # Another request may have been quicker.
            if path.is_dir():
                path.rmdir()  # Fails, as it should, where something is left in it.
            elif path.name != LOCK and str(path) not in kept and _age(path) > seconds:
                path.unlink()


def delete_orphans(folder: Path) -> None:
    """Delete the upload folders beside this one whose servers were killed."""
    for other in folder.parent.glob(f"{PREFIX}*"):
        with suppress(OSError, Timeout):
            mine = not other.is_symlink() and other.is_dir() and other.stat().st_uid == folder.stat().st_uid
            if other == folder or not mine or _age(other) < STARTING:
                continue
            with FileLock(other / LOCK, timeout=0):
                pass
            shutil.rmtree(other)


def _age(path: Path) -> float:
    return time.time() - path.lstat().st_mtime
