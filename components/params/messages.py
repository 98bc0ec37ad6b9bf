"""One line about what is wrong with a parameter file."""

from collections.abc import Mapping
from typing import Any, NamedTuple, get_args, get_origin

from pydantic import ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from components.values import Frozen

Location = tuple[str | int, ...]
"""Of an error, as pydantic tells it."""


MOVED = {
    "frames_per_clip": "training.frames",
    "plateau_patience": "training.schedule.patience",
    "warmup_epochs": "training.schedule.warmup_epochs",
}
"""Keys of `training` in the version before, and where they stand now."""

INTEGER, NUMBER = "use a whole number", "use a number"
LIST, SECTION = "use a list", "use a section (key: value)"
REMEDIES = {
    "int_type": INTEGER,
    "int_parsing": INTEGER,
    "int_from_float": INTEGER,
    "float_type": NUMBER,
    "float_parsing": NUMBER,
    "bool_type": "use true or false",
    "bool_parsing": "use true or false",
    "string_type": "use text",
    "tuple_type": LIST,
    "dict_type": SECTION,
    "model_type": SECTION,
    "model_attributes_type": SECTION,
    "invalid_key": "write the key in quotes",
    "too_short": "use {min_length} or more items",
    "too_long": "use {max_length} or fewer items",
}
"""By pydantic's name of the mistake; what it says itself speaks of Python."""


def outdated(content: Any) -> list[str]:
    """Returns what a file of an earlier version has to say in another way."""
    if not isinstance(content, Mapping):
        return []
    faces, training = content.get("faces"), content.get("training")
    problems = []
    if isinstance(faces, Mapping):
        problems += _outdated_faces(faces)
    if isinstance(training, Mapping):
        problems += [f"training.{key} is now {place}" for key, place in MOVED.items() if key in training]
        if isinstance(training.get("early_stopping"), int):
            patience = training["early_stopping"]
            problems.append(f"training.early_stopping is now {{metric: loss, patience: {patience}}}")
    return problems


def _outdated_faces(faces: Mapping[str, Any]) -> list[str]:
    problems = []
    if "frames" in faces and "sampling" not in faces:
        problems.append(f"faces.frames is now faces.sampling: {{policy: even, frames: {faces['frames']}}}")
    if isinstance(faces.get("detector"), Mapping) and "name" not in faces["detector"]:
        problems.append("faces.detector: add name: mtcnn")
    return problems


def where_and_what(error: Exception) -> str:
    """Says where a file cannot be parsed, and why."""
    if isinstance(error, UnicodeDecodeError):
        return f"byte {error.start} is no text in UTF-8"
    mark, problem = getattr(error, "problem_mark", None), getattr(error, "problem", None)
    text = f"line {mark.line + 1}: {problem}" if mark and problem else str(error)
    return " ".join(text.split())


def first_line(error: ValidationError, document: type[Frozen]) -> str:
    """Returns the first mistake of a file, by the name that it has there, with its remedy."""
    # A misspelt key is unknown and missing at once: the unknown one is what was typed.
    first = min(error.errors(), key=lambda details: details["type"] != "extra_forbidden")
    place = _place(first["loc"], document)
    # What may be of several kinds is refused by each; our own words know most.
    same = [details for details in error.errors() if _place(details["loc"], document).keys == place.keys]
    first = next((details for details in same if details["type"] == "value_error"), first)
    key = ".".join(place.keys) or "the file"
    if first["type"] == "extra_forbidden":
        return _unknown(error, first["loc"], document)
    if first["type"] == "missing":
        return f"missing key {key!r}; add it"
    if first["type"] in ("union_tag_not_found", "union_tag_invalid"):
        return _choice(key, place.field, first["ctx"])
    if first["type"] == "value_error" and isinstance(first["input"], Mapping):
        # Of keys that do not go together.
        return f"{f'{key}: ' if place.keys else ''}{first['ctx']['error']}"
    if first["type"] == "value_error":  # of values that do not go together: our own words, which name them
        return f"{f'{key}: ' if place.keys else ''}{first['msg'].removeprefix('Value error, ')}"
    remedies = " or ".join(dict.fromkeys(map(_remedy, same))).replace(" or use ", " or ")
    return f"{key} = {_shown(first['input'])}: {remedies}"


