"""Every benchmark but the trainer's, one after the other, each in a process of its own: what `make bench` runs."""

import subprocess
import sys

from benchmarks.side_by_side import out

for name in ("analysis", "page", "start", "visitors", "folder", "memory", "cost"):
    out.rule(name)
    subprocess.run([sys.executable, "-m", f"benchmarks.{name}"], check=True)
