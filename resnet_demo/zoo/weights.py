"""Where the weights of an entry are, and checking that they are what they claim to be."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from resnet_demo.errors import InputError, report
from resnet_demo.zoo import torchvision_weights
from resnet_demo.zoo.card import Card, sha256_of
from resnet_demo.zoo.catalogue import WEIGHTS, Entry
from resnet_demo.zoo.fetching import Progress, fetch


@dataclass(frozen=True)
class WeightState:
    """kind   "shipped", "cached", "to fetch", "untrained", or "missing": this project has not trained it yet, or its
    files are damaged, and then `problem` says how"""

    kind: str
    entry: Entry
    problem: str = ""

    @property
    def megabytes(self) -> float:
        """Of what is to fetch."""
        return torchvision_weights.megabytes(self.entry.architecture, self.entry.tag)

    def __str__(self) -> str:
        if self.kind == "to fetch":
            return f"{self.megabytes:.0f} MB to fetch"
        if self.kind == "missing":
            return "damaged" if self.problem else "not trained yet"
        return self.kind


def weight_state(entry: Entry) -> WeightState:
    if not entry.trained:
        return WeightState("untrained", entry)
    if entry.from_torchvision:
        return WeightState("cached" if find_cached(entry) else "to fetch", entry)
    path, problem = _shipped(entry), entry.problem
    if entry.card and os.path.lexists(path) and not path.is_file():
        problem = f"{path.name} is no regular file: restore it or remove it."
        report(problem, path)
    return WeightState("shipped" if entry.card and path.is_file() else "missing", entry, problem)


def load_weights(network: nn.Module, entry: Entry, offline: bool = False, progress: Progress | None = None) -> None:
    """Give `network` the weights of `entry`, fetched first if need be; `progress` gets the bytes done and in all.

    Nothing is ever unpickled into code. Raises `InputError` when the weights are not there and cannot be fetched, or
    are not the ones that their card or file name promises.
    """
    if not entry.from_torchvision:
        require_weights(entry)
        load_run(network, _shipped(entry), entry.card)
        return
    path = find_cached(entry) or fetch_entry(entry, offline, progress)
    if not _hash(path).startswith(torchvision_weights.hash_prefix(entry.architecture, entry.tag)):
        raise InputError(f"{path.name} is not the file its name promises: delete {path} and try again.")
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # Damaged or hostile bytes raise anything from EOFError to UnpicklingError.
        raise InputError(f"{path.name} is damaged or holds no weights: delete {path} and try again.") from error
    _fill(network, state, path)


def load_run(network: nn.Module, path: Path, card: Card) -> None:
    """Give `network` the weights at `path`. Raises `InputError` unless they are the ones that `card` describes."""
    if _hash(path) != card.sha256:
        raise InputError(f"{path.name} is not the file its card describes: restore it from where it came.")
    try:
        state = load_file(path)
    except (SafetensorError, OSError, ValueError) as error:
        raise InputError(f"{path.name} is damaged or holds no weights: restore it from where it came.") from error
    _fill(network, state, path)


def _fill(network: nn.Module, state: Any, path: Path) -> None:
    """Make the tensors of `state` those of `network`, which may be empty.

    Strict: a missing, surplus or misshapen tensor, another type or a value that is not finite is an error, never a
    silently wrong layer.
    """
    mend = "restore the file, or delete it if it was downloaded"
    if not isinstance(state, Mapping) or not all(map(_is_plain, state.values())):
        raise InputError(f"{path.name} holds no weights: {mend}.")
    own = network.state_dict()
    # Files of 2016 know no num_batches_tracked, and torchvision still serves some of them.
    wanted = {key: own[key] for key in own if key in state or not key.endswith(".num_batches_tracked")}
    if _kinds(state) != _kinds(wanted):
        raise InputError(f"{path.name} holds the weights of another network: {mend}.")
    if not all(tensor.isfinite().all() for tensor in state.values()):
        raise InputError(f"{path.name} holds values that are not finite numbers: {mend}.")
    network.load_state_dict(state, strict=True, assign=True)


def _is_plain(value: Any) -> bool:
    return isinstance(value, Tensor) and value.device.type == "cpu" and value.layout == torch.strided


def _kinds(state: Mapping[str, Tensor]) -> dict[str, tuple[Any, ...]]:
    return {key: (tensor.shape, tensor.dtype) for key, tensor in state.items()}


def _hash(path: Path) -> str:
    """The SHA-256 of the file. Raises `InputError` when there is none that could be read."""
    if not path.is_file():
        raise InputError(f"{path.name} is missing or no regular file: restore it or remove it.")
    try:
        return sha256_of(path)
    except OSError as error:
        raise InputError(f"{path.name} cannot be read: {error.strerror}.") from error


def require_weights(entry: Entry) -> None:
    """Raises `InputError` when `entry` is one of ours that nobody has trained yet, or whose files are damaged."""
    state = weight_state(entry)
    if state.kind == "missing":
        raise InputError(
            state.problem
            or f"{entry.name} has no trained weights in this copy: train it with `python -m resnet_demo train "
            f"{entry.architecture} --dataset {entry.tag}`, or pick {entry.architecture}.untrained."
        )


def fetch_entry(entry: Entry, offline: bool = False, progress: Progress | None = None) -> Path:
    """Download the weights of a torchvision entry into the cache, unless they are there. Returns their path."""
    if found := find_cached(entry):
        return found
    if is_offline(offline):
        raise InputError(
            f"{entry.name} needs a download of {weight_state(entry).megabytes:.0f} MB, and this is offline: run "
            f"`python -m resnet_demo download {entry.name}` once with a connection."
        )
    source = torchvision_weights.url(entry.architecture, entry.tag)
    prefix = torchvision_weights.hash_prefix(entry.architecture, entry.tag)
    # torchvision counts in 2^20 bytes.
    size = round(torchvision_weights.megabytes(entry.architecture, entry.tag) * 2**20)
    return fetch(source, cache_folder() / source.rsplit("/", 1)[-1], prefix, progress, size)


def find_cached(entry: Entry) -> Path | None:
    """The downloaded file in our cache, or in torchvision's own, where another program may have put it."""
    folders = (cache_folder(), Path(torch.hub.get_dir()) / "checkpoints")
    # torchvision knows the name of the file. It takes seconds to import: it is not asked about files that cannot be.
    if not any(any(folder.glob(f"{entry.architecture}-*.pth")) for folder in folders):
        return None
    name = torchvision_weights.file_name(entry.architecture, entry.tag)
    return next((folder / name for folder in folders if (folder / name).is_file()), None)


def cache_folder() -> Path:
    """`RESNET_DEMO_CACHE`, else `weights/cache` where that can be written, else the user's own cache."""
    if chosen := os.environ.get("RESNET_DEMO_CACHE"):
        return Path(chosen)
    if os.access(WEIGHTS, os.W_OK):
        return WEIGHTS / "cache"
    return Path.home() / ".cache" / "resnet_demo"


def is_offline(asked: bool = False) -> bool:
    """Whether the network must not be touched: `--offline`, or `RESNET_DEMO_OFFLINE=1`."""
    return asked or os.environ.get("RESNET_DEMO_OFFLINE", "").lower() in ("1", "true", "yes")


def _shipped(entry: Entry) -> Path:
    return WEIGHTS / f"{entry.name}.safetensors"
