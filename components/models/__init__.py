"""The candidates: networks that give a clip of face crops a real and a fake logit. One file each.

A candidate's file is imported when it is created, and timm only where it needs it.
"""

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
    "load_candidate",
    "names",
    "normalise",
    "save_candidate",
]
