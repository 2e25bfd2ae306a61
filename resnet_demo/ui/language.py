"""The language of what a visitor reads. Texts in the code are English; languages/ has them in the other languages.

`t("{count:,} parameters", count=n)` is that text in the language of the visitor who is being served, with the values in
their places. A text that is defined in one place and used in another is marked by `later` where it is defined, so that
a test finds what has no translation.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from pathlib import Path
from typing import Any

# As each calls itself.
LANGUAGES = {"en": "English", "ko": "한국어", "ja": "日本語"}
FOLDER = Path(__file__).parent / "languages"

_speaking: ContextVar[str] = ContextVar("speaking", default="en")


def t(text: str, /, **values: Any) -> str:
    """`text` in the visitor's language, with `values` in the places that it has for them; in English if it has no
    translation."""
    said = translations(_speaking.get()).get(text, text)
    return said.format(**values) if values else said


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
    ordered = sorted(wishes, key=lambda wish: -_weight(wish[2]))
    return next((tag for wish in ordered if (tag := wish[0].strip().partition("-")[0]) in LANGUAGES), "en")


def _weight(parameter: str) -> float:
    try:
        return float(parameter.partition("q=")[2] or 1)
    except ValueError:
        return 0.0


@cache
def translations(language: str) -> dict[str, str]:
    """Every text by its English one; none for English."""
    if language == "en":
        return {}
    parts = json.loads((FOLDER / f"{language}.json").read_text(encoding="utf-8"))
    return {english: text for part in parts.values() for english, text in part.items()}
