"""What is measured, as plain data: NumPy and Python values only. Every other room gives or takes these."""

from resnet_demo.records.analysis import (
    DEFAULT_QUESTION,
    Analysis,
    Attribution,
    BranchRatio,
    ClassMap,
    Comparison,
    LayerGradient,
    OutputGradient,
    PrecisionError,
    Prediction,
    Question,
    Target,
    relative_depths,
)
from resnet_demo.records.laboratory import Flow, LayerFlow, LesionStudy, Stop
from resnet_demo.records.networks import BlockSummary, Row, Table
from resnet_demo.records.tables import GRADIENT_COLUMNS, gradient_csv, gradient_rows
from resnet_demo.records.training import Epoch, Lap, Source, Summary

__all__ = [
    "DEFAULT_QUESTION",
    "GRADIENT_COLUMNS",
    "Analysis",
    "Attribution",
    "BlockSummary",
    "BranchRatio",
    "ClassMap",
    "Comparison",
    "Epoch",
    "Flow",
    "Lap",
    "LayerFlow",
    "LayerGradient",
    "LesionStudy",
    "OutputGradient",
    "PrecisionError",
    "Prediction",
    "Question",
    "Row",
    "Source",
    "Stop",
    "Summary",
    "Table",
    "Target",
    "gradient_csv",
    "gradient_rows",
    "relative_depths",
]
