"""From datasets to batches, in this process or in others that work ahead of it.

Batches are the same whatever the number of processes: the sampler runs in this one, and what it asks for
tells the epoch, too.
"""

from typing import Any

from torch.utils.data import DataLoader

from components.params import CandidateParams
from components.training.augmentation import augmentation
from components.training.batches import ClipBatch, WholeBatch, WholeVideos, collate
from components.training.dataset import ClipDataset, DrawnClips, as_it_is
from components.training.distributed import SINGLE_PROCESS, Processes, ProcessShare
from components.training.sampling import EpochSampler, training_items
from components.training.workers import loading


def epoch_sampler(clips: ClipDataset, settings: CandidateParams) -> EpochSampler:
    """Returns what each epoch draws of the training clips."""
    return EpochSampler(training_items(clips.videos, settings), settings.seed, settings.hard_examples)


def training_batches(
    clips: ClipDataset,
    settings: CandidateParams,
    together: Processes = SINGLE_PROCESS,
    sampler: EpochSampler | None = None,
) -> DataLoader[ClipBatch]:
    """Drawn and augmented clips, others in each epoch; those that fall to this process."""
    drawn = DrawnClips(clips, settings.frame_range, _augment(clips, settings), settings.seed)
    loader: DataLoader[Any] = DataLoader(
        drawn,
        together.part(settings.batch_size),
        sampler=ProcessShare(sampler or epoch_sampler(clips, settings), together),
        collate_fn=collate,
        **loading(settings.workers),
    )
    return loader


def whole_batches(
    clips: ClipDataset, batch_size: int, workers: int = 0, together: Processes = SINGLE_PROCESS
) -> DataLoader[WholeBatch]:
    """Returns all stored frames of all faces, of the videos that fall to this process; see `WholeVideos`."""
    whole = WholeVideos(clips, batch_size, together.rank, together.count)
    return DataLoader(whole, batch_size=None, **loading(workers))


def _augment(clips: ClipDataset, settings: CandidateParams) -> Any:
    return as_it_is if settings.cache_features else augmentation(settings.augmentation, clips.crop_size)
