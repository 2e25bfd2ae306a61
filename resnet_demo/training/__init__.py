"""Training and evaluation: images, two recipes, one loop on any number of devices, error rates."""

from resnet_demo.records import Lap
from resnet_demo.training.data import Labelled, Photos, default_preprocessing, fetch_cifar10, has_cifar10, load_split
from resnet_demo.training.distributed import World, joined
from resnet_demo.training.evaluation import Errors, count_errors, evaluate_model, evaluate_runs, standardized_test_set
from resnet_demo.training.loop import Status, train
from resnet_demo.training.racing import MAX_SECONDS, race
from resnet_demo.training.recipe import FAST, PAPER, RECIPES, Recipe
from resnet_demo.training.run import Run, check_dataset_name

__all__ = [
    "FAST",
    "MAX_SECONDS",
    "PAPER",
    "RECIPES",
    "Errors",
    "Labelled",
    "Lap",
    "Photos",
    "Recipe",
    "Run",
    "Status",
    "World",
    "check_dataset_name",
    "count_errors",
    "default_preprocessing",
    "evaluate_model",
    "evaluate_runs",
    "fetch_cifar10",
    "has_cifar10",
    "joined",
    "load_split",
    "race",
    "standardized_test_set",
    "train",
]
