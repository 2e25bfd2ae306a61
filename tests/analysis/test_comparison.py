"""Two networks on one photo."""

from dataclasses import replace

import pytest
import torch

from resnet_demo import analyze, load_model
from resnet_demo.analysis.comparison import compare
from resnet_demo.errors import InputError
from resnet_demo.images import EXAMPLES
from resnet_demo.records import Question

CAT = EXAMPLES / "cat.jpg"


def same(one, other):
    return {k: v for k, v in one.to_dict().items() if k != "milliseconds"} == {
        k: v for k, v in other.to_dict().items() if k != "milliseconds"
    }


def test_a_comparison_is_two_analyses_of_the_same_class(residual, plain):
    found = compare(CAT, residual, plain)
    top = found.first.predictions[0].index
    assert same(found.first, analyze(CAT, residual))
    assert same(found.second, analyze(CAT, plain, target=top))
    assert found.same_class
    asked = compare(CAT, residual, plain, Question("dog", "layer2"))
    assert asked.first.target.label == asked.second.target.label == "dog"
    assert asked.first.layer == asked.second.layer == "layer2.2"


@pytest.mark.parametrize(
    "labels",
    [tuple(str(number) for number in range(1, 11)), ("crane",) * 10],
    ids=["called by numbers", "called alike"],
)
def test_twins_explain_the_same_class_whatever_it_is_called(residual, plain, labels):
    found = compare(CAT, replace(residual, labels=labels), replace(plain, labels=labels))
    assert found.first.target.index == found.second.target.index == found.first.predictions[0].index
    assert found.same_class


def test_networks_with_other_classes_explain_their_own(residual):
    other = load_model("resnet20.untrained")
    found = compare(CAT, residual, other)
    assert not found.same_class
    assert found.second.predictions == ()


@pytest.mark.parametrize("options", [{"target": "unicorn"}, {"layer": "layer9"}])
def test_a_comparison_says_what_does_not_exist(residual, plain, options):
    with pytest.raises(InputError, match=next(iter(options.values()))):
        compare(CAT, residual, plain, Question(**options))


def test_a_comparison_takes_one_forward_and_one_backward_pass_of_each_network(residual, plain, monkeypatch):
    passes, grads = [], []
    grad = torch.autograd.grad
    for model in (residual, plain):
        trace = model.network.trace
        monkeypatch.setattr(model.network, "trace", lambda x, m=model, t=trace: (passes.append(m.name), t(x))[1])
    monkeypatch.setattr(torch.autograd, "grad", lambda *a, **k: (grads.append(1), grad(*a, **k))[1])
    compare(CAT, residual, plain)
    assert (passes, len(grads)) == ([residual.name, plain.name], 2)
