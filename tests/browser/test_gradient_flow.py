"""The Gradient flow tab as a visitor uses it, in a real Chromium."""

import re

import pytest
from playwright.sync_api import Page, expect

from resnet_demo.laboratory.tour import TOUR
from resnet_demo.networks import parse_name
from resnet_demo.networks.spec import in_words

from .conftest import DESKTOP, PATIENCE, PHONE

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


# The others are gone through below.
@pytest.mark.parametrize("stop", TOUR[1::4], ids=lambda stop: stop.key)
def test_a_stop_of_the_tour_opens_by_its_address(visit, stop):
    page = visit(f"?tab=flow&tour={stop.key}")
    is_at(page, stop.key)
    expect(page.locator("#tour-text")).to_contain_text(stop.title)
    shows(page, *stop.networks)


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


def test_the_tour_goes_back_and_forth_by_keyboard(visit):
    page = visit("?tab=flow&tour=plain")
    previous, following = (page.get_by_role("button", name=f"{which} stop") for which in ("Previous", "Next"))
    is_at(page, "plain")
    following.focus()
    for stop in TOUR[3:]:
        page.keyboard.press("Enter")
        is_at(page, stop.key)
        expect(page.locator("#tour-text")).to_contain_text(stop.text)
        shows(page, *stop.networks)
    expect(following).to_be_disabled()
    expect(following).to_be_focused()
    page.locator("#tour [data-key='sigmoid']").click()
    is_at(page, "sigmoid")
    expect(previous).to_be_disabled()
    shows(page, *TOUR[0].networks)


def test_networks_and_measure_that_change_at_once_are_one_question(visit):
    """Of two, the browser may show the older answer last: the networks of the stop before by this one's measure."""
    page = visit("?tab=flow&tour=doubling")
    shows(page, *TOUR[4].networks)
    asked = []
    page.on("request", lambda request: asked.append(request.post_data_json) if "queue/join" in request.url else None)
    page.get_by_role("button", name="Next stop").click()
    shows(page, *TOUR[5].networks)
    sent = [question["data"] for question in asked if TOUR[5].measure in question["data"]]
    numbered = [data for data in sent if data[0] is not None]
    assert [data[2:] for data in numbered] == [[list(TOUR[5].networks), TOUR[5].measure]]


def test_of_two_clicks_the_last_counts_even_if_the_first_arrives_after_it(visit):
    page = visit("?tab=flow&tour=plain")
    shows(page, *TOUR[2].networks)
    sent = []
    page.route("**/run/**", lambda route: route.continue_() if sent else sent.append(route))
    for stop in (TOUR[0], TOUR[1]):
        page.locator(f"#tour .stop[data-key='{stop.key}']").click()
    is_at(page, TOUR[1].key)
    with page.expect_response("**/run/**"):
        sent[0].continue_()
    page.unroute_all()
    shows(page, *TOUR[1].networks)
    page.wait_for_timeout(500)
    is_at(page, TOUR[1].key)


def test_the_current_stop_is_told_by_more_than_colour(visit):
    page = visit("?tab=flow&tour=he")
    is_at(page, "he")
    weights = page.locator("#tour .stop").evaluate_all("stops => stops.map(stop => getComputedStyle(stop).fontWeight)")
    assert [weight > "400" for weight in weights] == [False, True, False, False, False, False]


def test_a_choice_by_hand_is_no_stop(visit):
    page = visit("?tab=flow&tour=residual")
    shows(page, *TOUR[3].networks)
    page.get_by_role("radio", name="deviation of the response").check()
    is_at(page, "")
    expect(page.locator("#flow-meaning")).to_contain_text("after batch normalization")
    expect(page.locator("#flow figure")).to_have_attribute("aria-label", re.compile("deviation"), timeout=PATIENCE)
    page.get_by_role("radio", name="gradient norm").check()
    is_at(page, "residual")
    page.locator("#flow-networks .token-remove").first.click()
    is_at(page, "")
    shows(page, *TOUR[3].networks[1:])


def test_a_point_says_on_hover_and_by_key_what_it_is(visit):
    page = visit("?tab=flow&networks=plain20-nonorm-tanh,resnet20")
    shows(page, "plain20-nonorm-tanh", "resnet20")
    tip = page.locator("#flow .tip")
    box = page.locator(PLOT).bounding_box()
    page.mouse.move(box["x"] + 60, box["y"] + 60)
    expect(tip).to_have_text(re.compile(r"^20 layers, .*\nconv1\ngradient norm [\d.,]+(·10\S+)?$"))
    page.mouse.move(5, 5)
    page.locator(PLOT).focus()
    page.keyboard.press("ArrowRight")
    before = tip.inner_text()
    page.keyboard.press("ArrowRight")
    expect(tip).not_to_have_text(before)
    assert before.startswith("20 layers, plain, no normalization, tanh\nlayer1.0.conv1\n")
    page.keyboard.press("ArrowDown")
    expect(tip).to_contain_text("20 layers, residual\n")


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


def test_a_network_of_ones_own_is_added_to_the_flow(visit):
    page = visit("?tab=flow&networks=resnet20")
    shows(page, "resnet20")
    page.get_by_role("button", name="Build another network").click()
    for choice in ("20", "plain", "none", "tanh"):
        page.get_by_role("radio", name=choice, exact=True).last.check()
    page.get_by_role("button", name="Add this network").click()
    shows(page, "resnet20", "plain20-nonorm-tanh")


def test_an_unknown_network_stop_or_measure_is_one_sentence(visit):
    for query, says in (
        ("networks=resnet21", "has 21 layers"),
        ("tour=x", "no stop of that name"),
        ("networks=resnet20&measure=x", "no measure 'x'"),
        ("networks=" + ",".join(f"resnet{depth}" for depth in range(8, 50, 6)), "At most 6"),
    ):
        page = visit(f"?tab=flow&{query}")
        expect(page.get_by_role("alert").first).to_contain_text(says, timeout=PATIENCE)
        assert page.locator("#flow .panel").count() == 0
        page.close()  # A browser has six connections to a server, and each page keeps one or two of them.


def test_a_phone_shows_the_tour_in_one_line_and_never_scrolls_sideways(visit):
    page = visit("?tab=flow&tour=sigmoid", viewport=PHONE)
    shows(page, *TOUR[0].networks)
    tops = page.locator("#tour button").evaluate_all("all => all.map(button => button.getBoundingClientRect().top)")
    assert len(tops) == 8
    assert len(set(tops)) == 1
    page.locator(PLOT).focus()
    for _ in range(19):
        page.keyboard.press("ArrowRight")
    assert page.locator("#flow .tip").bounding_box()["x"] + page.locator("#flow .tip").bounding_box()["width"] <= 390
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


def test_the_terms_are_explained_where_they_stand(visit):
    page = visit("?tab=flow&tour=he")
    expect(page.locator("#flow-meaning")).to_contain_text("L2 norm")
    page.locator("#flow-terms summary").click()
    expect(page.locator("#flow-terms")).to_contain_text("Glorot and Bengio 2010")
