"""Settings written into `params.yaml` so that its comments, its order and its style stay."""

from collections.abc import Collection, Mapping
from io import StringIO
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import CommentMark
from ruamel.yaml.nodes import ScalarNode
from ruamel.yaml.representer import RoundTripRepresenter
from ruamel.yaml.tokens import CommentToken
from yaml.nodes import ScalarNode as PlainScalar
from yaml.resolver import Resolver

from components.files import replacing

Keys = tuple[str, ...]
"""Where a setting stands, e.g. `("training", "optimizer", "lr")`."""

LINE_WIDTH = 120
COMMENT_PLACE = 2
"""Where ruamel keeps what follows a value: the comment beside it, and the lines up to the next key."""


class _Representer(RoundTripRepresenter):
    """Writes values so that YAML 1.1, which PyYAML reads, takes them for what they are: 1.0e-06 and 'off'."""

    def represent_float(self, data: float) -> ScalarNode:
        node: ScalarNode = super().represent_float(data)
        digits, exponent, power = node.value.partition("e")
        if exponent and "." not in digits:
            node.value = f"{digits}.0e{power}"
        return node

    def represent_str(self, data: str) -> ScalarNode:
        node: ScalarNode = super().represent_str(data)
        taken_for = Resolver().resolve(PlainScalar, data, (True, False))  # type: ignore[no-untyped-call]
        if taken_for != node.tag:
            node.style = "'"
        return node

    def represent_none(self, data: None) -> ScalarNode:
        written: ScalarNode = self.represent_scalar("tag:yaml.org,2002:null", "null")
        return written


_Representer.add_representer(type(None), _Representer.represent_none)
_Representer.add_representer(float, _Representer.represent_float)
_Representer.add_representer(str, _Representer.represent_str)


def write_settings(path: Path, changes: Mapping[str, Any], whole: Collection[Keys] = ()) -> None:
    """Changes settings of a parameter file in place, by the rules of `components.params.merged`.

    Nothing is checked: read the file with `load_params` afterwards.

    Args:
        path: of `params.yaml`.
        changes: sections and settings, nested as in the file.
        whole: sections of which only what `changes` says is kept, and so of all that is within them.
    """
    replace_text(path, edited(path.read_text(encoding="utf-8"), changes, whole))


def replace_text(path: Path, text: str) -> None:
    """Gives a file another content at once; a kill leaves the old one."""
    with replacing(path) as partial:
        partial.write_text(text, encoding="utf-8")
        if path.exists():
            partial.chmod(path.stat().st_mode)


def edited(text: str, changes: Mapping[str, Any], whole: Collection[Keys] = ()) -> str:
    """Returns the text of a parameter file after `changes`; see `write_settings`."""
    yaml = round_trip()
    document = yaml.load(text)
    _update(document, changes, whole, ())
    written = StringIO()
    yaml.dump(document, written)
    return written.getvalue()


def round_trip() -> YAML:
    """Returns a reader and writer of YAML that keeps comments."""
    yaml = YAML()
    yaml.Representer = _Representer
    yaml.preserve_quotes = True
    yaml.width = LINE_WIDTH
    return yaml


def _update(section: CommentedMap, changes: Mapping[str, Any], whole: Collection[Keys], at: Keys) -> None:
    # What stands between this section and the next one hangs on its last value, which may go or be followed.
    gap = _cut_gap(section)
    renamed = "name" in changes and changes["name"] != section.get("name", changes["name"])
    if renamed or _within(at, whole):
        for key in [key for key in section if key not in changes]:
            del section[key]
    for key, value in changes.items():
        _set(section, key, value, whole, (*at, key))
    _add_gap(section, gap)


def _set(section: CommentedMap, key: str, value: Any, whole: Collection[Keys], at: Keys) -> None:
    there = section.get(key)
    if isinstance(there, CommentedMap) and _within(at, whole) and (there.merge or there.yaml_anchor()):
        there = None  # what it shares with other sections stays theirs
    if isinstance(there, CommentedMap) and isinstance(value, Mapping):
        _update(there, value, whole, at)
    elif key not in section or there != value:  # a value that stays keeps the way it is written
        section[key] = _node(value)


def _within(at: Keys, sections: Collection[Keys]) -> bool:
    return any(at[: len(keys)] == keys for keys in sections)


def _node(value: Any) -> Any:
    """Sections in lines of their own, lists in one line; what came from a file as it stood there."""
    if isinstance(value, Mapping):
        made = CommentedMap({key: _node(item) for key, item in value.items()})
        if isinstance(value, CommentedMap) and value.fa.flow_style():
            made.fa.set_flow_style()
        return made
    if isinstance(value, list | tuple):
        listed = CommentedSeq(map(_node, value))
        listed.fa.set_flow_style()
        return listed
    return value


def _cut_gap(section: CommentedMap) -> str:
    """Takes off the lines behind the last value of a section; the comment beside it stays."""
    holder = _last_holder(section)
    token = _comment(holder)
    if holder is None or token is None:
        return ""
    beside, _, gap = token.value.partition("\n")
    if beside.strip():
        token.value = f"{beside}\n"
    else:
        del holder.ca.items[_last_key(holder)]
    return str(gap)


def _add_gap(section: CommentedMap, gap: str) -> None:
    holder = _last_holder(section)
    if holder is None or not gap:
        return
    token = _comment(holder)
    if token is not None:
        token.value = token.value.rstrip("\n") + "\n" + gap
        return
    holder.ca.items[_last_key(holder)] = [None, None, CommentToken(f"\n{gap}", CommentMark(0), None), None]


def _last_holder(section: CommentedMap) -> CommentedMap | None:
    """Returns the innermost section in lines of its own that ends where `section` ends."""
    if not section or section.fa.flow_style():
        return None
    last = section[_last_key(section)]
    inner = _last_holder(last) if isinstance(last, CommentedMap) else None
    return inner if inner is not None else section


def _last_key(section: CommentedMap) -> Any:
    return next(reversed(section))


def _comment(holder: CommentedMap | None) -> CommentToken | None:
    comments = None if holder is None else holder.ca.items.get(_last_key(holder))
    return comments[COMMENT_PLACE] if comments else None
