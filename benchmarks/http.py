"""The page in a process of its own, and its events as sent by a browser and by a program."""

import json
import re
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
# What the page is opened with. The model of its own events is kept by the server, whatever a client sends.
MODEL = "resnet20.cifar10"
VISITORS, QUESTIONS = count(), count(1)


@contextmanager
def served() -> Iterator[tuple[str, int]]:
    """Start `python app.py` and wait until it answers; yields its address and its process ID."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "app.py", "--port", str(port), "--offline", "--model", MODEL]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        url = f"http://127.0.0.1:{port}"
        while process.poll() is None:
            try:
                get(url)
                break
            except (urllib.error.URLError, ConnectionError):
                time.sleep(0.01)
        else:
            raise RuntimeError("app.py ended before it served a page")
        yield url, process.pid
    finally:
        process.kill()
        process.wait()


def get(url: str) -> str:
    with urllib.request.urlopen(url) as response:
        return response.read().decode()


def post(url: str, data: bytes, kind: str = "application/json") -> Any:
    with urllib.request.urlopen(urllib.request.Request(url, data, {"Content-Type": kind})) as response:
        return json.load(response)


def upload(url: str, photo: Path) -> dict[str, Any]:
    """Upload a photo to the server; returns it in the form that events take."""
    head = f'--edge\r\nContent-Disposition: form-data; name="files"; filename="{photo.name}"\r\n\r\n'
    body = head.encode() + photo.read_bytes() + b"\r\n--edge--\r\n"
    (path,) = post(f"{url}/gradio_api/upload", body, "multipart/form-data; boundary=edge")
    return {"path": path, "orig_name": photo.name, "meta": {"_type": "gradio.FileData"}}


def analyze(url: str, image: dict[str, Any], model: str = MODEL, session: str = "program") -> dict[str, Any]:
    """One call of `/analyze`, as sent by Gradio's client."""
    return _event(url, "analyze", [image, model, "", "", "float32"], session)[0]


def explore(url: str, image: dict[str, Any], session: str = "", own_scale: bool = False) -> list[Any]:
    """One event of the Explore tab with `MODEL`, as sent by a visitor's page; returns the values shown. A new visitor's
    unless `session` names one: the same question is not answered twice."""
    session = session or f"visitor{next(VISITORS)}"
    _opened(url, session)
    inputs = [next(QUESTIONS), None, None, None, None, image, None, "", "", "float32", own_scale]
    return _event(url, "_show", inputs, session)


@cache
def _opened(url: str, session: str) -> None:
    """Load the page, once: a visitor that the server does not know is only told to."""
    _event(url, "ask", [None], session)


def milliseconds_shown(shown: list[Any]) -> float:
    """The analysis time in the page's line of facts."""
    return float(re.search(r"([\d,]+(?:\.\d+)?)\s*ms", json.dumps(shown))[1].replace(",", ""))


def _event(url: str, name: str, data: list[Any], session: str) -> list[Any]:
    asked = {"data": data, "fn_index": _number(url, name), "session_hash": session}
    post(f"{url}/gradio_api/queue/join", json.dumps(asked).encode())
    with urllib.request.urlopen(f"{url}/gradio_api/queue/data?session_hash={session}") as stream:
        for line in stream:
            if line.startswith(b"data: ") and (message := json.loads(line[6:]))["msg"] == "process_completed":
                if not message["success"]:
                    raise RuntimeError(str(message))
                return message["output"]["data"]
    raise RuntimeError("the stream ended without an answer")


@cache
def _number(url: str, name: str) -> int:
    """The number of the event with this name; Explore's event for a new photo or choice is called `_show`."""
    events = json.loads(get(f"{url}/config"))["dependencies"]
    return next(event["id"] for event in events if event["api_name"] == name)
