"""What can be picked: the catalogue, its weights, and models ready to look at photos."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
