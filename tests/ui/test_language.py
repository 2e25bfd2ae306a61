"""The languages of the page: nothing is without a translation, and every visitor is answered in their own."""

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from resnet_demo import plots
from resnet_demo.laboratory.tour import TOUR
from resnet_demo.networks.spec import CONNECTION_WORDS, SUFFIX_WORDS
from resnet_demo.ui import build_page
from resnet_demo.ui.language import ERRORS, FOLDER, LANGUAGES, asked, speak, speaking, t, told, translations
from resnet_demo.zoo import ModelCache
from resnet_demo.zoo.results import SOURCES
from tests.page_server import ROOT

UI = ROOT / "resnet_demo" / "ui"
OTHERS = [language for language in LANGUAGES if language != "en"]
OWN_LETTERS = {"ko": re.compile("[가-힣]"), "ja": re.compile("[ぁ-ヿ一-龯]")}
# Texts of other packages, and words that are put together when they are shown.
ELSEWHERE = {
    *(text for stop in TOUR for text in (stop.title, stop.text)),
    *plots.MEASURES.values(),
    *CONNECTION_WORDS.values(),
    *SUFFIX_WORDS.values(),
    *(source.note for source in SOURCES),
    *("Norm", "Activation", "Init", "cached", "damaged"),
}


def marked(source: str) -> Iterator[str]:
    """The texts in Python code that are translated there, or later."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("t", "later"):
            (text, *_) = node.args
            for one in (text.body, text.orelse) if isinstance(text, ast.IfExp) else (text,):
                if isinstance(one, ast.Constant):
                    yield one.value


def in_code() -> set[str]:
    python = {text for path in UI.rglob("*.py") for text in marked(path.read_text(encoding="utf-8"))}
    browser = [path for path in UI.rglob("*") if path.suffix in (".html", ".js")]
    found = {text for path in browser for text in re.findall(r"\[\[(.+?)\]\]", path.read_text(encoding="utf-8"))}
    return python | found | ELSEWHERE


def test_marked_texts_are_found():
    source = 'A = later("a" "b")\nB = t("c" if A else "d", x=1) + t(A)\nC = other("e")'
    assert set(marked(source)) == {"ab", "c", "d"}


@pytest.mark.parametrize("language", OTHERS)
def test_every_text_has_a_translation_and_no_translation_is_left_over(language):
    told = set(translations(language))
    assert sorted(in_code() - told) == []
    assert sorted(told - in_code()) == []


@pytest.mark.parametrize("language", OTHERS)
def test_a_translation_has_the_places_and_the_markup_of_its_text(language):
    def parts(text: str) -> list[str]:
        return sorted(re.findall(r"\{.*?\}|</?\w+", text))

    for english, text in translations(language).items():
        assert parts(english) == parts(text), english
        assert text.strip(), english
        # They are put into templates and scripts of the page as they are.
        assert not re.search(r"[`\\]|\$\{", text), english
        assert text.count('"') == english.count('"'), english


@pytest.mark.parametrize("language", OTHERS)
def test_texts_are_where_a_translator_finds_them(language):
    sections = json.loads((FOLDER / f"{language}.json").read_text(encoding="utf-8"))
    files = [name for name in sections if (UI / name).suffix]
    for name in files:
        path = next(folder / name for folder in (UI, UI.parent) if (folder / name).exists())
        if path.is_relative_to(UI):
            source = path.read_text(encoding="utf-8")
            here = set(marked(source)) if path.suffix == ".py" else set(re.findall(r"\[\[(.+?)\]\]", source))
            assert set(sections[name]) <= here, name


@pytest.mark.parametrize("language", OTHERS)
def test_the_terms_of_the_glossary_are_used(language):
    """Where a text has an English term, its translation has the one of the glossary."""
    lines = (Path(ROOT) / "docs" / "glossary.md").read_text(encoding="utf-8").splitlines()
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("|")]
    column = 1 + OTHERS.index(language)
    terms = {row[0]: row[column].split(" / ") for row in rows[2:]}
    assert len(terms) > 25
    missing = [
        (term, english, text)
        for english, text in translations(language).items()
        for term, words in terms.items()
        if re.search(rf"\b{re.escape(term)}s?\b", re.sub(r"\{.*?\}|<.*?>", "", english))
        and not any(w in text for w in words)
    ]
    assert missing == []


@pytest.mark.parametrize("language", OTHERS)
def test_the_errors_that_are_translated_are_those_of_the_code(language):
    constants = (
        node.value
        for path in (ROOT / "resnet_demo").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    )
    known = "\n".join(constants)
    for english, text in json.loads((FOLDER / f"{language}.json").read_text(encoding="utf-8"))[ERRORS].items():
        # What stands between the places: sentences are put together of several pieces.
        longest = max(english.removesuffix(", or a JPEG.").split("{}"), key=len).strip(" .?")
        assert longest in known, english
        assert english.count("{}") == len(re.findall(r"\{\d?\}", text)), english


# What a visitor can bring about: the files whose errors reach the page.
REACHED = (
    "images/loading.py", "networks/spec.py", "networks/precision.py", "analysis/finding.py", "laboratory/lesion.py",
    "ui/answers.py", "ui/budgets.py", "ui/choices.py", "training/race_process.py",
)  # fmt: skip
# Arrays are sent by programs alone.
NOT_REACHED = ("array", "of mode", "{} {}.")


def template(node: ast.expr) -> str:
    """A sentence with {} for what differs, without the hint that may follow a full stop."""
    parts = node.values if isinstance(node, ast.JoinedStr) else [node]
    text = "".join(part.value if isinstance(part, ast.Constant) else "{}" for part in parts)
    return text.replace(".{}", ".")


@pytest.mark.parametrize("language", OTHERS)
def test_an_error_that_a_visitor_can_bring_about_is_translated(language):
    raised = [
        template(node.args[0])
        for name in REACHED
        for node in ast.walk(ast.parse((ROOT / "resnet_demo" / name).read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "InputError"
        if isinstance(node.args[0], ast.Constant | ast.JoinedStr)
    ]
    sentences = [text.replace("{}", "7") for text in raised if not any(part in text for part in NOT_REACHED)]
    assert len(sentences) > 20
    with speak(language):
        assert [text for text in sentences if not OWN_LETTERS[language].search(told(text))] == []


def test_an_error_is_told_in_the_visitors_language():
    with speak("ko"):
        assert told("There is no model 'resnet21'.") == "'resnet21' 모델이 없습니다."
        assert told("a.pdf is a PDF: send a JPEG, PNG, WebP, GIF, BMP, TIFF, AVIF or HEIC.").startswith(
            "a.pdf: PDF입니다."
        )
        assert told("There is no precision 'x' on cpu: choose float32.").startswith(
            "cpu에서 쓸 수 없는 정밀도입니다: 'x'."
        )
        assert told("what nobody has translated") == "what nobody has translated"
    assert told("There is no model 'resnet21'.") == "There is no model 'resnet21'."


@pytest.mark.parametrize(
    ("query", "header", "language"),
    [
        ({}, "", "en"),
        ({}, "ko-KR,ko;q=0.9,en;q=0.8", "ko"),
        ({}, "en;q=0.5, ja", "ja"),
        ({}, "fr-FR,fr;q=0.9,ja;q=0.2,en;q=0.7", "en"),
        ({}, "de", "en"),
        ({}, "ja;q=x,,;,ko;q=0.1", "ko"),
        ({}, "fr,ko;q=0", "en"),
        ({"lang": "ja"}, "ko", "ja"),
        ({"lang": "xx"}, "ko", "ko"),
        ({"lang": "../../etc"}, "", "en"),
    ],
)
def test_the_address_goes_before_the_browser(query, header, language):
    assert asked(query, {"accept-language": header}) == language


def test_a_language_is_spoken_inside_of_its_block():
    with speak("ko"):
        assert t("Compare") == "비교"
        assert t("{count:,} parameters", count=1234) == "파라미터 1,234개"
        with speak("ja"):
            assert t("Compare") == "比較"
        assert speaking() == "ko"
        assert t("what nobody has translated") == "what nobody has translated"
    assert t("Compare") == "Compare"


def test_the_page_is_the_same_in_every_language():
    """Its parts have the same numbers, so that an event of one page is that of every other one."""
    page = build_page(ModelCache("cpu", offline=True))
    english = page.config

    def labels(config):
        return {c["id"]: c["props"]["label"] for c in config["components"] if c["props"].get("label")}

    for language in OTHERS:
        with speak(language):
            config = page.config
        numbered = [[(c["id"], c["type"]) for c in one["components"]] for one in (english, config)]
        assert numbered[0] == numbered[1]
        assert config["dependencies"] == english["dependencies"]
        shown = page.translated[language].config["layout"]
        assert shown == english["layout"]
        told = labels(config)
        assert set(told) == set(labels(english))
        known = [i for i, label in labels(english).items() if label in translations(language)]
        assert len(known) > 30
        assert all(OWN_LETTERS[language].search(told[i]) for i in known)
