"""Many concurrent visitors: mixed photos and networks through `/analyze`, beside the engine with one request at a time.

    python -m benchmarks.visitors [--requests 200]

Every answer is compared with that of the engine alone. The floor is the engine's rate in one process, one request after
the other: decode, analyze, write JSON. "server's" and "visitors'" are the processor time per request of the page's
process and of the process that simulates the visitors; both share the cores.
"""

import json
import os
import statistics
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import typer
from rich.table import Table

from benchmarks import http
from benchmarks.side_by_side import out, print_machine
from resnet_demo.images import EXAMPLES
from resnet_demo.memory import reuse_freed_memory
from resnet_demo.ui.answers import look
from resnet_demo.zoo import ModelCache

PHOTOS = sorted(EXAMPLES.glob("*.jpg"))
MODELS = ("resnet20.cifar10", "plain20.cifar10", "resnet56.cifar10", "resnet18.untrained")
LEVELS = (1, 8, 32)
# A unit within a rounding error of 0 may pass its gradient or not, depending on the number of threads.
TOLERANCE = 5e-3

Request = tuple[Path, str]


def every_request() -> list[Request]:
    """All pairs of a photo and a network."""
    return [(photo, model) for model in MODELS for photo in PHOTOS]


def mixed(count: int) -> list[Request]:
    """Requests that cycle through all pairs."""
    return list(islice(cycle(every_request()), count))


def right_answers(cache: ModelCache, requests: list[Request]) -> dict[Request, dict[str, Any]]:
    """Those of the engine alone."""
    return {r: look(cache, str(r[0]), r[1])[0].analysis.to_dict() for r in dict.fromkeys(requests)}


def alone(requests: list[Request]) -> tuple[float, float, dict[Request, dict[str, Any]]]:
    """Requests per second of the engine, milliseconds of processor time per request, and the answers."""
    reuse_freed_memory()
    cache = ModelCache("cpu", offline=True)
    answers = right_answers(cache, requests)
    started, processor = time.perf_counter(), time.process_time()
    for photo, model in requests:
        json.dumps(look(cache, str(photo), model)[0].analysis.to_dict())
    wall, used = time.perf_counter() - started, time.process_time() - processor
    return len(requests) / wall, 1000 * used / len(requests), answers


def same(answer: dict[str, Any], expected: dict[str, Any]) -> bool:
    norms = zip(answer["gradients"], expected["gradients"], strict=True)
    return answer["target"]["index"] == expected["target"]["index"] and all(
        abs(a["gradient_norm"] - b["gradient_norm"]) <= TOLERANCE * b["gradient_norm"] for a, b in norms
    )


def at_once(url: str, level: int, requests: list[Request], answers: dict[Request, dict[str, Any]]) -> list[Any]:
    """Results with `level` concurrent requests: requests per second, median and longest wait, wrong answers, errors."""
    images = {photo: http.upload(url, photo) for photo, _ in requests}

    def ask(request: Request) -> tuple[float, str]:
        started = time.perf_counter()
        try:
            session = f"{level}-{threading.get_ident()}"
            answer = http.analyze(url, images[request[0]], request[1], session)
        except Exception as error:
            return time.perf_counter() - started, repr(error)
        return time.perf_counter() - started, "" if same(answer, answers[request]) else "wrong"

    started = time.perf_counter()
    with ThreadPoolExecutor(level) as visitors:
        waits, notes = zip(*visitors.map(ask, requests), strict=True)
    rate = len(requests) / (time.perf_counter() - started)
    errors = [note for note in notes if note not in ("", "wrong")]
    for error in errors[:3]:
        out.print(error)
    return [rate, statistics.median(waits) * 1000, max(waits) * 1000, notes.count("wrong"), len(errors)]


def resident_megabytes(pid: int) -> float:
    """Resident memory of a process; Linux only."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS"))


def processor_seconds(pid: int) -> float:
    """Processor time that a process has used; Linux only."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def main(requests: int = 200) -> None:
    """Print the table."""
    asked = mixed(requests)
    serial, own, answers = alone(asked)
    columns = (
        "visitors",
        "requests/s",
        "times alone",
        "median wait",
        "longest",
        "server's",
        "visitors'",
        "wrong",
        "errors",
        "RSS",
    )
    table = Table(*columns, title=f"{requests} requests of {len(MODELS)} networks, all example photos; ms, MB")
    table.add_row("engine alone", f"{serial:.1f}", "1.00", f"{1000 / serial:.0f}", "", f"{own:.0f}")
    with http.served() as (url, pid):
        at_once(url, 4, asked[:32], answers)
        for level in LEVELS:
            before = processor_seconds(pid), time.process_time()
            rate, median, longest, wrong, errors = at_once(url, level, asked, answers)
            spent = processor_seconds(pid) - before[0], time.process_time() - before[1]
            cells = (f"{rate:.1f}", f"{rate / serial:.2f}", f"{median:.0f}", f"{longest:.0f}")
            cells += tuple(f"{1000 * seconds / requests:.0f}" for seconds in spent)
            table.add_row(str(level), *cells, str(wrong), str(errors), f"{resident_megabytes(pid):.0f}")
    out.print(table)
    print_machine("gradio")


if __name__ == "__main__":
    typer.run(main)
