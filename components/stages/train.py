"""The stage `train NAME`: a candidate's weights, its curve, and what it says about unseen videos."""

import logging
from collections.abc import Sequence
from pathlib import Path

import torch

from components.errors import TrainingError
from components.models import CandidateInfo, load_candidate, save_candidate
from components.params import CandidateParams, Params
from components.project import Project
from components.tables import PREDICTIONS, write_table
from components.training.callbacks import OnEpoch, ignore
from components.training.check import of_candidate
from components.training.clips import clip_store, learning_clips
from components.training.curves import draw_curves
from components.training.dataset import ClipDataset, method_names
from components.training.distributed import processes
from components.training.finished import put_back, set_aside
from components.training.fit import Fitted, fit
from components.training.history import write_history
from components.training.identity import training_digest
from components.training.predict import predict
from components.training.videos import Video, read_videos

log = logging.getLogger(__name__)


def run(project: Project, params: Params, name: str) -> None:
    """Trains one candidate and writes its files. A killed call is taken up again by the next one.

    Of several processes that train it together, the first one writes and logs.

    Args:
        project: where the tables and clips are.
        params: `training` and `candidates` of params.yaml.
        name: a key of `candidates`.

    Raises:
        ParamsError: params.yaml or the registry has no such candidate.
        StageError: a table is not there yet, or the clips are not cut as params.yaml says.
        TrainingError: a split lacks a class, pretrained weights are out of reach, training diverged, or the
            GPU's memory is full.
    """
    from components.tracking.runs import live_run  # noqa: PLC0415 - mlflow takes seconds to import

    settings = params.candidate(name)
    videos = read_videos(project, params.faces.digest, settings)
    digest = training_digest(name, settings, videos)
    scratch = _scratch(project, name, digest)
    if processes().count == 1 and put_back(project, name, scratch):
        log.info("%s: trained before, with the same settings, clips and code; %s has kept it", name, scratch)
        return
    if not processes().chief:
        logging.getLogger("components").setLevel(logging.WARNING)
        _train(project, params, name, videos, digest, ignore)
        return
    with live_run(name, settings.model_dump(mode="json"), digest, project) as live:
        _train(project, params, name, videos, digest, live.log)
        _predict(project, name, videos, settings)
    set_aside(project, name, scratch)


def _train(
    project: Project, params: Params, name: str, videos: Sequence[Video], digest: str, on_epoch: OnEpoch
) -> None:
    """Fits; then the first process writes the weights, `candidate.json` and `history.csv`."""
    settings = params.candidates[name]
    scratch = _scratch(project, name, digest)
    try:
        with of_candidate(project.params, name):
            train, val = learning_clips(project, params.faces, settings, videos)
            log.info("%s: %d clips to learn from, %d to validate on", name, len(train), len(val))
            fitted = fit(settings, train, val, scratch, on_epoch, project.features)
    except torch.OutOfMemoryError as error:  # told here: a search notes it as what the settings are like
        raise TrainingError(
            f"{name}: the GPU's memory is full; lower batch_size and raise accumulate by as much, "
            "or set precision: bf16"
        ) from error
    if processes().chief:
        _keep(project, params, name, digest, train, fitted)


def _keep(
    project: Project, params: Params, name: str, digest: str, train: ClipDataset, fitted: Fitted
) -> None:
    settings = params.candidates[name]
    info = CandidateInfo(
        name=name,
        network=settings.network,
        input_size=fitted.model.input_size,
        methods=method_names(train, settings.self_blended) if settings.methods else (),
        mean=tuple(fitted.model.mean),
        std=tuple(fitted.model.std),
        size=train.crop_size,
        crop=params.faces.digest,
        frames=settings.frame_range,
        parameters=fitted.model.size,
        trainable_parameters=fitted.model.trainable_size,
        genuine_alone=settings.learn_from == "genuine",
        self_blended=settings.self_blended,
        pretrained=fitted.model.origin,
        epochs=len(fitted.history),
        best_epoch=fitted.best.epoch,
        seed=settings.seed,
        training=digest,
        settings=settings.model_dump(mode="json"),
    )
    save_candidate(project.candidate(name), fitted.model, info)
    write_history(fitted.history, project.history(name))
    draw_curves(name, fitted.history, settings.early_stopping.metric, project.curves(name))
    best = fitted.best
    metric = settings.early_stopping.metric
    log.info(
        "%s: best epoch %d, by %s: validation AUC %.3f; "
        "accuracy %.3f in training, %.3f in validation: gap %+.3f",
        *(name, best.epoch, metric, best.val_auc, best.train_accuracy, best.val_accuracy, best.gap),
    )


def _predict(project: Project, name: str, videos: Sequence[Video], settings: CandidateParams) -> None:
    """Writes `predictions.parquet`, from the weights as later stages will read them."""
    model, _ = load_candidate(project.candidate(name))
    unseen = [video for video in videos if video.split in ("val", "test")]
    clips = ClipDataset(unseen, clip_store(project, settings, videos))
    rows = predict(model, clips, unseen, settings.batch_size, settings.workers)
    write_table(rows, PREDICTIONS, project.candidate(name) / "predictions.parquet")


def _scratch(project: Project, name: str, digest: str) -> Path:
    """Returns where checkpoints wait for a killed training to be taken up again, and then what it made."""
    return project.scratch / "training" / f"{name}-{digest}"
