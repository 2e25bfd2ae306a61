"""Memory: the peak of one resnet152 analysis, and the growth over a thousand analyses with changing models.

    python -m benchmarks.memory [--analyses 1000]

Each in a process of its own. Linux only: it reads /proc.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from benchmarks.side_by_side import out, print_machine

MODELS = ("resnet20.cifar10", "plain20.cifar10", "resnet56.cifar10", "highway20.untrained", "resnet18.untrained")
# Analyses after which every model has been used and the allocator has met every size.
SETTLED = 100


def megabytes(field: str) -> float:
    """Memory of this process: VmRSS, the current size, or VmHWM, its peak."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith(field))


def one_analysis(name: str) -> dict[str, float]:
    """Megabytes after the imports, with the model, and at the peak of an analysis."""
    from resnet_demo import analyze, load_model
    from resnet_demo.images import EXAMPLES
    from resnet_demo.memory import reuse_freed_memory

    reuse_freed_memory()
    imported = megabytes("VmRSS")
    model = load_model(name, "cpu")
    loaded = megabytes("VmRSS")
    for _ in range(3):
        analyze(EXAMPLES / "cat.jpg", model)
    return {"imports": imported, "with its weights": loaded, "peak": megabytes("VmHWM")}


def many_analyses(count: int) -> dict[str, float]:
    """Megabytes after some and after `count` analyses of changing models and photos, with a cache that is too small."""
    from resnet_demo import analyze
    from resnet_demo.images import EXAMPLES
    from resnet_demo.memory import reuse_freed_memory
    from resnet_demo.zoo import ModelCache

    reuse_freed_memory()
    photos = sorted(EXAMPLES.glob("*.jpg"))
    # Too small for resnet18 beside the others, so it is evicted and loaded again.
    cache = ModelCache("cpu", offline=True, max_bytes=46_000_000)
    found: dict[str, float] = {}
    for i in range(count):
        # resnet18 rarely, as it takes five times as long.
        name = MODELS[-1] if i % 20 == 19 else MODELS[i % (len(MODELS) - 1)]
        analyze(photos[i % len(photos)], cache.get(name))
        if i + 1 in (SETTLED, count // 2, count):
            found[f"after {i + 1}"] = megabytes("VmRSS")
    return found


def in_its_own_process(task: str) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.memory", "--task", task]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def main(analyses: int = 1000, task: Annotated[str, typer.Option(hidden=True)] = "") -> None:
    """Print both tables."""
    if task:
        print(json.dumps(many_analyses(int(task)) if task.isdigit() else one_analysis(task)))
        return
    table = Table("one analysis", "imports, MB", "with its weights", "peak")
    for name in ("resnet20.cifar10", "resnet18.untrained", "resnet152.untrained"):
        table.add_row(name, *(f"{value:,.0f}" for value in in_its_own_process(name).values()))
    out.print(table)
    grown = in_its_own_process(str(analyses))
    table = Table(*grown, "growth", title="Resident megabytes, changing models and photos")
    first, *_, last = grown.values()
    table.add_row(*(f"{value:,.0f}" for value in grown.values()), f"{100 * (last / first - 1):+.1f} %")
    out.print(table)
    print_machine()


if __name__ == "__main__":
    typer.run(main)
