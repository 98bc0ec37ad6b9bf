"""Trained candidates as one more candidate, with weights from validation videos."""

import hashlib
import json
import logging
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from components.arrays import Floats64
from components.ensemble.combination import Combination, combine, decided, held_out
from components.errors import StageError
from components.models import Candidate, CandidateInfo, load_candidate, save_candidate
from components.models.ensemble import Ensemble
from components.params import Params
from components.params.networks import EnsembleNetwork
from components.project import ENSEMBLE, Project
from components.tables import PREDICTIONS, write_table
from components.training.clips import clip_store
from components.training.dataset import ClipDataset
from components.training.loader import whole_batches
from components.training.predict import predict
from components.training.videos import Video, of_split, read_videos

BATCH_SIZE = 8
"""Clips at a time."""

log = logging.getLogger(__name__)


def fit_ensemble(project: Project, params: Params, folder: Path) -> None:
    """Finds the members' weights, and writes the ensemble's files.

    Args:
        project: where the members, tables and clips are.
        params: whose `ensemble` names members.
        folder: for the files.

    Raises:
        StageError: a member is not trained yet, or was trained on clips of another crop policy.
        TrainingError: validation has too few people to find weights by.
    """
    members = [load_candidate(project.candidate(name)) for name in params.ensemble.members]
    _check(project, params, [about for _, about in members])

    settings = next(iter(params.candidates.values()))
    videos = read_videos(project, params.faces.digest, settings)
    store = clip_store(project, settings, videos)
    val = of_split(videos, "val")
    margins = [face_margins(model, ClipDataset(val, store)) for model, _ in members]
    combination, unseen = weigh(params, val, margins)
    model = Ensemble([model for model, _ in members], combination.weights.tolist(), combination.bias).eval()
    save_candidate(folder, model, _about(params, model, combination, [about for _, about in members]))
    log.info("ensemble: %s", weights_line(params.ensemble.members, combination))

    evaluated = [video for video in videos if video.split in ("val", "test")]
    rows = predict(model, ClipDataset(evaluated, store), evaluated, BATCH_SIZE)
    rows = [row | {"logit": unseen.get(row["video_id"], row["logit"])} for row in rows]
    write_table(rows, PREDICTIONS, folder / "predictions.parquet")


def weigh(
    params: Params, val: Sequence[Video], margins: Sequence[Sequence[Floats64]]
) -> tuple[Combination, dict[str, float]]:
    """Returns the weights, and each validation video's logit by weights that were found without its people.

    Args:
        params: `ensemble`.
        val: the validation videos.
        margins: `(K,)` of each video's faces, by member.
    """
    how, folds = params.ensemble.how, params.ensemble.folds
    labels = np.array([video.label for video in val])
    groups = np.unique([video.group for video in val], return_inverse=True)[1].astype(np.int64)
    faces = [np.stack(members, axis=1) for members in zip(*margins, strict=True)]  # (K, M) of each video
    unseen = held_out(how, faces, labels, groups, folds)
    logits = {video.video_id: float(logit) for video, logit in zip(val, unseen, strict=True)}
    return combine(how, decided(faces), labels), logits


def face_margins(model: Candidate, clips: ClipDataset) -> list[Floats64]:
    """Returns fake logit minus real logit `(K,)` of each video's faces."""
    by_index: dict[int, Floats64] = {}
    with torch.inference_mode():
        for batch in whole_batches(clips, BATCH_SIZE):
            videos, faces = batch.faces.shape[:2]
            logits = model(model.prepare(batch.faces.flatten(0, 1))).double()
            margins = (logits[:, 1] - logits[:, 0]).reshape(videos, faces).numpy()
            by_index.update(zip(batch.indices, margins, strict=True))
    return [by_index[index] for index in range(len(clips))]


def weights_line(members: Sequence[str], combination: Combination) -> str:
    """Returns the weights for people."""
    parts = [f"{weight:.2f} × {name}" for name, weight in zip(members, combination.weights, strict=True)]
    return " + ".join(parts) + (f" + {combination.bias:.2f}" if combination.bias else "")


def _check(project: Project, params: Params, members: Sequence[CandidateInfo]) -> None:
    for about in members:
        if about.crop != params.faces.digest:
            raise StageError(
                f"{project.candidate(about.name)}: trained on clips of crop digest {about.crop}, params.yaml "
                f"makes {params.faces.digest}; run dvc repro"
            )


def _about(
    params: Params, model: Candidate, combination: Combination, members: Sequence[CandidateInfo]
) -> CandidateInfo:
    first = members[0]
    weights = [*combination.weights.tolist(), combination.bias]
    trainings = [about.training for about in members]
    decisive_parts = [params.ensemble.model_dump(mode="json"), trainings, weights]
    return CandidateInfo(
        name=ENSEMBLE,
        network=EnsembleNetwork(name="ensemble"),
        members=tuple(members),
        input_size=None,
        methods=(),
        size=first.size,
        crop=first.crop,
        frames=(min(about.frames[0] for about in members), max(about.frames[1] for about in members)),
        parameters=model.size,
        trainable_parameters=sum(about.trainable_parameters for about in members),
        pretrained=None,
        epochs=0,
        best_epoch=0,
        seed=None,
        settings=params.ensemble.model_dump(mode="json"),
        training=hashlib.sha256(json.dumps(decisive_parts).encode()).hexdigest()[:16],
    )
