"""The Gradient flow tab as a visitor uses it, in a real Chromium."""

import re

import pytest
from playwright.sync_api import Page, expect

from resnet_demo.laboratory.tour import TOUR
from resnet_demo.networks import parse_name
from resnet_demo.networks.spec import in_words
from resnet_demo.records import Stop

from .conftest import DESKTOP, PATIENCE, PHONE
from .explore import wait_for_facts

pytestmark = pytest.mark.browser
VANISHED = "plain56-nonorm-normal"  # Both ends of its curve are 0 in float32.
PLOT = "#flow .panel svg"


def shows(page: Page, *networks: str) -> None:
    """Waits until the networks, and no others, are drawn and tabulated, each in words."""
    names = [in_words(parse_name(name)) if "." not in name else trained(name) for name in networks]
    expect(page.locator("#flow-table tbody tr td:first-child")).to_have_text(names, timeout=2 * PATIENCE)
    expect(page.locator("#flow .key")).to_have_text(names)


def trained(name: str) -> str:
    return f"{name.partition('.')[0].replace('resnet', 'ResNet-').replace('plain', 'plain-')}, trained on CIFAR-10"


def is_at(page: Page, key: str) -> None:
    """Waits until the stop of that key is the current one; none for an empty key."""
    current = page.locator("#tour [aria-current='step']")
    if key:
        expect(current).to_have_attribute("data-key", key, timeout=PATIENCE)
    expect(current).to_have_count(1 if key else 0, timeout=PATIENCE)


@pytest.fixture(scope="module")
def tour(stay) -> Page:
    """The page of all tests of the tour: it is opened at the second stop."""
    return stay("?tab=flow&tour=he")


def go_to(page: Page, stop: Stop) -> None:
    page.bring_to_front()
    page.locator(f"#tour .stop[data-key='{stop.key}']").click()
    is_at(page, stop.key)
    shows(page, *stop.networks)


# The others are gone through below; what their addresses are answered is in tests/ui/test_laboratory.py.
def test_a_stop_of_the_tour_opens_by_its_address(tour):
    is_at(tour, "he")
    expect(tour.locator("#tour-text")).to_contain_text(TOUR[1].title)
    shows(tour, *TOUR[1].networks)


def test_the_current_stop_is_told_by_more_than_colour(tour):
    go_to(tour, TOUR[1])
    weights = tour.locator("#tour .stop").evaluate_all("stops => stops.map(stop => getComputedStyle(stop).fontWeight)")
    assert [weight > "400" for weight in weights] == [False, True, False, False, False, False]


def test_the_terms_are_explained_where_they_stand(tour):
    go_to(tour, TOUR[1])
    expect(tour.locator("#flow-meaning")).to_contain_text("L2 norm")
    tour.locator("#flow-terms summary").click()
    expect(tour.locator("#flow-terms")).to_contain_text("Glorot and Bengio 2010")


def test_the_tour_goes_back_and_forth_by_keyboard(tour):
    """Networks and measure that change at once are one question: of two, the browser may show the older answer last, of
    the networks before by the new measure."""
    go_to(tour, TOUR[2])
    previous, following = (tour.get_by_role("button", name=f"{which} stop") for which in ("Previous", "Next"))
    asked = []

    def hear(request) -> None:
        asked.append(request.post_data_json if "queue/join" in request.url else None)

    following.focus()
    for stop in TOUR[3:]:
        if stop == TOUR[5]:
            tour.on("request", hear)
        tour.keyboard.press("Enter")
        is_at(tour, stop.key)
        expect(tour.locator("#tour-text")).to_contain_text(stop.text)
        shows(tour, *stop.networks)
    tour.remove_listener("request", hear)
    sent = [question["data"] for question in filter(None, asked) if TOUR[5].measure in question["data"]]
    numbered = [data for data in sent if data[0] is not None]
    assert [data[2:] for data in numbered] == [[list(TOUR[5].networks), TOUR[5].measure]]
    expect(following).to_be_disabled()
    expect(following).to_be_focused()
    tour.locator("#tour [data-key='sigmoid']").click()
    is_at(tour, "sigmoid")
    expect(previous).to_be_disabled()
    shows(tour, *TOUR[0].networks)


def test_of_two_clicks_the_last_counts_even_if_the_first_arrives_after_it(tour):
    go_to(tour, TOUR[0])
    sent = []
    tour.route("**/run/**", lambda route: route.continue_() if sent else sent.append(route))
    for stop in (TOUR[1], TOUR[2]):
        tour.locator(f"#tour .stop[data-key='{stop.key}']").click()
    is_at(tour, TOUR[2].key)
    with tour.expect_response("**/run/**"):
        sent[0].continue_()
    tour.unroute_all()
    shows(tour, *TOUR[2].networks)
    tour.wait_for_timeout(500)
    is_at(tour, TOUR[2].key)