def _remedy(details: ErrorDetails) -> str:
    if remedy := REMEDIES.get(details["type"]):
        return remedy.format(**details.get("ctx", {}))
    listed = details["type"] == "literal_error"
    return details["msg"].replace("Input should be", "use" if listed else "must be")


def _shown(value: Any) -> str:
    """Returns a value as YAML has it."""
    if value is None:
        return "null"
    return str(value).lower() if isinstance(value, bool) else repr(value)


def _unknown(error: ValidationError, location: Location, document: type[Frozen]) -> str:
    """The unknown key at `location`, those beside it, and what may stand there if another key decides it."""
    unknown = [details["loc"] for details in error.errors() if details["type"] == "extra_forbidden"]
    beside = [".".join(_place(path, document).keys) for path in unknown if path[:-1] == location[:-1]]
    several = len(beside) > 1
    remedy = "remove them or correct their spelling" if several else "remove it or correct its spelling"
    named = f"unknown key{'s' if several else ''} {', '.join(map(repr, beside))}"
    return f"{named}; {_place(location, document).takes or remedy}"


class _Place(NamedTuple):
    keys: tuple[str, ...]  # as they stand in the file
    takes: str  # which keys may stand there, where one of them, such as `policy`, decides that
    field: FieldInfo | None  # what stands there, where a model says so


def _place(location: Location, document: type[Frozen]) -> _Place:
    """Where in the file an error is; pydantic's location also names the member of a union that it tried."""
    keys, takes = list[str](), ""
    inside: Any = document
    field: FieldInfo | None = None
    for part in location:
        if field and isinstance(field.discriminator, str):
            inside, takes = _member(field, field.discriminator, part, keys[-1])
            field = None
        elif field and get_origin(field.annotation) is dict:
            keys.append(str(part))
            inside, field = get_args(field.annotation)[1], None
        elif get_origin(inside) is dict:
            keys.append(str(part))
            inside = get_args(inside)[1]
        elif isinstance(inside, type) and issubclass(inside, Frozen):
            keys.append(str(part))
            field = _fields(inside).get(str(part))
            inside = field.annotation if field else None
        elif isinstance(part, int):
            keys.append(str(part))
    return _Place(tuple(keys), takes, field)


def _member(field: FieldInfo, decisive: str, tag: str | int, key: str) -> tuple[type[Frozen], str]:
    """Returns the model that a tag of the union `field` names, and which keys it takes."""
    members: tuple[type[Frozen], ...] = get_args(field.annotation)
    member = next(model for model in members if tag in get_args(model.model_fields[decisive].annotation))
    taken = ", ".join(name for name in _fields(member) if name != decisive)
    return member, f"{key if decisive == 'name' else decisive} {tag} takes {taken or 'no other key'}"


def _fields(model: type[Frozen]) -> dict[str, FieldInfo]:
    return {field.alias or name: field for name, field in model.model_fields.items()}


def _choice(key: str, field: FieldInfo | None, context: Mapping[str, Any]) -> str:
    """Says what the key may be that decides the kind of a value."""
    decisive = context["discriminator"].strip("'")
    members = get_args(field.annotation) if field else ()
    *others, last = [
        value for member in members for value in get_args(member.model_fields[decisive].annotation)
    ]
    choices = f"use {', '.join(others)} or {last}"
    if "tag" in context:
        return f"{key}.{decisive} = {context['tag']!r}: {choices}"
    return f"missing key {f'{key}.{decisive}'!r}; {choices}"
