"""The distributions: the wheel works without a clone, and the sdist's tests run."""

import os
import subprocess
import sys
import tarfile
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.hostile.client import analyze, request, upload
from tests.page_server import ROOT, running_page

pytestmark = pytest.mark.packaging

# Tests of the sdist that take seconds and together need its code, weights and photos.
SOME_TESTS = ("tests/test_arrows.py", "tests/test_errors.py", "tests/analysis/test_precision.py")


def run(*command, cwd, **environment):
    """The output of a command; if it fails, the assertion shows its errors."""
    environment = os.environ | environment
    command = [sys.executable, *map(str, command)]
    done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def sdist(tmp_path_factory):
    """The unpacked sdist."""
    folder = tmp_path_factory.mktemp("sdist")
    run("-m", "hatchling", "build", "--target", "sdist", "--directory", folder, cwd=ROOT)
    (archive,) = folder.glob("*.tar.gz")
    with tarfile.open(archive) as file:
        file.extractall(folder, filter="data")
    return archive.with_name(archive.name.removesuffix(".tar.gz"))


@pytest.fixture(scope="module")
def installed(sdist, tmp_path_factory):
    """The wheel, built from the sdist and installed in a folder of its own, and an empty folder to run it in."""
    folder = tmp_path_factory.mktemp("wheel")
    run("-m", "hatchling", "build", "--target", "wheel", "--directory", folder, cwd=sdist)
    (wheel,) = folder.glob("*.whl")
    site, cwd = folder / "site", folder / "elsewhere"
    cwd.mkdir()
    pip = ("-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "--no-index")
    run(*pip, "--no-compile", "--target", site, wheel, cwd=cwd)
    return SimpleNamespace(site=site, cwd=cwd, environment={"PYTHONPATH": str(site), "PYTHONDONTWRITEBYTECODE": "1"})


@pytest.fixture
def untouched(installed):
    """Nothing may be written to the package's folder."""

    def files():
        return {path: path.stat().st_mtime_ns for path in installed.site.rglob("*")}

    before = files()
    yield
    assert files() == before


def test_the_wheel_is_what_runs(installed):
    where = run("-c", "import resnet_demo; print(resnet_demo.__file__)", cwd=installed.cwd, **installed.environment)
    assert Path(where.strip()).is_relative_to(installed.site)


def test_the_wheel_holds_what_is_no_code(installed):
    package = installed.site / "resnet_demo"
    names = {str(path.relative_to(package)) for path in package.rglob("*")}
    assert {"py.typed", "__init__.pyi", "zoo/__init__.pyi", "examples/cat.jpg", "ui/page.css"} <= names
    assert {f"weights/{path.relative_to(ROOT / 'weights')}" for path in (ROOT / "weights").rglob("*.json")} <= names


def test_models_of_the_wheel_are_the_shipped_ones(installed):
    """That the catalogue is read from there, the analysis below shows."""
    cards = {path.name: path.read_bytes() for path in (ROOT / "weights").glob("*.json")}
    there = installed.site / "resnet_demo" / "weights"
    assert {path.name: path.read_bytes() for path in there.glob("*.json")} == cards


@pytest.mark.usefixtures("untouched")
def test_the_wheel_opens_the_page_and_analyzes_a_photo(installed):
    photo = (installed.site / "resnet_demo" / "examples" / "cat.jpg").read_bytes()
    program = (sys.executable, "-m", "resnet_demo", "page")
    with running_page(installed.cwd, program=program, cwd=installed.cwd, **installed.environment) as server:
        assert "on your own photo" in request(server.url, "/")[1]
        (found,) = analyze(server.url, upload(server.url, photo), "resnet20.cifar10")["data"]
        assert found["predictions"][0]["label"] == "cat"
        assert server.trouble() == []
    assert server.process.returncode == 0


def test_tests_of_the_sdist_run(sdist):
    run("-m", "pytest", "-q", "-p", "no:cacheprovider", *SOME_TESTS, cwd=sdist, PYTHONPATH=str(sdist))
