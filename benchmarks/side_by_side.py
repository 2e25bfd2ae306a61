"""Helpers of all benchmarks: measuring contestants in turn, tables, and a description of the machine."""

import importlib.metadata
import os
import platform
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import torch
from rich.console import Console
from rich.table import Table

from resnet_demo.memory import reuse_freed_memory

out = Console(width=120, highlight=False)


def take_turns(
    contestants: Mapping[str, Callable[[], object]], rounds: int, warmups: int = 2
) -> dict[str, list[float]]:
    """Milliseconds of each call: `rounds` of each, in turn, so that noise affects all of them alike.

    Freed memory is kept in the process, as by the page and the command line; all contestants profit from that.
    """
    reuse_freed_memory()
    times: dict[str, list[float]] = {name: [] for name in contestants}
    for i in range(warmups + rounds):
        for name, call in contestants.items():
            started = time.perf_counter()
            call()
            if i >= warmups:
                times[name].append((time.perf_counter() - started) * 1000)
    return times


def print_times(title: str, times: Mapping[str, Sequence[float]], unit: str = "ms") -> None:
    """Median and spread of each contestant, and its share of the first one's median."""
    table = Table("", f"median, {unit}", "least", "most", "times the first", title=title)
    first = statistics.median(next(iter(times.values())))
    for name, values in times.items():
        median = statistics.median(values)
        table.add_row(name, *(f"{v:,.1f}" for v in (median, min(values), max(values))), f"{median / first:.2f}")
    out.print(table)


def print_machine(*packages: str) -> None:
    """Print the hardware and the versions of the packages involved."""
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    model = next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), platform.machine())
    gpu = f", {torch.cuda.get_device_name()}" if torch.cuda.is_available() else ""
    versions = ", ".join(f"{package} {importlib.metadata.version(package)}" for package in ("torch", *packages))
    out.print(f"{os.cpu_count()} cores ({model}){gpu}; Python {platform.python_version()}, {versions}.\n")
