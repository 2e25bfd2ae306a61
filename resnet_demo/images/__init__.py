"""Safe decoding of any file that a visitor may send to an RGB photo."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
