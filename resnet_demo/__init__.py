"""See what residual connections do: predictions, Grad-CAM and the gradient norm of every layer, on your own photo.

from resnet_demo import analyze
analysis = analyze("photo.jpg", "resnet20.cifar10")
analysis.predictions[0].label, analysis.cam, analysis.gradients[0].gradient_norm
"""

import lazy_loader

__version__ = "0.1.0"
# Here and in each subpackage, the names in the stub beside the file are imported on first use: until then torch, gradio
# and matplotlib cost nothing. Type checkers and editors read the stub. (SPEC 1 of scientific-python.org.)
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
