from .architecture import block_summaries as block_summaries, describe as describe
from .blocks import Layer as Layer
from .network import (
    Network as Network,
    Trace as Trace,
    create_network as create_network,
    empty_network as empty_network,
    parameter_count as parameter_count,
)
from .rewriting import fold_shortcuts as fold_shortcuts, grow as grow
from .protocol import (
    TraceableBlock as TraceableBlock,
    TraceableNetwork as TraceableNetwork,
    require_traceable as require_traceable,
)
from .spec import LADDER as LADDER, NetworkSpec as NetworkSpec, families_of as families_of, parse_name as parse_name
