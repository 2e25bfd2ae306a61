"""What the page needs done between a click and its answer; no components here, so it can be called and tested."""

import base64
import csv
import functools
import io
import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from PIL import Image

from resnet_demo import plots
from resnet_demo.analysis.attributions import METHODS, Method, attribute
from resnet_demo.analysis.class_maps import explain_classes
from resnet_demo.analysis.comparison import compare
from resnet_demo.analysis.explaining import analyze
from resnet_demo.analysis.precision import precision_error
from resnet_demo.errors import InputError, quoted
from resnet_demo.images import load_image
from resnet_demo.laboratory.flow import gradient_flow
from resnet_demo.laboratory.lesion import predict_lesioned
from resnet_demo.memory import return_freed_memory
from resnet_demo.networks import NetworkSpec, create_network, parse_name
from resnet_demo.networks.architecture import describe
from resnet_demo.networks.resnext_forms import FORMS
from resnet_demo.records import (
    Analysis,
    ClassMap,
    Comparison,
    Flow,
    LayerGradient,
    PrecisionError,
    Prediction,
    Question,
)
from resnet_demo.ui.picture import Overlaid
from resnet_demo.zoo import Entry, ModelCache
from resnet_demo.zoo.catalogue import MAX_WIDTH

MOST_FLOWS, DEEPEST_FLOW, DEEPEST_DRAWING = 6, 110, 200
# Layers of all networks whose flows are asked for together; one takes 20 to 25 ms of a core. As one answer, and one
# after the other before the eyes of a visitor, who can leave.
LAYERS_AT_ONCE, LAYERS_IN_TURN = 120, 340
# Multiply-adds and layers that one request may ask of a CPU in all: a forward and a backward pass take 0.1 s of a core
# for 10^9, and 1.2 ms for a layer. And where a pass leaves so much memory behind that it should go back.
MOST_MULTIPLY_ADDS, MOST_LAYERS, LARGE = 24_000_000_000, 1_250, 4_000_000_000
NUMBER_COLUMNS = list(LayerGradient.__dataclass_fields__)


@dataclass(frozen=True)
class Shown:
    """What a visitor has in front of them: enough to draw it again or to download it. The photo stays in its file."""

    photo: str
    entry: Entry
    analysis: Analysis
    error: PrecisionError | None = None


def look(
    cache: ModelCache, path: str, name: str, target: str, layer: str, precision: str = "float32"
) -> tuple[Shown, Image.Image]:
    """Analyze a photo with the model called `name`; an empty `target` or `layer` means the default one. Gives the
    decoded photo too. What a faster precision costs is measured along with it. Raises `InputError`."""
    exact = precision == "float32"
    if not exact:
        _require_affordable(cache, name, name)
    model, photo = cache.get(name), load_image(path)
    found = analyze(photo, model, target or None, layer or None, precision=precision)
    error = None if exact else precision_error(found, analyze(photo, model, found.target.index, found.layer))
    _return_memory(found)
    return Shown(path, cache.catalogue.find(name), found, error), photo


def _require_affordable(cache: ModelCache, *names: str) -> None:
    """Raises `InputError` when these networks, each passed through once, take longer than a visitor of a CPU may ask
    for. One alone never does: the catalogue sees to that."""
    entries = [cache.catalogue.find(name) for name in names]
    work = sum(describe(entry.spec, entry.preprocessing.crop_size).multiply_adds for entry in entries)
    layers = sum(entry.spec.depth for entry in entries)
    if cache.device == "cpu" and (work > MOST_MULTIPLY_ADDS or layers > MOST_LAYERS):
        together = " and ".join(dict.fromkeys(entry.name for entry in entries))
        raise InputError(f"{together} take too long together: choose smaller networks, one alone, or float32.")


def _return_memory(*analyses: Analysis) -> None:
    """Give the system back what the passes of a large network have left."""
    if max(analysis.multiply_adds for analysis in analyses) > LARGE:
        return_freed_memory()


def overlaid(entry: Entry, analysis: Analysis, photo: Image.Image, opacity: float = 0.5) -> Overlaid:
    """The decoded photo with Grad-CAM over it; random weights have nothing to show there."""
    if not entry.trained:
        return Overlaid(photo, alt="The photo")
    return Overlaid(photo, plots.veil(analysis), opacity, f"Grad-CAM of {analysis.target.label} over the photo")


def look_at_both(cache: ModelCache, path: str, first: str, second: str, target: str) -> tuple[Comparison, Image.Image]:
    """Compare two models on a photo; an empty `target` means the first one's top class. Gives the decoded photo too.
    Raises `InputError`."""
    _require_affordable(cache, first, second)
    models, photo = (cache.get(first), cache.get(second)), load_image(path)
    found = compare(photo, *models, Question(target or None))
    _return_memory(found.first, found.second)
    return found, photo


def class_overlays(cache: ModelCache, shown: Shown, targets: list[str]) -> list[tuple[ClassMap, Overlaid]]:
    """Grad-CAM over the photo for each class, or for the three most probable ones. Raises `InputError`."""
    analysis, photo = shown.analysis, load_image(shown.photo)
    maps = explain_classes(photo, cache.get(shown.entry.name), targets, analysis.layer)
    return [
        (found, Overlaid(photo, plots.veil(analysis, found.cam), alt=f"Grad-CAM of {found.prediction.label}"))
        for found in maps
    ]


