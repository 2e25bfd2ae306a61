"""Finding, verifying and loading the weights of an entry."""

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
from resnet_demo.zoo import paths, torchvision_weights
from resnet_demo.zoo.card import Card, sha256_of
from resnet_demo.zoo.catalogue import not_trained
from resnet_demo.zoo.entry import Entry
from resnet_demo.zoo.fetching import Progress, fetch


@dataclass(frozen=True)
class WeightState:
    """kind   "shipped"; "yours": in the user's folder; torchvision's "cached" or "to fetch"; "untrained"; or "damaged":
    unusable, for the reason in `problem`"""

    kind: str
    entry: Entry
    problem: str = ""

    @property
    def megabytes(self) -> float:
        """Size of the download."""
        return torchvision_weights.megabytes(self.entry.architecture, self.entry.tag)

    def __str__(self) -> str:
        return f"{self.megabytes:.0f} MB to fetch" if self.kind == "to fetch" else self.kind


def weight_state(entry: Entry) -> WeightState:
    """The state of the weights of `entry.origin`."""
    entry = entry.origin
    if not entry.trained:
        return WeightState("untrained", entry)
    if entry.path is None:
        return WeightState("cached" if find_cached(entry) else "to fetch", entry)
    if problem := entry.problem or _file_problem(entry, _beside(entry.path)):
        return WeightState("damaged", entry, problem)
    return WeightState("shipped" if entry.path.parent == paths.shipped_folder() else "yours", entry)


def _file_problem(entry: Entry, path: Path) -> str:
    """What is wrong with the weights file, without reading it."""
    if path.is_file():
        return ""
    if not os.path.lexists(path):
        return not_trained(entry.architecture, entry.tag)
    problem = f"{path.name} is not a regular file: restore it or remove it."
    report(problem, path)
    return problem


def load_weights(network: nn.Module, entry: Entry, offline: bool = False, progress: Progress | None = None) -> None:
    """Load the weights of `entry` into `network`, fetching them first if necessary; `progress` is called with the bytes
    done and in total.

    Unpickling never runs code. Raises `InputError` when the weights are missing and cannot be fetched, or do not match
    the hash in their card or file name.
    """
    if entry.path:
        require_weights(entry)
        load_run(network, _beside(entry.path), entry.require_card())
        return
    path = find_cached(entry) or fetch_entry(entry, offline, progress)
    if not _hash(path).startswith(torchvision_weights.hash_prefix(entry.architecture, entry.tag)):
        raise InputError(f"{path.name} is not the file its name promises: delete {path} and try again.")
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # Damaged or hostile files raise anything from EOFError to UnpicklingError.
        raise InputError(f"{path.name} is damaged or holds no weights: delete {path} and try again.") from error
    _fill(network, state, path)


def load_run(network: nn.Module, path: Path, card: Card) -> None:
    """Load the weights at `path` into `network`. Raises `InputError` unless they are the ones that `card` describes."""
    if _hash(path) != card.sha256:
        raise InputError(f"{path.name} is not the file its card describes: restore it from its source.")
    try:
        state = load_file(path)
    except (SafetensorError, OSError, ValueError) as error:
        raise InputError(f"{path.name} is damaged or holds no weights: restore it from its source.") from error
    _fill(network, state, path)


def _fill(network: nn.Module, state: Any, path: Path) -> None:
    """Assign the tensors of `state` to `network`, which may be on the meta device.

    Strict: a missing, unexpected or misshapen tensor, a different type or a value that is not finite is an error, never
    a silently wrong layer.
    """
    remedy = "restore the file, or delete it if it was downloaded"
    if not isinstance(state, Mapping) or not all(map(_is_plain, state.values())):
        raise InputError(f"{path.name} holds no weights: {remedy}.")
    own = network.state_dict()
    # Files of 2016, some of which torchvision still serves, have no num_batches_tracked.
    wanted = {key: own[key] for key in own if key in state or not key.endswith(".num_batches_tracked")}
    if _kinds(state) != _kinds(wanted):
        raise InputError(f"{path.name} holds the weights of another network: {remedy}.")
    if not all(tensor.isfinite().all() for tensor in state.values()):
        raise InputError(f"{path.name} holds values that are not finite numbers: {remedy}.")
    network.load_state_dict(state, strict=True, assign=True)


def _is_plain(value: Any) -> bool:
    return isinstance(value, Tensor) and value.device.type == "cpu" and value.layout == torch.strided


def _kinds(state: Mapping[str, Tensor]) -> dict[str, tuple[Any, ...]]:
    return {key: (tensor.shape, tensor.dtype) for key, tensor in state.items()}


def _hash(path: Path) -> str:
    """The SHA-256 of the file. Raises `InputError` when the file is missing or cannot be read."""
    if not path.is_file():
        raise InputError(f"{path.name} is missing or not a regular file: restore it or remove it.")
    try:
        return sha256_of(path)
    except OSError as error:
        raise InputError(f"{path.name} cannot be read: {error.strerror}.") from error


def require_weights(entry: Entry) -> None:
    """Raises `InputError` when the card or the weights of `entry` are damaged or missing."""
    if problem := weight_state(entry).problem:
        raise InputError(problem)


def fetch_entry(entry: Entry, offline: bool = False, progress: Progress | None = None) -> Path:
    """Download the weights of a torchvision entry into the cache, unless they are cached. Returns their path."""
    entry = entry.origin
    if found := find_cached(entry):
        return found
    if is_offline(offline):
        raise InputError(
            f"{entry.name} needs a download of {weight_state(entry).megabytes:.0f} MB, and this is offline: choose "
            "another network.",
            f"Or run `python -m resnet_demo download {entry.name}` once with a connection.",
        )
    source = torchvision_weights.url(entry.architecture, entry.tag)
    prefix = torchvision_weights.hash_prefix(entry.architecture, entry.tag)
    # torchvision's megabytes are 2^20 bytes.
    size = round(torchvision_weights.megabytes(entry.architecture, entry.tag) * 2**20)
    return fetch(source, paths.cache_folders()[0] / source.rsplit("/", 1)[-1], prefix, progress, size)


def find_cached(entry: Entry) -> Path | None:
    """The downloaded file in this project's cache, or in torchvision's, where another program may have put it."""
    folders = (*paths.cache_folders(), Path(torch.hub.get_dir()) / "checkpoints")
    # The file's name comes from torchvision, which takes seconds to import: skipped where no such file can exist.
    if not any(any(folder.glob(f"{entry.architecture}-*.pth")) for folder in folders):
        return None
    name = torchvision_weights.file_name(entry.architecture, entry.tag)
    return next((folder / name for folder in folders if (folder / name).is_file()), None)


def is_offline(asked: bool = False) -> bool:
    """Whether network access is forbidden: by `--offline`, or by `RESNET_DEMO_OFFLINE=1`."""
    return asked or os.environ.get("RESNET_DEMO_OFFLINE", "").lower() in ("1", "true", "yes")


def _beside(card: Path) -> Path:
    """The path of the weights that the card at `card` describes."""
    return card.with_suffix(".safetensors")
