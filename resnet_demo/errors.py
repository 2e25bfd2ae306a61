"""The exception whose message is shown to the user, and safe quoting of foreign text in such messages."""

import difflib
import errno
import functools
import logging
import unicodedata
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

# Error numbers of a full disk; Windows has no EDQUOT.
FULL = (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC))
# The most characters of a caller's text that a message repeats.
QUOTED = 100


class InputError(ValueError):
    """An error that the user can fix. The message is one sentence that says what is wrong and what to do; every other
    exception is treated as a defect of the program.

    hint   what else can be done at a terminal, which a visitor of the page does not have: part of the error as text,
           but not of its `message`, which is all that the page shows
    """

    def __init__(self, message: object, hint: str = "") -> None:
        # The message may quote file names and server responses, and terminals interpret control characters.
        self.message = visible(str(message))
        super().__init__(f"{self.message} {visible(hint)}" if hint else self.message)


def visible(text: str) -> str:
    """`text` on one line, with control characters escaped: a newline becomes a backslash and an n."""
    if text.isprintable():
        return text
    strange = {c for c in text if unicodedata.category(c)[0] == "C" or c in "\N{LINE SEPARATOR}\N{PARAGRAPH SEPARATOR}"}
    return text.translate({ord(c): repr(c)[1:-1] for c in strange})


def shortened(text: object) -> str:
    """At most `QUOTED` characters of foreign text, on one line."""
    words = " ".join(str(text).split())
    return words if len(words) <= QUOTED else words[: QUOTED - 1] + "…"


def quoted(text: object) -> str:
    """A caller's value in quotation marks, for use in a message: at most `QUOTED` characters of it."""
    text = str(text)
    return repr(text if len(text) <= QUOTED else text[: QUOTED - 1] + "…")


def did_you_mean(text: str, known: Iterable[str], most: int = 3) -> str:
    """A space and a sentence with up to `most` of the `known` names closest to `text`; empty if none is close."""
    close = difflib.get_close_matches(text[:QUOTED], list(known), n=most)
    return f" Did you mean {' or '.join(close)}?" if close else ""


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Convert the operating system's errors about writing to `path` to `InputError`."""
    try:
        yield
    except OSError as error:
        path = error.filename2 or error.filename or path  # The file that failed, if there are several.
        raise InputError(f"{path} cannot be written: {error.strerror or error}.") from error


@functools.lru_cache(maxsize=1000)
def report(sentence: str, path: Path) -> None:
    """Warn once about the file at `path` when the problem does not stop the work: on stderr, or in the log of the
    process that serves the page."""
    logging.getLogger("resnet_demo").warning("%s", visible(sentence))
