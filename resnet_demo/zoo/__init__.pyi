from . import paths as paths
from .card import Card as Card, sha256_of as sha256_of
from .catalogue import Catalogue as Catalogue, find_entry as find_entry, list_models as list_models
from .catalogue import open_catalogue as open_catalogue
from .entry import Entry as Entry
from .fetching import Progress as Progress, fetch as fetch, progress_text as progress_text
from .models import Model as Model, ModelCache as ModelCache, load_model as load_model, pick_device as pick_device
from .preprocessing import Preprocessing as Preprocessing
from .results import SOURCES as SOURCES, all_results as all_results, missing as missing, read_cards as read_cards
from .results import summarize as summarize, trained_cards as trained_cards
from .weights import WeightState as WeightState, fetch_entry as fetch_entry, is_offline as is_offline
from .weights import load_run as load_run, require_weights as require_weights, weight_state as weight_state
