"""One running page and one measuring process for all tests of this folder."""

import sys

import pytest

from benchmarks import http
from tests.page_server import running_page

from .budget import MEGABYTES, SECONDS, Meter


def pytest_collection_modifyitems(items):
    """`test_stopping` comes last, as it stops the page that the others ask."""
    items.sort(key=lambda item: item.path.name == "test_stopping.py")


@pytest.fixture(scope="package")
def temporary(tmp_path_factory):
    """Where the page keeps what visitors send."""
    return tmp_path_factory.mktemp("server") / "temporary"


@pytest.fixture(scope="package")
def server(temporary):
    """The page that is attacked, opened with the network that the soak expects; a proxy gives it another name."""
    options = ("--model", http.MODEL, "--name", "demo.example")
    with running_page(temporary.parent, *options, GRADIO_TEMP_DIR=str(temporary)) as running:
        yield running


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
