"""Networks and photos are picked, by hand and by address, in a real Chromium."""

import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from resnet_demo.images import EXAMPLES, MAX_SIDE
from resnet_demo.ui.answers import look
from resnet_demo.ui.choices import OPENS_WITH
from resnet_demo.ui.photo import UNKNOWN, examples_for
from resnet_demo.zoo import ModelCache

from .conftest import PATIENCE, choose
from .explore import CAT, SMALL, bars, dots, send, send_and_wait, wait_for_facts

pytestmark = pytest.mark.browser
CIFAR10 = "CIFAR-10: 10 classes"


@pytest.fixture(scope="module")
def first(stay) -> Page:
    """As the page opens by itself."""
    return stay()


@pytest.fixture(scope="module")
def cifar10(stay) -> Page:
    return stay(f"{SMALL}&photo=cat")


@pytest.fixture
def small(cifar10) -> Page:
    """With the cat and the smallest network, whatever the test before has picked."""
    page = cifar10
    page.bring_to_front()
    page.get_by_role("tab", name="Explore").click()
    if page.get_by_label("Data set", exact=True).input_value() != CIFAR10:
        choose(page, "Data set", CIFAR10)
        wait_for_facts(page, "CIFAR-10")
    page.get_by_label("residual", exact=True).check()
    depth = page.get_by_label("Depth", exact=True)
    expect(depth).to_have_value(re.compile("^ResNet-"))
    if depth.input_value() != "ResNet-20":
        choose(page, "Depth", "ResNet-20")
    page.locator("#photo-examples button").first.click()
    # The address follows what is shown.
    expect(page).to_have_url(re.compile(r"(?=.*photo=cat)(?=.*model=resnet20\.cifar10)"), timeout=PATIENCE)
    expect(page.locator("#heatmap .stack")).to_be_visible(timeout=PATIENCE)
    wait_for_facts(page, "ResNet-20")
    return page


def test_the_networks_that_the_page_opens_with_can_name_its_examples():
    """Each example gets the name below it among the five, unless the page says that there is none for it."""
    cache, nameless = ModelCache("cpu", offline=True), 0
    examples = examples_for(cache.catalogue.find(OPENS_WITH))
    assert len(examples) == 7
    for key, _, name in examples:
        if name == UNKNOWN:
            nameless += 1
            continue
        shown, _ = look(cache, str(EXAMPLES / f"{key}.jpg"), OPENS_WITH)
        assert [name in prediction.label for prediction in shown.analysis.predictions].count(True) == 1, name
    assert 1 <= nameless <= 2


def test_the_page_opens_with_these_networks_and_examples(first):
    expect(first.get_by_label("Data set")).to_have_value("CIFAR-100: 100 classes")
    examples = first.locator("#photo-examples button")
    expect(examples).to_have_count(7)
    name = examples.nth(1).inner_text().strip()
    examples.nth(1).click()
    expect(bars(first).filter(has_text=name)).to_have_count(1, timeout=PATIENCE)
    alt = first.locator("#heatmap .stack").get_by_alt_text(re.compile("Grad-CAM of .* over the photo"))
    expect(alt).to_be_visible(timeout=PATIENCE)
    wait_for_facts(first, "ResNet-56")


def test_the_switch_beside_the_results_changes_the_network_and_moves_nothing(first):
    page = first
    page.get_by_label("residual", exact=True).check()
    wait_for_facts(page, "ResNet-56")
    parts = ("#top5", "#heatmap .stack", "#gradients svg", "#twins")
    before = [page.locator(part).first.bounding_box() for part in parts]
    residual, plain = page.locator("#twins button").all()
    expect(residual).to_have_attribute("aria-pressed", "true")
    plain.click()
    wait_for_facts(page, "plain-56")
    expect(plain).to_have_attribute("aria-pressed", "true", timeout=PATIENCE)
    expect(residual).to_have_attribute("aria-pressed", "false")
    expect(page.get_by_label("plain", exact=True)).to_be_checked()
    after = [page.locator(part).first.bounding_box() for part in parts]
    for one, other in zip(before, after, strict=True):
        assert (one["x"], one["y"], one["width"]) == (other["x"], other["y"], other["width"])
    # One colour for each kind, the same in bars, plot and drawing.
    colours = {
        page.locator(part).first.evaluate("element => getComputedStyle(element).color")
        for part in ("#top5 li", "#gradients .panel g.plain")
    }
    drawn = plain.locator("rect").first.evaluate("element => getComputedStyle(element).stroke")
    assert colours == {drawn}


