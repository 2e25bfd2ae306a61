"""A race in a process of its own: it gives way to every visitor's analysis, and ends when it is told to."""

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

import resnet_demo
from resnet_demo.errors import InputError
from resnet_demo.networks import LADDER
from resnet_demo.records import Lap

RACERS = tuple(f"{kind}{depth}" for depth in LADDER for kind in ("resnet", "plain", "preresnet"))
SHORTEST, LONGEST = 5, 120
# Added to the process's niceness: beside it, an analysis gets nearly all of a core that both want.
NICE = 10
# To start, and on a machine that is busy with others.
GRACE_SECONDS = 180


def run_race(
    names: Sequence[str], seconds: float, data: Path | None, device: str
) -> Generator[tuple[Lap, ...], None, None]:
    """All laps so far, at least once a second, whether there is a new one or not: so that whoever waits for the next
    can be told to stop. Closing the iterator ends the process.

    Raises `InputError` when the names or the time are not on offer, or the images cannot be had.
    """
    if not set(names) <= set(RACERS) or not SHORTEST <= seconds <= LONGEST:
        raise InputError(f"A race is between {', '.join(RACERS)}, for {SHORTEST} to {LONGEST} seconds.")
    command = [sys.executable, "-m", "resnet_demo", "race", *names, "--seconds", str(seconds), "--device", device]
    # Downloads have a button of their own, with progress.
    command += ["--json", "--offline", *(["--data", str(data)] if data else [])]
    root = str(Path(resnet_demo.__file__).parents[1])
    path = os.pathsep.join(filter(None, (root, os.environ.get("PYTHONPATH"))))
    deadline = time.monotonic() + seconds + GRACE_SECONDS
    # Errors go into a file: a pipe that nobody reads would stop the process once it is full.
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
            yield from _laps(process.stdout, deadline)
            if code := process.wait():
                raise InputError(_last_words(errors, code))
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
    """The one sentence of the command line, which ends so what its user can mend; anything else is our own affair."""
    errors.seek(0)
    said = errors.read().strip().splitlines()
    return said[-1] if code == 2 and said else "The race broke off: try again."


def _read(stream: IO[str], lines: "queue.Queue[str | None]") -> None:
    with stream:
        for line in stream:
            lines.put(line)
    lines.put(None)


def _next(lines: "queue.Queue[str | None]") -> str | None:
    """The next line, nothing if it takes longer than a second, and None at the end."""
    try:
        return lines.get(timeout=1)
    except queue.Empty:
        return ""


def _give_way(pid: int) -> None:
    if hasattr(os, "setpriority"):
        with suppress(OSError):  # Already gone, and what it said will be read.
            os.setpriority(os.PRIO_PROCESS, pid, NICE)
