"""The folder of what visitors send: this server's alone, and gone when it ends, however it ends."""

import os
import secrets
import shutil
import tempfile
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout
from gradio import processing_utils

from resnet_demo.errors import InputError

PREFIX = "resnet_demo-"
LOCK = ".lock"
# Seconds after which what a visitor has sent is deleted.
KEPT = 3600


@contextmanager
def upload_folder() -> Iterator[Path]:
    """A new folder for Gradio's uploads, in `GRADIO_TEMP_DIR` or else where temporary files are; deleted at the end.

    Those of servers that were killed are deleted now. Raises `InputError` when no folder can be made.
    """
    given = os.environ.get("GRADIO_TEMP_DIR")
    try:
        base = Path(given or tempfile.gettempdir())
        base.mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=base)).resolve()  # As Gradio calls it too.
    except OSError as error:
        raise InputError(
            f"There is no room for what visitors send ({error.strerror}: {error.filename}): set GRADIO_TEMP_DIR to a "
            "folder that can be written to."
        ) from error
    _delete_orphans(base)
    # Gradio names an upload by its content and a secret that it keeps for good: by that name, somebody who has a photo
    # could find out whether it was here before.
    processing_utils.hash_seed = secrets.token_bytes(32)
    with FileLock(folder / LOCK):  # As long as it is held, no other server takes this folder for an orphan.
        os.environ["GRADIO_TEMP_DIR"] = str(folder)
        try:
            yield folder
        finally:
            if given is None:
                del os.environ["GRADIO_TEMP_DIR"]
            else:
                os.environ["GRADIO_TEMP_DIR"] = given
    shutil.rmtree(folder, ignore_errors=True)


def delete_old(folder: Path, kept: Collection[str] = (), seconds: float = KEPT) -> None:
    """Delete the files of `folder` that are older than so many seconds, half an upload too; but not those in `kept`."""
    for path in list(folder.rglob("*")):
        with suppress(OSError):  # Another request may have been quicker.
            if path.is_dir():
                path.rmdir()  # Fails, as it should, where something is left in it.
            elif path.name != LOCK and str(path) not in kept and _age(path) > seconds:
                path.unlink()


def _delete_orphans(base: Path) -> None:
    for folder in base.glob(f"{PREFIX}*"):
        # A younger one may belong to a server that is just starting and has not locked it yet.
        with suppress(OSError, Timeout):
            if folder.is_symlink() or not folder.is_dir() or _age(folder) < KEPT:
                continue
            with FileLock(folder / LOCK, timeout=0):
                pass
            shutil.rmtree(folder)


def _age(path: Path) -> float:
    return time.time() - path.lstat().st_mtime
