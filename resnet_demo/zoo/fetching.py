"""Downloads with limits on bytes and time that follow from the file's size; a file appears complete or not at all.

The server cannot be trusted: it may be a hotel's portal, a broken proxy, or an attempt to fill the disk.
"""

import os
import socket
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from contextlib import suppress
from http.client import HTTPConnection, HTTPException, HTTPResponse
from pathlib import Path
from typing import Any

from filelock import FileLock

from resnet_demo.errors import InputError, quoted, shortened
from resnet_demo.zoo.card import sha256_of

Progress = Callable[[int, int], None]
# The longest silence, and the longest time until a server begins to answer.
TIMEOUT_SECONDS = 30
# Bytes per second: half of a slow connection's 1 Mbit/s; and the time that even a small file is allowed.
LEAST_RATE, LEAST_SECONDS = 60_000, 60
# Limits on bytes: for a file of unknown size, and in excess of a size that is known to three digits.
MOST_BYTES, SLACK_BYTES = 2_000_000_000, 1_000_000
REPORT_BYTES = 1_000_000


def progress_text(name: str, done: int, total: int) -> str:
    """The progress of a download as text; `total` is 0 if the server does not report it."""
    of = f" of {total / 1e6:.0f}" if total else ""
    return f"Fetching {name}: {done / 1e6:.0f}{of} MB"


class TooLongError(ConnectionError):
    """The server sends something other than the file."""


def fetch(url: str, path: Path, sha256_prefix: str, progress: Progress | None = None, size: int | None = None) -> Path:
    """Download `url` to `path`, which appears only when it is complete and its SHA-256 starts with `sha256_prefix`.

    size   approximate number of bytes, if known

    A killed download leaves a `.partial` file that the next one continues, if the server supports it, or replaces. Two
    processes that request the same file fetch it once. Raises `InputError` that says what to do.
    """
    partial = path.with_name(path.name + ".partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(path.with_name(path.name + ".lock")):
            if path.is_file():
                return path
            if os.path.lexists(path):
                raise InputError(f"{path.name} is not a regular file in {path.parent}: remove it and try again.")
            _download(url, partial, progress, size + SLACK_BYTES if size else MOST_BYTES)
            if not sha256_of(partial).startswith(sha256_prefix):
                partial.unlink()
                raise InputError(f"{path.name} arrived damaged and was discarded: try again.")
            os.replace(partial, path)
    except InputError:
        raise
    except (OSError, HTTPException, ValueError) as error:
        reason = getattr(error, "reason", error)
        reason = getattr(reason, "strerror", None) or reason
        if isinstance(error, ValueError):
            reason = "the server redirects to what is no address"
        raise InputError(
            f"{path.name} could not be downloaded ({shortened(reason)}): check the connection and the disk and try "
            f"again, or put the file from {url} into {path.parent}."
        ) from error
    return path


def _download(url: str, partial: Path, progress: Progress | None, most: int) -> None:
    """Download `url`, at most `most` bytes, into `partial`, continuing that file if the server supports it."""
    have = partial.stat().st_size if partial.exists() else 0
    request = urllib.request.Request(url, headers={"Range": f"bytes={have}-"} if have else {})
    opener = urllib.request.build_opener(_Http, _Https, _Redirects)
    try:
        response = opener.open(request, timeout=TIMEOUT_SECONDS)
    except urllib.error.HTTPError as error:
        if error.code != 416 or not have:
            raise
        partial.unlink()  # It was already complete or too long, so its content cannot be trusted.
        _download(url, partial, progress, most)
        return
    with response:
        resumed = response.status == 206
        done = have if resumed else 0
        total = done + _announced(response)
        try:
            with partial.open("ab" if resumed else "wb") as file:
                _receive(response, file, done, total, most, progress)
        except TooLongError:
            partial.unlink()
            raise


def _announced(response: HTTPResponse) -> int:
    """The number of bytes that the server announces, 0 if it does not."""
    length = response.headers.get("Content-Length", "0")
    if not (length.isascii() and length.isdigit() and len(length) < 20):
        raise ConnectionError(f"the server announces {quoted(length)} bytes")
    return int(length)


def _receive(response: HTTPResponse, file: Any, done: int, total: int, most: int, progress: Progress | None) -> None:
    if total > most:
        raise TooLongError(f"the server has {total:,} bytes, and the file is not that long")
    seconds = max(LEAST_SECONDS, ((total or most) - done) / LEAST_RATE)
    end, reported = time.monotonic() + seconds, done
    # `read1` returns what has arrived: waiting for a full block, a server that sends single bytes would never time out.
    while chunk := response.read1(1 << 18):
        done += len(chunk)
        if done > most:
            raise TooLongError("the server does not stop sending, and the file is not that long")
        file.write(chunk)
        if progress and done - reported >= REPORT_BYTES:
            progress(done, total)
            reported = done
        if time.monotonic() > end and done != total:
            raise TimeoutError(f"it had not arrived after {seconds:.0f} seconds")
    if done < total:
        raise ConnectionError("the connection was interrupted")
    if progress and done > reported:
        progress(done, total)


class _Answering(urllib.request.AbstractHTTPHandler):
    """Hangs up when the response has not begun in time; a socket's own timeout does not catch slowly sent headers."""

    def do_open(self, http_class: Callable[..., HTTPConnection], req: Any, **options: Any) -> HTTPResponse:
        connections: list[HTTPConnection] = []

        def connect(*args: Any, **more: Any) -> HTTPConnection:
            connections.append(http_class(*args, **more))
            return connections[-1]

        late = threading.Event()

        def hang_up() -> None:
            late.set()
            for connection in connections:
                # The plain socket's method: that of TLS would take the keys from the reading thread.
                with suppress(OSError, TypeError):
                    socket.socket.shutdown(connection.sock, socket.SHUT_RDWR)

        timer = threading.Timer(TIMEOUT_SECONDS, hang_up)
        timer.daemon = True
        timer.start()
        try:
            return super().do_open(connect, req, **options)
        finally:
            timer.cancel()
            if late.is_set():  # A truncated header is parsed as a complete one.
                raise TimeoutError(f"there was no answer after {TIMEOUT_SECONDS} seconds")


class _Http(_Answering, urllib.request.HTTPHandler):
    pass


class _Https(_Answering, urllib.request.HTTPSHandler):
    pass


class _Redirects(urllib.request.HTTPRedirectHandler):
    """As Python's handler, which however first reads the body of a redirection, no matter how long it is."""

    def http_error_302(self, req: Any, fp: Any, code: int, msg: str, headers: Any) -> Any:
        fp.close()
        return super().http_error_302(req, fp, code, msg, headers)

    http_error_301 = http_error_303 = http_error_307 = http_error_308 = http_error_302