def test_examples_follow_the_data_set(small):
    page = small
    examples = page.locator("#photo-examples button")
    expect(examples).to_have_text(["cat", "deer", UNKNOWN, UNKNOWN])
    choose(page, "Data set", "Fashion-MNIST: 10 classes")
    expect(examples).to_have_text([UNKNOWN, UNKNOWN])
    examples.first.click()
    wait_for_facts(page, "Fashion-MNIST")


def test_query_parameters_set_the_page_up_and_class_and_layer_stay_when_the_twin_is_picked(visit):
    page = visit("?model=plain20.cifar10&photo=rocket&target=ship&layer=layer2")
    wait_for_facts(page, "plain-20")
    expect(page.get_by_label("plain", exact=True)).to_be_checked()
    expect(page.locator("#explanation")).to_contain_text("Evidence for ship", timeout=PATIENCE)
    expect(page.locator("#explanation")).to_contain_text("in layer2.2", timeout=PATIENCE)
    page.get_by_label("residual", exact=True).check()
    wait_for_facts(page, "ResNet-20")
    expect(page.locator("#explanation")).to_contain_text(re.compile("for ship, .* in layer2.2"), timeout=PATIENCE)


def test_an_unknown_model_in_the_address_is_one_sentence(visit):
    page = visit("?model=resnet21.cifar10&photo=cat")
    expect(page.get_by_role("alert")).to_contain_text("There is no model 'resnet21.cifar10'", timeout=PATIENCE)
    send(page, CAT)
    wait_for_facts(page, "ResNet-56")


def test_an_architecture_that_is_not_offered_can_be_had_by_address(visit):
    """As untrained networks do, it shows gradients and no predictions."""
    page = visit("?model=plain20-nonorm-sigmoid.untrained&photo=cat")
    wait_for_facts(page, "plain-20 nonorm sigmoid")
    choose(page, "Depth", "plain-56")
    wait_for_facts(page, "plain-56")
    expect(bars(page)).to_have_count(0)
    assert dots(page) >= 56
    expect(page.locator("#explanation")).to_contain_text("Random weights make no prediction to explain")


def test_switching_the_data_set_keeps_a_matching_depth(small):
    page = small
    choose(page, "Data set", "Untrained: gradients only")
    wait_for_facts(page, "untrained: no test error")
    choose(page, "Depth", "ResNet-56")
    wait_for_facts(page, "ResNet-56")
    page.get_by_label("highway", exact=True).check()
    wait_for_facts(page, "Highway-56")


def test_the_last_of_many_quick_clicks_wins(small):
    page = small
    for connection in ("plain", "residual") * 4 + ("plain",):
        page.get_by_label(connection, exact=True).click()  # `check` would complain when an answer comes in between.
    wait_for_facts(page, "plain-20")
    page.wait_for_timeout(1500)  # No answer that is late takes its place.
    wait_for_facts(page, "plain-20")
    expect(page.get_by_label("plain", exact=True)).to_be_checked()


def test_a_model_that_would_have_to_be_fetched_cannot_be_picked_when_offline(small):
    page = small
    page.get_by_label("Data set", exact=True).click()
    page.get_by_role("option", name="ImageNet: 1000 classes (not on this machine)").click()
    expect(page.get_by_role("alert")).to_contain_text("this is offline", timeout=PATIENCE)
    # What was picked before stays, and so does its answer.
    expect(page.get_by_label("Data set")).to_have_value("CIFAR-10: 10 classes")
    expect(page.get_by_label("Depth", exact=True)).to_have_value("ResNet-20")
    wait_for_facts(page, "ResNet-20")
    expect(page.locator("#heatmap .stack")).to_be_visible()
    choose(page, "Depth", "ResNet-56")
    wait_for_facts(page, "ResNet-56")
    expect(page.get_by_role("alert")).to_have_count(0)
    # Its layers too.
    page.get_by_label("Layer to explain", exact=True).click()
    expect(page.get_by_role("option", name="layer3.8", exact=True)).to_be_visible()
    page.keyboard.press("Escape")


