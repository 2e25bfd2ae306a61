"""The page. One file a tab; wiring only."""

from resnet_demo.ui.page import build_page, launch_options

__all__ = ["build_page", "launch_options"]
