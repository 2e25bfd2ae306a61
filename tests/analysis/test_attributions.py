"""Pixel attributions equal Captum's, have no side effects, and can be stopped."""

import threading
import time
from contextlib import closing

import numpy as np
import pytest
import torch
from captum.attr import IntegratedGradients, LayerGradCam, Occlusion, Saliency

from resnet_demo import analyze, load_model
from resnet_demo.analysis import attributions
from resnet_demo.analysis.attributions import METHODS, STEPS, StoppedError, attribute, attribute_in_background
from resnet_demo.errors import InputError
from resnet_demo.images import EXAMPLES, load_image

CAT = EXAMPLES / "cat.jpg"


def seen_by(model):
    return model.preprocessing.tensor(model.preprocessing.crop(load_image(CAT)))


def test_attributions_are_captums(residual):
    network, x = residual.network, seen_by(residual)
    expected = {
        "saliency": Saliency(network).attribute(x.clone().requires_grad_(), target=5),
        "integrated_gradients": IntegratedGradients(network).attribute(x, baselines=0, target=5, n_steps=STEPS),
        "occlusion": Occlusion(network).attribute(x, (3, 8, 8), strides=(3, 4, 4), baselines=0, target=5),
    }
    for method, values in expected.items():
        heat = values.sum(1)[0].detach().relu().numpy()
        found = attribute(CAT, residual, method, target=5)
        assert (found.method, found.target, found.heat.shape) == (method, 5, (32, 32))
        np.testing.assert_allclose(found.heat * found.heat_max, heat, atol=1e-4 * heat.max())


def test_guided_grad_cam_is_guided_by_grad_cam(residual):
    heat = attribute(CAT, residual, "guided_gradcam", target="cat").heat
    x = seen_by(residual).requires_grad_()
    cam = LayerGradCam(residual.network, residual.network.layer3[-1]).attribute(x, target=3, relu_attributions=True)
    dark = torch.nn.functional.interpolate(cam, (32, 32)).squeeze().detach().numpy() == 0
    assert heat.max() == 1
    assert not heat[dark].any()


@pytest.mark.parametrize("method", METHODS)
def test_an_attribution_leaves_nothing_behind(residual, method):
    hooks = [len(m._forward_hooks) + len(m._backward_hooks) for m in residual.network.modules()]
    attribute(CAT, residual, method)
    assert [len(m._forward_hooks) + len(m._backward_hooks) for m in residual.network.modules()] == hooks
    assert all(parameter.grad is None for parameter in residual.network.parameters())


def test_attributions_of_several_threads_do_not_mix(residual):
    expected = attribute(CAT, residual, "guided_gradcam", target=3).heat
    results = [None] * 6

    def work(i):
        results[i] = attribute(CAT, residual, "guided_gradcam", target=3 if i % 2 else 5).heat

    threads = [threading.Thread(target=work, args=(i,)) for i in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for i in (1, 3, 5):
        np.testing.assert_allclose(results[i], expected, atol=1e-5)


@pytest.mark.parametrize("method", ["integrated_gradients", "occlusion"])
def test_a_slow_attribution_tells_how_far_it_is_and_can_be_stopped(residual, method):
    seen = []
    attribute(CAT, residual, method, proceed=lambda share: (seen.append(share), True)[1])
    assert seen == sorted(seen)
    assert (seen[0] < 0.3, 0.7 < seen[-1] <= 1) == (True, True)
    asked = []
    with pytest.raises(StoppedError):
        attribute(CAT, residual, method, proceed=lambda share: (asked.append(share), len(asked) < 3)[1])
    assert len(asked) == 3


def test_an_unknown_method_is_named(residual):
    with pytest.raises(InputError, match="no method 'magic'"):
        attribute(CAT, residual, "magic")


def test_in_the_background_it_tells_how_far_it_is_and_ends_with_the_attribution(residual):
    *shares, found = attribute_in_background(CAT, residual, "occlusion", target=3, every=0.001)
    assert shares
    assert all(isinstance(share, float) for share in shares)
    assert shares == sorted(shares)
    np.testing.assert_array_equal(found.heat, attribute(CAT, residual, "occlusion", target=3).heat)


def test_in_the_background_it_stops_when_nobody_waits(residual, monkeypatch):
    before, passes = set(threading.enumerate()), []
    network = type(residual.network)
    forward = network.forward

    def slow(self, x):
        passes.append(1)
        time.sleep(0.05)
        return forward(self, x)

    monkeypatch.setattr(network, "forward", slow)
    with closing(attribute_in_background(CAT, residual, "occlusion", target=3, every=0.001)) as running:
        assert next(running) == 0.0
    done = len(passes)
    for thread in set(threading.enumerate()) - before:
        thread.join(timeout=60)
        assert not thread.is_alive()
    assert len(passes) <= done + 1


def test_in_the_background_an_error_is_the_callers(residual):
    with pytest.raises(InputError, match="no method 'magic'"):
        list(attribute_in_background(CAT, residual, "magic"))


def test_the_cost_is_told_by_what_a_forward_pass_took(residual):
    analysis = analyze(CAT, residual)
    forward = analysis.milliseconds["forward"] / 1000
    assert METHODS["saliency"].seconds(analysis) == pytest.approx(3 * forward)
    assert METHODS["occlusion"].seconds(analysis) == pytest.approx(METHODS["occlusion"].forwards * forward)


@pytest.mark.parametrize("method", ["integrated_gradients", "occlusion"])
def test_images_of_an_attribution_do_not_mix_where_a_batch_is_normalized_together(method, monkeypatch):
    model = load_model("resnet8.untrained", "cpu")
    found = attribute(CAT, model, method, target=3)
    monkeypatch.setattr(attributions, "MOST_IMAGES", 1)
    alone = attribute(CAT, model, method, target=3)
    assert np.corrcoef(found.heat.ravel(), alone.heat.ravel())[0, 1] > 0.999
