"""Sixteen concurrent clients, friendly and hostile: is every valid request answered correctly, without any leak?

    python -m benchmarks.soak [--seconds 900] [--clients 16]

Every example photo through four networks, each answer compared with that of the engine alone; broken, huge and
malicious files; malformed requests. Memory and open files of the page's process are read after a few requests of every
kind, ten times during the run, and at the end, after the clients have disconnected. Linux only: it reads /proc.
"""

import random
import socket
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import typer
from rich.table import Table

from benchmarks import http
from benchmarks.page import phone_photo
from benchmarks.side_by_side import out, print_machine
from benchmarks.visitors import Request, every_request, resident_megabytes, right_answers, same
from resnet_demo.images import EXAMPLES
from resnet_demo.zoo import ModelCache
from tests.hostile import files

# Most time that is left to the server to close the connections of finished clients.
REST_SECONDS = 8.0
SAMPLES = 10


@dataclass
class Report:
    """Requests by kind and by outcome: "right" or "refused", and the faults, "wrong" or "failed". Memory and open files
    of the page's process: at first, during the run, and at the end."""

    outcomes: Counter[tuple[str, str]] = field(default_factory=Counter)
    megabytes: list[float] = field(default_factory=list)
    files: list[int] = field(default_factory=list)

    @property
    def faults(self) -> dict[tuple[str, str], int]:
        return {key: count for key, count in self.outcomes.items() if key[1] not in ("right", "refused")}


@dataclass(frozen=True)
class Target:
    """The page, the correct answers (those of the engine alone), and a folder with the files to send."""

    url: str
    answers: dict[Request, dict[str, Any]]
    folder: Path


Kind = Callable[[Target, random.Random, str], str]


def valid(target: Target, draw: random.Random, session: str) -> str:
    """A photo and a network; the answer must be the engine's."""
    request = draw.choice(list(target.answers))
    answer = http.analyze(target.url, http.upload(target.url, request[0]), request[1], session)
    return "right" if same(answer, target.answers[request]) else "wrong"


def explored(target: Target, draw: random.Random, session: str) -> str:
    """The same through the page's own event; the most probable class must be the engine's."""
    photo, model = draw.choice([request for request in target.answers if request[1] == http.MODEL])
    values = http.explore(target.url, http.upload(target.url, photo))
    top = next(value for value in values if isinstance(value, dict) and value.get("bars"))
    return "right" if target.answers[photo, model]["predictions"][0]["label"] == top["bars"][0]["label"] else "wrong"


def large(target: Target, draw: random.Random, session: str) -> str:
    """A phone's photo of 12 million pixels."""
    answer = http.analyze(target.url, http.upload(target.url, target.folder / "phone.jpg"), session=session)
    return "right" if answer["predictions"] else "wrong"


def broken(target: Target, draw: random.Random, session: str) -> str:
    """A file that is damaged, is not a photo, or decodes into gigabytes."""
    path = draw.choice(sorted((target.folder / "broken").iterdir()))
    return _refused(lambda: http.analyze(target.url, http.upload(target.url, path), session=session))


def foreign(target: Target, draw: random.Random, session: str) -> str:
    """A path that was never uploaded."""
    path = draw.choice(["app.py", "/etc/passwd", "/dev/zero", "/", "http://127.0.0.1:1/"])
    return _refused(lambda: http.analyze(target.url, {"path": path}, session=session))


def unknown(target: Target, draw: random.Random, session: str) -> str:
    """A network that does not exist or exceeds the limits."""
    model = draw.choice(["resnet21", "resnext50_1x512d.untrained", "resnet999998.untrained", "x" * 200])
    image = http.upload(target.url, target.folder / "cat.jpg")
    return _refused(lambda: http.analyze(target.url, image, model, session))


def malformed(target: Target, draw: random.Random, session: str) -> str:
    """A request that is not valid JSON, is far too long, or comes from another site's page."""
    body = draw.choice([b"{", b"[]", b'{"data": 7}', b'{"data": ["' + b"x" * 2_000_000 + b'"]}'])
    request = urllib.request.Request(f"{target.url}/gradio_api/queue/join", body, {"Content-Type": "application/json"})
    if draw.random() < 0.5:
        request.add_header("Origin", "http://evil.example")
    return _refused(lambda: urllib.request.urlopen(request, timeout=60))


def gone(target: Target, draw: random.Random, session: str) -> str:
    """A client that hangs up in the middle of an upload."""
    host, port = target.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=60) as client:
        head = "POST /gradio_api/upload HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n"
        client.sendall(f"{head}Content-Type: multipart/form-data; boundary=edge\r\n\r\n--edge\r\n".encode())
    return "refused"


