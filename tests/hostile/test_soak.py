"""A quarter of a minute of the soak benchmark."""

import sys

import pytest

from benchmarks.soak import soak


@pytest.mark.skipif(sys.platform != "linux", reason="it reads /proc")
def test_sixteen_clients_get_right_answers_and_leave_nothing():
    report = soak(seconds=15, clients=16)
    assert report.faults == {}
    assert report.outcomes["valid", "right"] > 0  # Their number depends on the machine.
    assert report.megabytes[-1] - report.megabytes[0] < 300
    assert report.files[-1] - report.files[0] < 20
