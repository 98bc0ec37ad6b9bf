"""YAML as a file of settings has it."""

from collections.abc import Hashable
from pathlib import Path
from typing import Any

import yaml

from components.errors import ParamsError
from components.merges import conflict
from components.params.messages import where_and_what


def read_yaml(path: Path) -> Any:
    """Returns what a file holds.

    Raises:
        FileNotFoundError: it is not there.
        ParamsError: it is not YAML, or says a key twice.
    """
    try:
        return yaml.load(path.read_text(encoding="utf-8"), _Loader)  # noqa: S506 - a SafeLoader
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        if mark := conflict(path):
            raise ParamsError(f"{mark}; keep what is right of them, and remove the marks") from error
        raise ParamsError(f"{path}: not valid YAML: {where_and_what(error)}") from error


class _Loader(yaml.SafeLoader):
    """Refuses a key that stands twice, of which YAML takes the last one in silence."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen = set[tuple[str, str]]()
        for key, _ in node.value:
            if (key.tag, str(key.value)) in seen:
                raise yaml.constructor.ConstructorError(
                    problem=f"key {key.value!r} stands here twice; remove one", problem_mark=key.start_mark
                )
            seen.add((key.tag, str(key.value)))
        return super().construct_mapping(node, deep)
