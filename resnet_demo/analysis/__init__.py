"""Analysis of a photo by trained networks: predictions, class activation maps, the norms of every layer."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
