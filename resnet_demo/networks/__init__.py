"""Every network of the paper, built as an `nn.Module` from a frozen spec; uses no files, images or connections."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
