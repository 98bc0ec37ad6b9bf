"""A model that takes a mask is told that all frames of a clip are real ones; one that takes none is not."""

import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from components.bundle import Bundle, open_bundle
from serving.scorer import Scorer

FRAMES = 3


def write_mask_counter(path: Path) -> None:
    """Write clip, mask bool (B, T) → logit float32 (B,): how many frames are real ones."""
    nodes = [
        helper.make_node("Cast", ["mask"], ["values"], to=TensorProto.FLOAT),
        helper.make_node("Constant", [], ["axes"], value_ints=[1]),
        helper.make_node("ReduceSum", ["values", "axes"], ["logit"], keepdims=0),
    ]
    inputs: Sequence[onnx.ValueInfoProto] = [
        helper.make_tensor_value_info("clip", TensorProto.UINT8, ["b", "t", "h", "w", 3]),
        helper.make_tensor_value_info("mask", TensorProto.BOOL, ["b", "t"]),
    ]
    logit = helper.make_tensor_value_info("logit", TensorProto.FLOAT, ["b"])
    graph = helper.make_graph(nodes, "counter", inputs, [logit])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10), path)


@pytest.mark.parametrize(("masked", "logit"), [(True, FRAMES), (False, 7.0)])
def test_every_frame_of_a_clip_counts(bundle: Bundle, tmp_path: Path, masked: bool, logit: float) -> None:
    folder = tmp_path / "bundle"
    shutil.copytree(bundle.folder, folder)
    if masked:
        write_mask_counter(folder / "model.onnx")
    with Scorer(open_bundle(folder), provider="cpu", workers=1) as scorer:
        assert scorer._logit(np.full((FRAMES, 8, 8, 3), 7, dtype=np.uint8)) == logit
