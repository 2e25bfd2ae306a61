"""Where the weights of an entry are, fetching them, and checking that they are what they claim to be."""

import os
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path

import torch
from filelock import FileLock
from safetensors.torch import load_file
from torch import Tensor

from resnet_demo.errors import InputError
from resnet_demo.zoo import torchvision_weights
from resnet_demo.zoo.card import sha256_of
from resnet_demo.zoo.catalogue import WEIGHTS, Entry

Progress = Callable[[int, int], None]
TIMEOUT_SECONDS = 30


@dataclass(frozen=True)
class WeightState:
    """kind   "shipped", "cached", "to fetch", "untrained", or "missing": this project has not trained it yet"""

    kind: str
    entry: Entry

    @property
    def megabytes(self) -> float:
        """Of what is to fetch."""
        return torchvision_weights.megabytes(self.entry.architecture, self.entry.tag)

    def __str__(self) -> str:
        if self.kind == "to fetch":
            return f"{self.megabytes:.0f} MB to fetch"
        return "not trained yet" if self.kind == "missing" else self.kind


def weight_state(entry: Entry) -> WeightState:
    if not entry.trained:
        return WeightState("untrained", entry)
    if entry.from_torchvision:
        return WeightState("cached" if find_cached(entry) else "to fetch", entry)
    return WeightState("shipped" if _shipped(entry).exists() and entry.card else "missing", entry)


def load_state(entry: Entry, offline: bool = False, progress: Progress | None = None) -> dict[str, Tensor]:
    """The state dict of `entry`, fetched first if need be; `progress` gets the bytes done and in all.

    Nothing is ever unpickled into code. Raises `InputError` when the weights are not there and cannot be fetched, or
    are not the ones that their card or file name promises.
    """
    if entry.from_torchvision:
        path = find_cached(entry) or fetch_entry(entry, offline, progress)
        if not sha256_of(path).startswith(torchvision_weights.hash_prefix(entry.architecture, entry.tag)):
            raise InputError(f"{path.name} is not the file its name promises: delete {path} and try again.")
        try:
            return torch.load(path, map_location="cpu", weights_only=True)
        except Exception as error:  # Damaged or hostile bytes raise anything from EOFError to UnpicklingError.
            raise InputError(f"{path.name} is damaged or holds no weights: delete {path} and try again.") from error
    require_weights(entry)
    path = _shipped(entry)
    if sha256_of(path) != entry.card.sha256:
        raise InputError(f"{path.name} is not the file its card describes: restore it from the repository.")
    return load_file(path)


def require_weights(entry: Entry) -> None:
    """Raises `InputError` when `entry` is one of ours that nobody has trained yet."""
    if weight_state(entry).kind == "missing":
        raise InputError(
            f"{entry.name} has no trained weights in this copy: train it with `python -m resnet_demo train "
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
    return fetch(source, cache_folder() / source.rsplit("/", 1)[-1], prefix, progress)


def fetch(url: str, path: Path, sha256_prefix: str, progress: Progress | None = None) -> Path:
    """Download `url` to `path`, which appears only when it is whole and its SHA-256 starts as promised.

    A killed download leaves a `.partial` file that the next one continues, if the server can, or replaces. Two
    processes that want one file fetch it once. Raises `InputError` that says what to do.
    """
    partial = path.with_name(path.name + ".partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(path.with_name(path.name + ".lock")):
            if path.exists():
                return path
            _download(url, partial, progress)
            if not sha256_of(partial).startswith(sha256_prefix):
                partial.unlink()
                raise InputError(f"{path.name} arrived damaged and was thrown away: try again.")
            os.replace(partial, path)
    except (OSError, HTTPException) as error:
        reason = " ".join(str(getattr(error, "reason", error)).split())  # It may quote lines of a strange server.
        raise InputError(
            f"{path.name} could not be downloaded ({reason}): check the connection and try again, or put the file "
            f"from {url} into {path.parent}."
        ) from error
    return path


def find_cached(entry: Entry) -> Path | None:
    """The downloaded file in our cache, or in torchvision's own, where another program may have put it."""
    folders = (cache_folder(), Path(torch.hub.get_dir()) / "checkpoints")
    # torchvision knows the name of the file. It takes seconds to import: it is not asked about files that cannot be.
    if not any(any(folder.glob(f"{entry.architecture}-*.pth")) for folder in folders):
        return None
    name = torchvision_weights.file_name(entry.architecture, entry.tag)
    return next((folder / name for folder in folders if (folder / name).exists()), None)


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


def _download(url: str, partial: Path, progress: Progress | None) -> None:
    have = partial.stat().st_size if partial.exists() else 0
    request = urllib.request.Request(url, headers={"Range": f"bytes={have}-"} if have else {})
    try:
        response = urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS)
    except urllib.error.HTTPError as error:
        if error.code != 416 or not have:
            raise
        partial.unlink()  # It was already whole or longer than the file: what it holds cannot be trusted.
        _download(url, partial, progress)
        return
    with response:
        resumed = response.status == 206
        done = have if resumed else 0
        total = done + int(response.headers.get("Content-Length") or 0)
        with partial.open("ab" if resumed else "wb") as file:
            while chunk := response.read(1 << 20):
                file.write(chunk)
                done += len(chunk)
                if progress:
                    progress(done, total)
    if done < total:
        raise ConnectionError("the connection broke off")
