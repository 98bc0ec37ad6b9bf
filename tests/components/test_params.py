import re
from pathlib import Path

import pytest
import yaml

from components.detectors.settings import MtcnnPolicy
from components.errors import ParamsError
from components.faces.policy import Even
from components.params import Bounds, CandidateParams, Params, load_params, merged
from components.params.training import Cosine, Plateau

SHIPPED = Path(__file__).parents[2] / "params.yaml"


def test_the_shipped_parameters_are_valid() -> None:
    params = load_params(SHIPPED)
    assert {"simple_cnn", "resnet18_average", "efficientnet_bilstm"} <= set(params.candidates)
    assert params.gate["auc"] == Bounds(min=0.8)


def mistake(folder: Path, old: str, new: str) -> str:
    """What is said of the shipped file with `new` in the place of `old`, after the file's name."""
    content = SHIPPED.read_text(encoding="utf-8")
    assert old in content
    file = folder / "params.yaml"
    file.write_text(content.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(ParamsError) as caught:
        load_params(file)
    named, _, told = str(caught.value).partition(f"{file}: ")
    assert not named
    return told


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("  min_face_share:", "  min_face_shar:", "unknown key 'faces.min_face_shar'"),
        ("    warmup_epochs:", "    warmup_epoch:", "unknown key 'training.schedule.warmup_epoch'"),
        ("{min: 0.80}", "0.80", "gate.auc: 0.8 is no rule; write {min: 0.8}"),
        ("{min: 0.80}", "{}", "gate.auc: an empty rule; write {min: 0.8}, {max: 0.2} or both"),
        ("{min: 0.80}", "", "gate.auc: an empty rule; write {min: 0.8}, {max: 0.2} or both"),
        ("{min: 0.80}", "high", "gate.auc = 'high': use a section (key: value)"),
        ("{min: 0.80}", "{min: high}", "gate.auc.min = 'high': use a number"),
        ("{min: 0.80}", "{min: yes}", "gate.auc.min = true: use a number"),
        ("{min: 0.80}", "{min: -0.1}", "gate.auc.min = -0.1: must be greater than or equal to 0"),
        ("{min: 0.80}", "{least: 0.8}", "unknown key 'gate.auc.least'"),
        ("{min: 0.80}", "{min: 0.9, max: 0.8}", "gate.auc: min = 0.9 is above max = 0.8; no value holds"),
        ("{min: 0.80}", "{max: 1.8}", "gate: auc: 1.8 is out of range; this figure lies between 0 and 1"),
        (
            "  f1: {",
            "  f2: {",
            "gate: no figure 'f2'; use auc, f1, accuracy, precision, recall, eer, log_loss",
        ),
        ("    name: adamw", "    name: lion", "training.optimizer.name = 'lion'"),
        ("export:", "export: [", "not valid YAML: line "),
        ("export:", "gate: {}\nexport:", "key 'gate' stands here twice; remove one"),
        ("  epochs: 25", "  epochs:", "training.epochs = null: use a whole number"),
        ("  frames: 4 ", "  frames: some ", "training.frames = 'some': use a whole number or a list"),
        ("  frames: 4 ", "  frames: [30, 10] ", "training.frames: the least comes first"),
        ("  mix: {}", "  mix: [a]", "training.mix = ['a']: use a section (key: value)"),
        ("network: {name: simple_cnn}", "network: simple_cnn", "network = 'simple_cnn': use a section"),
        ("pretrained: false #", "pretrained: no way #", "use true or false or 'if-available' or 'bundled'"),
        ("  simple_cnn:", "  ../bundle:", "candidates: '../bundle' is no name; use letters"),
        ("  epochs: 25", "  epochs: yes", "training.epochs = true: use a number"),
        ("    lr: ", "    lr: .inf #", "training.optimizer.lr = inf: must be a finite number"),
        ("  gradient_clip: ", "  gradient_clip: on #", "training.gradient_clip = true: use a number"),
        (
            "  balance: none",
            "  balance: no",
            "training.balance = false: use 'none', 'sampler', 'oversample' or 'weights'",
        ),
        ("  mix: {}", "  mix: {a: yes}", "training.mix = {'a': True}: use a number"),
        ("  mix: {}", "  mix: yes", "training.mix = true: use a section"),
        ("  frames: 4 ", "  frames: [yes, 30] ", "training.frames = [True, 30]: use a number"),
        ("  frames: 4 ", "  frames: 9 ", "candidates.simple_cnn: frames = 9: of each video 8 are stored"),
        (
            "    flip: 0.5",
            "    crop: 65\n    flip: 0.5",
            "augmentation.crop = 65: the stored crops have 64",
        ),
        ("    end: 0.0 ", "    end: 0.1 ", "schedule.end = 0.1: the training would be over before it begins"),
        (
            "    epochs: 12\n    opt",
            "    frames: [4, 8]\n    opt",
            "takes clips of one length",
        ),
        ("  members: []", "  members: [a, b]", "ensemble.members: no candidate 'a'"),
    ],
)
def test_a_mistake_is_named_in_one_line(tmp_path: Path, old: str, new: str, told: str) -> None:
    message = mistake(tmp_path, old, new)
    assert told in message
    assert not re.search(r"\n|Input|instance|dictionary|tuple|pars|the file", message)


