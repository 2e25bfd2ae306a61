"""Grad-CAM of several classes of one photo."""

import numpy as np
import pytest
import torch

from resnet_demo import analyze
from resnet_demo.analysis.class_maps import explain_classes
from resnet_demo.images import EXAMPLES

CAT = EXAMPLES / "cat.jpg"


@pytest.mark.parametrize("layer", [None, "layer2", "stem"])
def test_class_maps_are_grad_cam_of_each_class(residual, layer):
    maps = explain_classes(CAT, residual, layer=layer)
    assert len(maps) == 3
    for found in maps:
        alone = analyze(CAT, residual, found.prediction.index, layer)
        np.testing.assert_allclose(found.cam, alone.cam, atol=1e-5)
        assert found.cam_max == pytest.approx(alone.cam_max, rel=1e-4, abs=1e-7)
    chosen = explain_classes(CAT, residual, ["dog", 0])
    assert [found.prediction.label for found in chosen] == ["dog", "airplane"]


def test_class_maps_cost_one_forward_and_one_backward_a_class(residual, monkeypatch):
    passes, grads = [], []
    finish, grad = residual.network.finish, torch.autograd.grad
    monkeypatch.setattr(residual.network, "finish", lambda x, after: (passes.append(1), finish(x, after))[1])
    monkeypatch.setattr(torch.autograd, "grad", lambda *a, **k: (grads.append(1), grad(*a, **k))[1])
    explain_classes(CAT, residual, ["dog", "cat", "ship"])
    assert (len(passes), len(grads)) == (1, 3)
