"""What the page's pickers offer: data set, then connection, then depth; each only what exists."""

import re

from resnet_demo.analysis.finding import find_class, find_layer
from resnet_demo.errors import InputError, quoted
from resnet_demo.ui.language import later, t
from resnet_demo.zoo import Catalogue, Entry, require_weights, weight_state

# Of weights without a card, which would tell.
DATASET_TITLES = {
    "tv_in1k": later("ImageNet: 1000 classes"),
    "tv2_in1k": later("ImageNet, newer recipe"),
    "untrained": later("Untrained: gradients only"),
}
CONNECTION_TITLES = {
    "residual": later("residual"),
    "plain": later("plain"),
    "preactivation": later("pre-activation"),
    "highway": later("highway"),
    "resnext": "ResNeXt",
}
FAMILY_TITLES = {
    "residual": "ResNet",
    "plain": "plain",
    "preactivation": "PreResNet",
    "highway": "Highway",
    "resnext": "ResNeXt",
}
NOT_HERE = later("not on this machine")
# Everyday things among its classes: most photos get a name.
OPENS_WITH = "resnet56.cifar100"
Choices = list[tuple[str, str]]


def available(catalogue: Catalogue) -> list[Entry]:
    """The entries that can be picked: damaged ones are not among them. The untrained ones always are."""
    return [entry for entry in catalogue.entries() if entry.from_torchvision or weight_state(entry).kind != "damaged"]


def pickable(catalogue: Catalogue, name: str) -> Entry:
    """The entry called `name`. Raises `InputError` when there is none, or its files are damaged."""
    entry = catalogue.find(name)
    require_weights(entry)
    return entry


def exists(catalogue: Catalogue, name: str) -> bool:
    """Whether the page offers something of that name."""
    return any(name in (entry.name, entry.architecture) for entry in available(catalogue))


def twin(entry: Entry) -> str:
    """The network to put beside this one, which the catalogue may not have: plain20.cifar10 for resnet20.cifar10 and
    the other way round; the one that has the shortcuts of a folded network; the trained one of a grown network's depth.
    Empty for a network of another kind."""
    if entry.origin is not entry:
        return entry.origin.name if entry.spec.folded else f"{entry.spec.name}.{entry.tag}"
    twins = {"resnet": "plain", "plain": "resnet"}
    found = re.match("(resnet|plain)(?=[0-9])", entry.name)
    return twins[found[0]] + entry.name[found.end() :] if found else ""


def opening(catalogue: Catalogue, name: str | None = None) -> str:
    """What the page opens with: `name`, or else the usual model, or the first one that needs no download. Raises
    `InputError` when there is none of that name, or its files are damaged."""
    if name:
        return pickable(catalogue, name).name
    offered = [entry.name for entry in _here(catalogue)]
    return OPENS_WITH if OPENS_WITH in offered else offered[0]


def pairs(catalogue: Catalogue) -> Choices:
    """(title, name of the residual one) of every trained pair of twins that needs no download."""
    here = _here(catalogue)
    names = {entry.name for entry in here if entry.card}
    residual = [e for e in here if e.name in names and e.origin is e and e.spec.connection == "residual"]
    return [(_grouped_title(entry), entry.name) for entry in residual if twin(entry) in names]


def deepest_pair(catalogue: Catalogue) -> tuple[str, str]:
    """The deepest trained residual network that is here with its plain twin: on the data set that the page opens with,
    or else on the first that has such a pair; untrained ones if none has."""
    found = [catalogue.find(name) for _, name in pairs(catalogue)]
    if not found:
        return "resnet56.untrained", "plain56.untrained"
    usual = OPENS_WITH.partition(".")[2]
    tag = usual if usual in {entry.tag for entry in found} else found[0].tag
    deepest = max((entry for entry in found if entry.tag == tag), key=lambda entry: entry.spec.depth)
    return deepest.name, twin(deepest)


def model_choices(catalogue: Catalogue, trained: bool = False) -> Choices:
    """(title, name) of every entry that needs no download, by data set; only the trained ones, if asked for."""
    here = _here(catalogue)
    tags = list(dict.fromkeys(entry.tag for entry in here))
    grouped = sorted(here, key=lambda entry: (tags.index(entry.tag), entry.spec.depth))
    return [(_grouped_title(entry), entry.name) for entry in grouped if entry.trained or not trained]


def partners(catalogue: Catalogue, first: Entry) -> Choices:
    """(title, name) of every entry with the very classes of `first`, that can be put beside it."""
    offered = model_choices(catalogue)
    return [(title, name) for title, name in offered if catalogue.find(name).labels == first.labels]


def partner(catalogue: Catalogue, first: Entry, wanted: str = "") -> str:
    """The entry to put beside `first`: the one called `wanted` if it has the same classes, or else its twin, or else
    the first other one."""
    names = [name for _, name in partners(catalogue, first)]
    others = [name for name in names if name != first.name]
    return next((name for name in (wanted, twin(first)) if name in names), next(iter(others), first.name))


def is_here(catalogue: Catalogue, name: str) -> bool:
    """Whether the weights of that name need no download. Raises `InputError` when there is none, or its files are
    damaged."""
    return weight_state(pickable(catalogue, name)).kind != "to fetch"


def require_here(catalogue: Catalogue, *names: str) -> None:
    """Raises `InputError` for a model that has to be fetched: tabs other than Explore do not wait for downloads."""
    for name in names:
        if not is_here(catalogue, name):
            raise InputError(t("{name} has to be fetched once: pick it on the Explore tab, then come back.", name=name))


