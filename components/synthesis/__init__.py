"""The embedded sample data: procedurally rendered talking heads and forgeries of them."""

from components.synthesis.dataset import generate
from components.synthesis.settings import SampleSettings

__all__ = ["SampleSettings", "generate"]
