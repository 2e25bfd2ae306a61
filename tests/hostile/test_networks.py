"""Any network that a visitor can name is computed within the cost of a request, or refused before it is built."""

from pathlib import Path

import pytest

from resnet_demo.errors import InputError
from resnet_demo.laboratory.flow import gradient_flow
from resnet_demo.networks import NetworkSpec, parse_name
from resnet_demo.zoo import find_entry
from resnet_demo.zoo.catalogue import OFFERED_UNTRAINED

CAT = Path(__file__).parents[2] / "resnet_demo" / "examples" / "cat.jpg"
TOO_LARGE = [
    "resnext50_1x512d", "resnext152_1x512d", "resnext50_512x64d", "resnext50_999999x999999d", "resnext50_4096x1d",
    "resnet50-smallstem", "plain600002", "resnet999998", "resnet1208",
]  # fmt: skip


@pytest.mark.parametrize("name", TOO_LARGE)
def test_a_network_that_costs_too_much_is_refused_at_once(meter, assert_clear_sentence, name):
    cost = meter(f"zoo.load_model('{name}.untrained')")
    assert cost["result"].startswith("InputError: ")
    assert "too large" in cost["result"]
    assert_clear_sentence(cost["result"].removeprefix("InputError: "))
    assert cost["seconds"] < 1
    assert cost["peak"] < 60


@pytest.mark.parametrize("call", [gradient_flow, parse_name])
def test_no_network_is_deeper_than_the_deepest_of_the_paper(call):
    with pytest.raises(InputError, match="999998 layers is too large: the deepest one has 1202"):
        call("resnet999998")
    with pytest.raises(InputError, match="too large"):
        NetworkSpec(family="cifar", depth=1208, connection="residual", shortcut="A", stem="3x3")
    assert parse_name("resnet1202").depth == 1202


def test_the_networks_of_the_papers_can_be_had():
    for name in (
        *OFFERED_UNTRAINED,
        "resnet1202",
        "resnext101_32x8d",
        "resnext101_64x4d",
        "preresnet152",
        "resnet50-C",
    ):
        assert find_entry(f"{name}.untrained").architecture == name


@pytest.mark.parametrize("name", ["resnet1202", "resnext101_32x8d", "resnext50_512x1d"])
def test_the_largest_ones_load_and_analyze_within_the_budget(meter, name):
    """Weights of 360 MB count towards the cache of models."""
    cost = meter(f"demo.analyze({str(CAT)!r}, '{name}.untrained')")
    assert cost["result"].startswith("Analysis(")
    assert cost["seconds"] < 10, cost
    assert cost["peak"] < 360 + 800, cost
