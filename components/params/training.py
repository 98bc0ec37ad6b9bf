"""`training` and `candidates` of params.yaml: what a candidate is, and how it learns."""

from typing import Annotated, Literal, Self

from pydantic import Field, PositiveFloat, PositiveInt, model_validator

from components.params.augmentation import AugmentationParams, NumberRange
from components.params.networks import EfficientnetBilstm, Network
from components.params.section import Section
from components.values import Share

Metric = Literal["loss", "auc", "f1", "accuracy"]
"""Of the validation videos, after each epoch; a low loss is good, all others are good if high."""

Precision = Literal["fp32", "bf16", "fp16"]


class CrossEntropy(Section):
    """Over real and fake."""

    name: Literal["cross_entropy"] = "cross_entropy"
    label_smoothing: Share = 0.0


class MeanSquaredError(Section):
    """The squared error of the probability of a fake."""

    name: Literal["mean_squared_error"]


class FocalTerm(Section):
    """−α (1 − p)^γ log p, where p is the probability of the right class."""

    alpha: Share = 0.25
    form: Literal["alpha_balanced", "uniform"] = "alpha_balanced"
    """alpha_balanced, as published: α for fakes, 1 − α for genuine clips; uniform: α for both classes."""
    gamma: float = Field(default=2.0, ge=0)


class Focal(FocalTerm):
    """Cross entropy that passes over what is already right (https://arxiv.org/abs/1708.02002)."""

    name: Literal["focal"]


class BceFocal(FocalTerm):
    """A weighted sum of binary cross entropy and focal loss."""

    name: Literal["bce_focal"]
    bce: Share = 0.5
    focal: Share = 0.5


Loss = Annotated[CrossEntropy | MeanSquaredError | Focal | BceFocal, Field(discriminator="name")]


class Optimizer(Section):
    """What turns gradients into steps."""

    name: Literal["adam", "adamw", "sgd"]
    lr: PositiveFloat
    weight_decay: float = Field(ge=0)
    backbone: float = Field(default=1.0, gt=0)  # the backbone's rate, as a share of lr
    sam: float = Field(default=0.0, ge=0)  # radius of sharpness-aware minimisation; 0 is off
    momentum: float = Field(default=0.9, ge=0, lt=1)  # of sgd; the others have their own


class Constant(Section):
    """The same rate throughout, after a linear warm-up."""

    name: Literal["constant"]
    warmup_epochs: int = Field(default=0, ge=0)


class Plateau(Section):
    """A linear warm-up; then the rate falls whenever the validation loss has not for a while."""

    name: Literal["plateau"]
    warmup_epochs: int = Field(default=0, ge=0)
    patience: PositiveInt  # epochs without a better validation loss that may pass
    factor: float = Field(default=0.5, gt=0, lt=1)
    end: float = Field(default=0.0, ge=0)  # the training ends when the rate falls below


class Cosine(Section):
    """A linear warm-up; then half a cosine down to a share of the rate."""

    name: Literal["cosine"]
    warmup_epochs: int = Field(default=0, ge=0)
    floor: Share = 0.0


class Linear(Section):
    """The same rate for a while; then in a line down to 0."""

    name: Literal["linear"]
    warmup_epochs: int = Field(default=0, ge=0)
    hold: Share = 0.75  # share of the steps after which it falls


class Step(Section):
    """The rate falls every so many steps, down to a share of it."""

    name: Literal["step"]
    warmup_epochs: int = Field(default=0, ge=0)
    every: PositiveInt  # steps
    factor: float = Field(default=0.1, gt=0, lt=1)
    floor: Share = 0.0


class OneCycle(Section):
    """Up and down once over all steps (https://arxiv.org/abs/1708.07120)."""

    name: Literal["onecycle"]
    rise: float = Field(default=0.3, gt=0, lt=1)  # share of the steps in which the rate rises


Schedule = Annotated[Constant | Plateau | Cosine | Linear | Step | OneCycle, Field(discriminator="name")]


class EarlyStopping(Section):
    """When a training ends before its epochs are over; the best epoch is chosen by the same metric."""

    metric: Metric
    patience: PositiveInt  # epochs without a better one
    min_delta: float = Field(default=0.0, ge=0)  # a smaller gain is none


class TrainingParams(Section):
    """How a candidate learns. What stands under `training` holds for all that do not say otherwise."""

    seed: int = Field(ge=0, lt=2**32)  # what NumPy's and torch's generators take
    num_threads: int = Field(ge=0)
    epochs: PositiveInt
    batch_size: PositiveInt  # clips
    accumulate: PositiveInt = 1  # batches to a step
    draws_per_clip: PositiveInt = 1  # in an epoch
    frames: PositiveInt | NumberRange[PositiveInt]  # of each draw
    loss: Loss
    optimizer: Optimizer
    schedule: Schedule
    early_stopping: EarlyStopping
    gradient_clip: PositiveFloat | None
    precision: Precision = "fp32"
    ema: float = Field(default=0.0, ge=0, lt=1)  # decay of the moving average of the weights; 0 is off
    workers: int = Field(default=0, ge=0)  # processes that prepare clips; the clips do not depend on it
    decoded_gb: float = Field(default=8.0, ge=0)  # of disk for decoded crops
    cache_features: bool = False
    balance: Literal["none", "sampler", "oversample", "weights"] = "none"
    mix: dict[str, PositiveFloat] = Field(default={})  # weight by dataset
    hard_examples: float = Field(default=0.0, ge=0, lt=1)  # share of an epoch, drawn by the last losses
    learn_from: Literal["all", "genuine"] = "all"  # genuine: no forged video is trained on
    self_blended: Share = 0.0  # share of the genuine clips drawn again, as forgeries of themselves
    methods: float = Field(default=0.0, ge=0)  # weight of the second head's loss; 0: there is none
    augmentation: AugmentationParams

    @property
    def frame_range(self) -> tuple[int, int]:
        """Least and most frames that are drawn from a clip."""
        return (self.frames, self.frames) if isinstance(self.frames, int) else self.frames


class CandidateParams(TrainingParams):
    """One candidate: its network, and how it learns."""

    network: Network

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.learn_from == "genuine" and not self.self_blended:
            raise ValueError("learn_from: genuine leaves no fakes; set self_blended, to 1 for instance")
        if self.cache_features and not getattr(self.network, "freeze", False):
            raise ValueError("cache_features: features that learn cannot be kept; set network.freeze: true")
        if self.cache_features and self.self_blended:
            raise ValueError("cache_features: self-blended clips differ in every epoch; set self_blended: 0")
        if isinstance(self.schedule, Plateau) and self.schedule.end >= self.optimizer.lr:
            raise ValueError(
                f"schedule.end = {self.schedule.end:g}: the training would be over before it begins; "
                f"set less than optimizer.lr, which is {self.optimizer.lr:g}"
            )
        if not isinstance(self.frames, int) and isinstance(self.network, EfficientnetBilstm):
            raise ValueError(
                f"frames = {list(self.frames)}: {self.network.name} takes clips of one length; set one number"
            )
        if self.optimizer.sam and self.accumulate > 1:
            raise ValueError("optimizer.sam: a step evaluates its batch twice, as a whole; set accumulate: 1")
        if self.optimizer.sam and self.precision == "fp16":
            raise ValueError("optimizer.sam: two gradients have no common scale; set precision: bf16 or fp32")
        return self
