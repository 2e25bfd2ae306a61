"""Two networks on one photo: what each predicts, where each looks for the same class, what reaches each layer."""

from dataclasses import dataclass
from typing import Any

from resnet_demo.analysis import analyze
from resnet_demo.errors import InputError
from resnet_demo.finding import find_class
from resnet_demo.images import ImageSource, load_image
from resnet_demo.records import Analysis
from resnet_demo.zoo import Model, load_model


@dataclass(frozen=True)
class Comparison:
    """Two analyses of one photo, of the same class where both know it.

    same_class   whether both explain the class of the same name
    """

    first: Analysis
    second: Analysis
    same_class: bool

    def to_dict(self, image: str = "") -> dict[str, Any]:
        """Plain values for JSON."""
        analyses = (self.first.to_dict(image), self.second.to_dict(image))
        return {"first": analyses[0], "second": analyses[1], "same_class": self.same_class}


def compare(
    image: ImageSource,
    first: str | Model,
    second: str | Model,
    target: int | str | None = None,
    layer: str | None = None,
    precision: str = "float32",
) -> Comparison:
    """Analyze one photo with two networks: one forward and one gradient computation each.

    target   the class that both explain; the first network's most probable one unless given. A network that does not
             know it (its labels are others) explains its own most probable class
    layer    as in `analyze`: a block or a stage that both have; the last block of each unless given
    precision  as in `analyze`

    Raises `InputError` for an image, model or layer that does not exist, or a class that neither network knows.
    """
    photo = load_image(image)
    one, other = (model if isinstance(model, Model) else load_model(model) for model in (first, second))
    known = [_index(target, model.labels) for model in (one, other)]
    if target is not None and known == [None, None]:
        find_class(target, one.labels)  # Says what is wrong with it.
    analysis = analyze(photo, one, known[0], layer, precision=precision)
    wanted = analysis.target.label if target is None or known[0] is not None else target
    same = _index(wanted, other.labels) if _comparable(one, other) else None
    twin = analyze(photo, other, same, layer, precision=precision)
    return Comparison(analysis, twin, analysis.target.label == twin.target.label)


def relative_depths(analysis: Analysis) -> list[float]:
    """Where each layer of `analysis.gradients` is on the way from the input, 0, to the output, 1."""
    last = len(analysis.gradients) - 1
    return [i / last for i in range(last + 1)]


def _index(target: int | str | None, labels: tuple[str, ...]) -> int | None:
    try:
        return None if target is None else find_class(target, labels)
    except InputError:
        return None


def _comparable(one: Model, other: Model) -> bool:
    """Outputs of untrained networks have numbers for names, which another network's classes do not share."""
    return one.trained == other.trained