def test_a_choice_by_hand_is_no_stop(tour):
    go_to(tour, TOUR[3])
    tour.get_by_role("radio", name="deviation of the response").check()
    is_at(tour, "")
    expect(tour.locator("#flow-meaning")).to_contain_text("after batch normalization")
    expect(tour.locator("#flow figure")).to_have_attribute("aria-label", re.compile("deviation"), timeout=PATIENCE)
    tour.get_by_role("radio", name="gradient norm").check()
    is_at(tour, "residual")
    tour.locator("#flow-networks .token-remove").first.click()
    is_at(tour, "")
    shows(tour, *TOUR[3].networks[1:])


def test_a_phone_shows_the_tour_in_one_line_and_never_scrolls_sideways(tour):
    go_to(tour, TOUR[0])
    tour.set_viewport_size(PHONE)
    tops = tour.locator("#tour button").evaluate_all("all => all.map(button => button.getBoundingClientRect().top)")
    assert len(tops) == 8
    assert len(set(tops)) == 1
    tour.locator(PLOT).focus()
    for _ in range(19):
        tour.keyboard.press("ArrowRight")
    assert tour.locator("#flow .tip").bounding_box()["x"] + tour.locator("#flow .tip").bounding_box()["width"] <= 390
    assert tour.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    tour.set_viewport_size(DESKTOP)


def test_the_first_tab_has_a_result_after_this_one_was_opened_by_address_too(tour):
    tour.bring_to_front()
    expect(tour.get_by_role("tab", selected=True).first).to_have_text("Gradient flow", timeout=PATIENCE)
    tour.get_by_role("tab", name="Explore").click()
    wait_for_facts(tour, "ResNet-56")
    tour.get_by_role("tab", name="Gradient flow").click()


def test_the_tab_opens_alive_at_the_stop_about_shortcuts_and_only_once_it_is_opened(visit):
    page = visit()
    expect(page.locator("#gradients svg").first).to_be_visible(timeout=PATIENCE)
    assert page.locator("#flow .panel").count() == 0
    page.get_by_role("tab", name="Gradient flow").click()
    is_at(page, TOUR[3].key)
    shows(page, *TOUR[3].networks)
    assert page.locator(PLOT).bounding_box()["y"] + page.locator(PLOT).bounding_box()["height"] < DESKTOP["height"]
    # What is shown stays when the tab is opened again.
    page.get_by_role("button", name="Next stop").click()
    is_at(page, TOUR[4].key)
    page.get_by_role("tab", name="Lesion").click()
    page.get_by_role("tab", name="Gradient flow").click()
    shows(page, *TOUR[4].networks)
    is_at(page, TOUR[4].key)


def test_a_network_of_ones_own_is_added_and_a_point_says_on_hover_and_by_key_what_it_is(visit):
    page = visit("?tab=flow&networks=resnet20")
    shows(page, "resnet20")
    page.get_by_role("button", name="Build another network").click()
    for choice in ("20", "plain", "none", "tanh"):
        page.get_by_role("radio", name=choice, exact=True).last.check()
    # By key: a plot that gets the focus while the mouse is used shows no point yet.
    page.get_by_role("button", name="Add this network").press("Enter")
    shows(page, "resnet20", "plain20-nonorm-tanh")
    tip = page.locator("#flow .tip")
    page.locator(PLOT).scroll_into_view_if_needed()
    box = page.locator(PLOT).bounding_box()
    page.mouse.move(box["x"] + 60, box["y"] + 60)
    expect(tip).to_have_text(re.compile(r"^20 layers, .*\nconv1\ngradient norm [\d.,]+(·10\S+)?$"))
    page.mouse.move(5, 5)
    page.locator(PLOT).focus()
    page.keyboard.press("ArrowRight")
    before = tip.inner_text()
    page.keyboard.press("ArrowRight")
    expect(tip).not_to_have_text(before)
    assert before.startswith("20 layers, residual\nlayer1.0.conv1\n")
    page.keyboard.press("ArrowDown")
    expect(tip).to_contain_text("20 layers, plain, no normalization, tanh\n")


def test_what_is_0_is_said_and_no_number_is_missing(visit):
    page = visit(f"?tab=flow&networks={VANISHED},plain110-nonorm-sigmoid-xavier")
    shows(page, VANISHED, "plain110-nonorm-sigmoid-xavier")
    expect(page.locator("#flow .note").first).to_contain_text("0 in float32 in 56 of 56 layers")
    expect(page.locator("#flow .note").nth(1)).to_contain_text(re.compile(r"0 in float32 in \d+ of 110 layers"))
    cells = page.locator("#flow-table td").all_inner_texts()
    assert "not defined: both are 0" in cells
    assert not [cell for cell in cells if re.search(r"\b(nan|inf)\b", cell)]
    page.locator(PLOT).focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator("#flow .tip")).to_contain_text("gradient norm 0 in float32")


# What else can be wrong is in tests/ui/test_laboratory.py.
def test_an_unknown_stop_is_one_sentence(visit):
    page = visit("?tab=flow&tour=x")
    expect(page.get_by_role("alert").first).to_contain_text("no stop of that name", timeout=PATIENCE)
    assert page.locator("#flow .panel").count() == 0