def attribution_overlay(cache: ModelCache, shown: Shown, method: str, proceed: Callable[[float], bool]) -> Overlaid:
    """A pixel attribution of the explained class over the photo. Raises `InputError`, or `StoppedError`."""
    analysis, photo = shown.analysis, load_image(shown.photo)
    found = attribute(photo, cache.get(shown.entry.name), method, analysis.target.index, None, proceed)
    _return_memory(analysis)
    alt = f"{METHODS[method].title} of {analysis.target.label}"
    return Overlaid(photo, plots.veil(analysis, found.heat), 0.8, alt)


def cost(shown: Shown, method: Method) -> str:
    """What a method will take, by what the last forward pass took; a backward pass costs about two."""
    seconds = shown.analysis.milliseconds["forward"] / 1000 * (method.forwards + 2 * method.backwards)
    return f"{method.forwards + method.backwards} passes, about {max(seconds, 0.1):.1f} s"


def lesioned(cache: ModelCache, photo: str, name: str, removed: list[str]) -> tuple[tuple[Prediction, ...], ...]:
    """The predictions of the whole network, and without the `removed` blocks. Raises `InputError`."""
    model, image = cache.get(name), load_image(photo)
    return predict_lesioned(image, model, ()), predict_lesioned(image, model, removed)


def drawable(name: str) -> NetworkSpec:
    """The network of that name, if it is not larger than any picture. Raises `InputError`."""
    spec = parse_name(name)
    if spec.depth > DEEPEST_DRAWING or spec.cardinality * spec.base_width > MAX_WIDTH:
        raise InputError(f"{quoted(name)} is too large to be drawn: at most {DEEPEST_DRAWING} layers.")
    return spec


@functools.cache
def resnext_forms() -> dict[str, float]:
    """The largest difference of each form of a ResNeXt-50's block from the grouped one, relative to its deviation."""
    network = create_network("resnext50_32x4d", generator=torch.Generator().manual_seed(0)).eval()
    x = torch.randn(1, 256, 56, 56, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        outputs = {name: form(network.layer1[1], x) for name, form in FORMS.items()}
    grouped = outputs["grouped convolution"]
    return {name: ((output - grouped).abs().max() / grouped.std()).item() for name, output in outputs.items()}


def flows(names: list[str], device: str, most_layers: int) -> Iterator[Flow]:
    """The gradient flow of each network. Raises `InputError`, before the first, when these are none that the page can
    afford."""
    if len(names) > MOST_FLOWS:
        raise InputError(f"Send at most {MOST_FLOWS} networks at a time.")
    specs = [_affordable(name) for name in names]
    layers = sum(spec.depth for spec in set(specs))
    if layers > most_layers:
        raise InputError(f"These networks have {layers} layers together: ask for at most {most_layers} at a time.")
    for spec in specs:
        yield _flow(spec, device)


def _affordable(name: str) -> NetworkSpec:
    spec = parse_name(name, num_classes=10)
    if spec.depth > DEEPEST_FLOW or spec.family != "cifar":
        raise InputError(f"{quoted(name)} is too large for this page: CIFAR networks of at most {DEEPEST_FLOW} layers.")
    return spec


@functools.lru_cache(maxsize=256)
def _flow(spec: NetworkSpec, device: str) -> Flow:
    """Measured once."""
    return gradient_flow(spec, device=device)


def gradient_svg(shown: Shown) -> str:
    """The gradient plot in the page's own ink, with its numbers in words for a screen reader."""
    figure = plots.gradient_figure(shown.analysis, plots.PAGE_INK)
    first, last = shown.analysis.gradients[0], shown.analysis.gradients[-1]
    label = (
        f"Gradient norm of the {len(shown.analysis.gradients)} layers of {shown.entry.architecture}: "
        f"{first.gradient_norm:.3g} at the input, {last.gradient_norm:.3g} at the output"
    )
    return plots.to_svg(figure, label)


def numbers(analysis: Analysis) -> list[list[Any]]:
    """The gradient plot as a table, one row a layer; the columns are `NUMBER_COLUMNS`."""
    rows = []
    for gradient in analysis.gradients:
        values = asdict(gradient) | {"shape": "x".join(map(str, gradient.shape))}
        rows.append([f"{v:.4g}" if isinstance(v, float) else "" if v is None else v for v in values.values()])
    return rows


def export(shown: Shown, kind: str, opacity: float) -> tuple[str, bytes]:
    """File name and content of a download: kind is "overlay.png", "plot.png", "plot.svg", "json" or "csv"."""
    content = {
        "overlay.png": lambda: _png(plots.overlay(load_image(shown.photo), shown.analysis, opacity)),
        "plot.png": lambda: plots.to_png(plots.gradient_figure(shown.analysis)),
        "plot.svg": lambda: plots.to_svg(plots.gradient_figure(shown.analysis), "Gradient norms").encode(),
        "json": lambda: json.dumps(shown.analysis.to_dict(Path(shown.photo).name), indent=1).encode(),
        "csv": lambda: _csv(shown.analysis),
    }[kind]()
    return f"{Path(shown.photo).stem}.{shown.entry.name}.{kind}", content


def data_url(name: str, content: bytes) -> dict[str, str]:
    """A download that needs no file on the server."""
    return {"name": name, "url": f"data:application/octet-stream;base64,{base64.b64encode(content).decode()}"}


def _png(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def _csv(analysis: Analysis) -> bytes:
    text = io.StringIO()
    writer = csv.DictWriter(text, NUMBER_COLUMNS)
    writer.writeheader()
    writer.writerows(
        asdict(gradient) | {"shape": "x".join(map(str, gradient.shape))} for gradient in analysis.gradients
    )
    return text.getvalue().encode()
