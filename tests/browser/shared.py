"""One page for several tests of a file, one after another: to open it costs more than most of them do."""

import pytest
from playwright.sync_api import Page

from .conftest import DESKTOP


def shares(query: str) -> pytest.MarkDecorator:
    """For tests side by side that use the page with this query, the parameter of their file's fixture `shared`."""
    return pytest.mark.parametrize("shared", [query], indirect=True)


def as_at_first(page: Page) -> Page:
    """In front and light, in a large window, from the top, and nothing is pointed at: wherever a test has left it."""
    page.bring_to_front()
    page.set_viewport_size(DESKTOP)
    page.emulate_media(color_scheme="light", reduced_motion="null")
    page.mouse.move(0, 0)
    page.evaluate("scrollTo(0, 0)")
    return page
