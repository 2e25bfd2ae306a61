"""Time from the start of the process to the first page and to the first analysis, beside the bare imports.

    python -m benchmarks.start [--rounds 5]

The floor is `python -c "import torch, gradio"`, which every page of this kind needs.
"""

import subprocess
import sys

import typer

from benchmarks import http
from benchmarks.side_by_side import print_machine, print_times, take_turns
from resnet_demo.images import EXAMPLES


def main(rounds: int = 5) -> None:
    """Print the table."""

    def imports() -> None:
        subprocess.run([sys.executable, "-c", "import torch, gradio"], check=True)

    def first_page() -> None:
        with http.served():
            pass

    def first_analysis() -> None:
        with http.served() as (url, _):
            http.analyze(url, http.upload(url, EXAMPLES / "cat.jpg"))

    contestants = {"import torch, gradio": imports, "first page": first_page, "first analysis": first_analysis}
    times = take_turns(contestants, rounds, warmups=1)
    print_times("Start, from the process to", {k: [v / 1000 for v in values] for k, values in times.items()}, "s")
    print_machine("gradio")


if __name__ == "__main__":
    typer.run(main)
