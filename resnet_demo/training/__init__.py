"""Training and evaluation: data in memory, one recipe, one loop, error rates."""

from resnet_demo.training.data import Labelled, load_split
from resnet_demo.training.evaluation import Errors, error_rates, evaluate_model
from resnet_demo.training.loop import Run, train
from resnet_demo.training.recipe import Recipe

__all__ = ["Errors", "Labelled", "Recipe", "Run", "error_rates", "evaluate_model", "load_split", "train"]
