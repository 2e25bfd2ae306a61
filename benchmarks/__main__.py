"""Run all benchmarks except the trainer's and the soak in sequence, each in a process of its own, as `make bench`
does."""

import subprocess
import sys

from benchmarks.side_by_side import out

for name in ("analysis", "page", "start", "visitors", "folder", "memory", "cost"):
    out.rule(name)
    subprocess.run([sys.executable, "-m", f"benchmarks.{name}"], check=True)