def test_the_marks_of_a_merge_are_named(tmp_path: Path) -> None:
    sides = "<<<<<<< HEAD\nseed: 1\n=======\nseed: 2\n>>>>>>> theirs\n"
    (tmp_path / "params.yaml").write_text(f"faces: {{}}\n{sides}", encoding="utf-8")
    with pytest.raises(ParamsError) as caught:
        load_params(tmp_path / "params.yaml")
    where = f"{tmp_path / 'params.yaml'}:2: a merge has left both sides here (<<<<<<< HEAD)"
    assert str(caught.value) == f"{where}; keep what is right of them, and remove the marks"


THEN = """faces:
  frames: 8
  size: 64
  margin: 0.3
  min_face_share: 0.25
  detector:
    min_face: 24
    longest_side: 640
    thresholds: [0.6, 0.7, 0.7]
    factor: 0.709

"""
"""The section of the version before there were ways of sampling and several detectors."""


def edited(faces: str) -> str:
    """The shipped file with another section `faces`."""
    before, _, rest = SHIPPED.read_text(encoding="utf-8").partition("faces:\n")
    return before + faces + rest[rest.index("training:") :]


def test_a_file_of_the_version_before_is_told_what_to_write_instead(tmp_path: Path) -> None:
    file = tmp_path / "params.yaml"
    file.write_text(edited(THEN.replace("frames: 8", "frames: 12")), encoding="utf-8")
    with pytest.raises(ParamsError) as caught:
        load_params(file)
    assert str(caught.value) == (
        f"{file}: faces.frames is now faces.sampling: {{policy: even, frames: 12}}; "
        "faces.detector: add name: mtcnn"
    )
    followed = THEN.replace("frames: 8", "sampling: {policy: even, frames: 12}")
    followed = followed.replace("  detector:\n", "  detector:\n    name: mtcnn\n")
    file.write_text(edited(followed), encoding="utf-8")
    faces = load_params(file).faces
    assert (faces.sampling, faces.detector.name) == (Even(frames=12), "mtcnn")


@pytest.mark.parametrize(
    ("faces", "told"),
    [
        ("{sampling: {frames: 8}}", "missing key 'faces.sampling.policy'; use even, every, range or clip"),
        (
            "{sampling: {policy: nonsense}}",
            "faces.sampling.policy = 'nonsense': use even, every, range or clip",
        ),
        (
            "{detector: {name: yolo}}",
            "faces.detector.name = 'yolo': use mtcnn, mediapipe or none",
        ),
        ("{detector: {min_face: 24}}", "faces.detector: add name: mtcnn"),
        ("{frames: 8, sampling: {policy: even}}", "unknown key 'faces.frames'"),
    ],
)
def test_choices_are_listed(tmp_path: Path, faces: str, told: str) -> None:
    file = tmp_path / "params.yaml"
    file.write_text(edited(f"faces: {faces}\n"), encoding="utf-8")
    with pytest.raises(ParamsError) as caught:
        load_params(file)
    assert str(caught.value).startswith(f"{file}: {told}")
    assert "discriminator" not in str(caught.value)


