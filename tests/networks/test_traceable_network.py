"""`TraceableNetwork`, implemented by a network from outside the project: it is analyzed, explained and lesioned."""

import copy

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from resnet_demo import InputError, Model, analyze, plots
from resnet_demo.analysis.attributions import attribute
from resnet_demo.analysis.class_maps import explain_classes
from resnet_demo.laboratory.lesion import lesion_errors, predict_lesioned
from resnet_demo.networks import Layer, Trace, TraceableNetwork, create_network
from resnet_demo.zoo import Preprocessing

LABELS = ("a", "b", "c")
SQUARE = Preprocessing(16, 16, (0.5,) * 3, (0.5,) * 3)
PHOTO = Image.fromarray(np.random.default_rng(0).integers(0, 256, (20, 30, 3), dtype=np.uint8))


class Half(nn.Module):
    """relu(a * x + x): a block with one convolution."""

    def __init__(self):
        super().__init__()
        self.mix, self.act = nn.Conv2d(4, 4, 3, padding=1), nn.ReLU()

    def forward(self, x):
        return self.act(self.mix(x) + x)

    def bypass(self, x):
        return self.act(x)


class Own(nn.Module):
    """As a user might write it from the docstrings of `TraceableNetwork` alone."""

    def __init__(self):
        super().__init__()
        self.first, self.act = nn.Conv2d(3, 4, 3, stride=2, padding=1), nn.ReLU()
        self.one, self.two = Half(), Half()
        self.last = nn.Linear(4, len(LABELS))

    def layers(self):
        layers = {"first": self.first, "one.mix": self.one.mix, "two.mix": self.two.mix, "last": self.last}
        return [Layer(name, module, stage=name.partition(".")[0]) for name, module in layers.items()]

    def named_blocks(self):
        return [("one", self.one), ("two", self.two)]

    def stem(self, x):
        return self.act(self.first(x))

    def head(self, x):
        return self.last(x.mean((2, 3)))

    def forward(self, x):
        return self.head(self.two(self.one(self.stem(x))))

    def trace(self, x):
        entered, left = {"first": x}, {"first": self.first(x)}
        before = self.act(left["first"])
        outputs = {"stem": before}
        for name, block in self.named_blocks():
            entered[f"{name}.mix"], left[f"{name}.mix"] = before, block.mix(before)
            before = outputs[name] = block.act(left[f"{name}.mix"] + before)
        entered["last"] = before.mean((2, 3))
        left["last"] = self.last(entered["last"])
        return Trace(left["last"], entered, left, outputs)

    def begin(self, x, upto):
        x = self.stem(x)
        names = ["stem", "one", "two"]
        for block in [self.one, self.two][: names.index(upto)]:
            x = block(x)
        return x

    def finish(self, x, after):
        names = ["stem", "one", "two"]
        for block in [self.one, self.two][names.index(after) :]:
            x = block(x)
        return self.head(x)

    def lesioned(self, x, removed):
        x = self.stem(x)
        for name, block in self.named_blocks():
            x = block.bypass(x) if name in removed else block(x)
        return self.head(x)


@pytest.fixture
def model():
    torch.manual_seed(0)
    return Model("own", Own(), LABELS, SQUARE)


def input_of(model):
    return model.preprocessing.tensor(model.preprocessing.crop(PHOTO))


def test_it_is_analyzed(model):
    analysis = analyze(PHOTO, model, layer="one")
    assert analysis.layers == ("stem", "one", "two")
    assert [gradient.layer for gradient in analysis.gradients] == [layer.name for layer in model.network.layers()]
    logits = model.network(input_of(model))
    gradients = torch.autograd.grad(logits[0, analysis.target.index], list(model.network.parameters()))
    names = [name for name, _ in model.network.named_parameters()]
    for gradient in analysis.gradients:
        expected = gradients[names.index(f"{gradient.layer}.weight")].norm().item()
        assert gradient.gradient_norm == pytest.approx(expected, rel=1e-4)
    assert plots.to_png(plots.report_figure(analysis))[:4] == b"\x89PNG"


def test_its_classes_are_mapped(model):
    (found,) = explain_classes(PHOTO, model, ["b"], "one")
    analysis = analyze(PHOTO, model, "b", "one")
    assert found.cam == pytest.approx(analysis.cam, abs=1e-5)


def test_its_blocks_are_removed(model):
    with torch.no_grad():
        expected = model.network.lesioned(input_of(model), {"one"})[0].softmax(0)
    assert predict_lesioned(PHOTO, model, ["one"])[0].probability == pytest.approx(expected.max().item(), abs=1e-6)
    x, labels = torch.randn(8, 3, 16, 16), torch.arange(8) % 3
    whole, wrong, total = lesion_errors(model.network, [(x, labels)])
    with torch.no_grad():
        assert whole == (model.network(x).argmax(1) != labels).sum()
        assert wrong == {n: (model.network.lesioned(x, {n}).argmax(1) != labels).sum() for n in ("one", "two")}
    assert total == 8


@pytest.mark.parametrize("method", ["guided_gradcam", "saliency"])
def test_its_pixels_are_explained(model, method):
    heat = attribute(PHOTO, model, method, "b", "one").heat
    assert (heat.shape, np.isfinite(heat).all()) == ((16, 16), True)


NEEDED = [n for n in vars(TraceableNetwork) if not n.startswith("_") and not hasattr(nn.Module, n)]


def test_what_it_needs_is_what_ours_has():
    network = create_network("resnet8")
    assert set(NEEDED) == {"layers", "named_blocks", "trace", "begin", "finish", "lesioned"}
    assert all(callable(getattr(network, name)) for name in NEEDED)


@pytest.mark.parametrize("name", NEEDED)
def test_what_is_missing_is_named_at_once(name):
    lacking = type("Lacking", (Own,), {name: None})
    with pytest.raises(InputError, match=rf"^Lacking lacks {name}: implement all members of TraceableNetwork\.$"):
        Model("own", lacking(), LABELS, SQUARE)


def test_a_network_of_something_else_is_refused(model):
    with pytest.raises(InputError, match=r"^A network is an nn\.Module, not a str\.$"):
        Model("own", "resnet20", LABELS, SQUARE)
    with pytest.raises(InputError, match=r"^Sequential lacks layers, named_blocks, "):
        Model("own", nn.Sequential(), LABELS, SQUARE)
    network = copy.deepcopy(model.network)
    network.two = nn.Conv2d(4, 4, 1)
    with pytest.raises(InputError, match=r"^Block two of Own must be an nn\.Module with a bypass"):
        Model("own", network, LABELS, SQUARE)


@pytest.mark.parametrize("options", [{"padding_mode": "reflect", "padding": 1}, {"padding": "same"}])
def test_a_layer_whose_gradient_has_no_formula_here_is_refused(model, options):
    network = copy.deepcopy(model.network)
    network.two.mix = nn.Conv2d(4, 4, 3, **options)
    with pytest.raises(InputError, match=r"^Layer two\.mix of Own cannot be measured: it must be an nn\.Linear, or "):
        Model("own", network, LABELS, SQUARE)
