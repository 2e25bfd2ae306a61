"""Norms and standard deviations per image, against float64."""

import pytest
import torch

from resnet_demo import InputError
from resnet_demo.networks.norms import deviations_by_image, l2_norms, norms_by_image
from resnet_demo.networks.precision import computing_in

SHAPES = [(3, 16, 9, 9), (1, 64, 28, 28), (2, 64, 112, 112), (2, 7), (2, 256, 1, 1)]


def tensors(layout=torch.contiguous_format):
    draw = torch.Generator().manual_seed(0)
    found = [torch.randn(shape, generator=draw) for shape in SHAPES]
    return [t.contiguous(memory_format=layout) if t.ndim == 4 else t for t in found]


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize("scale", [1, 1e-30, 1e-12, 1e18, 1e30])
def test_norms_of_any_size(layout, scale):
    for tensor in tensors(layout):
        (found,) = zip(*norms_by_image([tensor * scale]), strict=True)
        assert found == pytest.approx((tensor.double() * scale).flatten(1).norm(dim=1).tolist(), rel=1e-5)
        assert l2_norms([tensor * scale]) == pytest.approx([(tensor.double() * scale).norm().item()], rel=1e-5)


@pytest.mark.parametrize("mean", [0, 1, 3, 100])
def test_deviations_do_not_cancel(mean):
    for tensor in tensors(torch.channels_last):
        (found,) = zip(*deviations_by_image([tensor + mean]), strict=True)
        expected = (tensor + mean).double().flatten(1).std(dim=1, correction=0)
        assert found == pytest.approx(expected.tolist(), rel=3e-5)


def test_a_small_deviation_from_a_larger_mean_is_not_0():
    tensor = 1e-25 * (1 + 0.1 * torch.randn(1, 4, 5, 5, generator=torch.Generator().manual_seed(0)))
    expected = tensor.double().std(correction=0).item()
    assert deviations_by_image([tensor]) == [[pytest.approx(expected, rel=1e-5)]]


def test_a_constant_deviates_by_nothing():
    assert deviations_by_image([torch.full((1, 4, 5, 5), 3.0)]) == [[0.0]]
    assert norms_by_image([torch.zeros(1, 4, 5, 5)]) == [[0.0]]


def test_a_precision_that_is_not_there():
    says = pytest.raises(InputError, match="no precision 'tf32' on cpu: choose float32 or bfloat16")
    with says, computing_in("tf32", torch.device("cpu")):
        pass


def test_a_callers_autocast_makes_float32_no_less_exact():
    with torch.autocast("cpu", dtype=torch.bfloat16), computing_in("float32", torch.device("cpu")):
        assert (torch.ones(2, 2) @ torch.ones(2, 2)).dtype == torch.float32
    with computing_in("bfloat16", torch.device("cpu")):
        assert (torch.ones(2, 2) @ torch.ones(2, 2)).dtype == torch.bfloat16


@pytest.mark.parametrize("threads", [1, 2])
def test_long_rows_are_exact_on_any_number_of_threads(threads):
    rows = torch.randn(1, 3_000_000, generator=torch.Generator().manual_seed(0))
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        assert l2_norms([rows])[0] == pytest.approx(rows.double().norm().item(), rel=1e-6)
    finally:
        torch.set_num_threads(before)
