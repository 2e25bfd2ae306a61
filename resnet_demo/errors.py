"""The one exception that is meant for the person at the keyboard, and how text of others gets into its sentence."""

import difflib
import errno
import functools
import logging
import unicodedata
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

# What the system calls a full disk; Windows knows no quota.
FULL = (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC))
# Characters of a caller's text that are repeated back to them.
QUOTED = 100


class InputError(ValueError):
    """Something its user can mend. The message is one clear sentence that says what is wrong and what to do; the
    page and the command line show it as it is, and let every other exception be the defect that it is."""

    def __init__(self, message: object) -> None:
        # File names and servers' answers are in there, and terminals obey control characters.
        super().__init__(visible(str(message)))


def visible(text: str) -> str:
    """`text` on one line, with its control characters spelled out: a newline becomes a backslash and an n."""
    if text.isprintable():
        return text
    strange = {c for c in text if unicodedata.category(c)[0] == "C" or c in "\N{LINE SEPARATOR}\N{PARAGRAPH SEPARATOR}"}
    return text.translate({ord(c): repr(c)[1:-1] for c in strange})


def shortened(text: object) -> str:
    """At most `QUOTED` characters of what somebody else said, on one line."""
    words = " ".join(str(text).split())
    return words if len(words) <= QUOTED else words[: QUOTED - 1] + "…"


def quoted(text: object) -> str:
    """What a caller has sent, in quotation marks, as it goes into a sentence: at most `QUOTED` characters of it."""
    text = str(text)
    return repr(text if len(text) <= QUOTED else text[: QUOTED - 1] + "…")


def did_you_mean(text: str, known: Iterable[str], most: int = 3) -> str:
    """A sentence with up to `most` of the `known` names that are closest to `text`, after a space; empty if none is."""
    close = difflib.get_close_matches(text[:QUOTED], list(known), n=most)
    return f" Did you mean {' or '.join(close)}?" if close else ""


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turns what the operating system says against writing to `path` into a sentence."""
    try:
        yield
    except OSError as error:
        path = error.filename2 or error.filename or path  # The very one of several.
        raise InputError(f"{path} cannot be written: {error.strerror or error}.") from error


@functools.lru_cache(maxsize=1000)
def report(sentence: str, path: Path) -> None:
    """Say once that something about the file at `path` is wrong, where it stops nobody: on stderr, or in the log of
    the process that serves the page."""
    logging.getLogger("resnet_demo").warning("%s", visible(sentence))
