"""Networks drawn as SVG."""

import re

import pytest

from resnet_demo.networks.architecture import block_summaries, describe
from resnet_demo.plots.drawing import draw_network


@pytest.mark.parametrize("name", ["resnet20", "plain20", "highway20", "resnet152", "resnet34-C", "preresnet110"])
def test_a_drawing_has_every_block_and_its_shortcut(name):
    svg = draw_network(describe(name), block_summaries(name))
    assert svg.count('data-block="') == len(block_summaries(name))
    assert svg.count('class="shortcut"') == sum(block.shortcut != "none" for block in block_summaries(name))
    assert svg.count('class="gate"') == sum(block.gated for block in block_summaries(name))
    assert 'role="button"' not in svg
    right = [float(x) + float(w) for x, w in re.findall(r'class="box" x="([\d.]+)" y="\d+" width="([\d.]+)"', svg)]
    assert max(right) < 1100


def test_a_drawing_shows_what_is_removed_and_what_that_costs():
    svg = draw_network(
        describe("resnet8"), block_summaries("resnet8"), ["layer2.0"], {"layer1.0": 50.0}, clickable=True
    )
    assert svg.count('aria-pressed="true"') == 1
    assert "layer2.0, shortcut: zero-padded identity (option A), removed" in svg
    assert "layer1.0, shortcut: identity, 50.00 % test error without it" in svg
    assert "fill-opacity:0.54" in svg
