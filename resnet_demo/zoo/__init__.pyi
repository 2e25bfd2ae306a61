from .card import Card as Card, sha256_of as sha256_of
from .catalogue import (
    IMAGENET_MEAN as IMAGENET_MEAN,
    IMAGENET_STD as IMAGENET_STD,
    WEIGHTS as WEIGHTS,
    Entry as Entry,
    find_entry as find_entry,
    list_models as list_models,
)
from .datasets import DATASETS as DATASETS, Dataset as Dataset
from .fetching import Progress as Progress, fetch as fetch
from .models import Model as Model, ModelCache as ModelCache, load_model as load_model, pick_device as pick_device
from .preprocessing import Preprocessing as Preprocessing
from .weights import (
    WeightState as WeightState,
    fetch_entry as fetch_entry,
    is_offline as is_offline,
    load_run as load_run,
    require_weights as require_weights,
    weight_state as weight_state,
)
