"""The table of a network, against torchvision's metadata and the network itself."""

import pytest
import torch

from resnet_demo import analyze, create_network
from resnet_demo.images import EXAMPLES
from resnet_demo.networks import parse_name
from resnet_demo.networks.architecture import CARDINALITIES, block_summaries, describe
from resnet_demo.zoo import list_models

CAT = EXAMPLES / "cat.jpg"
TORCHVISION = [entry for entry in list_models() if entry.from_torchvision and entry.origin is entry]


@pytest.mark.parametrize("entry", TORCHVISION, ids=lambda entry: entry.name)
def test_architecture_tables_agree_with_torchvisions_metadata(entry):
    from torchvision.models import get_weight

    names = {"resnet": "ResNet", "resnext": "ResNeXt"}
    prefix = next(p for p in ("resnext", "resnet") if entry.architecture.startswith(p))
    version = "V2" if entry.tag == "tv2_in1k" else "V1"
    rest = entry.architecture.removeprefix(prefix).replace("x", "X").replace("d", "D")
    meta = get_weight(f"{names[prefix]}{rest}_Weights.IMAGENET1K_{version}").meta
    table = describe(entry.architecture)
    assert table.parameters == meta["num_params"]
    assert table.multiply_adds / 1e9 == pytest.approx(meta["_ops"], rel=0.01)


@pytest.mark.parametrize(
    "name", ["resnet20", "plain56", "preresnet20", "highway20", "resnet34-C", "resnet50-smallstem"]
)
def test_architecture_rows_add_up(name):
    table, spec = describe(name), parse_name(name)
    assert table.parameters == sum(p.numel() for p in create_network(name).parameters())
    assert [row.blocks for row in table.rows[1:-1]] == list(spec.stages)
    image = torch.zeros(1, spec.in_channels, table.input_size, table.input_size)
    outputs = create_network(name).eval().trace(image).outputs
    for row in table.rows[:-1]:
        last = "stem" if row.stage == "stem" else f"{row.stage}.{row.blocks - 1}"
        assert row.size == outputs[last].shape[1:]


def test_multiply_adds_are_those_of_an_analysis():
    assert describe("resnet20").multiply_adds == analyze(CAT, "resnet20.untrained").multiply_adds


def test_blocks_know_their_shortcuts():
    kinds = {
        name: [p.shortcut for p in block_summaries(name)] for name in ("resnet8", "resnet8-B", "resnet8-C", "plain8")
    }
    assert kinds["resnet8"] == ["identity", "padding", "padding"]
    assert kinds["resnet8-B"] == ["identity", "projection", "projection"]
    assert kinds["resnet8-C"] == ["projection"] * 3
    assert kinds["plain8"] == ["none"] * 3
    assert [p.stride for p in block_summaries("resnet50")] == [1, 1, 1, 2, 1, 1, 1, 2, 1, 1, 1, 1, 1, 2, 1, 1]
    assert all(p.gated for p in block_summaries("highway8"))


def test_cardinalities_cost_about_the_same():
    tables = [describe("resnet50" if c == 1 else f"resnext50_{c}x{width}d") for c, width in CARDINALITIES]
    assert all(24.9e6 < table.parameters < 25.7e6 for table in tables)
    assert all(4.0e9 < table.multiply_adds < 4.3e9 for table in tables)
