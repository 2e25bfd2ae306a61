from .analysis import (
    Analyzed as Analyzed,
    analyze as analyze,
    analyze_files as analyze_files,
    compare as compare,
    explain_classes as explain_classes,
    precision_error as precision_error,
)
from .errors import InputError as InputError
from .laboratory import gradient_flow as gradient_flow
from .networks import TraceableNetwork as TraceableNetwork, create_network as create_network
from .networks import fold_shortcuts as fold_shortcuts, grow as grow
from .records import Analysis as Analysis, Question as Question
from .zoo import Model as Model, Preprocessing as Preprocessing, list_models as list_models, load_model as load_model

__version__: str