@pytest.mark.parametrize(
    ("faces", "told"),
    [
        (
            "{sampling: {policy: range, frames: 8}}",
            "unknown key 'faces.sampling.frames'; policy range takes least, most, per_second",
        ),
        (
            "{sampling: {policy: range, frames: 8, range: 3}, colour: red}",
            "unknown keys 'faces.sampling.frames', 'faces.sampling.range'; "
            "policy range takes least, most, per_second",
        ),
        (
            "{detector: {name: mediapipe, min_face: 24, retry: true}}",
            "unknown keys 'faces.detector.min_face', 'faces.detector.retry'; "
            "detector mediapipe takes model, confidence",
        ),
        (
            "{detector: {name: none, retry: true}}",
            "unknown key 'faces.detector.retry'; detector none takes no other key",
        ),
        ("{detector: {name: mediapipe}}", "missing key 'faces.detector.model'; add it"),
        ("{sampling: {policy: clip, places: x}}", "faces.sampling.places = 'x': use a whole number"),
        ("{detector: {name: mtcnn, thresholds: [0.6, 2, 0.7]}}", "faces.detector.thresholds.1 = 2: "),
        (
            "{colour: red, shape: round}",
            "unknown keys 'faces.colour', 'faces.shape'; remove them or correct their spelling",
        ),
    ],
)
def test_a_place_is_named_as_the_file_has_it(tmp_path: Path, faces: str, told: str) -> None:
    file = tmp_path / "params.yaml"
    file.write_text(edited(f"faces: {faces}\n"), encoding="utf-8")
    with pytest.raises(ParamsError) as caught:
        load_params(file)
    assert str(caught.value).startswith(f"{file}: {told}")


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (
            "      pretrained: ",
            "      pretrained: maybe #",
            "candidates.resnet18_average.network.pretrained = 'maybe': ",
        ),
        ("  side: [64, 8192]", "  side: [64, -1]", "validate.side.1 = -1: "),
        ("  datasets: {}", "  datasets: {mine: tst}", "ingest.datasets.mine = 'tst': "),
    ],
)
def test_a_place_outside_faces_too(tmp_path: Path, old: str, new: str, told: str) -> None:
    assert mistake(tmp_path, old, new).startswith(told)


def test_the_documented_detector_is_the_shipped_one() -> None:
    documented = (SHIPPED.parent / "docs" / "faces.md").read_text(encoding="utf-8")
    section = documented.partition("## Detectors")[2]
    example = yaml.safe_load(section.split("```")[1].removeprefix("yaml"))["faces"]["detector"]
    policy = load_params(SHIPPED).faces.detector
    assert isinstance(policy, MtcnnPolicy)
    assert MtcnnPolicy.model_validate(example) == policy == MtcnnPolicy()
    for width in (1280, 1920):
        assert re.search(
            rf"{width} × \d+\s(\w+\s)*{policy.min_face * width // policy.longest_side} px", section
        )


def test_off_needs_no_quotes(tmp_path: Path) -> None:
    file = tmp_path / "params.yaml"
    text = SHIPPED.read_text(encoding="utf-8")
    file.write_text(text.replace("near_duplicates: tie", "near_duplicates: off"), encoding="utf-8")
    assert load_params(file).ingest.near_duplicates == "off"


@pytest.mark.parametrize(
    ("content", "told"),
    [(b"", "holds no sections"), (b"- a\n", "holds no sections"), (b"a: \xff", "byte 3 is no text in UTF-8")],
)
def test_what_is_no_parameter_file_at_all(tmp_path: Path, content: bytes, told: str) -> None:
    (tmp_path / "params.yaml").write_bytes(content)
    with pytest.raises(ParamsError, match=told):
        load_params(tmp_path / "params.yaml")


def test_a_missing_file_says_where_to_run(tmp_path: Path) -> None:
    with pytest.raises(ParamsError, match="project folder"):
        load_params(tmp_path / "params.yaml")


def resolved(training: str, candidate: str) -> CandidateParams:
    """A candidate of the shipped file, whose training and whose own settings are told otherwise."""
    content = yaml.safe_load(SHIPPED.read_text(encoding="utf-8"))
    shared = merged(content["training"], yaml.safe_load(training))
    own = {"network": {"name": "simple_cnn"}} | yaml.safe_load(candidate)
    return Params.model_validate(content | {"training": shared, "candidates": {"mine": own}}).candidates[
        "mine"
    ]


def test_a_candidate_says_only_what_it_does_otherwise() -> None:
    found = resolved("{epochs: 9, optimizer: {lr: 0.5, weight_decay: 0.25}}", "{optimizer: {lr: 0.125}}")
    assert found.epochs == 9
    assert (found.optimizer.lr, found.optimizer.weight_decay) == (0.125, 0.25)


def test_a_section_of_another_kind_takes_nothing_over() -> None:
    shared = "{schedule: {name: plateau, warmup_epochs: 3, patience: 2}}"
    assert resolved(shared, "{schedule: {name: cosine}}").schedule == Cosine(name="cosine")
    assert resolved(shared, "{schedule: {patience: 4}}").schedule == Plateau(
        name="plateau", warmup_epochs=3, patience=4, factor=resolved(shared, "{}").schedule.factor
    )


def test_what_has_been_merged_stays_as_it_is() -> None:
    params = load_params(SHIPPED)
    assert Params.model_validate_json(params.model_dump_json(by_alias=True)) == params


def test_settings_of_the_version_before_are_told_where_they_stand_now(tmp_path: Path) -> None:
    told = mistake(tmp_path, "  frames: 4 ", "  frames_per_clip: 4\n  gradient_clip_: 4 ")
    assert told == "training.frames_per_clip is now training.frames"
