"""What is measured, as plain data: NumPy and Python values only. Every other room gives or takes these."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
