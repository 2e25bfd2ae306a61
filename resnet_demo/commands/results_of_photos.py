"""The files that `analyze --output` writes for each photo: how they are called, and whether they are there already."""

import hashlib
import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import Any

from resnet_demo.errors import InputError, writing
from resnet_demo.records import Question

# Of the 255 that a file name may have. To the others are added a number, a model's name and ".overlay.png".
MOST_STEM_BYTES = 160


def source_of(file: Path, entries: list[Any]) -> list[Any]:
    """What a result was made from: the very file, and the very weights."""
    weights = [entry.card.sha256 if entry.card else "" for entry in entries]
    try:
        stat = file.stat()
    except OSError:
        return weights  # It will be reported when it is opened.
    return [stat.st_size, stat.st_mtime_ns, *weights]


def is_known(stem: Path, file: Path, model: Any, question: Question, source: list[Any]) -> bool:
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


def write_results(stem: Path, file: Path, analysis: Any, values: dict[str, Any]) -> None:
    """The JSON last and at once: where it is, the other two are. Raises `InputError`."""
    from resnet_demo import plots
    from resnet_demo.images import load_image

    photo = load_image(file)
    if photo.size != analysis.photo_size:
        raise InputError("the photo has been changed while it was analyzed: try again.")
    path = Path(f"{stem}.json")
    with writing(path):
        plots.overlay(photo, analysis).save(f"{stem}.overlay.png")
        Path(f"{stem}.plot.png").write_bytes(plots.to_png(plots.report_figure(analysis)))
        partial = Path(f"{stem}.json.partial")
        partial.write_text(json.dumps(values, indent=1, allow_nan=False) + "\n", encoding="utf-8")
        os.replace(partial, path)
