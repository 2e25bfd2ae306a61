"""Serving the page: to whom it answers, and how it stops."""

import ipaddress
import math
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import gradio as gr
import httpx
from fastapi.exceptions import RequestValidationError
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.responses import Response

from resnet_demo.errors import InputError
from resnet_demo.ui.door import Door, PackedPage, Visitors, refusal
from resnet_demo.ui.page import launch_options
from resnet_demo.ui.sentences import MISFIT
from resnet_demo.ui.uploads import delete_old, delete_orphans, upload_folder

LOOPBACK = ("localhost", "127.0.0.1")
# The names of Gradio's share links; nobody but Gradio decides where they lead.
SHARED = "*.gradio.live"
# Closing the terminal stops the server too; Windows has no such signal.
STOPS = (signal.SIGINT, signal.SIGTERM, *([signal.SIGHUP] if hasattr(signal, "SIGHUP") else []))
SWEEP_SECONDS = 600
# How long running requests may still take. Gradio adds up to five seconds, and nobody should wait for ten.
PATIENCE_SECONDS = 4.0


def serve(
    build: Callable[[], gr.Blocks], host: str, port: int | None, share: bool, open_: bool, names: Sequence[str] = ()
) -> None:
    """Serve the page that `build` makes until SIGINT or SIGTERM; running requests are still answered.

    names   other names, besides `host`, by which the page is reached through a proxy

    A Space is reached by any name. Elsewhere requests from other sites' pages are refused, and on loopback other host
    names too. Raises `InputError` when it cannot be served there.
    """
    on_space = "SPACE_ID" in os.environ
    host = "0.0.0.0" if on_space else host  # noqa: S104 - its proxy connects from outside
    visitors = Visitors()
    with upload_folder() as folder, _stop_asked() as stop:
        page = build()
        try:
            page.launch(
                server_name=host,
                server_port=port,
                share=share,
                inbrowser=open_,
                prevent_thread_lock=True,
                app_kwargs=_app_options(host, share, None if on_space else names, visitors),
                **launch_options(),
            )
        except (OSError, httpx.InvalidURL) as error:  # Gradio fetches its own page, and cannot at an IPv6 address.
            raise InputError(f"The page cannot be served on {host}:{port or '7860 and up'}: {error}") from error
        _wait(stop, folder, {path for block in page.blocks.values() for path in block.keep_in_cache})
        _close(page, visitors)


def _app_options(host: str, share: bool, names: Sequence[str] | None, visitors: Visitors) -> dict[str, Any]:
    doors = [Middleware(Door, visitors=visitors, names=names), Middleware(PackedPage)]
    if names is not None and _is_loopback(host):
        # Another site could let its own name resolve to this machine, and then read every answer (DNS rebinding).
        allowed = [*LOOPBACK, host, *names, *([SHARED] if share else [])]
        doors.insert(0, Middleware(TrustedHostMiddleware, allowed_hosts=allowed, www_redirect=False))
    return {"middleware": doors, "exception_handlers": {RequestValidationError: _misfit}}


async def _misfit(request: Any, error: Exception) -> Response:
    """Instead of FastAPI's answer, which repeats everything that was sent."""
    return refusal(request.url.path, MISFIT, 422)


def _is_loopback(host: str) -> bool:
    try:
        found = socket.getaddrinfo(host.strip("[]"), None)
    except OSError:
        return False
    return all(ipaddress.ip_address(str(address[0]).partition("%")[0]).is_loopback for *_, address in found)


@contextmanager
def _stop_asked() -> Iterator[threading.Event]:
    """An event that the signals in `STOPS` set; the second signal of a kind ends the process at once."""
    stop = threading.Event()

    def ask(number: int, frame: Any) -> None:
        signal.signal(number, signal.SIG_DFL)
        stop.set()

    before = {number: signal.signal(number, ask) for number in STOPS}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _wait(stop: threading.Event, folder: Path, kept: Collection[str]) -> None:
    """Wait until `stop` is set. Meanwhile old uploads are deleted, except the examples in `kept`, and so is what killed
    servers have left behind."""
    swept = -math.inf
    while not stop.wait(0.5):  # On Windows a longer wait would not notice Ctrl-C.
        if time.monotonic() - swept > SWEEP_SECONDS:
            delete_orphans(folder)
            delete_old(folder, kept)
            swept = time.monotonic()


def _close(page: gr.Blocks, visitors: Visitors) -> None:
    print("Stopping: running requests are answered first.", file=sys.stderr)
    visitors.closing = True
    deadline = time.monotonic() + PATIENCE_SECONDS
    while visitors.waiting and time.monotonic() < deadline:
        time.sleep(0.05)
    page.close(verbose=False)
