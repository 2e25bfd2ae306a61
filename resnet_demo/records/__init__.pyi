from .analysis import (
    DEFAULT_QUESTION as DEFAULT_QUESTION,
    Analysis as Analysis,
    Attribution as Attribution,
    BranchRatio as BranchRatio,
    ClassMap as ClassMap,
    Comparison as Comparison,
    LayerGradient as LayerGradient,
    OutputGradient as OutputGradient,
    PrecisionError as PrecisionError,
    Prediction as Prediction,
    Question as Question,
    Target as Target,
    relative_depths as relative_depths,
)
from .laboratory import (
    Flow as Flow,
    Landscape as Landscape,
    LayerFlow as LayerFlow,
    LesionStudy as LesionStudy,
    Stop as Stop,
    TrainedFlow as TrainedFlow,
)
from .networks import BlockSummary as BlockSummary, Row as Row, Table as Table, kind_of as kind_of
from .tables import GRADIENT_COLUMNS as GRADIENT_COLUMNS, gradient_csv as gradient_csv, gradient_rows as gradient_rows
from .training import (
    Epoch as Epoch,
    Lap as Lap,
    Outcome as Outcome,
    Source as Source,
    Summary as Summary,
    TrainingCurve as TrainingCurve,
)
