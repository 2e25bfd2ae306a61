"""Every network of the paper, and no files, images or connections: a frozen spec in, an `nn.Module` out."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
