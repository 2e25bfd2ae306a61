"""A client that can send anything to the page: any JSON, to any event, with any header."""

import http.client
import json
import uuid
from collections.abc import Callable
from functools import cache
from typing import Any
from urllib.parse import urlsplit

TIMEOUT = 60
JSON = {"Content-Type": "application/json"}
BOUNDARY = "a-boundary-of-no-file"


def nothing() -> None: ...


def request(
    url: str,
    path: str,
    body: bytes | None = None,
    headers: dict[str, str] | None = None,
    on_answer: Callable[[], object] = nothing,
) -> tuple[int, str]:
    """Status and text of the answer to a GET, or with `body` to a POST; `on_answer` is called when it begins."""
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=TIMEOUT)
    try:
        connection.request("GET" if body is None else "POST", path, body, headers or {})
        answer = connection.getresponse()
        on_answer()
        return answer.status, answer.read().decode(errors="replace")
    finally:
        connection.close()


def post(url: str, path: str, values: Any, **headers: str) -> tuple[int, Any]:
    """Status and JSON of the answer to a JSON request."""
    status, text = request(url, path, json.dumps(values).encode(), JSON | headers)
    return status, json.loads(text)


def form(content: bytes, name: str = "photo.jpg", **headers: str) -> tuple[bytes, dict[str, str]]:
    """Body and headers of an upload."""
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="files"; filename="{name}"\r\n\r\n'
    body = head.encode() + content + f"\r\n--{BOUNDARY}--\r\n".encode()
    return body, {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"} | headers


def upload(url: str, content: bytes, name: str = "photo.jpg") -> str:
    """Upload a file; returns its path on the server."""
    status, text = request(url, "/gradio_api/upload", *form(content, name))
    assert status == 200, text
    return json.loads(text)[0]


def photo(path: str) -> dict[str, Any]:
    """An upload as the page sends it."""
    return {"path": path, "meta": {"_type": "gradio.FileData"}}


@cache
def events(url: str) -> list[dict[str, Any]]:
    """Every event of the page, hidden and private ones too."""
    return json.loads(request(url, "/config")[1])["dependencies"]


def event_of(url: str, name: str) -> int:
    return next(event["id"] for event in events(url) if event["api_name"] == name)


def join(url: str, event: int, data: Any, session: str, **more: Any) -> tuple[int, Any]:
    """Put an event into the queue; returns the status and answer of that request only."""
    return post(url, "/gradio_api/queue/join", {"data": data, "fn_index": event, "session_hash": session, **more})


def result(url: str, session: str, on_answer: Callable[[], object] = nothing) -> dict[str, Any]:
    """The result of the session's event: {"data": ...} or {"error": ...}; `on_answer` as in `request`."""
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=TIMEOUT)
    try:
        connection.request("GET", f"/gradio_api/queue/data?session_hash={session}")
        answer = connection.getresponse()
        on_answer()
        for line in answer:
            if line.startswith(b"data:"):
                message = json.loads(line[5:])
                if message["msg"] == "process_completed":
                    return message["output"]
        raise AssertionError("The stream ended without a result.")
    finally:
        connection.close()


def visit(url: str) -> str:
    """The session of a browser that has loaded the page."""
    session = uuid.uuid4().hex
    load = next(event for event in events(url) if "load" in [kind for _, kind in event["targets"]])
    assert join(url, load["id"], [None] * len(load["inputs"]), session)[0] == 200
    assert "data" in result(url, session)
    return session


def call(url: str, event: int, data: Any, session: str | None = None, **more: Any) -> dict[str, Any]:
    """The result of an event that is sent through the queue; of a camera's, that of its one frame.

    session   that of a visitor; a program's, which has loaded no page, if None
    """
    session = session or uuid.uuid4().hex
    status, answer = join(url, event, data, session, **more)
    if status != 200:
        return answer
    # Whoever has a camera says when it ends; to all other events that means nothing.
    return result(url, session, lambda: request(url, f"/gradio_api/stream/{answer['event_id']}/close", b""))


def analyze(url: str, path: str, model: str = "resnet20.cifar10") -> dict[str, Any]:
    """Call the endpoint of this name with an upload."""
    return call(url, event_of(url, "analyze"), [photo(path), model, "", "", "float32"])
