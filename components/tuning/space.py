"""Which settings are searched, and what a suggestion means for a candidate. Pure: no study, no file."""

import json
import logging
from collections.abc import Mapping, Sequence
from functools import reduce
from operator import getitem
from typing import Any

from pydantic import ValidationError

from components.errors import ParamsError
from components.params import CandidateParams, Metric, Params, merged
from components.params.messages import first_line
from components.params.tuning import Choices, Range, Scalar, Span
from components.tuning.defaults import default_space

log = logging.getLogger(__name__)

Space = Mapping[str, Span]
"""Spans by dotted setting of a candidate, e.g. `optimizer.lr`."""

REFUSED = {
    "network.name": "another network is another candidate; tune each by itself",
    "learn_from": "it decides which videos there are; make a candidate of each",
    "seed": "the best of several seeds is luck; tune with one and compare on others",
}

BETWEEN = 0.382
"""Of the way from least to most: a value there is a whole number only where all of them are."""


def space_of(params: Params, name: str) -> dict[str, Span]:
    """Returns what is searched for a candidate: what params.yaml says, else what suits its network.

    Raises:
        ParamsError: no such candidate or setting, or a value that the candidate refuses.
    """
    settings = params.candidate(name)
    for gone in sorted(set(params.tune.space) - set(params.candidates)):  # a recipe replaces candidates
        log.warning("params.yaml: tune.space.%s: %s", gone, params.unknown(gone))
    space = params.tune.space.get(name) or default_space(settings, params.tune.metric)
    check_space(name, space, settings, params.tune.metric)
    return dict(space)


def check_space(name: str, space: Space, settings: CandidateParams, metric: Metric) -> None:
    """Refuses what could not be tried, before anything is.

    Raises:
        ParamsError: an unknown setting, a value that the candidate refuses, or losses that would be compared
            although they are of different kinds.
    """
    for key, span in space.items():
        where = f"params.yaml: tune.space.{name}: {key}"
        _check_key(where, key, settings)
        for value in _samples(span):
            try:
                applied(settings, nested({key: value}))
            except ValidationError as error:
                raise ParamsError(f"{where}: {first_line(error, CandidateParams)}") from error
        if metric == "loss" and key.partition(".")[0] == "loss":
            raise ParamsError(
                f"{where}: tune.metric is loss, and losses of different kinds cannot be compared; "
                "set tune.metric to auc or f1"
            )


def suggested_settings(
    settings: CandidateParams, space: Space, suggested: Mapping[str, Any]
) -> CandidateParams:
    """Returns the candidate with a suggestion's values.

    Raises:
        ParamsError: values that the candidate refuses together, though it takes each by itself.
    """
    try:
        return applied(settings, settings_of(space, suggested))
    except ValidationError as error:
        raise ParamsError(f"tune: {suggested}: {first_line(error, CandidateParams)}") from error


def settings_of(space: Space, suggested: Mapping[str, Any]) -> dict[str, Any]:
    """Returns a suggestion as sections of params.yaml; numbers to four digits."""
    return nested(
        {key: _choice(space[key], round_suggested(space[key], value)) for key, value in suggested.items()}
    )


def round_suggested(span: Span, suggested: Any) -> Any:
    """Returns a suggestion as it is tried: numbers to four digits, so that a file can hold what was tried."""
    if isinstance(span, Choices) or span.whole:
        return suggested
    return min(max(float(f"{suggested:.4g}"), span.low), span.high)


def nested(values: Mapping[str, Any]) -> dict[str, Any]:
    """Dotted keys as sections; a whole section comes before what is said of it."""
    sections: dict[str, Any] = {}
    for key in sorted(values, key=lambda key: key.count(".")):
        *outer, last = key.split(".")
        inside: dict[str, Any] = {last: values[key]}
        for part in reversed(outer):
            inside = {part: inside}
        sections = merged(sections, inside)
    return sections


def applied(settings: CandidateParams, sections: Mapping[str, Any]) -> CandidateParams:
    """Returns the candidate, of which sections say some anew.

    Raises:
        ValidationError: it refuses a value.
    """
    return CandidateParams.model_validate(merged(settings.model_dump(mode="json"), sections))


def choice_labels(choices: Choices) -> dict[Scalar, Any]:
    """Returns the choices by what stands for them in a study, which takes no lists and no sections."""
    return {_label(choice): choice for choice in choices.choices}


def value_text(value: Any) -> str:
    """Returns a setting for people; a section without braces and quotes."""
    if isinstance(value, str) and value[:1] in "[{":
        value = json.loads(value)
    if isinstance(value, Mapping):
        return " ".join(
            value_text(item) if key == "name" else f"{key} {value_text(item)}" for key, item in value.items()
        )
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def present(space: Space, settings: CandidateParams) -> dict[str, Scalar]:
    """Returns the candidate's own settings as a suggestion; those outside of the space are left out."""
    current = {key: _own(key, span, settings) for key, span in space.items()}
    return {key: labels_within[0] for key, labels_within in current.items() if labels_within}


def _check_key(where: str, key: str, settings: CandidateParams) -> None:
    if key in REFUSED:
        raise ParamsError(f"{where}: {REFUSED[key]}")
    inside: Any = settings.model_dump(mode="json")
    at = "a candidate"
    for part in key.split("."):
        if not isinstance(inside, Mapping) or part not in inside:
            takes = ", ".join(inside) if isinstance(inside, Mapping) else "no setting of its own"
            raise ParamsError(f"{where}: no setting {part!r}; {at} takes {takes}")
        named = inside[part].get("name") if isinstance(inside[part], Mapping) else None
        inside, at = inside[part], f"{part} {named}" if named else part


def _samples(span: Span) -> Sequence[Any]:
    if isinstance(span, Choices):
        return span.choices
    middle = span.low + BETWEEN * (span.high - span.low)
    return [span.low, span.high, *([] if span.whole else [middle])]


def _choice(span: Span, value: Any) -> Any:
    return choice_labels(span)[value] if isinstance(span, Choices) else value


def _label(choice: Any) -> Scalar:
    return choice if isinstance(choice, Scalar) else json.dumps(choice)


def _own(key: str, span: Span, settings: CandidateParams) -> list[Any]:
    """Returns what stands for the candidate's own value, or nothing where the span does not hold it."""
    if isinstance(span, Choices):
        return [
            label
            for label, choice in choice_labels(span).items()
            if applied(settings, nested({key: choice})) == settings
        ]
    value = reduce(getitem, key.split("."), settings.model_dump(mode="json"))
    return [value] if _within(span, value) else []


def _within(span: Range, value: Any) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return span.low <= value <= span.high and not (span.whole and value != int(value))
