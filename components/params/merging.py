"""One mapping of settings over another."""

from collections.abc import Mapping
from typing import Any


def merged(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """`base`, of which `over` says some anew.

    A section with a `name` that differs replaces the whole section: what a plateau is told means nothing to a
    cosine.
    """
    return {**base, **{key: _merged_value(base.get(key), value) for key, value in over.items()}}


def _merged_value(base: Any, over: Any) -> Any:
    if not (isinstance(base, Mapping) and isinstance(over, Mapping)):
        return over
    renamed = "name" in over and over["name"] != base.get("name")
    return dict(over) if renamed else merged(base, over)
