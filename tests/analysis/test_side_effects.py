"""An analysis takes one pass, leaves nothing behind, and gives the same answer in any mode and thread."""

import json
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch

from resnet_demo import analyze
from resnet_demo.errors import InputError

from .models import LABELS, PHOTO, make_model


def test_exactly_one_forward_and_one_gradient_computation(monkeypatch):
    model = make_model()
    calls = {"forward": 0, "gradient": 0}
    model.network.conv1.register_forward_hook(lambda *_: calls.update(forward=calls["forward"] + 1))
    grad = torch.autograd.grad

    def counted(*args, **kwargs):
        calls["gradient"] += 1
        return grad(*args, **kwargs)

    monkeypatch.setattr(torch.autograd, "grad", counted)
    monkeypatch.setattr(torch.Tensor, "backward", None)
    analyze(PHOTO, model, target="b", layer="layer2")
    assert calls == {"forward": 1, "gradient": 1}


def state_of(model):
    network = model.network
    return (
        [len(m._forward_hooks) + len(m._backward_hooks) + len(m._forward_pre_hooks) for m in network.modules()],
        [m.training for m in network.modules()],
        [p.requires_grad for p in network.parameters()],
        [p.grad is None for p in network.parameters()],
        [t.clone() for t in network.state_dict().values()],
        torch.get_rng_state(),
        torch.is_grad_enabled(),
    )


def same(before, after):
    return all(
        all(torch.equal(x, y) for x, y in zip(a, b, strict=True))
        if isinstance(a, list) and isinstance(a[0], torch.Tensor)
        else torch.equal(a, b)
        if isinstance(a, torch.Tensor)
        else a == b
        for a, b in zip(before, after, strict=True)
    )


@pytest.mark.parametrize("prepare", ["ready", "frozen", "training", "half frozen"])
def test_nothing_is_left_behind(prepare):
    model = make_model()
    if prepare in ("frozen", "half frozen"):
        frozen = model.network if prepare == "frozen" else model.network.layer1
        frozen.requires_grad_(False)
    if prepare == "training":
        model.network.train()
    before = state_of(model)
    analyze(PHOTO, model)
    assert same(before, state_of(model))


@pytest.mark.parametrize("bad", [{"target": 99}, {"target": "zebra"}, {"layer": "layer9"}])
def test_nothing_is_left_behind_after_an_exception(bad):
    model = make_model()
    model.network.requires_grad_(False)
    before = state_of(model)
    with pytest.raises(InputError):
        analyze(PHOTO, model, **bad)
    assert same(before, state_of(model))


def test_nothing_is_left_behind_when_the_network_itself_fails():
    model = make_model()
    model.network.layer3[1].conv2.weight = torch.nn.Parameter(torch.zeros(1, 2, 3, 3))
    before = state_of(model)
    with pytest.raises(RuntimeError):
        analyze(PHOTO, model)
    assert same(before, state_of(model))


def everything(analysis):
    values = analysis.to_dict()
    del values["milliseconds"]
    return json.dumps(values)


@pytest.mark.parametrize(
    "around", [torch.no_grad, torch.inference_mode, torch.enable_grad, lambda: torch.autocast("cpu", torch.bfloat16)]
)
def test_the_callers_mode_makes_no_difference(around):
    model = make_model()
    expected = everything(analyze(PHOTO, model))
    with around():
        assert everything(analyze(PHOTO, model)) == expected


@pytest.mark.parametrize("around", [torch.no_grad, torch.inference_mode])
def test_a_model_by_name_can_be_analyzed_in_any_mode(around):
    with around():
        assert analyze(PHOTO, "resnet8.untrained").gradients[0].gradient_norm > 0
        assert analyze(PHOTO, "resnet20.cifar10").gradients[0].gradient_norm > 0


def test_frozen_or_training_makes_no_difference():
    model = make_model()
    expected = everything(analyze(PHOTO, model))
    model.network.requires_grad_(False)
    assert everything(analyze(PHOTO, model)) == expected
    model.network.train()
    assert everything(analyze(PHOTO, model)) == expected


@pytest.mark.parametrize("frozen", [False, True])
def test_eight_threads_with_one_model_answer_as_one_does(frozen):
    model = make_model()
    model.network.requires_grad_(not frozen)
    questions = [(target, layer) for target in range(len(LABELS)) for layer in ("layer1", "layer2.1", "layer3")] * 2
    serial = [everything(analyze(PHOTO, model, *question)) for question in questions]
    barrier = threading.Barrier(8)

    def ask(question):
        if threading.current_thread().name not in met:
            met.add(threading.current_thread().name)
            barrier.wait()
        return everything(analyze(PHOTO, model, *question))

    met: set[str] = set()
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(ask, questions)) == serial
    assert len(met) == 8


def test_the_same_question_gets_the_same_answer():
    model = make_model("resnet50")
    assert everything(analyze(PHOTO, model)) == everything(analyze(PHOTO, model))
