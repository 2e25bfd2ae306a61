from .data import (
    Labelled as Labelled,
    Photos as Photos,
    default_preprocessing as default_preprocessing,
    fetch_cifar10 as fetch_cifar10,
    has_cifar10 as has_cifar10,
    load_split as load_split,
)
from .distributed import World as World, joined as joined
from .evaluation import (
    Errors as Errors,
    count_errors as count_errors,
    evaluate_model as evaluate_model,
    evaluate_runs as evaluate_runs,
    standardized_sample as standardized_sample,
    standardized_test_set as standardized_test_set,
)
from .loop import Status as Status, train as train
from .race_process import RACERS as RACERS, run_race as run_race
from .racing import MAX_SECONDS as MAX_SECONDS, race as race
from .recipe import FAST as FAST, PAPER as PAPER, RECIPES as RECIPES, Recipe as Recipe
from .starting import Start as Start, load_start as load_start
from .run import Run as Run, check_dataset_name as check_dataset_name
