"""The catalogue of models. Entries are named `architecture.weights`, as in timm: resnet20.cifar10."""

import operator
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from resnet_demo.errors import InputError, did_you_mean, quoted, report
from resnet_demo.networks import LADDER, NetworkSpec, parse_name
from resnet_demo.networks.architecture import describe
from resnet_demo.zoo import paths, torchvision_weights
from resnet_demo.zoo.datasets import DATASETS
from resnet_demo.zoo.entry import UNTRAINED, Entry
from resnet_demo.zoo.rewritten import Rewritten, rewritings

# Visitors can request any architecture by name, so its cost is limited: a little above that of ResNeXt-101 32x8d, the
# largest one with trained weights. A network whose convolutions are wider than this at 64 planes is not even counted.
MAX_PARAMETERS, MAX_MULTIPLY_ADDS = 90_000_000, 17_000_000_000
# Every architecture is available untrained; these are listed.
OFFERED_UNTRAINED = (
    *(f"{prefix}{depth}" for depth in LADDER for prefix in ("resnet", "plain")),
    *(f"{prefix}{depth}" for prefix in ("highway", "preresnet") for depth in (20, 56, 110)),
    *(f"{prefix}{depth}" for depth in (18, 34, 50, 101, 152) for prefix in ("resnet", "plain")),
    "resnext50_32x4d",
)
# The two halves of a name; the second one is the data set it was trained on.
NAME = re.compile(r"([A-Za-z0-9_-]{1,100})\.([A-Za-z0-9_-]{1,100})")
RESERVED = (UNTRAINED, *torchvision_weights.TAGS)


@dataclass(frozen=True)
class Catalogue:
    """All available models: the networks whose cards lie in `folders`, torchvision's, and untrained ones.

    Every query scans the folders, so a network is available as soon as it is trained; each card is read once. If two
    cards have the same name, the one in the earlier folder is used and the other one is reported. `open_catalogue`
    puts the shipped folder first, so that a user's file is never mistaken for a result of this project.
    """

    folders: tuple[Path, ...]
    _known: dict[Path, tuple[object, Entry]] = field(default_factory=dict, init=False, repr=False, compare=False)
    # What is made of which trained entries: a query for each of a page's clicks must not work it out again.
    _made: list[tuple[list[Entry], list[Rewritten]]] = field(
        default_factory=list, init=False, repr=False, compare=False
    )

    def entries(self) -> tuple[Entry, ...]:
        """All entries: those with a card by folder, data set and depth, damaged cards included; what their networks can
        be rewritten as; torchvision's; untrained ones."""
        trained = self._with_cards()
        return (*trained, *self._made_of(trained), *_LISTED)

    def find(self, name: str) -> Entry:
        """The entry called `name`; a bare architecture means its first entry, e.g. "resnet20".

        If there is none, raises `InputError` that names the closest entry or the command that trains it.
        """
        entries = self.entries()
        # The user's last: what a bare architecture means does not change with what they have trained.
        for entry in sorted(entries, key=self._is_yours):
            if name in (entry.name, entry.architecture):
                return entry
        architecture, _, tag = name.rpartition(".")
        if tag == UNTRAINED:
            return _untrained(parse_name(architecture))
        if tag in {*DATASETS, *(entry.tag for entry in entries if entry.path)} and _is_for_small_images(architecture):
            # A folded network is not trained but made from one.
            source = architecture.replace("plain", "resnet") if architecture.endswith("-folded") else architecture
            network = source.removesuffix("-folded")
            hint = f"Or train it with `python -m resnet_demo train {network} --dataset {tag}`."
            raise InputError(not_trained(network, tag), hint)
        close = did_you_mean(name, [entry.name for entry in entries])
        raise InputError(f"There is no model {quoted(name)}.{close}", "`python -m resnet_demo models` lists them all.")

    def _made_of(self, trained: list[Entry]) -> list[Rewritten]:
        """What the networks can be rewritten as, shipped ones first: a user's network never takes the name of what is
        made of those, nor does what is made take the name of a network that was trained."""
        for of, made in self._made[:]:
            if len(of) == len(trained) and all(map(operator.is_, of, trained)):  # A card that changed is another entry.
                return made
        shipped = [entry for entry in trained if not self._is_yours(entry)]
        taken, found = {entry.name for entry in trained}, dict[str, Rewritten]()
        for entry in (*rewritings(shipped), *rewritings(trained)):
            found.setdefault(entry.name, entry)
        new = [entry for name, entry in found.items() if name not in taken]
        self._made[:] = [(trained, new)]
        return new

    def _is_yours(self, entry: Entry) -> bool:
        path = entry.origin.path
        return path is not None and path.parent != self.folders[0]

    def _with_cards(self) -> list[Entry]:
        found: dict[str, Entry] = {}
        for folder in self.folders:
            for entry in sorted(self._cards_in(folder), key=_place):
                if (first := found.setdefault(entry.name, entry)) is not entry:
                    sentence = f"{folder / entry.name}.json is ignored, as {first.path} has the same name: remove it."
                    report(sentence, folder / entry.name)
        there = {entry.path for entry in found.values()}
        for path in list(self._known):  # A copy, as other threads may change it.
            if path not in there:
                self._known.pop(path, None)
        return list(found.values())

    def _cards_in(self, folder: Path) -> Iterator[Entry]:
        try:
            with os.scandir(folder) as files:
                names = [file.name for file in files if file.name.endswith(".json")]
        except FileNotFoundError:
            return  # The user has not trained anything yet.
        except OSError as error:
            report(f"{folder} cannot be read: {error.strerror}.", folder)
            return
        for name in names:
            match = NAME.fullmatch(name.removesuffix(".json"))
            if match and match[2] not in RESERVED:
                yield self._entry(folder / name, *match.groups())

    def _entry(self, path: Path, architecture: str, tag: str) -> Entry:
        """The entry of a card; the same object, which keeps the card it has read, until the file changes."""
        try:
            stat = path.stat()
            version: object = (stat.st_mtime_ns, stat.st_size, stat.st_ino)
        except OSError:
            version = None  # A broken link counts as a damaged card.
        known, entry = self._known.get(path, (None, None))
        if entry is None or known != version:
            entry = Entry(architecture, tag, path)
            self._known[path] = version, entry
        return entry


