from .card import Card as Card, sha256_of as sha256_of
from .catalogue import Catalogue as Catalogue, find_entry as find_entry, list_models as list_models
from .catalogue import open_catalogue as open_catalogue
from .entry import Entry as Entry
from .fetching import Progress as Progress, fetch as fetch, progress_text as progress_text
from .models import Model as Model, ModelCache as ModelCache, load_model as load_model, pick_device as pick_device
from .paths import LESIONS as LESIONS, user_folder as user_folder
from .preprocessing import Preprocessing as Preprocessing
from .weights import WeightState as WeightState, fetch_entry as fetch_entry, is_offline as is_offline
from .weights import load_run as load_run, require_weights as require_weights, weight_state as weight_state
