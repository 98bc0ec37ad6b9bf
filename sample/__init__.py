"""The embedded sample data: procedurally rendered talking heads and forgeries of them."""

from sample.dataset import generate
from sample.settings import SampleSettings

__all__ = ["SampleSettings", "generate"]