def open_catalogue(weights: Path | None = None) -> Catalogue:
    """The catalogue of the shipped networks and of those the user has trained, in `weights` or `paths.user_folder()`.

    Raises `InputError` when `weights` is given and is not a folder.
    """
    if weights and not os.path.isdir(weights):  # noqa: PTH112 - Path.is_dir raises where a name is too long
        raise InputError(f"There is no folder {weights}: give --weights one that `train` has written to.")
    shipped, own = paths.shipped_folder(), weights or paths.user_folder()
    same = os.path.realpath(own) == os.path.realpath(shipped)  # Path.resolve raises where a link is a loop.
    return Catalogue((shipped,) if same else (shipped, own))


def list_models(weights: Path | None = None) -> tuple[Entry, ...]:
    """All entries of the catalogue, trained ones first. Any other architecture is available as NAME.untrained.

    weights   a folder of networks that you trained; as in `open_catalogue` unless given
    """
    return open_catalogue(weights).entries()


def find_entry(name: str, weights: Path | None = None) -> Entry:
    """As `Catalogue.find`, for the catalogue of `list_models`."""
    return open_catalogue(weights).find(name)


def not_trained(architecture: str, dataset: str) -> str:
    """A sentence that says what there is in place of weights that are missing."""
    return f"{architecture}.{dataset} has no trained weights in this copy: pick {architecture}.untrained."


def _is_for_small_images(architecture: str) -> bool:
    try:
        return parse_name(architecture).family == "cifar"
    except InputError:
        return False


def _untrained(spec: NetworkSpec) -> Entry:
    """The untrained entry. Raises `InputError` for a network that would take too long or too much memory."""
    entry = Entry(spec.name, UNTRAINED)
    table = describe(spec, entry.preprocessing.crop_size)
    if table.parameters <= MAX_PARAMETERS and table.multiply_adds <= MAX_MULTIPLY_ADDS:
        return entry
    raise InputError(
        f"{spec.name} is too large: at most {MAX_PARAMETERS // 10**6} million parameters "
        f"and {MAX_MULTIPLY_ADDS // 10**9} billion multiply-adds an image, as resnext101_32x8d has them."
    )


def _place(entry: Entry) -> tuple[str, int, bool, str]:
    """Sort key: by data set and depth, a plain network after its residual twin. Uses only the name, so that no card is
    read."""
    depth = re.search(r"[0-9]+", entry.architecture)
    return entry.tag, int(depth[0]) if depth else 0, entry.architecture.startswith("plain"), entry.architecture


_FETCHED = [Entry(name, tag) for tag, names in torchvision_weights.ARCHITECTURES.items() for name in names]
_LISTED = (
    *_FETCHED,
    # These are for seeing photographs without shortcuts; grown ones would only be deeper.
    *(entry for entry in rewritings(_FETCHED) if entry.depth is None),
    *(Entry(name, UNTRAINED) for name in OFFERED_UNTRAINED),
)
