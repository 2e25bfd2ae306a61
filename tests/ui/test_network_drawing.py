"""What the browser gets to draw of a network; tests/browser/test_laboratory.py has the drawing itself."""

import json
from dataclasses import replace

import pytest

from resnet_demo.laboratory.studies import find_study
from resnet_demo.networks import parse_name
from resnet_demo.networks.architecture import block_summaries
from resnet_demo.records import LesionStudy
from resnet_demo.ui.network import Network, NetworkView, heat
from resnet_demo.ui.network.inside import GATED, insides
from resnet_demo.ui.sentences import Sentence
from resnet_demo.zoo import open_catalogue

CONV, NORM = "3x3 conv, 32", "batch norm"


@pytest.fixture(scope="module")
def study():
    catalogue = open_catalogue()
    return find_study(LesionStudy, catalogue.find("resnet20.cifar10"), catalogue.folders)


def drawn(*names, **options):
    view = NetworkView(tuple(map(parse_name, names)), **options)
    return json.loads(json.dumps(Network().postprocess(view)))


def blocks_of(network):
    return [block for row in network["rows"] for block in row.get("blocks", [])]


@pytest.mark.parametrize("name", ["resnet20", "plain20", "highway20", "resnet152", "resnet34-C", "preresnet110"])
def test_every_block_is_told_in_order_with_its_shortcut(name):
    (network,) = drawn(name)["networks"]
    told = [(block["name"], block["shortcut"], block["gated"]) for block in blocks_of(network)]
    assert told == [(block.name, block.shortcut, block.gated) for block in block_summaries(name)]
    assert [row["label"].partition(":")[0] for row in network["rows"]][:2] == ["stem", "layer1"]
    assert network["rows"][-1]["layers"][0] == "average pool"


def test_colours_tell_what_has_shortcuts():
    networks = drawn("resnet20", "preresnet20", "plain20", "highway20")["networks"]
    assert [network["colour"] for network in networks] == ["residual", "residual", "plain", "gated"]


def test_tints_use_the_whole_range_of_the_measured_errors(study):
    shown = drawn("resnet20", study=study, clickable=True)
    blocks = blocks_of(shown["networks"][0])
    heats = {block["name"]: block["heat"] for block in blocks}
    assert max(heats.values()) == 1.0
    assert heats[max(study.errors, key=study.errors.__getitem__)] == 1.0
    assert sorted(heats, key=heats.__getitem__) == sorted(study.errors, key=study.errors.__getitem__)
    assert shown["scale"] == [f"{study.test_error:.2f} %", f"{max(study.errors.values()):.2f} %"]
    assert blocks[0]["says"] == f"layer1.0: {study.errors['layer1.0']:.2f} % test error without it, identity shortcut"
    same = replace(study, errors=dict.fromkeys(study.errors, study.test_error))
    assert heat(same, "layer1.0") == 0.0
    assert heat(replace(study, errors=study.errors | {"layer1.0": 0.0}), "layer1.0") == 0.0


def test_without_a_study_there_is_no_scale():
    shown = drawn("resnet8", name="a", removed=("layer2.0",), clickable=True)
    assert (shown["scale"], shown["name"], shown["removed"]) == ([], "a", ["layer2.0"])
    assert {block["heat"] for block in blocks_of(shown["networks"][0])} == {None}
    assert blocks_of(shown["networks"][0])[1]["says"] == "layer2.0: zero-padded identity shortcut (option A)"


# The order is that of He et al. 2016, He et al. 2016b and Srivastava et al. 2015.
INSIDES = {
    "resnet20 layer2.1": ([CONV, NORM, "ReLU", CONV, NORM], (), (), "+", ["ReLU"]),
    "plain20 layer2.1": ([CONV, NORM, "ReLU", CONV, NORM, "ReLU"], None, (), "", []),
    "preresnet20 layer2.1": ([NORM, "ReLU", CONV, NORM, "ReLU", CONV], (), (), "+", []),
    "highway20 layer2.1": ([CONV, NORM, "ReLU", CONV, NORM, "ReLU"], (), ("1x1 conv, 32", "sigmoid"), GATED, []),
    "resnet20-nonorm-tanh layer2.1": ([CONV, "tanh", CONV], (), (), "+", ["tanh"]),
    "resnet20 layer2.0": (
        [f"{CONV}, /2", NORM, "ReLU", CONV, NORM],
        ("every 2nd pixel", "+16 zero channels"),
        (),
        "+",
        ["ReLU"],
    ),
    "resnet50 layer1.0": (
        ["1x1 conv, 64", NORM, "ReLU", "3x3 conv, 64", NORM, "ReLU", "1x1 conv, 256", NORM],
        ("1x1 conv, 256", NORM),
        (),
        "+",
        ["ReLU"],
    ),
}


@pytest.mark.parametrize("which", INSIDES)
def test_the_inside_of_a_block_is_in_the_order_of_its_paper(which):
    name, block = which.split()
    one, (main, shortcut, gate, joint, after) = insides(parse_name(name))[block], INSIDES[which]
    assert (list(one.main), one.shortcut, one.gate, one.joint, list(one.after)) == (main, shortcut, gate, joint, after)
    told = next(told for told in blocks_of(drawn(name)["networks"][0]) if told["name"] == block)
    assert told["inside"]["main"] == main


def test_handlers_get_names_from_the_browser_and_nothing_else():
    network = Network()
    assert network.preprocess(None) is network.preprocess("") is None
    assert network.preprocess({"removed": ["layer1.0", "x"], "name": "a"}) == ["layer1.0", "x"]
    for payload in (
        "x", 5, [1], {"removed": "x"}, {"removed": [5]}, {"removed": [["a"]]}, {"removed": ["x" * 1000]},
        {"removed": ["a"] * 1000}, {"__type__": "update"},
    ):  # fmt: skip
        with pytest.raises(Sentence):
            network.preprocess(payload)
