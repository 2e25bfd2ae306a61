"""The page. One file a tab; wiring only."""

from resnet_demo.ui.page import build_page, launch_options
from resnet_demo.ui.queues import share_cores

__all__ = ["build_page", "launch_options", "share_cores"]
