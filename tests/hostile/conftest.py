"""One measuring process for all tests of this folder."""

import sys

import pytest

from .budget import MEGABYTES, SECONDS, Meter


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
