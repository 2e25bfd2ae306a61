"""The page. One file a tab; wiring only."""

from resnet_demo.ui.page import build_page, launch_options
from resnet_demo.ui.queues import share_cores
from resnet_demo.ui.serving import serve

__all__ = ["build_page", "launch_options", "serve", "share_cores"]
