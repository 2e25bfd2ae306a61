"""The files that `analyze --output` writes for each photo: their names, whether they exist already, and how they are
written beside the analyses."""

import hashlib
import json
import multiprocessing
import multiprocessing.connection
import os
import signal
import threading
from collections.abc import Callable
from concurrent.futures import BrokenExecutor, ProcessPoolExecutor
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PIL import Image

from resnet_demo import plots
from resnet_demo.errors import writing
from resnet_demo.records import Analysis, Comparison, Question

if TYPE_CHECKING:
    from resnet_demo.zoo import Entry, Model

# Of the 255 bytes of a file name; the rest is for a number, a model's name and ".overlay.png".
MOST_STEM_BYTES = 160
# How the names of all pictures end that are written for a photo.
PICTURES = (".overlay.png", ".plot.png", ".compare.png")
# So few photos are written before helper processes would have started.
FEW = 8
# Windows waits for no more.
MOST_WORKERS = 60


def source_of(file: Path, entry: "Entry") -> list[Any]:
    """The identity of a result's inputs: the file and the weights."""
    weights = entry.weights_hash
    try:
        stat = file.stat()
    except OSError:
        return [weights]  # The error is reported when the file is opened.
    return [stat.st_size, stat.st_mtime_ns, weights]


def is_known(stem: Path, file: Path, model: "Model", question: Question, source: list[Any]) -> bool:
    """Whether an earlier run has written the same result."""
    try:
        values = json.loads(Path(f"{stem}.json").read_text(encoding="utf-8"))
        same = (values["image"], values["model"], values["asked"]) == (str(file), model.name, asdict(question))
        pictures = all(Path(f"{stem}.{kind}.png").exists() for kind in ("overlay", "plot"))
        return same and values["source"] == source and pictures
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return False  # Missing or foreign: it is written again.


def is_of_another(stem: Path, file: Path) -> bool:
    """Whether an earlier run has written results of this name for another photo."""
    try:
        values = json.loads(Path(f"{stem}.json").read_text(encoding="utf-8"))
        if Path(values["image"]).resolve() == file.resolve():
            return False
        stat = file.stat()
        # The same photo can have been named from another folder, or have been moved.
        return values.get("source", [])[:2] != [stat.st_size, stat.st_mtime_ns]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return False  # Missing or foreign, as in `is_known`.


def stems_of(files: list[Path], taken_by: Callable[[str, Path], bool] = lambda stem, file: False) -> dict[Path, str]:
    """The name of each file's results: the file's name without suffix, numbered if several files share it.

    taken_by   whether a name is that of another file's earlier results
    """
    stems: dict[Path, str] = {}
    taken: set[str] = set()
    for file in files:
        number, stem = 1, (own := _short_stem(file))
        while stem in taken or taken_by(stem, file):
            number += 1
            stem = f"{own}-{number}"
        taken.add(stem)
        stems[file] = stem
    return stems


def _short_stem(file: Path) -> str:
    """The file's name without suffix. If the additions would make it too long for a file system, it is truncated and a
    hash of the full name is appended, which makes it reproducible and unique."""
    stem = os.fsencode(file.stem)
    if len(stem) <= MOST_STEM_BYTES:
        return file.stem
    digest = hashlib.sha256(stem).hexdigest()[:16]
    # Truncation may split a multi-byte character; its first bytes are dropped.
    return f"{stem[: MOST_STEM_BYTES - 17].decode(errors='ignore')}-{digest}"


# Waits until the files are written, and raises `InputError` if they could not be.
Writing = Callable[[], None]


class Writer:
    """Draws and writes results in other processes, on all cores, while photos are analyzed: drawing takes longer than a
    small network. A few photos are written synchronously, before other processes would have started.

    photos      number of photos to come
    processes   number of processes that share this machine
    """

    def __init__(self, photos: int, processes: int = 1) -> None:
        workers = max(1, min(MOST_WORKERS, usable_cores() // processes))
        self._pool = None
        if photos > FEW:
            # Not forked, as this process has threads.
            context = multiprocessing.get_context("spawn")
            self._pool = ProcessPoolExecutor(workers, context, initializer=_give_way)
        # Photos that wait to be drawn are held in memory.
        self.ahead = 4 * workers if self._pool else 0

    def __enter__(self) -> "Writer":
        return self

    def __exit__(self, *error: object) -> None:
        if self._pool:
            self._pool.shutdown(cancel_futures=True)

    def write(self, function: Callable[..., None], *arguments: Any) -> Writing:
        """Start `function(*arguments)`, one of the two functions below."""
        if self._pool is None:
            return partial(function, *arguments)
        try:
            return self._pool.submit(function, *arguments).result
        except BrokenExecutor:  # One of them was killed. `result` of those before says so, too.
            return partial(function, *arguments)


def usable_cores() -> int:
    """As many as this process may use, which may be fewer than the machine has."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        multiprocessing.connection.wait([parent.sentinel])
        os._exit(0)


def _give_way() -> None:
    """Lower this process's priority: the networks come first, and drawing can finish after them."""
    threading.Thread(target=_end_with_parent, daemon=True).start()  # The parent may be killed.
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches all processes; the first one handles it.
    if hasattr(os, "nice"):
        os.nice(10)


def write_results(stem: Path, photo: Image.Image, analysis: Analysis, values: dict[str, Any]) -> None:
    """Write the three files of an analysis. The JSON is written last and atomically, so if it exists the other two do
    as well. Raises `InputError`."""
    path = Path(f"{stem}.json")
    with writing(path):
        if path.is_file():
            path.unlink()  # Of earlier pictures, which it must not stand beside if this is interrupted.
        plots.overlay(photo, analysis).save(f"{stem}.overlay.png", compress_level=plots.COMPRESSION)
        Path(f"{stem}.plot.png").write_bytes(plots.to_png(plots.report_figure(analysis)))
        partial_path = Path(f"{stem}.json.partial")
        partial_path.write_text(json.dumps(values, indent=1, allow_nan=False) + "\n", encoding="utf-8")
        os.replace(partial_path, path)


def write_comparison(path: Path, comparison: Comparison) -> None:
    """Write the plot of both analyses. Raises `InputError`."""
    with writing(path):
        path.write_bytes(plots.to_png(plots.compare_figure(comparison)))
