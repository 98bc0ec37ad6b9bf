"""Data Docs as one page: Great Expectations' own rendering, framed to need no network and no script."""

import html
from typing import Any

from great_expectations.core import ExpectationSuiteValidationResult
from great_expectations.render.renderer.page_renderer import ValidationResultsPageRenderer
from great_expectations.render.view import DefaultJinjaPageView
from jinja2 import ChoiceLoader, PackageLoader, pass_context
from jinja2.runtime import Context

from components.validation.report import Report


def render_page(result: ExpectationSuiteValidationResult, report: Report) -> str:
    """Renders the page of a validation result: an overview, then a section for each column.

    The same result gives the same bytes.
    """
    page: str = _View().render(ValidationResultsPageRenderer().render(result), report=report)  # type: ignore[no-untyped-call]
    return page


class _View(DefaultJinjaPageView):
    """Great Expectations' templates under our page."""

    def __init__(self) -> None:
        super().__init__()
        # Ours come first: the page's frame, and folds that need no script and no random id.
        theirs = PackageLoader("great_expectations", "render/view/templates")
        self.env.loader = ChoiceLoader([PackageLoader("components.validation"), theirs])

    @pass_context
    def render_content_block(self, context: Context, block: Any, *args: Any, **kwargs: Any) -> Any:
        """Escape plain text, such as the values in tables: a file's name may hold markup."""
        if isinstance(block, str):
            return html.escape(block)
        return super().render_content_block(context, block, *args, **kwargs)
