"""The most recently used models stay in memory, up to a number of bytes."""

import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from resnet_demo.zoo import ModelCache, load_model

A, B, C = "resnet8.untrained", "plain8.untrained", "highway8.untrained"


def test_the_model_cache_gives_the_same_object_again():
    cache = ModelCache("cpu")
    assert cache.get(A) is cache.get(A)
    assert cache.get(A) is not cache.get(B)


def test_the_model_cache_drops_what_was_used_longest_ago():
    a, b, c = (load_model(name, "cpu") for name in (A, B, C))
    cache = ModelCache("cpu", max_bytes=a.nbytes + c.nbytes)
    assert a.nbytes == b.nbytes < c.nbytes
    a, b, _, c = (cache.get(name) for name in (A, B, A, C))
    assert cache.get(A) is a
    assert cache.get(C) is c
    assert cache.get(B) is not b


def test_the_model_cache_keeps_the_newest_even_if_it_is_too_large():
    cache = ModelCache("cpu", max_bytes=1)
    a = cache.get(A)
    assert cache.get(A) is a
    b = cache.get(B)
    assert cache.get(B) is b
    assert cache.get(A) is not a


def test_eight_threads_share_one_model_cache():
    cache, names = ModelCache("cpu", max_bytes=700_000), [A, B, C]
    everybody = threading.Barrier(8)

    def use(seed):
        everybody.wait()
        order = np.random.default_rng(seed).choice(names, 30)
        return all(cache.get(str(name)).name == name for name in order)

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(use, range(8)))
    assert cache.get(A) is cache.get(A)
