"""What the laboratory has measured of trained networks, kept as JSON below a folder of weights.

The file NAME.lesion.json, NAME.landscape.json or NAME.flow.json lies in the folder of its kind, and counts only for the
very weights it was measured with.
"""

import json
import os
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TypeVar

from resnet_demo.errors import InputError, report, writing
from resnet_demo.files import replacing
from resnet_demo.json_files import read_json, to_record, told_as
from resnet_demo.networks.architecture import block_summaries
from resnet_demo.records import Landscape, LesionStudy, TrainedFlow
from resnet_demo.zoo import Entry
from resnet_demo.zoo.paths import STUDIES

Study = TypeVar("Study", LesionStudy, Landscape, TrainedFlow)
KINDS: dict[type, str] = {LesionStudy: "lesion", Landscape: "landscape", TrainedFlow: "flow"}


def folder_of(kind: type, weights: Path) -> Path:
    """Where the studies of a kind lie below a folder of weights."""
    return weights / STUDIES[KINDS[kind]]


def write_study(study: Study, folder: Path) -> Path:
    """Write the study to `folder`/MODEL.KIND.json, atomically, as a page may be reading it. Raises `InputError` when
    that is not possible."""
    path = folder / _name(type(study), study.model)
    with writing(path):
        folder.mkdir(parents=True, exist_ok=True)
    with replacing(path) as file:
        file.write((json.dumps(asdict(study), indent=1) + "\n").encode())
    return path


def find_study(kind: type[Study], entry: Entry, folders: Sequence[Path]) -> Study | None:
    """The study of an entry with the very weights it has now, if there is one below one of the folders of weights: the
    last of them, as what a user has measured again counts before what is shipped."""
    places = [folder_of(kind, folder) for folder in reversed(folders)] if entry.weights_hash else []
    found = (read_study(kind, entry, place) for place in places)
    return next(filter(None, found), None)


def read_study(kind: type[Study], entry: Entry, folder: Path) -> Study | None:
    """The study of an entry in `folder`, if there is one of its weights; a damaged file is reported and ignored."""
    path = folder / _name(kind, entry.name)
    if not os.path.lexists(path):
        return None
    try:
        with told_as(path, f"a {KINDS[kind]} study"):
            study = to_record(kind, read_json(path))
            _require_fit(study, entry)
    except InputError as error:
        report(str(error), path)
        return None
    return study if study.sha256 == entry.weights_hash else None


def _require_fit(study: LesionStudy | Landscape | TrainedFlow, entry: Entry) -> None:
    if study.model != entry.name:
        raise ValueError(f"it is not about {entry.name}")
    if isinstance(study, LesionStudy) and set(study.errors) != {block.name for block in block_summaries(entry.spec)}:
        raise ValueError(f"it is not about the blocks of {entry.name}")


def _name(kind: type, model: str) -> str:
    return f"{model}.{KINDS[kind]}.json"
