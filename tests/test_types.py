"""Pyright finds nothing. It keeps one core busy: as a test, it leaves the other one to the tests."""

import subprocess
import sys
from pathlib import Path


def test_types():
    command = [sys.executable, "-m", "pyright", "--pythonpath", sys.executable]
    found = subprocess.run(command, cwd=Path(__file__).parents[1], capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stdout + found.stderr
