"""Every network of the paper, and no files, images or connections: a frozen spec in, an `nn.Module` out."""

from resnet_demo.networks.network import Network, Trace, create_network, empty_network, parameter_count
from resnet_demo.networks.protocol import TraceableBlock, TraceableNetwork, require_traceable
from resnet_demo.networks.spec import LADDER, NetworkSpec, families_of, parse_name

__all__ = [
    "LADDER",
    "Network",
    "NetworkSpec",
    "Trace",
    "TraceableBlock",
    "TraceableNetwork",
    "create_network",
    "empty_network",
    "families_of",
    "parameter_count",
    "parse_name",
    "require_traceable",
]
