"""The identity of a training run, and the command that repeats it."""

from dataclasses import asdict, dataclass, replace
from typing import Any

import torch

from resnet_demo.errors import InputError, quoted
from resnet_demo.networks import NetworkSpec, parse_name
from resnet_demo.training.data import Labelled, Photos, default_preprocessing
from resnet_demo.training.recipe import PAPER_WARMUP_DEPTH, PAPER_WARMUP_RATE, RECIPES, Recipe
from resnet_demo.training.starting import Start
from resnet_demo.zoo.catalogue import NAME, RESERVED

# Fields that can be overridden on the command line, by the name of the option.
OPTIONS = ("epochs", "batch_size", "learning_rate", "weight_decay", "precision")


@dataclass(frozen=True)
class Run:
    """Everything that determines a training run: the same run on the same machine gives the same weights.

    image_size            of the images, in pixels
    start, start_sha256   the trained network that it starts from and its weights file; empty for random weights
    """

    spec: NetworkSpec
    dataset: str
    recipe: Recipe
    seed: int
    image_size: int
    start: str = ""
    start_sha256: str = ""

    @classmethod
    def create(
        cls,
        architecture: str,
        dataset: str,
        data: Labelled | Photos,
        recipe: Recipe,
        seed: int,
        device: torch.device,
        start: Start | None = None,
    ) -> "Run":
        """A run of the network called `architecture`, with the numbers of outputs and channels that `data` requires and
        the recipe adapted to that network and device. Raises `InputError` as `check_dataset_name`, and when the network
        cannot start from `start`."""
        check_dataset_name(dataset)
        spec = parse_name(architecture, num_classes=len(data.classes), in_channels=data.channels)
        if recipe.precision == "auto":
            recipe = replace(recipe, precision=best_precision(device))
        if recipe.name == "paper" and spec.depth >= PAPER_WARMUP_DEPTH and spec.family == "cifar":
            recipe = replace(recipe, warmup_rate=PAPER_WARMUP_RATE)
        if start is None:
            return cls(spec, dataset, recipe, seed, data.size)
        start.require_fits(spec)
        return cls(spec, dataset, recipe, seed, data.size, start.name, start.sha256)

    @property
    def name(self) -> str:
        return f"{self.spec.name}.{self.dataset}"

    @property
    def command(self) -> str:
        """The command that repeats the run, without the locations of the images and of a file that it started from."""
        named = RECIPES.get(self.recipe.name, self.recipe)
        words = [f"python -m resnet_demo train {self.spec.name} --dataset {self.dataset} --recipe {self.recipe.name}"]
        words += [
            f"--{option.replace('_', '-')} {getattr(self.recipe, option)}"
            for option in OPTIONS
            if getattr(self.recipe, option) != getattr(named, option)
        ]
        usual = default_preprocessing(self.dataset, self.spec.family == "imagenet").crop_size
        words += [f"--image-size {self.image_size}"] * (self.image_size != usual)
        words += [f"--from {self.start}"] * bool(self.start)
        return " ".join([*words, f"--seed {self.seed}", *["--compile"] * self.recipe.compile])

    def to_dict(self) -> dict[str, Any]:
        """Plain values that JSON preserves, for the card, which says the size of the images by itself."""
        recipe = asdict(self.recipe) | {"drops": list(self.recipe.drops)}
        values = {"network": asdict(self.spec), "dataset": self.dataset, "recipe": recipe, "seed": self.seed}
        return values | {"start": self.start, "start_sha256": self.start_sha256}


def check_dataset_name(dataset: str) -> None:
    """Raises `InputError` for a name under which the catalogue would not find the network."""
    if dataset in RESERVED or not NAME.fullmatch(f"resnet20.{dataset}"):
        raise InputError(
            f"A data set cannot be called {quoted(dataset)}: use up to 100 letters, digits, - and _, but not "
            f"{', '.join(RESERVED)}."
        )


def best_precision(device: torch.device) -> str:
    """bfloat16 if the device computes in it and does not merely emulate it, else float32."""
    computes = False
    if device.type == "cuda":
        computes = torch.cuda.is_bf16_supported(including_emulation=False)
    elif device.type == "cpu":
        computes = torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
    return "bfloat16" if computes else "float32"
