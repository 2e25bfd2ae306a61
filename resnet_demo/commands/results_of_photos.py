"""The files that `analyze --output` writes for each photo: how they are called, and whether they are there already."""

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

# Of the 255 that a file name may have. To the others are added a number, a model's name and ".overlay.png".
MOST_STEM_BYTES = 160
# Photos that are written sooner than processes start that could help.
FEW = 8
# Windows waits for no more.
MOST_WORKERS = 60


def source_of(file: Path, entry: "Entry") -> list[Any]:
    """What a result is made from: the very file, and the very weights."""
    weights = entry.card.sha256 if entry.card else ""
    try:
        stat = file.stat()
    except OSError:
        return [weights]  # It will be reported when it is opened.
    return [stat.st_size, stat.st_mtime_ns, weights]


def is_known(stem: Path, file: Path, model: "Model", question: Question, source: list[Any]) -> bool:
    """Whether an earlier run has written what this one would."""
    try:
        values = json.loads(Path(f"{stem}.json").read_text(encoding="utf-8"))
        same = (values["image"], values["model"], values["asked"]) == (str(file), model.name, asdict(question))
        pictures = all(Path(f"{stem}.{kind}.png").exists() for kind in ("overlay", "plot"))
        return same and values["source"] == source and pictures
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return False  # Not there, or not ours: it is written again.


def stems_of(files: list[Path]) -> dict[Path, str]:
    """The name of each file's results: its own without suffix, numbered where several files share it."""
    stems: dict[Path, str] = {}
    taken: set[str] = set()
    for file in files:
        number, stem = 1, (own := _short_stem(file))
        while stem in taken:
            number += 1
            stem = f"{own}-{number}"
        taken.add(stem)
        stems[file] = stem
    return stems


def _short_stem(file: Path) -> str:
    """The file's name without suffix, cut where what is added to it would make it too long for a file system; then
    with a hash of all of it, so that it is always the same and nobody else's."""
    stem = os.fsencode(file.stem)
    if len(stem) <= MOST_STEM_BYTES:
        return file.stem
    digest = hashlib.sha256(stem).hexdigest()[:16]
    # A character of several bytes may be cut in two: what is left of it goes.
    return f"{stem[: MOST_STEM_BYTES - 17].decode(errors='ignore')}-{digest}"


# Waits for what is being written, and raises `InputError` if it could not be.
Writing = Callable[[], None]


class Writer:
    """Draws and writes what was found, beside the analyses and on every core: a drawing takes longer than a small
    network. A few photos are written here and now, before other processes would have started.

    photos      how many there are to come
    processes   that share this machine with this one
    """

    def __init__(self, photos: int, processes: int = 1) -> None:
        workers = max(1, min(MOST_WORKERS, usable_cores() // processes))
        self._pool = None
        if photos > FEW:
            # Not forked, for this process has threads.
            context = multiprocessing.get_context("spawn")
            self._pool = ProcessPoolExecutor(workers, context, initializer=_give_way)
        # What waits to be drawn is in memory.
        self.ahead = 4 * workers if self._pool else 0

    def __enter__(self) -> "Writer":
        return self

    def __exit__(self, *error: object) -> None:
        if self._pool:
            self._pool.shutdown(cancel_futures=True)

    def write(self, function: Callable[..., None], *arguments: Any) -> Writing:
        """Begin with `function(*arguments)`, one of the two below."""
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
    """The networks come first: what they have found can still be drawn when they have done."""
    threading.Thread(target=_end_with_parent, daemon=True).start()  # It may be killed.
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # The terminal tells all processes; the first one answers.
    if hasattr(os, "nice"):
        os.nice(10)


def write_results(stem: Path, photo: Image.Image, analysis: Analysis, values: dict[str, Any]) -> None:
    """The JSON last and at once: where it is, the other two are. Raises `InputError`."""
    path = Path(f"{stem}.json")
    with writing(path):
        plots.overlay(photo, analysis).save(f"{stem}.overlay.png", compress_level=plots.COMPRESSION)
        Path(f"{stem}.plot.png").write_bytes(plots.to_png(plots.report_figure(analysis)))
        partial_path = Path(f"{stem}.json.partial")
        partial_path.write_text(json.dumps(values, indent=1, allow_nan=False) + "\n", encoding="utf-8")
        os.replace(partial_path, path)


def write_comparison(path: Path, comparison: Comparison) -> None:
    """The plot of both. Raises `InputError`."""
    with writing(path):
        path.write_bytes(plots.to_png(plots.compare_figure(comparison)))
