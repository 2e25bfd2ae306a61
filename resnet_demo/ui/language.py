"""The language of what a visitor reads. Texts in the code are English; languages/ has them in the other languages.

`t("{count:,} parameters", count=n)` is that text in the language of the visitor who is being served, with the values in
their places. A text that is defined in one place and used in another is marked by `later` where it is defined, so that
a test finds what has no translation.
"""

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from pathlib import Path
from typing import Any

# As each calls itself.
LANGUAGES = {"en": "English", "ko": "한국어", "ja": "日本語"}
# The part of a table with the messages of errors.
ERRORS = "errors"
FOLDER = Path(__file__).parent / "languages"

_speaking: ContextVar[str] = ContextVar("speaking", default="en")


def t(text: str, /, **values: Any) -> str:
    """`text` in the visitor's language, with `values` in the places that it has for them; in English if it has no
    translation."""
    said = translations(_speaking.get()).get(text, text)
    return said.format(**values) if values else said


def sentence(text: str) -> str:
    """`text` with the full stop of the visitor's language."""
    return t("{text}.", text=text)


def later(text: str) -> str:
    """`text` itself: it is translated by `t` where it is used."""
    return text


def speaking() -> str:
    """The language of the visitor who is being served."""
    return _speaking.get()


@contextmanager
def speak(language: str) -> Iterator[None]:
    """Serve in that language inside of the block."""
    token = _speaking.set(language)
    try:
        yield
    finally:
        _speaking.reset(token)


def asked(query: Mapping[str, str], headers: Mapping[str, str]) -> str:
    """The language that the address asks for, as in ?lang=ko, or else the first one of the browser's that there is."""
    if query.get("lang") in LANGUAGES:
        return query["lang"]
    wishes = [wish.partition(";") for wish in headers.get("accept-language", "")[:200].lower().split(",")]
    weighed = [(_weight(parameter), tag.strip().partition("-")[0]) for tag, _, parameter in wishes]
    ordered = sorted(weighed, key=lambda wish: -wish[0])
    return next((tag for weight, tag in ordered if weight > 0 and tag in LANGUAGES), "en")


def _weight(parameter: str) -> float:
    try:
        return float(parameter.partition("q=")[2] or 1)
    except ValueError:
        return 0.0


def told(message: str) -> str:
    """A message of the rest of the package, which knows no languages, in the visitor's: one that has a translation as
    it is, or that fits one of the translated patterns, in which {} stands for what differs. Otherwise as it is."""
    language = _speaking.get()
    if message in translations(language):
        return translations(language)[message]
    for pattern, text in _patterns(language):
        if found := pattern.fullmatch(message):
            return text.format(*map(told, found.groups()))
    return message


@cache
def translations(language: str) -> dict[str, str]:
    """Every text by its English one, in all parts of the table but that of the errors; none for English."""
    return {
        english: text for name, part in _table(language).items() if name != ERRORS for english, text in part.items()
    }


@cache
def _patterns(language: str) -> tuple[tuple[re.Pattern[str], str], ...]:
    """The messages of errors, the longest first, so that a short one does not take the place of what says more."""
    errors = sorted(_table(language).get(ERRORS, {}).items(), key=lambda error: -len(error[0]))
    return tuple((re.compile(re.escape(english).replace(r"\{\}", "(.+?)")), text) for english, text in errors)


@cache
def _table(language: str) -> dict[str, dict[str, str]]:
    return {} if language == "en" else json.loads((FOLDER / f"{language}.json").read_text(encoding="utf-8"))
