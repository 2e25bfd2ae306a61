"""The page stops cleanly and leaves nothing behind."""

import os
import re
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from resnet_demo.images import EXAMPLES
from tests.page_server import PageServer, running_page

from .client import analyze, event_of, join, photo, post, request, result, upload

CAT = EXAMPLES / "cat.jpg"
EXAMPLE_PHOTOS = [path.read_bytes() for path in EXAMPLES.glob("*.jpg")]
HASHED = re.compile(r"[0-9a-f]{64}")


def test_who_waits_is_answered_and_what_visitors_sent_is_gone(server, temporary, tmp_path):
    """After Ctrl-C, which ends the server that all other tests have asked before; after SIGTERM; and of a server that
    was killed, at the next start."""
    path = upload(server.url, CAT.read_bytes())
    assert "data" in analyze(server.url, path, "resnet18.untrained")
    assert list(temporary.glob("resnet_demo-*"))
    program_answered_after_ctrl_c(server, path)
    assert not list(temporary.glob("resnet_demo-*"))
    assert server.trouble() == []
    killed, other = temporary / "resnet_demo-killed", temporary / "of-another-program"
    sent = killed / Path(path).parent.name / "cat.jpg"
    sent.parent.mkdir(parents=True)
    sent.write_bytes(CAT.read_bytes())
    (killed / ".lock").touch()
    other.write_text("not ours")
    hours_ago = time.time() - 2 * 3600
    for file in (killed, other):
        os.utime(file, (hours_ago, hours_ago))
    with running_page(tmp_path, GRADIO_TEMP_DIR=str(temporary)) as next_one:
        deadline = time.monotonic() + 30
        while killed.exists() and time.monotonic() < deadline:
            time.sleep(0.1)
        assert not killed.exists()
        assert other.exists()
        # The same photo has another name there, so that none tells who was here, and the picture shown is not a file.
        again = upload(next_one.url, CAT.read_bytes())
        assert "data" in analyze(next_one.url, again, "resnet18.untrained")
        assert HASHED.search(again)[0] != HASHED.search(path)[0]
        files = [file for file in temporary.rglob("*") if file.is_file() and HASHED.search(str(file))]
        assert all(file.read_bytes() in EXAMPLE_PHOTOS for file in files)
        answered_after_sigterm(next_one, again)
        assert not list(temporary.glob("resnet_demo-*"))
        assert next_one.trouble() == []


def program_answered_after_ctrl_c(server: PageServer, path: str) -> None:
    data = {"data": [photo(path), "resnet18.untrained", "", "", "float32"]}
    _, joined = post(server.url, "/gradio_api/call/analyze", data)
    with ThreadPoolExecutor(1) as client:
        stream = f"/gradio_api/call/analyze/{joined['event_id']}"
        listening = threading.Event()
        answer = client.submit(request, server.url, stream, on_answer=listening.set)
        assert listening.wait(30)
        server.process.send_signal(signal.SIGINT)
        assert "event: complete" in answer.result(30)[1]
    assert server.process.wait(30) == 0


def answered_after_sigterm(server: PageServer, path: str) -> None:
    """Requests that run or wait when it is asked to stop are still answered."""
    data = [photo(path), "resnet18.untrained", "", "", "float32"]
    sessions = ("one", "two", "three")  # One more than run concurrently.
    with ThreadPoolExecutor(3) as clients:
        for session in sessions:
            join(server.url, event_of(server.url, "analyze"), data, session)
        listening = threading.Barrier(1 + len(sessions), timeout=30)
        answers = [clients.submit(result, server.url, session, listening.wait) for session in sessions]
        listening.wait()
        server.process.terminate()
        assert all("data" in answer.result(30) for answer in answers)
    assert server.process.wait(30) == 0
