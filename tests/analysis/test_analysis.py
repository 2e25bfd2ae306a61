"""An analysis gives correct numbers."""

import json
from itertools import pairwise

import numpy as np
import pytest
import torch
from captum.attr import LayerGradCam
from PIL import Image

from resnet_demo import Model, analyze, create_network
from resnet_demo.analysis.class_maps import explain_classes
from resnet_demo.errors import InputError
from resnet_demo.zoo import Preprocessing

from .models import LABELS, PHOTO, make_model

RESIDUAL_AND_PLAIN = [f"{kind}{depth}" for kind in ("resnet", "plain") for depth in (18, 34, 50, 101, 152, 20, 56, 110)]


def input_of(model):
    """In the layout that `analyze` computes in: a deep plain network with random weights amplifies rounding errors."""
    x = model.preprocessing.tensor(model.preprocessing.crop(PHOTO))
    return x.contiguous(memory_format=torch.channels_last)


def raw_cam(analysis):
    return analysis.cam * analysis.cam_max


def relative(a, b):
    return float(np.abs(a - b).max() / max(np.abs(b).max(), 1e-30))


@pytest.mark.usefixtures("narrow")
@pytest.mark.parametrize("name", RESIDUAL_AND_PLAIN)
def test_grad_cam_at_the_last_block_is_the_weighted_sum_of_fc(name):
    """relu(sum_k fc.weight[c, k] A_k) / (H W): an exact reference that needs no gradient."""
    model = make_model(name)
    analysis = analyze(PHOTO, model, target=2)
    activation = model.network.trace(input_of(model)).outputs[analysis.layer][0].detach()
    # In double precision, relative to the sum before relu, most of which cancels in a very deep plain network.
    signed = torch.einsum("k,khw->hw", model.network.fc.weight[2].detach().double(), activation.double())
    oracle = (signed.relu() / signed.numel()).numpy()
    assert np.abs(raw_cam(analysis) - oracle).max() <= 1e-5 * (signed.abs().max() / signed.numel()).item()


@pytest.mark.parametrize("name", ["resnet20", "plain20", "resnet50", "highway20", "preresnet20", "plain34"])
def test_grad_cam_equals_captums_at_every_stage(name):
    model = make_model(name)
    for stage, count in enumerate(model.network.spec.stages, 1):
        for i in {0, count - 1}:
            analysis = analyze(PHOTO, model, target=1, layer=f"layer{stage}.{i}")
            block = getattr(model.network, f"layer{stage}")[i]
            reference = LayerGradCam(model.network, block).attribute(input_of(model), target=1, relu_attributions=True)
            assert relative(raw_cam(analysis), reference[0, 0].detach().numpy()) <= 1e-5
            assert analysis.cam.shape == reference.shape[2:]


def test_layers_give_different_maps():
    model = make_model()
    maps = [analyze(PHOTO, model, layer=layer).cam for layer in ("layer3.0", "layer3.1", "layer3.2")]
    assert not any(np.allclose(a, b) for a, b in pairwise(maps))


@pytest.mark.parametrize("name", ["resnet20", "plain20", "resnet50", "resnet34-C", "highway20", "preresnet20"])
def test_gradient_norms_equal_those_of_backward(name):
    model = make_model(name)
    analysis = analyze(PHOTO, model, target=3)
    model.network.zero_grad()
    model.network(input_of(model))[0, 3].backward()
    modules = dict(model.network.named_modules())
    assert [g.layer for g in analysis.gradients] == [layer.name for layer in model.network.layers()]
    for gradient in analysis.gradients:
        weight = modules[gradient.layer].weight
        assert gradient.gradient_norm == pytest.approx(weight.grad.double().norm().item(), rel=1e-5)
        assert gradient.weight_norm == pytest.approx(weight.double().norm().item(), rel=1e-5)
        assert gradient.shape == tuple(weight.shape)


def test_a_tiny_gradient_is_not_taken_for_none():
    """Squares of numbers below 1e-22 are 0 in float32."""
    model = make_model()
    usual = [g.gradient_norm for g in analyze(PHOTO, model, target=3).gradients[:-1]]
    with torch.no_grad():
        model.network.fc.weight.mul_(1e-28)
    tiny = [g.gradient_norm for g in analyze(PHOTO, model, target=3).gradients[:-1]]
    np.testing.assert_allclose(tiny, np.array(usual) * 1e-28, rtol=1e-4)


def test_output_gradients_equal_those_of_retained_tensors():
    model = make_model()
    analysis = analyze(PHOTO, model, target=3)
    trace = model.network.trace(input_of(model))
    for tensor in trace.outputs.values():
        tensor.retain_grad()
    trace.logits[0, 3].backward()
    assert [output.layer for output in analysis.outputs] == list(trace.outputs)
    for output in analysis.outputs:
        tensor = trace.outputs[output.layer]
        assert output.gradient_norm == pytest.approx(tensor.grad.double().norm().item(), rel=1e-5)
        assert output.shape == tuple(tensor.shape[1:])


