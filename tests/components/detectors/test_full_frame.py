import numpy as np

from components.detectors.full_frame import FullFrame


def test_the_whole_frame_is_the_face() -> None:
    found = FullFrame().detect(np.zeros((90, 160, 3), np.uint8), np.ones((3, 4), np.float32))
    assert found.boxes.tolist() == [[0, 0, 160, 90]]
    assert found.scores.tolist() == [1]
    assert found.landmarks.shape == (1, 5, 2)
    assert np.isnan(found.landmarks).all()
