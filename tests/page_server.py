"""The page as users start it, in a process of its own whose log is kept."""

import os
import random
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
PROGRAM = (sys.executable, "app.py")
START_SECONDS = 120
# Output of Gradio and Uvicorn when something went wrong.
TROUBLE = re.compile(r"Traceback|Error\b|ERROR|Exception|Warning")


@dataclass(frozen=True)
class PageServer:
    url: str
    log_path: Path
    process: subprocess.Popen

    def trouble(self) -> list[str]:
        """The lines of the log that report errors."""
        return [line for line in self.log_path.read_text().splitlines() if TROUBLE.search(line)]


@contextmanager
def running_page(
    folder: Path,
    *arguments: str,
    program: Sequence[str] = PROGRAM,
    cwd: Path = ROOT,
    patch: str = "",
    **environment: str,
) -> Iterator[PageServer]:
    """Serve the page on a free port until the end of the block; its log is written to `folder`.

    patch   Python that its process runs before anything else
    """
    if patch:
        (folder / "sitecustomize.py").write_text(patch)
        environment["PYTHONPATH"] = str(folder)
    log_path = folder / "server.log"
    port = free_port()
    command = [*program, "--port", str(port), "--offline", *arguments]
    with log_path.open("w") as log:
        variables = os.environ | {"PYTHONUNBUFFERED": "1"} | environment
        process = subprocess.Popen(command, cwd=cwd, stdout=log, stderr=subprocess.STDOUT, env=variables)
    try:
        _wait_until_serving(process, port, log_path)
        yield PageServer(f"http://127.0.0.1:{port}", log_path, process)
    finally:
        process.terminate()
        process.wait(30)


def free_port() -> int:
    """A port that nothing listens on. Below those that the system gives to outgoing connections, of which one could
    take it before it is used; drawn, so that tests side by side do not take the same."""
    while True:
        with socket.socket() as listener, suppress(OSError):
            listener.bind(("127.0.0.1", random.SystemRandom().randrange(20_000, 32_000)))
            return listener.getsockname()[1]


def _wait_until_serving(process: subprocess.Popen, port: int, log_path: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"the page ended: {log_path.read_text()}")
        with socket.socket() as client:
            if client.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.2)
    raise RuntimeError(f"the page does not answer: {log_path.read_text()}")