def test_responses_are_those_of_a_hook_on_the_normalization():
    model = make_model()
    seen = {}
    for name, module in model.network.named_modules():
        if ".bn" in name or name == "bn1":
            key = name.replace("bn", "conv")
            module.register_forward_hook(lambda m, i, out, key=key: seen.update({key: out.std(correction=0).item()}))
    analysis = analyze(PHOTO, model)
    assert len(seen) == 19
    for gradient in analysis.gradients[:-1]:
        assert gradient.response_std == pytest.approx(seen[gradient.layer], rel=1e-5)
    assert analysis.gradients[-1].response_std is None


def test_multiply_adds_are_torchs_own_count():
    from torch.utils.flop_counter import FlopCounterMode

    for name in ("resnet20", "resnet50", "resnext50_32x4d", "highway20"):
        model = make_model(name)
        with FlopCounterMode(display=False) as counter, torch.no_grad():
            model.network(input_of(model))
        assert analyze(PHOTO, model).multiply_adds == counter.get_total_flops() // 2


def test_predictions_are_the_softmax_of_the_networks_logits():
    model = make_model()
    analysis = analyze(PHOTO, model)
    with torch.no_grad():
        expected = model.network(input_of(model))[0].softmax(0).sort(descending=True)
    assert [p.index for p in analysis.predictions] == expected.indices[:5].tolist()
    assert [p.label for p in analysis.predictions] == [LABELS[i] for i in expected.indices[:5]]
    np.testing.assert_allclose([p.probability for p in analysis.predictions], expected.values[:5], rtol=1e-6)
    assert analysis.target.index == analysis.predictions[0].index


def test_a_map_without_positive_evidence_stays_zero():
    model = make_model()
    with torch.no_grad():
        model.network.fc.weight[4].fill_(-1.0)
    analysis = analyze(PHOTO, model, target=4)
    assert not analysis.positive_evidence
    assert not analysis.cam.any()
    assert analysis.to_dict()["cam"]["positive_evidence"] is False


def test_the_map_is_between_zero_and_one():
    cam = analyze(PHOTO, make_model()).cam
    assert cam.min() >= 0
    assert cam.max() == 1
    with pytest.raises(ValueError, match="read-only"):
        cam[0, 0] = 2


def test_an_untrained_network_predicts_nothing_and_normalizes_what_passes_through():
    analysis = analyze(PHOTO, "resnet20.untrained")
    assert analysis.predictions == ()
    assert all(0.99 < g.response_std < 1.01 for g in analysis.gradients[:-1])


def test_numbers_that_overflow_are_null_in_json():
    model = make_model("resnet110", trained=False, norm="none")
    with torch.no_grad():
        model.network.conv1.weight.mul_(1e30)
        model.network.layer1[0].conv1.weight.mul_(1e30)
    values = analyze(PHOTO, model).to_dict("photo.jpg")
    text = json.dumps(values, allow_nan=False)
    assert json.loads(text)["target"]["logit"] is None


@pytest.mark.parametrize("trained", [True, False])
@pytest.mark.parametrize("ask", [analyze, explain_classes])
@pytest.mark.parametrize("count", [9, 12])
def test_labels_that_are_not_as_many_as_classes_are_counted(count, ask, trained):
    network = create_network("resnet8", num_classes=10)
    labels = tuple(f"class {i}" for i in range(count))
    model = Model("mine", network, labels, Preprocessing(32, 32, (0.5,) * 3, (0.25,) * 3), trained)
    for target in (count - 1,) if ask is analyze else ([count - 1], []):
        with pytest.raises(InputError, match=f"The model has {count} labels for 10 outputs"):
            ask(Image.new("RGB", (32, 32)), model, target)


def test_no_class_is_not_a_number_of_classes():
    with pytest.raises(InputError, match="top_k is -1: ask for at least one class"):
        analyze(Image.new("RGB", (32, 32)), make_model("resnet8"), top_k=-1)


@pytest.mark.parametrize("count", [0, 2, 4])
def test_photos_have_one_channel_or_three(count):
    with pytest.raises(InputError, match=f"There are {count} means and 3 deviations"):
        Preprocessing(32, 32, (0.5,) * count, (0.25,) * 3)


def test_a_grey_network_sees_grey():
    analysis = analyze(PHOTO, make_model("plain20", size=28, in_channels=1))
    assert analysis.seen.shape == (28, 28)


def test_the_crop_is_in_the_photos_own_pixels():
    analysis = analyze(PHOTO, make_model())
    left, top, right, bottom = analysis.crop
    assert analysis.photo_size == (120, 90)
    assert (top, bottom) == (0, 90)
    assert right - left == pytest.approx(90, abs=2)
    assert left == pytest.approx(15, abs=1)
