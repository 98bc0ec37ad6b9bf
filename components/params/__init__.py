"""`params.yaml` as frozen, validated values."""

from components.params.augmentation import AugmentationParams
from components.params.document import (
    EvaluateParams,
    ExportParams,
    IngestParams,
    LeakKind,
    Params,
    ValidateParams,
    load_params,
)
from components.params.gate import Bounds, GateRules
from components.params.merging import merged
from components.params.networks import Network, Pretrained
from components.params.training import CandidateParams, Metric, Precision, TrainingParams

__all__ = [
    "AugmentationParams",
    "Bounds",
    "CandidateParams",
    "EvaluateParams",
    "ExportParams",
    "GateRules",
    "IngestParams",
    "LeakKind",
    "Metric",
    "Network",
    "Params",
    "Precision",
    "Pretrained",
    "TrainingParams",
    "ValidateParams",
    "load_params",
    "merged",
]
