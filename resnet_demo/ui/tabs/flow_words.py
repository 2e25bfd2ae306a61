"""What the Gradient flow tab says of the networks that it plots: their names in words, how they were measured, the ends
of each curve in numbers."""

from collections.abc import Sequence

from resnet_demo.networks import parse_name
from resnet_demo.networks.spec import in_words
from resnet_demo.records import Flow
from resnet_demo.ui import choices, html
from resnet_demo.ui.language import later, sentence, t
from resnet_demo.ui.layer_plots import ratio, said, spread
from resnet_demo.zoo import Catalogue
from resnet_demo.zoo.datasets import title_of

# An empty line: where the progress is shown.
NO_STATUS = "<p class='facts'>&nbsp;</p>"
COLUMNS = (
    later("network"), later("loss"), later("gradient norm, first convolution"), later("last convolution"),
    later("first / last"), later("response std, first"), later("last"),
)  # fmt: skip


def words(flow: Flow, catalogue: Catalogue) -> str:
    """What its network is, in words."""
    if flow.seed is None:
        entry = catalogue.find(flow.network)
        return t("{network}, trained on {dataset}", network=choices.model_title(entry), dataset=title_of(entry.tag))
    depth, _, rest = in_words(parse_name(flow.network)).partition(", ")
    told = t("{count} layers", count=depth.partition(" ")[0])
    return t(", ").join([told, *map(t, rest.split(", "))])


def status(flows: Sequence[Flow], asked: int) -> str:
    """What was measured, and how far that has come."""
    ways = dict.fromkeys(_measured(flow) for flow in flows)
    some = len(flows) < asked
    done = [t("{done} of {asked} networks so far.", done=len(flows), asked=asked)] if some else []
    return f'<p class="facts">{" ".join([*done, *map(sentence, ways)])}</p>'


def _measured(flow: Flow) -> str:
    if flow.seed is None:
        text = later(
            "After training: {images:,} test images, each with a gradient of its own, mean ± standard deviation, "
            "float32"
        )
        return t(text, images=flow.images)
    text = later("One batch: {images} images, labels drawn at random, float32, seed {seed}")
    return t(text, images=flow.images, seed=flow.seed)


def flow_table(flows: Sequence[Flow], names: Sequence[str]) -> str:
    """The ends of each curve in numbers."""
    rows = []
    for flow, name in zip(flows, names, strict=True):
        first, last = flow.layers[0], flow.layers[-2]
        norms = (said(flow.loss), spread(first), spread(last), ratio(flow))
        rows.append([name, *norms, said(first.response_std), said(last.response_std)])
    return html.table([t(column) for column in COLUMNS], rows, [flow.network for flow in flows])
