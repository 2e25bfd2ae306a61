"""Top-1 and top-5 errors of a network on labelled images."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor

from resnet_demo.errors import InputError, quoted
from resnet_demo.networks import NetworkSpec, TraceableNetwork, empty_network
from resnet_demo.networks.precision import exact_float32
from resnet_demo.training.data import Labelled, Photos, in_words, load_split
from resnet_demo.training.feeds import Batch, MemoryFeed, PhotoFeed
from resnet_demo.zoo import Card, Entry, Model, Preprocessing, find_entry, load_model, load_run, pick_device
from resnet_demo.zoo.catalogue import NAME

# Tuned on a CPU; a GPU could use larger batches, but evaluates the whole test set in seconds anyway.
BATCH_SIZE = 125


@dataclass(frozen=True)
class Errors:
    """How many of `images` are misclassified by the first guess and by all of the first five guesses.

    With five classes or fewer, the top-5 error is 0.
    """

    wrong1: int
    wrong5: int
    images: int

    @property
    def top1(self) -> float:
        """In percent."""
        return 100 * self.wrong1 / self.images

    @property
    def top5(self) -> float:
        """In percent."""
        return 100 * self.wrong5 / self.images


def by_channel(values: Sequence[float], device: torch.device | None = None) -> Tensor:
    """One value a channel, as a tensor (1, C, 1, 1) beside images."""
    return torch.tensor(values, device=device).view(1, -1, 1, 1)


def normalize(images: Tensor, mean: Tensor, std: Tensor) -> Tensor:
    """uint8 (N, C, H, W) to standardized float32, as torchvision's transforms do it."""
    return (images.float() / 255 - mean) / std


def in_order(images: int, processes: int = 1) -> tuple[Tensor, ...]:
    """The indices of all images, in batches."""
    return torch.arange(images).split(BATCH_SIZE * processes)


def right(logits: Tensor, labels: Tensor) -> Tensor:
    """Whether the first guess is right, and one of the first five, or of all if there are fewer: bool (2, N).

    logits   (N, K), and labels int64 (N,)
    """
    guesses = logits.topk(min(5, logits.shape[1])).indices == labels[:, None]
    return torch.stack([guesses[:, 0], guesses.any(dim=1)])


@torch.inference_mode()
def count_errors(network: TraceableNetwork, batches: Iterable[Batch], mean: Tensor, std: Tensor) -> Errors:
    """Errors of `network` in evaluation mode, in the caller's precision; its mode is restored.

    batches   uint8 images (N, C, H, W) and labels int64 (N,) on the network's device; mean, std (1, C, 1, 1)
    """
    training = network.training
    network.eval()
    wrong1 = wrong5 = images = 0
    for x, y in batches:
        x = normalize(x, mean, std).contiguous(memory_format=torch.channels_last)
        first, five = right(network(x), y).sum(dim=1).tolist()
        wrong1, wrong5, images = wrong1 + len(y) - first, wrong5 + len(y) - five, images + len(y)
    network.train(training)
    return Errors(wrong1, wrong5, images)


def evaluate_model(
    name: str,
    data: Path | None = None,
    device: str = "auto",
    offline: bool = False,
    weights: Path | None = None,
) -> Errors:
    """Errors of a catalogue entry on the test images of its data set, from `data` or torchvision's download.

    Classes are matched by folder names if these are the network's labels; otherwise (ImageNet's folders are synset
    numbers) there must be as many classes as labels, in the same order. `weights` as in `list_models`. Raises
    `InputError`.
    """
    entry = find_entry(name, weights)
    if not entry.trained:
        raise InputError(f"{entry.name} has random weights, so there is nothing to evaluate: pick a trained model.")
    model = load_model(entry, device, offline)
    return _evaluate(model, _split(entry.tag, "test", entry.spec, model.preprocessing, data, offline))


def evaluate_runs(
    name: str,
    folder: Path,
    data: Path | None = None,
    device: str = "auto",
    offline: bool = False,
    weights: Path | None = None,
) -> list[tuple[Card, Errors]]:
    """Errors of every training run of `name` whose weights and card lie below `folder`, by seed.

    Raises `InputError` when there are none, or when weights do not match their card.
    """
    target = pick_device(device)
    name = name if "." in name else find_entry(name, weights).name
    paths = sorted(folder.rglob(f"{name}.json")) if NAME.fullmatch(name) else []
    if not paths:
        raise InputError(f"There is no {name}.json below {folder}: train it with --seed N --out {folder}/N.")
    runs = sorted((_read_run(path, target) for path in paths), key=lambda run: run[0].seed)
    first = runs[0][0]
    # Runs with the same preprocessing, usually all of them, share the images.
    seen = {model.preprocessing for _, model in runs}
    splits = {each: _split(first.dataset, "test", first.spec, each, data, offline) for each in seen}
    return [(card, _evaluate(model, splits[model.preprocessing])) for card, model in runs]


