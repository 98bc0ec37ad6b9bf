import pytest

from components.bundle import BundleInfo, Provenance
from components.evaluation.results import Evaluation
from components.evaluation.winner import Winner
from components.export.model_card import model_card
from components.models import CandidateInfo
from components.params import Params
from components.params.networks import EfficientnetTransformer

SIGNATURE = "`clip` uint8 (B, T, 32, 32, 3) → `logit` float32 (B,), fake minus real"


@pytest.fixture
def info(params: Params, winner: Winner) -> BundleInfo:
    return BundleInfo(
        crop=params.faces,
        limits=params.limits,
        mean=(0.5, 0.5, 0.5),
        std=(0.2, 0.2, 0.2),
        gate_passed=True,
        provenance=Provenance(data="d" * 64, split="e" * 64, code=None, lock=None),
        **dict(winner),
    )


def test_tells_what_a_user_must_know(
    info: BundleInfo, about: CandidateInfo, evaluation: Evaluation, params: Params
) -> None:
    card = model_card(info, about, SIGNATURE, evaluation, params.export)
    assert card.startswith("# simple_cnn: a deepfake video detector\n")
    for line in (
        "| test | 24 | 12 | 12 | 12 | 24 |",
        "No person stands in two splits. 0 further videos",
        "| AUC | 0.900 | 0.800 – 0.970 |",
        "| Coverage | 1.000 |  |",
        "| swap | 12 | 0.870 | 0.710 – 0.960 |",
        "probability = sigmoid(1.500 × logit − 0.250)",
        "calibrated probability of 0.420 on",
        f"Policy `{params.faces.digest}`",
        "- Gate: passed.",
        f"| data | `{'d' * 64}` |",
        "| code | unknown |",
        f"- `model.onnx`: {SIGNATURE}. Normalisation is inside.",
    ):
        assert line in card


def test_claims_nothing_about_people_whom_nobody_named(
    info: BundleInfo, about: CandidateInfo, evaluation: Evaluation, params: Params
) -> None:
    unnamed = evaluation.data["test"].model_copy(update={"unnamed": 5})
    changed = evaluation.model_copy(update={"data": evaluation.data | {"test": unnamed}})
    card = model_card(info, about, SIGNATURE, changed, params.export)
    assert (
        "5 of 72 videos name nobody: for them splits are disjoint by file and content only. 0 further" in card
    )
    assert "No person" not in card


def test_says_when_there_was_no_calibration(
    info: BundleInfo, about: CandidateInfo, evaluation: Evaluation, params: Params
) -> None:
    result = evaluation.candidates["simple_cnn"].model_copy(update={"calibration_note": "only 3 videos"})
    changed = evaluation.model_copy(update={"candidates": {"simple_cnn": result}})
    card = model_card(info, about, SIGNATURE, changed, params.export)
    assert "- Calibration: none, because only 3 videos." in card


def test_warns_of_a_detector_that_failed_its_gate(
    info: BundleInfo, about: CandidateInfo, evaluation: Evaluation, params: Params
) -> None:
    failed = info.model_copy(update={"gate_passed": False})
    card = model_card(failed, about, SIGNATURE, evaluation, params.export)
    assert "**This detector did not pass its gate.**" in card
    assert "- Gate: failed." in card


def test_tells_what_it_was_trained_from(
    info: BundleInfo, about: CandidateInfo, evaluation: Evaluation, params: Params
) -> None:
    card = model_card(info, about, SIGNATURE, evaluation, params.export)
    assert "| simple_cnn | simple_cnn |  | 422530 | 422530 | random weights | 2 | 1 of 1 | 0 |" in card
    network = EfficientnetTransformer(name="efficientnet_transformer")
    second = about.model_copy(
        update={"name": "b", "network": network, "pretrained": "bundled", "frames": (10, 30)}
    )
    combined = about.model_copy(update={"members": (about, second), "pretrained": None, "seed": None})
    card = model_card(info, combined, SIGNATURE, evaluation, params.export)
    assert "A weighted combination of 2 candidates, weighed on `val`." in card
    assert "| simple_cnn | simple_cnn |" in card
    assert "| weights that Unmask ships | 10 to 30 | 1 of 1 | 0 |" in card
    assert "| b | efficientnet_transformer | efficientnet_b3.ra2_in1k |" in card
