"""The page. One file a tab; wiring only."""

import os

import lazy_loader

# Before Gradio is imported, which reads it then: this page tells nobody that it was opened.
os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
