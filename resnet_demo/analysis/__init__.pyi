from .attributions import METHODS as METHODS, Method as Method, StoppedError as StoppedError, attribute as attribute
from .batches import Analyzed as Analyzed, analyze_files as analyze_files
from .class_maps import explain_classes as explain_classes
from .comparison import compare as compare
from .explaining import analyze as analyze, analyze_batch as analyze_batch
from .finding import find_class as find_class, find_layer as find_layer
from .precision import precision_error as precision_error
from .preparing import Prepared as Prepared, prepare as prepare
