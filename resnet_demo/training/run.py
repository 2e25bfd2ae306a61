"""What identifies a training run, and the command that repeats it."""

from dataclasses import asdict, dataclass, replace
from typing import Any

import torch

from resnet_demo.errors import InputError, quoted
from resnet_demo.networks import NetworkSpec, parse_name
from resnet_demo.training.data import Labelled, Photos
from resnet_demo.training.recipe import PAPER_WARMUP_DEPTH, PAPER_WARMUP_RATE, RECIPES, Recipe
from resnet_demo.zoo.catalogue import NAME, RESERVED

# What can be overridden on the command line, by the name of its option there.
OPTIONS = ("epochs", "batch_size", "learning_rate", "weight_decay", "precision")


@dataclass(frozen=True)
class Run:
    """What is trained: with the same run on the same machine, the same weights come out."""

    spec: NetworkSpec
    dataset: str
    recipe: Recipe
    seed: int

    @classmethod
    def create(
        cls, architecture: str, dataset: str, data: Labelled | Photos, recipe: Recipe, seed: int, device: torch.device
    ) -> "Run":
        """A run of the network called `architecture`, with the outputs and channels that `data` asks for, and the
        recipe as it is for that network on that device. Raises `InputError` for a name that no catalogue could find."""
        if dataset in RESERVED or not NAME.fullmatch(f"{architecture}.{dataset}"):
            raise InputError(
                f"A data set cannot be called {quoted(dataset)}: use letters, digits, - and _, but not "
                f"{', '.join(RESERVED)}."
            )
        spec = parse_name(architecture, num_classes=len(data.classes), in_channels=data.channels)
        if recipe.precision == "auto":
            recipe = replace(recipe, precision=best_precision(device))
        if recipe.name == "paper" and spec.depth >= PAPER_WARMUP_DEPTH and spec.family == "cifar":
            recipe = replace(recipe, warmup_rate=PAPER_WARMUP_RATE)
        return cls(spec, dataset, recipe, seed)

    @property
    def name(self) -> str:
        return f"{self.spec.name}.{self.dataset}"

    @property
    def command(self) -> str:
        """What to type to repeat the run; where the images come from is the reader's own affair."""
        named = RECIPES.get(self.recipe.name, self.recipe)
        words = [f"python -m resnet_demo train {self.spec.name} --dataset {self.dataset} --recipe {self.recipe.name}"]
        words += [
            f"--{option.replace('_', '-')} {getattr(self.recipe, option)}"
            for option in OPTIONS
            if getattr(self.recipe, option) != getattr(named, option)
        ]
        return " ".join([*words, f"--seed {self.seed}", *["--compile"] * self.recipe.compile])

    def to_dict(self) -> dict[str, Any]:
        """Plain values, as they come back from JSON."""
        recipe = asdict(self.recipe) | {"drops": list(self.recipe.drops)}
        return {"network": asdict(self.spec), "dataset": self.dataset, "recipe": recipe, "seed": self.seed}


def best_precision(device: torch.device) -> str:
    """bfloat16 where the device computes in it and does not merely emulate it, else float32."""
    computes = False
    if device.type == "cuda":
        computes = torch.cuda.is_bf16_supported(including_emulation=False)
    elif device.type == "cpu":
        computes = torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
    return "bfloat16" if computes else "float32"