def _read_run(path: Path, device: torch.device) -> tuple[Card, Model]:
    try:
        card = Card.read(path)
        card.require_name(path.stem, path)
        network = empty_network(card.spec)
        load_run(network, path.with_suffix(".safetensors"), card)
    except InputError as error:
        raise InputError(f"{path.parent}: {error}") from error  # All runs have files of the same names.
    return card, Model(card.name, network.eval().to(device), tuple(card.classes), card.preprocessing)


def _split(
    dataset: str, split: str, spec: NetworkSpec, preprocessing: Preprocessing, data: Path | None, offline: bool
) -> Labelled | Photos:
    photos = spec.family == "imagenet"
    return load_split(dataset, split, data, offline=offline, preprocessing=preprocessing, photos=photos)


def _evaluate(model: Model, split: Labelled | Photos) -> Errors:
    mean, std = _statistics(model.preprocessing, model.device)
    with exact_float32(model.device):
        return count_errors(model.network, _batches(model, split, model.device), mean, std)


def standardized_test_set(
    entry: Entry, data: Path | None, device: torch.device, offline: bool = False
) -> tuple[int, Iterator[Batch]]:
    """The number of test images, and batches of them as float32 (N, C, H, W), standardized for the network of `entry`.

    Raises `InputError` when the images are not available, or do not fit the network's classes and channels.
    """
    split = _split(entry.tag, "test", entry.spec, entry.preprocessing, data, offline)
    mean, std = _statistics(entry.preprocessing, device)
    return len(split.labels), ((normalize(x, mean, std), y) for x, y in _batches(entry, split, device))


def standardized_sample(
    entry: Entry, split: str, count: int, data: Path | None, device: torch.device, offline: bool = False
) -> Batch:
    """`Labelled.sample` of the "train" or "test" images, as one batch, standardized for the network of `entry`: float32
    (count, C, H, W), and int64 (count,). Raises `InputError` as `standardized_test_set`."""
    chosen = _split(entry.tag, split, entry.spec, entry.preprocessing, data, offline).sample(count)
    mean, std = _statistics(entry.preprocessing, device)
    x, y = zip(*_batches(entry, chosen, device), strict=True)
    return normalize(torch.cat(x), mean, std), torch.cat(y)


def _statistics(preprocessing: Preprocessing, device: torch.device) -> tuple[Tensor, Tensor]:
    return by_channel(preprocessing.mean, device), by_channel(preprocessing.std, device)


def _batches(model: Entry | Model, split: Labelled | Photos, device: torch.device) -> Iterator[Batch]:
    classes, channels = len(model.labels), len(model.preprocessing.mean)
    if (len(split.classes), split.channels) != (classes, channels):
        raise InputError(
            f"{model.name} distinguishes {classes} classes of {channels}-channel images; this data has "
            f"{len(split.classes)} classes and {split.channels} channels."
        )
    if split.size != model.preprocessing.crop_size:
        raise InputError(
            f"{model.name} was trained on images of {model.preprocessing.crop_size} pixels; this data has images of "
            f"{split.size}."
        )
    split = replace(split, labels=_as_labelled(split, model.labels))
    feed = PhotoFeed(split, device) if isinstance(split, Photos) else MemoryFeed(split, device)
    return feed.batches(in_order(len(feed)))


def _as_labelled(split: Labelled | Photos, labels: tuple[str, ...]) -> Tensor:
    """The labels of `split` as indices into `labels`, by name; in order if no name is the same. Raises `InputError` if
    only some are."""
    # Earlier cards have underscores, and no folder can be called "T-shirt/top".
    classes, names = (in_words(name.replace("/", " ") for name in these) for these in (split.classes, labels))
    if not set(classes) & set(names):
        return split.labels
    if set(classes) != set(names) or len(set(names)) < len(names):
        other = next((told for told, name in zip(split.classes, classes, strict=True) if name not in names), "")
        raise InputError(f"Of the classes of this data, {quoted(other)} is none of the network's: {', '.join(labels)}.")
    return torch.tensor([names.index(name) for name in classes])[split.labels]
