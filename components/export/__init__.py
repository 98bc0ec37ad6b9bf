"""From torch to what serving opens: the detector's networks and the winner as ONNX, in a bundle."""
