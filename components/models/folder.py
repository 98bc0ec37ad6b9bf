"""A trained candidate on disk: `weights.safetensors` and `candidate.json`. Nothing is pickled."""

from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from components.documents import write_document
from components.errors import StageError
from components.models.base import MEAN, STD, Candidate, WeightsOrigin
from components.models.ensemble import Ensemble
from components.models.registry import create
from components.params import Network
from components.params.networks import EnsembleNetwork
from components.values import Frozen

Channels = tuple[float, float, float]


class CandidateInfo(Frozen):
    """`candidate.json`: what the weights belong to and how they came about."""

    name: str = Field(description="of the candidate in params.yaml")
    network: Network | EnsembleNetwork = Field(discriminator="name")
    members: tuple["CandidateInfo", ...] = Field(default=(), description="of an ensemble")
    input_size: int | None = Field(description="side of the square taken from a crop, px; null: all of it")
    methods: tuple[str, ...] = Field(description="what the second head tells apart, if there is one")
    size: int = Field(description="side of the crops it was trained on, px")
    crop: str = Field(description="digest of the crop policy of those clips")
    frames: tuple[int, int] = Field(description="least and most frames drawn from a clip in an epoch")
    mean: Channels = MEAN
    std: Channels = STD
    parameters: int = Field(description="of the network, whether they learnt or not")
    trainable_parameters: int = Field(description="those that learnt; a frozen backbone's did not")
    genuine_alone: bool = Field(default=False, description="no forged video was learnt from")
    self_blended: float = Field(default=0.0, description="share of genuine clips learnt as forgeries, too")
    pretrained: WeightsOrigin | None = Field(description="where training started; null: its members say")
    epochs: int = Field(description="epochs that were run; of an ensemble 0")
    best_epoch: int = Field(description="the epoch, from 1, whose weights these are; of an ensemble 0")
    seed: int | None = Field(description="of the training; null: its members say")
    training: str = Field(description="digest of everything that decided the outcome")
    settings: dict[str, Any] = Field(default={}, description="of params.yaml, with which it was made")


def save_candidate(folder: Path, model: Candidate, info: CandidateInfo) -> None:
    """Writes a candidate's two files into a folder, which is made if needed."""
    folder.mkdir(parents=True, exist_ok=True)
    # safetensors refuses the channels-last layout that training uses.
    weights = {name: tensor.detach().cpu().contiguous() for name, tensor in model.state_dict().items()}
    save_file(weights, folder / "weights.safetensors")
    write_document(info, folder / "candidate.json")


def load_candidate(folder: Path) -> tuple[Candidate, CandidateInfo]:
    """Opens a trained candidate on the CPU, in evaluation mode.

    Raises:
        StageError: a file is missing, or is not what `save_candidate` writes.
    """
    for name in ("candidate.json", "weights.safetensors"):
        if not (folder / name).is_file():
            raise StageError(f"{folder / name}: not there yet; run the stage that makes it (dvc repro)")
    try:
        info = CandidateInfo.model_validate_json((folder / "candidate.json").read_text(encoding="utf-8"))
        model = _made(info)
        model.load_state_dict(load_file(folder / "weights.safetensors"))
    except (ValidationError, SafetensorError, RuntimeError) as error:
        reason = str(error).strip().splitlines()[0]
        raise StageError(f"{folder}: not a candidate of this version ({reason}); run dvc repro") from error
    return model.eval(), info


def _made(info: CandidateInfo) -> Candidate:
    """Returns the network with weights that do not matter, since its own are put in their place."""
    if isinstance(info.network, EnsembleNetwork):
        return Ensemble([_made(member) for member in info.members], [0.0] * len(info.members), 0.0)
    start = {"pretrained": False} if "pretrained" in type(info.network).model_fields else {}
    model = create(info.network.model_copy(update=start), info.input_size or info.size)
    model.mean, model.std, model.input_size = info.mean, info.std, info.input_size
    if info.methods:
        model.add_method_head(len(info.methods))
    return model
