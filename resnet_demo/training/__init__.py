"""Training and evaluation: data in memory, one recipe, one loop, error rates."""

from resnet_demo.training.data import ImageData, load_data
from resnet_demo.training.evaluation import Errors, error_rates
from resnet_demo.training.loop import Run, train
from resnet_demo.training.recipe import Recipe

__all__ = ["Errors", "ImageData", "Recipe", "Run", "error_rates", "load_data", "train"]
