"""Two networks on one photo: the predictions, Grad-CAM for the same class, and the norms of both."""

from dataclasses import replace

from resnet_demo.analysis.explaining import analyze_batch
from resnet_demo.analysis.finding import find_class
from resnet_demo.errors import InputError
from resnet_demo.images import ImageSource, load_image
from resnet_demo.records import DEFAULT_QUESTION, Comparison, Question
from resnet_demo.zoo import Model, load_model


def compare(
    image: ImageSource, first: str | Model, second: str | Model, question: Question = DEFAULT_QUESTION
) -> Comparison:
    """Analyze one photo with two networks: one forward and one gradient computation each.

    question   its target is the class that both explain; the first network's most probable one unless given. A network
               whose labels do not include it explains its own most probable class. Its layer is a block or a stage
               that both have; the last block of each unless given

    Raises `InputError` for an invalid image, an unknown model or layer, or a class that neither network has.
    """
    photo = load_image(image)
    one, other = (model if isinstance(model, Model) else load_model(model) for model in (first, second))
    target = question.target
    known = [_index(target, model.labels) for model in (one, other)]
    if target is not None and known == [None, None]:
        find_class(target, one.labels)  # Raises with the closest labels.
    (analysis,) = analyze_batch([photo], one, replace(question, target=known[0]))
    same = _same(one, other, analysis.target.index) if target is None or known[0] is not None else known[1]
    (twin,) = analyze_batch([photo], other, replace(question, target=same))
    return Comparison(analysis, twin, analysis.target.label == twin.target.label)


def _index(target: int | str | None, labels: tuple[str, ...]) -> int | None:
    try:
        return None if target is None else find_class(target, labels)
    except InputError:
        return None


def _same(one: Model, other: Model, index: int) -> int | None:
    """The class of `other` with the label that class `index` has in `one`."""
    if one.trained != other.trained:
        return None  # The labels of an untrained network are only numbers.
    return index if one.labels == other.labels else _index(one.labels[index], other.labels)
