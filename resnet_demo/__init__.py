"""See what residual connections do: predictions, Grad-CAM and the gradient norm of every layer, on your own photo.

from resnet_demo import analyze
analysis = analyze("photo.jpg", "resnet20.cifar10")
analysis.predictions[0].label, analysis.cam, analysis.gradients[0].gradient_norm
"""

from resnet_demo.analysis.explaining import analyze
from resnet_demo.errors import InputError
from resnet_demo.networks import create_network
from resnet_demo.records import Analysis
from resnet_demo.zoo import Model, list_models, load_model

__version__ = "0.1.0"
__all__ = ["Analysis", "InputError", "Model", "analyze", "create_network", "list_models", "load_model"]
