"""The candidates: networks that give a clip of face crops a real and a fake logit. One file each.

Importing this package registers them all; timm is imported only once a candidate that needs it is made.
"""

from components.models import (
    efficientnet_bilstm,
    efficientnet_frame,
    efficientnet_transformer,
    f3net_frame,
    mesonet,
    resnet18_average,
    resnet50_frame,
    simple_cnn,
    srm_frame,
    xception_frame,
)
from components.models.base import MEAN, STD, Candidate, WeightsOrigin, normalise
from components.models.folder import CandidateInfo, load_candidate, save_candidate
from components.models.registry import create, names

__all__ = [
    "MEAN",
    "STD",
    "Candidate",
    "CandidateInfo",
    "WeightsOrigin",
    "create",
    "efficientnet_bilstm",
    "efficientnet_frame",
    "efficientnet_transformer",
    "f3net_frame",
    "load_candidate",
    "mesonet",
    "names",
    "normalise",
    "resnet18_average",
    "resnet50_frame",
    "save_candidate",
    "simple_cnn",
    "srm_frame",
    "xception_frame",
]
