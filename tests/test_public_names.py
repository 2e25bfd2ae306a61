"""The names that `from resnet_demo import ...` offers, and their lazy import."""

import ast
import importlib
import re
import subprocess
import sys
from pathlib import Path

import pytest

import resnet_demo

ROOT = Path(__file__).parents[1]
ROOMS = ("records", "networks", "images", "zoo", "analysis", "laboratory", "training", "plots", "ui")
HEAVY = {"torch", "torchvision", "gradio", "matplotlib", "captum"}


@pytest.mark.parametrize("name", ["resnet_demo", *(f"resnet_demo.{room}" for room in ROOMS)])
def test_every_name_of_a_stub_is_there(name):
    room = importlib.import_module(name)
    assert room.__all__
    for public in room.__all__:
        getattr(room, public)


def test_the_readme_uses_public_names_only():
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    nodes = [node for block in blocks for node in ast.walk(ast.parse(block)) if isinstance(node, ast.ImportFrom)]
    ours = [node for node in nodes if node.module.partition(".")[0] == "resnet_demo"]
    assert {node.module for node in ours} == {"resnet_demo"}
    assert {alias.name for node in ours for alias in node.names} <= {*resnet_demo.__all__}


@pytest.mark.parametrize("path", sorted((ROOT / "benchmarks").glob("*.py")), ids=lambda path: path.stem)
def test_the_benchmarks_import_what_is_there(path):
    """Read, not run: they need packages that the tests do without."""
    nodes = [node for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.ImportFrom)]
    for node in nodes:
        if node.module.partition(".")[0] == "resnet_demo":
            module = importlib.import_module(node.module)
            assert all(hasattr(module, alias.name) for alias in node.names), ast.unparse(node)


@pytest.mark.parametrize("arguments", [["-c", "import resnet_demo"], ["-m", "resnet_demo", "--help"]])
def test_the_start_imports_nothing_heavy(arguments):
    command = [sys.executable, "-X", "importtime", *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    imported = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines() if line.startswith("import time:")}
    assert "resnet_demo" in imported
    assert imported.isdisjoint(HEAVY)