def broken_files(folder: Path):
    (folder / "empty.png").write_bytes(b"")
    (folder / "text.jpg").write_text("not a photo")
    (folder / "cut.jpg").write_bytes(CAT.read_bytes()[:3000])
    return sorted(folder.glob("*.*"))


def test_broken_files_get_a_sentence_and_the_page_goes_on(small, tmp_path):
    page = small
    for path in broken_files(tmp_path):
        send(page, path)
        expect(page.get_by_role("alert")).to_contain_text(path.name, timeout=PATIENCE)
        # Gradio recreates the component after an example: for the next file, the new one must behave as the first.
        page.locator("#photo-examples button").first.click()
        wait_for_facts(page, "ResNet-20")
        expect(page.get_by_role("alert")).to_have_count(0)
        page.get_by_label("Remove Image").click()


def test_a_large_photo_is_shown_small(small, tmp_path):
    noise = np.random.default_rng(0).integers(0, 256, (756, 1008, 3), dtype=np.uint8)
    Image.fromarray(noise).resize((2016, 1512)).save(tmp_path / "large.jpg", quality=80)
    send_and_wait(small, tmp_path / "large.jpg")
    widths = small.locator("#heatmap img").evaluate_all("images => images.map(image => image.naturalWidth)")
    assert max(widths) == MAX_SIDE


def test_two_visitors_do_not_see_each_others_answers(small, visit):
    first, second = small, visit("?photo=rocket&model=plain20.cifar10")
    wait_for_facts(first, "ResNet-20")
    wait_for_facts(second, "plain-20")
    assert bars(first).all_inner_texts() != bars(second).all_inner_texts()
    send_and_wait(first, EXAMPLES / "coffee.jpg")
    expect(second.locator(".facts")).to_contain_text("plain-20")


def test_photo_and_network_follow_from_tab_to_tab(small):
    page = small
    page.locator("#photo-examples button").nth(1).click()
    expect(page).to_have_url(re.compile("photo=moose"), timeout=PATIENCE)
    page.get_by_role("tab", name="Compare").click()
    expect(page.locator("#compare-title-1")).to_contain_text("ResNet-20", timeout=PATIENCE)
    expect(page.locator("#compare-title-2")).to_contain_text("plain-20")
    page.locator("#compare-photo-examples button").first.click()
    expect(page.locator("#compare-heat-1 .photo")).to_have_attribute("alt", re.compile("cat"), timeout=PATIENCE)
    page.get_by_role("tab", name="Explore").click()
    expect(page.locator("#heatmap .photo")).to_have_attribute("alt", re.compile("cat"), timeout=PATIENCE)
    page.get_by_label("plain", exact=True).check()
    wait_for_facts(page, "plain-20")
    page.get_by_role("tab", name="Lesion").click()
    expect(page.locator("#lesion-effect")).to_contain_text("1 of 9 blocks out: cat", timeout=PATIENCE)
    expect(page.get_by_label("Network", exact=True)).to_have_value("CIFAR-10: plain-20")
    page.get_by_role("tab", name="Architecture").click()
    expect(page.locator("#architecture input")).to_have_value("plain20", timeout=PATIENCE)
    # Compare shows it second, and Explore goes on with it.
    page.get_by_role("tab", name="Compare").click()
    expect(page.locator("#compare-title-2")).to_contain_text("plain-20", timeout=PATIENCE)
    page.get_by_role("tab", name="Explore").click()
    page.wait_for_timeout(1500)
    wait_for_facts(page, "plain-20")
