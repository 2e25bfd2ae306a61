"""What visitors and programs get for what they send, within the page's budgets. No components here."""

import functools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image

from resnet_demo import plots
from resnet_demo.analysis.class_maps import explain_classes
from resnet_demo.analysis.comparison import compare
from resnet_demo.analysis.explaining import analyze_batch
from resnet_demo.analysis.precision import precision_error
from resnet_demo.errors import InputError
from resnet_demo.images import ImageSource, load_image
from resnet_demo.laboratory.flow import gradient_flow
from resnet_demo.laboratory.studies import find_study
from resnet_demo.networks import NetworkSpec
from resnet_demo.records import DEFAULT_QUESTION, Analysis, Comparison, Flow, PrecisionError, Question, TrainedFlow
from resnet_demo.ui import spoken
from resnet_demo.ui.budgets import MOST_FLOWS, measurable, require_affordable, return_memory
from resnet_demo.ui.language import t
from resnet_demo.ui.picture import Overlaid
from resnet_demo.zoo import Catalogue, Entry, Model, ModelCache


@dataclass(frozen=True)
class Shown:
    """What a visitor has in front of them: enough to draw it again or to download it. The photo stays in its file.

    asked      the question as it was asked: photo, network, class, layer, precision, scale
    strength   the map's maximum as a share of that for the most probable class, in the same layer
    heat       float32 (h, w): the map as it is drawn, on its own scale or on that of the most probable class
    """

    photo: str
    entry: Entry
    analysis: Analysis
    error: PrecisionError | None = None
    strength: float = 1.0
    own_scale: bool = False
    asked: tuple[str, ...] = ()

    @property
    def heat(self) -> np.ndarray:
        return self.analysis.cam if self.own_scale else self.analysis.cam * np.float32(min(self.strength, 1.0))


def look(cache: ModelCache, path: str, name: str, question: Question = DEFAULT_QUESTION) -> tuple[Shown, Image.Image]:
    """Analyze a photo with the model called `name`. Gives the decoded photo too. What a faster precision costs is
    measured along with it. Raises `InputError`."""
    entry, exact = cache.catalogue.find(name), question.precision == "float32"
    require_affordable(cache.device, *([entry] if exact else [entry, entry]))
    model, photo = cache.get(name), load_image(path)
    (found,) = analyze_batch([photo], model, question)
    error = None
    if not exact:
        (reference,) = analyze_batch([photo], model, Question(found.target.index, found.layer))
        error = precision_error(found, reference)
    return_memory(found)
    return Shown(path, entry, found, error, _strength(found, model, photo)), photo


def _strength(found: Analysis, model: Model, photo: Image.Image) -> float:
    """The maximum of a map as a share of that of the most probable class: maps have no scale in common otherwise."""
    if not found.predictions or found.predictions[0].index == found.target.index:
        return 1.0
    (top,) = explain_classes(photo, model, [found.predictions[0].index], found.layer)
    return found.cam_max / top.cam_max if top.cam_max > 0 else 1.0


def look_at_both(
    cache: ModelCache, photo: ImageSource, first: str, second: str, target: int | str | None = None
) -> tuple[Comparison, Image.Image]:
    """Compare two models on a photo; no `target` means the most probable class of the first. Gives the decoded photo
    too. Raises `InputError`."""
    require_affordable(cache.device, cache.catalogue.find(first), cache.catalogue.find(second))
    models, photo = (cache.get(first), cache.get(second)), load_image(photo)
    found = compare(photo, *models, Question(target))
    return_memory(found.first, found.second)
    return found, photo


def overlaid(entry: Entry, analysis: Analysis, photo: Image.Image, heat: np.ndarray | None = None) -> Overlaid:
    """The decoded photo with Grad-CAM over it; the photo alone for an untrained network, which explains nothing."""
    if not entry.trained:
        return Overlaid(photo, alt=t("The photo"))
    return Overlaid(photo, plots.veil(analysis, heat), alt=spoken.heatmap(analysis))


def flows(names: Sequence[str], catalogue: Catalogue, device: str, most_layers: int) -> Iterator[Flow]:
    """The gradient flow of each network, one after the other: at initialization; or after training for the name of a
    trained one, as `python -m resnet_demo trained-flow` has measured it. Raises `InputError`, before the first is
    measured, when the page cannot afford them all or does not have one."""
    if len(names) > MOST_FLOWS:
        raise InputError(f"Send at most {MOST_FLOWS} networks at a time.")
    untrained = [name for name in names if "." not in name]
    trained = {name: _trained_flow(name, catalogue) for name in names if "." in name}
    specs = dict(zip(untrained, measurable(untrained, most_layers), strict=True))
    for name in names:
        yield trained[name] if name in trained else _flow(specs[name], device)


def measured(catalogue: Catalogue) -> list[str]:
    """The names of the trained networks that `flows` has."""
    return [entry.name for entry in catalogue.entries() if find_study(TrainedFlow, entry, catalogue.folders)]


def _trained_flow(name: str, catalogue: Catalogue) -> Flow:
    entry = catalogue.find(name)
    study = find_study(TrainedFlow, entry, catalogue.folders)
    if study is None:
        raise InputError(f"The gradients of {entry.name} were not measured after training: choose another network.")
    return study.flow


@functools.lru_cache(maxsize=256)
def _flow(spec: NetworkSpec, device: str) -> Flow:
    """Measured once, whoever asks."""
    return gradient_flow(spec, device=device)
