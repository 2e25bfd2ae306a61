"""The page in other languages, in a real Chromium."""

import re

import pytest
from playwright.sync_api import expect

from .conftest import PATIENCE
from .explore import SMALL, bars, wait_for_facts

pytestmark = pytest.mark.browser


def test_the_address_chooses_the_language_of_texts_results_and_errors(visit):
    page = visit(f"{SMALL}&photo=cat&lang=ja")
    expect(page.get_by_role("tab", name="探索", exact=True)).to_have_attribute("aria-selected", "true")
    assert page.locator("html").get_attribute("lang") == "ja"
    wait_for_facts(page, "パラメータ 269,722 個")
    page.get_by_label("プレーン", exact=True).check()
    wait_for_facts(page, "plain-20 · パラメータ")
    expect(page.locator("#address [role=status]")).to_contain_text("plain-20 の予測は")
    expect(page.locator("#heatmap .photo")).to_have_attribute("alt", re.compile("写真に重ねた"), timeout=PATIENCE)
    page.get_by_role("tab", name="勾配の流れ").click()
    expect(page.locator("#tour-text")).to_contain_text("ショートカットが勾配を一定に保つ", timeout=PATIENCE)
    expect(page.locator("#flow figcaption")).to_contain_text("56 層、プレーン", timeout=PATIENCE)
    page = visit("?lang=ko&model=resnet21")
    expect(page.get_by_role("alert")).to_contain_text("'resnet21' 모델이 없습니다.")


def test_the_browser_chooses_it_where_the_address_does_not_and_a_button_changes_it_and_nothing_else(browser, server):
    # Not as in `visit`: Gradio complains of an answer that is cut off because the page is left.
    context = browser.new_context(locale="ko-KR")
    page = context.new_page()
    page.set_default_timeout(PATIENCE)
    page.goto(f"{server.url}/{SMALL}&photo=cat")
    wait_for_facts(page, "파라미터 269,722개")
    expect(page.locator("h1")).to_have_text("내 사진으로 보는 심층 잔차 학습")
    page.locator("#switch").get_by_role("radio").nth(1).check()
    wait_for_facts(page, "plain-20 · 파라미터")
    expect(page).to_have_url(re.compile("model=plain20.cifar10"), timeout=PATIENCE)
    page.get_by_role("button", name="English").click()
    wait_for_facts(page, "plain-20 · 269,722 parameters")
    expect(page).to_have_url(re.compile(r"photo=cat&model=plain20\.cifar10&lang=en"))
    expect(page.get_by_role("button", name="English")).to_have_attribute("aria-pressed", "true")
    expect(bars(page).first).to_be_visible()
    context.close()
