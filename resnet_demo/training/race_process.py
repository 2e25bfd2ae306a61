"""A race in a process of its own, which has lower priority than visitors' analyses and can be stopped."""

import json
import math
import os
import queue
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Generator, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO

from resnet_demo.errors import InputError
from resnet_demo.networks import LADDER
from resnet_demo.records import Lap

RACERS = tuple(f"{kind}{depth}" for depth in LADDER for kind in ("resnet", "plain", "preresnet"))
SHORTEST, LONGEST = 5, 120
# Added to the process's niceness: an analysis gets nearly all of a core for which both compete.
NICE = 10
# What the process says may name files of this machine.
ENDED = "The race ended unexpectedly, or the images on this machine cannot be used: the log of the page says more."
# Extra time for the start, and for a machine that is busy.
GRACE_SECONDS = 180


def run_race(
    names: Sequence[str], seconds: float, data: Path | None, device: str
) -> Generator[tuple[Lap, ...], None, None]:
    """Yields all laps so far, at least four times a second even without a new lap: the caller can stop in between.
    Closing the iterator ends the process.

    Raises `InputError` when the names or the time are not among those offered, or the images are not available.
    """
    if not set(names) <= set(RACERS) or not SHORTEST <= seconds <= LONGEST:
        raise InputError(f"A race is between {', '.join(RACERS)}, for {SHORTEST} to {LONGEST} seconds.")
    command = [sys.executable, "-m", "resnet_demo", "race", *names, "--seconds", str(seconds), "--device", device]
    # Never downloads: the page has a button for that, with progress.
    command += ["--json", "--offline", *(["--data", str(data)] if data else [])]
    root = str(Path(__file__).parents[2])
    path = os.pathsep.join(filter(None, (root, os.environ.get("PYTHONPATH"))))
    deadline = time.monotonic() + seconds + GRACE_SECONDS
    # Errors go into a file: the process would block once an unread pipe is full.
    with tempfile.TemporaryFile("w+") as errors:
        process = subprocess.Popen(  # noqa: S603 - the names are some of RACERS
            command,
            env=os.environ | {"PYTHONPATH": path},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        )
        try:
            _give_way(process.pid)
            assert process.stdout is not None  # noqa: S101 - it is a pipe
            yield from _laps(process.stdout, deadline)
            if code := process.wait():
                raise InputError(ENDED, _last_words(errors, code))
        finally:
            process.kill()
            process.wait()


def _laps(stream: IO[str], deadline: float) -> Iterator[tuple[Lap, ...]]:
    lines: queue.Queue[str | None] = queue.Queue()
    threading.Thread(target=_read, args=(stream, lines), daemon=True).start()
    laps: tuple[Lap, ...] = ()
    while (line := _next(lines)) is not None:
        if line:
            values = json.loads(line)
            losses, errors = (tuple(math.nan if v is None else v for v in values[key]) for key in ("losses", "errors"))
            laps += (Lap(values["batches"], values["seconds"], losses, errors),)
        if time.monotonic() > deadline:
            raise InputError("This machine is too busy for a race: try again later.")
        yield laps


def _last_words(errors: IO[str], code: int) -> str:
    """The message of an `InputError`, which the command line prints as its last line; empty for any other end."""
    errors.seek(0)
    said = errors.read().strip().splitlines()
    return said[-1] if code == 2 and said else ""


def _read(stream: IO[str], lines: "queue.Queue[str | None]") -> None:
    with stream:
        for line in stream:
            lines.put(line)
    lines.put(None)


def _next(lines: "queue.Queue[str | None]") -> str | None:
    """The next line, an empty string if it takes longer than a quarter of a second, and None at the end."""
    try:
        return lines.get(timeout=0.25)
    except queue.Empty:
        return ""


def _give_way(pid: int) -> None:
    if hasattr(os, "setpriority"):
        with suppress(OSError):  # It has already ended; its output will still be read.
            os.setpriority(os.PRIO_PROCESS, pid, NICE)
