"""A network with its weights, labels and preprocessing, ready for analysis; and a cache of such models."""

import threading
from collections import OrderedDict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import nn

from resnet_demo.errors import InputError, quoted
from resnet_demo.memory import return_freed_memory
from resnet_demo.networks import TraceableNetwork, create_network, empty_network, require_traceable
from resnet_demo.networks.norms import l2_norms
from resnet_demo.zoo.catalogue import Catalogue, open_catalogue
from resnet_demo.zoo.entry import Entry
from resnet_demo.zoo.fetching import Progress
from resnet_demo.zoo.preprocessing import Preprocessing
from resnet_demo.zoo.weights import load_weights

UNTRAINED_SEED = 0
LARGE = 100_000_000


@dataclass(frozen=True)
class Model:
    """A network that can be analyzed; it can also be your own, if it implements `TraceableNetwork`.

    trained   whether the predictions are meaningful

    Raises `InputError` that names the members which the network lacks.
    """

    name: str
    network: TraceableNetwork
    labels: tuple[str, ...]
    preprocessing: Preprocessing
    trained: bool = True
    _measured: dict[str, Any] = field(default_factory=dict, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        require_traceable(self.network)

    @property
    def device(self) -> torch.device:
        return next(self.network.parameters()).device

    @property
    def weight_norms(self) -> dict[str, float]:
        """L2 norm of the weight of each layer; recomputed only when a weight was replaced, or changed in place by
        anything that autograd sees (which `weight.data` goes around)."""
        weights = {layer.name: layer.module.weight for layer in self.network.layers()}
        state = tuple((w.data_ptr(), None if w.is_inference() else w._version) for w in weights.values())
        if self._measured.get("state") != state:
            found = dict(zip(weights, l2_norms(list(weights.values())), strict=True))
            self._measured.update(state=state, norms=found)
        return self._measured["norms"]

    @property
    def nbytes(self) -> int:
        tensors = [*self.network.parameters(), *self.network.buffers()]
        return sum(tensor.numel() * tensor.element_size() for tensor in tensors)


@torch.inference_mode(False)  # Weights created in a caller's inference mode could never have gradients.
def load_model(
    name: str | Entry,
    device: str = "auto",
    offline: bool = False,
    progress: Progress | None = None,
    weights: Path | None = None,
) -> Model:
    """The model called `name` in evaluation mode on `device`; its weights are fetched first if necessary.

    device     "auto" selects CUDA, else Apple's MPS, else the CPU
    progress   called with the bytes fetched so far and in total
    weights    a folder of networks that you trained; as in `open_catalogue` unless given

    Raises `InputError` for an unknown name or device, or when the weights are not available.
    """
    entry = name if isinstance(name, Entry) else open_catalogue(weights).find(name)
    target = pick_device(device)
    if entry.trained:
        network = empty_network(entry.origin.spec)
        load_weights(network, entry.origin, offline, progress)
        network = entry.network(network)
    else:
        network = create_network(entry.spec, generator=torch.Generator().manual_seed(UNTRAINED_SEED))
        _forget_statistics(network)
    # On a CPU, convolutions are faster when weights and images are both in channels-last layout.
    layout = torch.channels_last if target.type == "cpu" else torch.preserve_format
    network.requires_grad_(True).eval().to(device=target).to(memory_format=layout)
    model = Model(entry.name, network, entry.labels, entry.preprocessing, entry.trained)
    if model.nbytes > LARGE:
        return_freed_memory()  # The weights in their previous layout.
    return model


def _forget_statistics(network: nn.Module) -> None:
    """Make every batch normalization use the statistics of its current input.

    The running statistics of an untrained network are 0 and 1: with them it would effectively be a network without
    normalization, and its gradients would be those of such a network.
    """
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.track_running_stats = False
            module.running_mean = module.running_var = module.num_batches_tracked = None


def pick_device(name: str = "auto") -> torch.device:
    """The device called `name`. Raises `InputError` when this machine does not have it."""
    if name == "auto":
        mps = torch.backends.mps.is_available()
        return torch.device("cuda" if torch.cuda.is_available() else "mps" if mps else "cpu")
    try:
        device = torch.device(name)
        torch.zeros((), device=device).item()  # Reading it back rules out "meta", which computes nothing.
    except (RuntimeError, AssertionError, ImportError) as error:
        raise InputError(f"There is no device {quoted(name)} here: use auto, cpu, cuda or mps.") from error
    return device


class ModelCache:
    """The most recently used models of one catalogue, up to a number of bytes; safe to share between threads."""

    def __init__(
        self,
        device: str = "auto",
        offline: bool = False,
        max_bytes: int = 600_000_000,
        catalogue: Catalogue | None = None,
    ) -> None:
        self.catalogue = catalogue or open_catalogue()
        self.device = device
        self.offline = offline
        self.max_bytes = max_bytes
        self._models: OrderedDict[tuple[str, str], Model] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, name: str, progress: Progress | None = None) -> Model:
        """As `load_model`. Loading does not block other threads; of two concurrent loads of a model the later stays."""
        entry = self.catalogue.find(name)
        key = (entry.name, entry.weights_hash)  # It may have been retrained.
        with self._lock:
            if key in self._models:
                self._models.move_to_end(key)
                return self._models[key]
        model = load_model(entry, self.device, self.offline, progress)
        with self._lock:
            self._models[key] = model
            self._models.move_to_end(key)
            # The newest model stays even if it alone exceeds the limit: it is in use.
            while len(self._models) > 1 and sum(m.nbytes for m in self._models.values()) > self.max_bytes:
                self._models.popitem(last=False)
        return model
