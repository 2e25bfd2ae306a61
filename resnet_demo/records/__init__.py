"""Measured results as plain data: NumPy and Python values only. All other packages produce or consume them."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
