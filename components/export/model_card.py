"""`MODEL_CARD.md`: what a bundle's detector is, what it is for, and how far it can be trusted.

Follows Mitchell et al., 2019, "Model Cards for Model Reporting", https://arxiv.org/abs/1810.03993.
"""

from jinja2 import Environment, PackageLoader, StrictUndefined

from components.bundle import BundleInfo
from components.evaluation.results import Evaluation
from components.metric_names import title
from components.models import CandidateInfo
from components.params import ExportParams
from components.video.sampling import Consecutive, Even, Every, RangeSampling, Sampling

STARTS = {"random": "random weights", "loaded": "published weights", "bundled": "weights that Unmask ships"}


def model_card(
    info: BundleInfo, about: CandidateInfo, signature: str, evaluation: Evaluation, export: ExportParams
) -> str:
    """Renders the card as Markdown; `signature` says what goes into model.onnx and what comes out."""
    environment = Environment(  # noqa: S701 - Markdown for people, made of our own figures
        loader=PackageLoader("components.export", "."),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {"number": number, "figure_title": title}
    return environment.get_template("MODEL_CARD.md.j2").render(
        info=info,
        about=about,
        signature=signature,
        starts=STARTS,
        evaluation=evaluation,
        export=export,
        frames=_span(*info.crop.sampling.lengths),
        sampling=described(info.crop.sampling),
        detector=info.crop.detector.title,
        result=evaluation.candidates[info.candidate],
        percent=f"{evaluation.confidence:.0%}".removesuffix("%"),
    )


def described(sampling: Sampling) -> str:
    """Returns a sampling policy in words."""
    match sampling:
        case Even():
            return f"{sampling.frames} evenly spaced"
        case Every():
            return f"one of every {sampling.step}; {sampling.most} evenly spaced where that is more"
        case RangeSampling():
            bounds = f"from {sampling.least} to {sampling.most}"
            return f"evenly spaced, {sampling.per_second:g} per second but {bounds}"
        case Consecutive():
            return f"{sampling.places} times {sampling.frames} in a row, spread over the video"


def _span(least: int, most: int) -> str:
    return str(most) if least == most else f"{least} to {most}"


def number(value: float | None) -> str:
    """Returns three decimals, or that the figure is not defined."""
    return "not defined" if value is None else f"{value:.3f}"
