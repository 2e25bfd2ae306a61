from .page import build_page as build_page, launch_options as launch_options
from .queues import share_cores as share_cores
from .serving import serve as serve
