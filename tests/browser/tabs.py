"""The tabs of the page in the hands of a test."""

from playwright.sync_api import Page, expect

from .conftest import PATIENCE

# Each tab and what shows that its results are there.
SHOWN = {
    "Explore": "#gradients .panel svg",
    "Compare": "#compare-plot .panel svg",
    "Lesion": "#lesion-effect .facts",
    "Gradient flow": "#flow .panel svg",
    "Degradation": "#curves .panel svg",
    "Architecture": "#architecture-drawing .insides svg",
    "Live": "#live-plot .panel svg",
}


def open_tab(page: Page, name: str) -> None:
    tab = page.get_by_role("tab", name=name, exact=True)
    if not tab.is_visible():
        page.locator(".overflow-menu > button").first.click()
        tab = page.locator(".overflow-dropdown").get_by_text(name, exact=True)
    tab.click()
    expect(page.locator(SHOWN[name]).first).to_be_visible(timeout=PATIENCE)
