"""Pyright finds nothing. It is a test because it takes one core: beside the others it costs half of its time."""

import subprocess
import sys
from pathlib import Path


def test_types():
    command = [sys.executable, "-m", "pyright", "--pythonpath", sys.executable]
    found = subprocess.run(command, cwd=Path(__file__).parents[1], capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stdout + found.stderr
