"""What every request passes before Gradio sees it: who may ask, how much they may send, what they are told on failure.

A few lines of ASGI, because Gradio's own routes check none of this.
"""

import logging
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlsplit

from gradio.brotli_middleware import BrotliMiddleware
from gradio.route_utils import FnIndexInferError
from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from resnet_demo.errors import FULL
from resnet_demo.images import MAX_BYTES
from resnet_demo.ui.language import asked, speak, told
from resnet_demo.ui.sentences import DEFECT, DISK_FULL, ELSEWHERE, MISFIT, STOPPING, TOO_LARGE

log = logging.getLogger(__name__)
# Bytes that a form adds around a file; no other request of this page needs as many.
MOST_BESIDE = 1_000_000
# Routes of Gradio that this page does not use, and that write files or start programs.
CLOSED = (
    "/gradio_api/deep_link",
    "/gradio_api/process_recording",
    "/gradio_api/proxy=",
    "/gradio_api/component_server",
)
ANSWERS = ("/gradio_api/queue/data", "/gradio_api/call/")


@dataclass
class Visitors:
    """Who is being served: `waiting` requests have no answer yet. New ones are refused while it is `closing`."""

    waiting: int = 0
    closing: bool = False

    @contextmanager
    def served(self) -> Iterator[None]:
        self.waiting += 1
        try:
            yield
        finally:
            self.waiting -= 1


class TooLargeError(Exception):
    """A request is longer than this page accepts."""


class Door:
    """ASGI middleware.

    visitors   counts requests, and says when the door is closed
    names      of the page, besides the one in the request: a proxy may use another name than the browser does. Pages
               of other names cannot send anything; None if any page may
    """

    def __init__(self, app: ASGIApp, visitors: Visitors, names: Collection[str] | None) -> None:
        self.app, self.visitors, self.names = app, visitors, names

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        with speak(_language(scope)):
            await self._pass(scope, receive, send)

    async def _pass(self, scope: Scope, receive: Receive, send: Send) -> None:
        if refused := self._refusal(scope):
            await refused(scope, receive, send)
            return
        # A stream of answers ends with the last one; the stream of heartbeats never ends.
        if scope["method"] == "POST" or scope["path"].startswith(ANSWERS):
            with self.visitors.served():
                await self._answer(scope, receive, send)
        else:
            await self._answer(scope, receive, send)

    def _refusal(self, scope: Scope) -> Response | None:
        path, headers = scope["path"], Headers(scope=scope)
        if path.startswith(CLOSED):
            return refusal(path, MISFIT, 404)
        if scope["method"] != "POST":
            return None
        if self.visitors.closing:
            return refusal(path, STOPPING, 503)
        if not self._own_origin(headers):
            return refusal(path, ELSEWHERE, 403)
        return refusal(path, TOO_LARGE, 413) if _announced(headers) > _most(path) else None

    def _own_origin(self, headers: Headers) -> bool:
        """Browsers say which site a request comes from; programs do not, and need not."""
        origin = headers.get("origin")
        if origin is None or self.names is None:
            return True
        try:
            sender = urlsplit(origin)
        except ValueError:  # It is no address at all.
            return False
        return sender.netloc == headers.get("host") or sender.hostname in self.names

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        path, most, got, begun = scope["path"], _most(scope["path"]), 0, False

        async def counted() -> Message:
            nonlocal got
            message = await receive()
            got += len(message.get("body", b""))
            if got > most:
                raise TooLargeError
            return message

        async def noted(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self.app(scope, counted, noted)
        except ClientDisconnect:
            pass  # Nobody is left to be told.
        except Exception as error:
            if begun:
                log.error("%s broke off.", path, exc_info=error)
            else:
                await _failure(path, error)(scope, receive, send)


class PackedPage(BrotliMiddleware):
    """Gradio compresses only what has the name of a file, and not the page itself: 700 KB, of which Brotli leaves a
    tenth, and gzip a third. Its own method is replaced; were it called otherwise, the page would travel as before."""

    def _is_compressible_file_type(self, scope: Scope) -> bool:
        return scope["path"] in ("/", "/config")


def refusal(path: str, sentence: str, status: int) -> Response:
    """One sentence: plain text where the page's upload shows it, JSON for programs elsewhere."""
    sentence = told(sentence)
    if path.endswith("/upload"):
        return PlainTextResponse(sentence, status)
    return JSONResponse({"error": sentence, "detail": sentence}, status)


def _failure(path: str, error: Exception) -> Response:
    if isinstance(error, TooLargeError):
        return refusal(path, TOO_LARGE, 413)
    if isinstance(error, OSError) and error.errno in FULL:
        return refusal(path, DISK_FULL, 507)
    # Gradio looks up events and forms without checking that they exist.
    if isinstance(error, FnIndexInferError | LookupError | ValueError | TypeError | RecursionError):
        return refusal(path, MISFIT, 400)
    log.error("%s failed.", path, exc_info=error)
    return refusal(path, DEFECT, 500)


def _language(scope: Scope) -> str:
    """What the address asks for, or that of the page that the request comes from: an upload has no query of its own."""
    headers = Headers(scope=scope)
    query = dict(parse_qsl(scope["query_string"].decode("latin-1")))
    if "lang" not in query:
        with suppress(ValueError):  # It is no address at all.
            query = dict(parse_qsl(urlsplit(headers.get("referer", "")).query))
    return asked(query, headers)


def _announced(headers: Headers) -> int:
    length = headers.get("content-length", "")
    return int(length) if length.isascii() and length.isdigit() else 0


def _most(path: str) -> int:
    return MOST_BESIDE + (MAX_BYTES if path.endswith("/upload") else 0)
