"""torch's ONNX exporter, silent and reproducible."""

import logging
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import onnx
import torch
from torch import Tensor, nn

from components.errors import StageError

TALKATIVE = ("onnx_ir", "onnxscript")
"""Loggers that tell every step of every rewriting pass."""


def build_bundle(
    network: nn.Module,
    inputs: Mapping[str, Tensor],
    outputs: Sequence[str],
    dynamic: Mapping[int, Any],
    opset: int,
) -> bytes:
    """Returns a network as an ONNX file's content; the same weights yield the same bytes.

    torch's older, tracing exporter is no way out: it ties an LSTM's first state to the example's batch.

    Args:
        network: in evaluation mode.
        inputs: an example of each by its name, in the order in which the network takes them; a dynamic
            dimension of one would be taken for a constant.
        outputs: names of the outputs.
        dynamic: `torch.export.Dim` by dimension, the same of every input.
        opset: of the ONNX standard.

    Raises:
        StageError: the exporter gave nothing.
    """
    with _quiet():
        program = torch.onnx.export(
            network,
            tuple(inputs.values()),
            opset_version=opset,
            input_names=list(inputs),
            output_names=list(outputs),
            dynamic_shapes=tuple(dict(dynamic) for _ in inputs),
            dynamo=True,
            verbose=False,
        )
    if program is None:
        raise StageError("torch.onnx.export returned no model; try another export.opset in params.yaml")
    content: bytes = _without_traces(program.model_proto).SerializeToString(deterministic=True)
    return content


@contextmanager
def _quiet() -> Iterator[None]:
    """Silences the exporter's deprecations and steps, which are not the user's affair."""
    loggers = [logging.getLogger(name) for name in TALKATIVE]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


def _without_traces(model: onnx.ModelProto) -> onnx.ModelProto:
    """Drops the exporter's notes on every part: they name source files by their place on this machine."""
    graph = model.graph
    parts = (*graph.node, *graph.value_info, *graph.input, *graph.output, *graph.initializer)
    for part in (model, graph, *parts):
        part.doc_string = ""
        del part.metadata_props[:]
    return model
