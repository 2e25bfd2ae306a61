"""What axe-core finds on the page, Gradio's own parts included."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from .conftest import PATIENCE
from .tabs import SHOWN

pytestmark = pytest.mark.browser


def test_no_tab_has_a_critical_or_serious_fault(visit):
    page = visit()
    for tab, shows in SHOWN.items():
        page.get_by_role("tab", name=tab, exact=True).click()
        expect(page.locator(shows).first).to_be_visible(timeout=PATIENCE)
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            page.wait_for_function("dark => document.body.classList.contains('dark') === dark", arg=scheme == "dark")
            page.wait_for_timeout(500)  # One colour fades into the other.
            found = Axe().run(page).response["violations"]
            grave = {
                fault["id"]: [node["html"] for node in fault["nodes"]]
                for fault in found
                if fault["impact"] in ("critical", "serious")
            }
            assert (tab, scheme, grave) == (tab, scheme, {})