# Relative frequency of each kind.
KINDS: dict[Kind, int] = {
    valid: 8, explored: 4, large: 2, broken: 3, foreign: 2, unknown: 2, malformed: 2, gone: 1,
}  # fmt: skip


def _refused(ask: Callable[[], Any]) -> str:
    try:
        ask()
    except urllib.error.HTTPError as error:
        return "refused" if error.code < 500 else f"failed: {error.code}"
    except urllib.error.URLError as error:  # The server closed the connection during a request that is too long.
        if isinstance(error.reason, BrokenPipeError | ConnectionResetError):
            return "refused"
        raise
    except RuntimeError as error:  # The error message of the event.
        return "refused" if "Something went wrong" not in str(error) else f"failed: {error}"
    return "failed: it was answered"


def make_files(folder: Path) -> None:
    """Write the files that are sent besides the example photos."""
    phone_photo(folder / "phone.jpg")
    cat = (EXAMPLES / "cat.jpg").read_bytes()
    (folder / "cat.jpg").write_bytes(cat)
    broken = {
        "cut.jpg": cat[:4000],
        "text.jpg": b"not a photo",
        "empty.png": b"",
        "bomb.webp": files.webp(9459, 9459),
        "bomb.png": files.png(15_000, 15_000),
        "scans.jpg": files.progressive(9000, 60),
    }
    (folder / "broken").mkdir()
    for name, content in broken.items():
        (folder / "broken" / name).write_bytes(content)


def client(target: Target, number: int, until: float, report: Report, lock: threading.Lock) -> None:
    """Send one client's requests, one after the other."""
    draw, count = random.Random(number), 0
    while time.monotonic() < until:
        kind = draw.choices(list(KINDS), list(KINDS.values()))[0]
        count += 1
        outcome = _outcome(kind, target, draw, f"soak-{number}-{count}")
        with lock:
            report.outcomes[kind.__name__, outcome] += 1


def _outcome(kind: Kind, target: Target, draw: random.Random, session: str) -> str:
    try:
        return kind(target, draw, session)
    except Exception as error:
        return f"failed: {error!r:.300}"


def note(report: Report, pid: int) -> None:
    """Record the current memory and open files of the process."""
    report.megabytes.append(resident_megabytes(pid))
    report.files.append(open_files(pid))


def open_files(pid: int) -> int:
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))


def soak(seconds: float, clients: int, requests: list[Request], page: tuple[str, int] | None = None) -> Report:
    """Run `clients` clients for `seconds` seconds.

    requests   the valid ones, of which clients draw; some of them must be of `http.MODEL`
    page       address and process ID of a page that was opened with `http.MODEL`; one of its own if None
    """
    report, lock = Report(), threading.Lock()
    answers = right_answers(ModelCache("cpu", offline=True), requests)
    with tempfile.TemporaryDirectory() as name, nullcontext(page) if page else http.served() as (url, pid):
        make_files(Path(name))
        target, draw = Target(url, answers, Path(name)), random.Random(-1)
        for i in range(4):
            for kind in KINDS:
                report.outcomes[kind.__name__, _outcome(kind, target, draw, f"first-{i}-{kind.__name__}")] += 1
        note(report, pid)
        until = time.monotonic() + seconds
        running = [
            threading.Thread(target=client, args=(target, i, until, report, lock), daemon=True) for i in range(clients)
        ]
        for thread in running:
            thread.start()
        for _ in range(SAMPLES):
            time.sleep(seconds / SAMPLES)
            note(report, pid)
        for thread in running:
            thread.join()
        rested = time.monotonic() + REST_SECONDS
        while open_files(pid) > report.files[0] and time.monotonic() < rested:
            time.sleep(0.1)
        note(report, pid)
    return report


def main(seconds: float = 900.0, clients: int = 16) -> None:
    """Print the table; exits with an error if any answer was wrong or missing."""
    report = soak(seconds, clients, every_request())
    table = Table("request", "outcome", "count", title=f"{clients} clients for {seconds:.0f} s")
    for (kind, outcome), count in sorted(report.outcomes.items()):
        table.add_row(kind, outcome, f"{count:,}")
    out.print(table)
    out.print("Resident memory in MB, first, during, at the end:", *(f"{value:.0f}" for value in report.megabytes))
    out.print("Open files:", *report.files)
    print_machine("gradio", "pillow")
    raise typer.Exit(bool(report.faults))


if __name__ == "__main__":
    typer.run(main)
