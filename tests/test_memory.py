"""What a program consists of costs the garbage collector nothing."""

import gc

import pytest

from resnet_demo.memory import made_to_stay


def test_what_is_made_to_stay_is_not_looked_through_again():
    before = gc.get_freeze_count()
    with made_to_stay():
        assert not gc.isenabled()
        kept = [[] for _ in range(1000)]
    assert gc.isenabled()
    assert gc.get_freeze_count() - before > len(kept)
    assert not any(one is kept for one in gc.get_objects())


def test_the_collector_goes_on_after_a_failure():
    with pytest.raises(ZeroDivisionError), made_to_stay():
        _ = 1 / 0
    assert gc.isenabled()