def connection_of(entry: Entry) -> str:
    """ResNeXt is residual, but a choice of its own."""
    spec = entry.spec
    return "resnext" if spec.connection == "residual" and spec.cardinality > 1 else spec.connection


def dataset_choices(catalogue: Catalogue, offline: bool = False) -> Choices:
    """(title, tag) of every data set that has weights to pick; when `offline`, one of which nothing is here says so."""
    titles: dict[str, str] = {}
    here = {entry.tag for entry in _here(catalogue)}
    for entry in available(catalogue):
        state = "" if entry.tag in here or not offline else f" ({t(NOT_HERE)})"
        titles.setdefault(entry.tag, _dataset_title(entry) + state)
    return [(title, tag) for tag, title in titles.items()]


def connection_choices(catalogue: Catalogue, tag: str) -> Choices:
    """(title, connection) of every kind of network there is for a data set."""
    found = {connection_of(entry) for entry in available(catalogue) if entry.tag == tag}
    return [(t(title), connection) for connection, title in CONNECTION_TITLES.items() if connection in found]


def depth_choices(
    catalogue: Catalogue, tag: str, connection: str, also: Entry | None = None, offline: bool = False
) -> Choices:
    """(title, entry name), shallow first; the title tells the state of the weights where it matters.

    also      an entry that may be missing from the list, such as resnet34-C.untrained from the address bar
    offline   whether what is not here cannot be fetched either
    """
    entries = {entry for entry in available(catalogue) if (entry.tag, connection_of(entry)) == (tag, connection)}
    entries |= {also} if also else set()
    # At each depth, the trained network first.
    ordered = sorted(entries, key=lambda entry: (entry.spec.depth, entry.origin is not entry, entry.name))
    return [(_depth_title(entry, offline), entry.name) for entry in ordered]


def nearest_depth(catalogue: Catalogue, tag: str, connection: str, previous: str) -> str:
    """The entry of the same depth as `previous`, or else of the nearest one."""
    depth = catalogue.find(previous).spec.depth
    names = [name for _, name in depth_choices(catalogue, tag, connection)]
    if not names:
        raise InputError(f"There are no {quoted(connection)} networks for {quoted(tag)}: choose another data set.")
    return min(names, key=lambda name: abs(catalogue.find(name).spec.depth - depth))


def class_choices(entry: Entry) -> Choices:
    """The most probable class, and every class by name and index: some names differ by case only."""
    named = [(f"{label} ({index})", str(index)) for index, label in enumerate(entry.labels)]
    if entry.trained:
        return [(t("predicted"), ""), *named]
    return [(t("output {index}", index=i), str(i)) for i in range(len(entry.labels))[:20]]


def class_value(entry: Entry, target: str) -> str:
    """The choice for a class given by label or index; raises `InputError` when there is none."""
    return str(find_class(target, entry.labels)) if target else ""


def class_name(entry: Entry, target: str) -> str:
    """What the address calls a class: its label, or its index where that says more."""
    picked = class_picked(target)
    if picked is None or not entry.trained:
        return target
    index = find_class(picked, entry.labels)
    label = entry.labels[index]
    alone = [one.lower() for one in entry.labels].count(label.lower()) == 1
    return label if alone else str(index)


def class_picked(choice: str) -> int | str | None:
    """The class of a choice: an index, even where other classes are called by numbers; None for the most probable."""
    return int(choice) if re.fullmatch(r"[0-9]{1,9}", choice) else choice or None


def layer_choices(entry: Entry) -> Choices:
    """Every block's output, the last one being the default; resolution falls and meaning rises with depth."""
    return [(t("last block"), ""), *((name, name) for name in _blocks(entry))]


def layer_value(entry: Entry, layer: str) -> str:
    """The choice for a block or a stage; raises `InputError` when there is none."""
    return find_layer(layer, _blocks(entry)) if layer else ""


def model_title(entry: Entry) -> str:
    """As people say it: ResNet-20, plain-20, ResNeXt-50 32x4d, plain-56 nonorm."""
    spec = entry.spec
    groups = f" {spec.cardinality}x{spec.base_width}d" if spec.cardinality > 1 else ""
    axes = "".join(f" {suffix}" for suffix in entry.architecture.split("-")[1:])
    return f"{FAMILY_TITLES[connection_of(entry)]}-{spec.depth}{groups}{axes}"


def _dataset_title(entry: Entry) -> str:
    if entry.tag in DATASET_TITLES:
        return t(DATASET_TITLES[entry.tag])
    return t("{dataset}: {count} classes", dataset=entry.dataset_title, count=len(entry.labels))


def _here(catalogue: Catalogue) -> list[Entry]:
    return [entry for entry in available(catalogue) if weight_state(entry).kind != "to fetch"]


def _grouped_title(entry: Entry) -> str:
    return f"{_dataset_title(entry).partition(':')[0]}: {model_title(entry)}"


def _blocks(entry: Entry) -> tuple[str, ...]:
    stages = enumerate(entry.spec.stages, 1)
    return ("stem", *(f"layer{stage}.{i}" for stage, count in stages for i in range(count)))


def _depth_title(entry: Entry, offline: bool) -> str:
    state = weight_state(entry)
    if state.kind in ("shipped", "yours", "untrained"):
        return model_title(entry)
    size = t("{size:.0f} MB to fetch", size=state.megabytes) if state.kind == "to fetch" else t(state.kind)
    return f"{model_title(entry)} ({t(NOT_HERE) if offline and state.kind == 'to fetch' else size})"
