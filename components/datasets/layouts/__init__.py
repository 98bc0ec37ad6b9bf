"""Ways of laying out a dataset, one module each. The first in `LAYOUTS` that fits reads a folder."""

from components.datasets.layouts import (
    celeb_df,
    classroom,
    deeperforensics,
    dfdc,
    dfdc_preview,
    faceforensics,
    fakeavceleb,
    folders,
    forgerynet,
    manifest,
    uadfv,
    wilddeepfake,
)
from components.datasets.layouts.base import LABELS, Entry, Layout, Listing

__all__ = ["LABELS", "LAYOUTS", "Entry", "Layout", "Listing", "layout_of"]

# A manifest is somebody's own word on a folder, so it comes first; two class folders are the loosest shape.
LAYOUTS: dict[str, Layout] = {
    layout.NAME: layout
    for layout in (
        manifest,
        faceforensics,
        deeperforensics,
        celeb_df,
        dfdc_preview,
        dfdc,
        fakeavceleb,
        wilddeepfake,
        forgerynet,
        uadfv,
        classroom,
        folders,
    )
}


def layout_of(name: str) -> Layout | None:
    """Returns the layout that is called so, in any letter case."""
    return LAYOUTS.get(name.casefold())
