"""One running page and one measuring process for all tests of this folder."""

import sys

import pytest

from benchmarks import http
from tests.page_server import running_page

from .budget import MEGABYTES, SECONDS, Meter


@pytest.fixture(scope="package")
def server(tmp_path_factory):
    """The page that is attacked, until `test_stopping` stops it."""
    folder = tmp_path_factory.mktemp("server")
    # Opened with the network that the soak expects.
    options = ("--model", http.MODEL, "--name", "demo.example")
    with running_page(folder, *options, GRADIO_TEMP_DIR=str(folder / "temporary")) as running:
        yield running
        assert running.trouble() == []


@pytest.fixture(scope="session")
def meter():
    if sys.platform != "linux":
        pytest.skip("measures by Linux's /proc")
    meter = Meter()
    yield meter
    meter.close()


@pytest.fixture
def within_budget(meter):
    """A check that an expression costs no more than a request may; returns the measured cost."""

    def check(expression, *, more_megabytes=0):
        cost = meter(expression)
        assert cost["seconds"] < SECONDS, cost
        assert cost["peak"] < MEGABYTES + more_megabytes, cost
        return cost

    return check
