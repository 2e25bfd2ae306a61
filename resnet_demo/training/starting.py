"""Starting a run from a trained network instead of random weights: fine-tuning, or a deeper network by construction."""

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

import torch
from torch import Tensor

from resnet_demo.errors import InputError
from resnet_demo.networks import Network, NetworkSpec, create_network, grow
from resnet_demo.networks.rewriting import grown_spec
from resnet_demo.zoo import Entry, Model, find_entry, load_model
from resnet_demo.zoo.catalogue import NAME
from resnet_demo.zoo.rewritten import Rewritten

WEIGHTS = ".safetensors"


@dataclass(frozen=True)
class Start:
    """A trained network that runs can start from.

    name     of the catalogue entry, or of the file without its folder
    sha256   of its weights file; empty for torchvision's
    """

    name: str
    sha256: str
    model: Model

    @property
    def spec(self) -> NetworkSpec:
        return cast(Network, self.model.network).spec

    @property
    def statistics(self) -> tuple[list[float], list[float]]:
        """Mean and standard deviation of each channel that the network is used to."""
        return list(self.model.preprocessing.mean), list(self.model.preprocessing.std)

    def require_fits(self, spec: NetworkSpec) -> None:
        """Raises `InputError` unless `network` can make a network of `spec` from this one."""
        wanted = replace(spec, num_classes=self.spec.num_classes, init=self.spec.init)
        if spec.family != self.spec.family or wanted not in (self.spec, replace(self.spec, depth=spec.depth)):
            raise InputError(
                f"{spec.name} with {spec.in_channels} channels cannot start from {self.name}: it needs a network that "
                "differs in its depth or its classes only."
            )
        if spec.depth != self.spec.depth:
            grown_spec(self.spec, spec.depth)

    def network(self, spec: NetworkSpec, seed: int, images: Callable[[], Tensor]) -> Network:
        """A network of `spec`, in training mode on the CPU, that computes what this one computes; with a new fc drawn
        from `seed` if it has another number of classes. Raises `InputError` as `grow` and `require_fits`.

        images   gives standardized (N, C, H, W), for which a deeper network computes the same in training mode too
        """
        self.require_fits(spec)
        source = cast(Network, self.model.network)
        if spec.depth != source.spec.depth:
            source = grow(source, spec.depth, images())
        network = create_network(spec, generator=torch.Generator().manual_seed(seed))
        state = source.state_dict()
        if spec.num_classes != source.spec.num_classes:
            state |= {f"fc.{key}": value for key, value in network.fc.state_dict().items()}
        network.load_state_dict(state)
        return network


def load_start(name: str, offline: bool = False) -> Start:
    """The start called `name`: a trained entry of the catalogue, or the path of a weights file with its card beside it.
    Raises `InputError`."""
    path = Path(name)
    if path.suffix == WEIGHTS:
        match = NAME.fullmatch(path.stem)
        there = os.path.isfile(path)  # noqa: PTH113 - Path.is_file raises where a name is too long
        if not match or not there:
            raise InputError(f"There is no {path}: name a weights file that `train` has written, or a trained network.")
        entry = Entry(match[1], match[2], path.with_suffix(".json"))
    else:
        entry = find_entry(name)
    if not entry.trained:
        raise InputError(f"{entry.name} is not trained: name a trained network to start from, see `models`.")
    if isinstance(entry, Rewritten) and entry.depth:
        entry = entry.source  # Grown anew, for the images of the run.
    return Start(entry.name, entry.weights_hash, load_model(entry, "cpu", offline))
