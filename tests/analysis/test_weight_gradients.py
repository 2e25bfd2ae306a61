"""Both ways of computing the norm of a weight gradient, against autograd's gradient."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from resnet_demo.analysis import weight_gradients
from resnet_demo.analysis.weight_gradients import weight_gradient_norms

LAYOUTS = {"first": torch.contiguous_format, "last": torch.channels_last}


def reference(layer, x, gradient, tolerance=2e-5):
    """Image by image, in float64."""
    layer = layer.double()
    norms = []
    for one, its in zip(x.double(), gradient.double(), strict=True):
        (formed,) = torch.autograd.grad(layer(one[None]), layer.weight, its[None])
        norms.append(formed.norm().item())
    layer.float()
    return pytest.approx(norms, rel=tolerance, abs=0)


def norms_of(layer, x, gradient):
    return [image[0] for image in weight_gradient_norms([layer], [x], [gradient])]


def make(kernel, stride, groups, size, channels, images, layout="first"):
    torch.manual_seed(0)
    layer = nn.Conv2d(2 * channels, 3 * channels, kernel, stride, kernel // 2, groups=groups, bias=False)
    x = torch.rand(images, 2 * channels, size, size)
    gradient = torch.randn_like(layer(x))
    return layer, *(t.detach().contiguous(memory_format=LAYOUTS[layout]) for t in (x, gradient))


@pytest.mark.parametrize("calls", [10**12, -(10**12)], ids=["formed", "by Gram matrices"])
@given(
    kernel=st.sampled_from([1, 3, 5, 7]), stride=st.sampled_from([1, 2]), groups=st.sampled_from([1, 4]),
    size=st.integers(1, 9), channels=st.sampled_from([4, 12]), images=st.integers(1, 3),
    layout=st.sampled_from([*LAYOUTS]),
)  # fmt: skip
@settings(max_examples=60, deadline=None)
def test_each_way_gives_the_norm_of_autograds_gradient(calls, kernel, stride, groups, size, channels, images, layout):
    layer, x, gradient = make(kernel, stride, groups, size, channels, images, layout)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(weight_gradients, "CALLS", calls)
        found = norms_of(layer, x, gradient)
    assert found == reference(layer, x, gradient)


def test_the_cheaper_way_is_taken():
    """Late layers of an ImageNet network by scalar products; early ones and CIFAR networks by forming the gradient."""
    cheaper = weight_gradients._gram_is_cheaper
    late, early, small = (nn.Conv2d(n, n, 3, padding=1) for n in (512, 64, 64))
    assert [cheaper(late, 49), cheaper(early, 56 * 56), cheaper(small, 64)] == [True, False, False]


@pytest.mark.parametrize("calls", [10**12, -(10**12)], ids=["formed", "by Gram matrices"])
@pytest.mark.parametrize(("of_x", "of_gradient"), [(1, 1e-30), (1e-25, 1e-8), (1e25, 1e-30), (1e25, 1), (1e10, 1e10)])
def test_products_that_leave_float32_are_not_taken_for_none(monkeypatch, calls, of_x, of_gradient):
    monkeypatch.setattr(weight_gradients, "CALLS", calls)
    layer, x, gradient = make(3, 1, 1, 6, 8, 2)
    found = norms_of(layer, x * of_x, gradient * of_gradient)
    assert found == reference(layer, x * of_x, gradient * of_gradient)


@pytest.mark.parametrize("calls", [10**12, -(10**12)], ids=["formed", "by Gram matrices"])
def test_no_gradient_is_none(monkeypatch, calls):
    monkeypatch.setattr(weight_gradients, "CALLS", calls)
    layer, x, gradient = make(3, 1, 1, 6, 8, 2)
    gradient[1] = 0
    found = norms_of(layer, x, gradient)
    assert found[1] == 0
    assert found == reference(layer, x, gradient)


def test_gradients_that_almost_cancel_keep_their_digits(monkeypatch):
    """Normalization by the batch's own statistics makes the gradients of a channel sum to 0."""
    monkeypatch.setattr(weight_gradients, "CALLS", -(10**12))
    layer, x, gradient = make(3, 1, 1, 7, 32, 1)
    gradient -= gradient.mean((0, 2, 3), keepdim=True)
    x = 5 + 0.1 * x
    found = norms_of(layer, x, gradient)
    assert found == reference(layer, x, gradient, tolerance=1e-4)


def test_a_linear_layer():
    torch.manual_seed(0)
    layer, x, gradient = nn.Linear(12, 5, bias=False), torch.randn(3, 12), torch.randn(3, 5)
    assert norms_of(layer, x, gradient) == reference(layer, x, gradient)


@pytest.mark.parametrize(
    "options", [{"padding": 2, "dilation": 2}, {"padding": 0}, {"kernel_size": 1, "padding": 1}, {"kernel_size": 2}]
)
def test_convolutions_of_another_kind_are_formed(monkeypatch, options):
    monkeypatch.setattr(weight_gradients, "CALLS", -(10**12))
    torch.manual_seed(0)
    layer = nn.Conv2d(8, 8, **{"kernel_size": 3} | options, bias=False)
    x = torch.randn(2, 8, 7, 7)
    gradient = torch.randn_like(layer(x)).detach()
    assert norms_of(layer, x, gradient) == reference(layer, x, gradient)


def test_several_layers_of_which_one_leaves_float32():
    (a, x, g), (b, y, h) = make(3, 1, 1, 6, 8, 2), make(1, 2, 1, 6, 4, 2)
    found = weight_gradient_norms([a, b], [x, y], [g, h * 1e-30])
    assert [image[0] for image in found] == reference(a, x, g)
    assert [image[1] for image in found] == reference(b, y, h * 1e-30)
