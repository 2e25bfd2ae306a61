"""Entries whose networks are not trained but rewritten from a trained one, of which they compute the same function."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from resnet_demo.errors import InputError
from resnet_demo.networks import Network, NetworkSpec, fold_shortcuts, grow, parse_name
from resnet_demo.networks.rewriting import folded_spec, grown_spec
from resnet_demo.zoo.entry import Entry
from resnet_demo.zoo.preprocessing import Preprocessing

GROWN = "-grown"


@dataclass(frozen=True)
class Rewritten(Entry):
    """An entry with the weights, labels and preprocessing of `source`.

    depth   that its network is grown to (`grow`); None if its shortcuts are folded away (`fold_shortcuts`)
    """

    source: Entry = field(kw_only=True)
    depth: int | None = field(default=None, kw_only=True)

    @property
    def origin(self) -> Entry:
        return self.source

    @property
    def problem(self) -> str:
        return self.source.problem

    @cached_property
    def spec(self) -> NetworkSpec:
        return folded_spec(self.source.spec) if self.depth is None else grown_spec(self.source.spec, self.depth)

    @cached_property
    def labels(self) -> tuple[str, ...]:
        return self.source.labels

    @cached_property
    def preprocessing(self) -> Preprocessing:
        return self.source.preprocessing

    @cached_property
    def dataset_title(self) -> str:
        return self.source.dataset_title

    @cached_property
    def test_error(self) -> float | None:
        return self.source.test_error

    def network(self, trained: Network) -> Network:
        return fold_shortcuts(trained) if self.depth is None else grow(trained, self.depth)


def rewritings(entries: Sequence[Entry]) -> list[Rewritten]:
    """What can be made of the networks of `entries`: each residual one of basic blocks, folded; and for each that is
    deeper than another one of its kind and data set, the shallowest of those, grown to its depth. Reads no card."""
    named = {entry: _possible(parse_name, entry.architecture) for entry in entries}
    specs = {entry: spec for entry, spec in named.items() if spec}
    found: dict[str, Rewritten] = {}
    for entry, spec in specs.items():
        if folded := _possible(folded_spec, spec):
            one = Rewritten(folded.name, entry.tag, source=entry)
            found.setdefault(one.name, one)  # Of two shortcut options, the first one.
    for entry, spec in specs.items():
        same = [
            e
            for e in specs
            if e.tag == entry.tag and not spec.folded and _possible(grown_spec, specs[e], spec.depth) == spec
        ]
        if same:
            source = min(same, key=lambda other: specs[other].depth)
            one = Rewritten(entry.architecture + GROWN, entry.tag, source=source, depth=spec.depth)
            found.setdefault(one.name, one)
    return list(found.values())


def _possible(make: Callable[..., NetworkSpec], *of: Any) -> NetworkSpec | None:
    """The spec that `make` gives; None where there is none."""
    try:
        return make(*of)
    except InputError:
        return None
