"""The laboratory's plots show the numbers they are given, and name them for screen readers."""

import numpy as np
import pytest

from resnet_demo import analyze, plots
from resnet_demo.analysis.comparison import compare
from resnet_demo.images import EXAMPLES, load_image
from resnet_demo.laboratory.flow import gradient_flow
from resnet_demo.records import BranchRatio, LesionStudy
from resnet_demo.zoo import open_catalogue
from resnet_demo.zoo.results import trained_cards

CAT = EXAMPLES / "cat.jpg"


def lines(axes):
    return [line for line in axes.get_lines() if len(line.get_xdata()) > 2]


def test_both_networks_share_the_scales_of_a_comparison():
    found = compare(CAT, "resnet20.cifar10", "plain20.cifar10")
    norms, responses = plots.compare_figure(found).axes
    for line, analysis in zip(lines(norms), (found.first, found.second), strict=True):
        assert list(line.get_ydata()) == [g.gradient_norm for g in analysis.gradients]
        assert (line.get_xdata()[0], line.get_xdata()[-1]) == (0, 1)
    assert len(lines(responses)) == 2


@pytest.mark.parametrize("measure", plots.MEASURES)
def test_flows_are_drawn_as_measured(measure):
    flows = [gradient_flow(name) for name in ("resnet8", "plain8-nonorm-sigmoid-xavier")]
    (axes,) = plots.flow_figure(flows, measure).axes
    for line, flow in zip(lines(axes), flows, strict=True):
        values = [getattr(layer, measure) for layer in flow.layers]
        assert list(line.get_ydata()) == [value for value in values if value is not None]
    assert plots.to_png(plots.flow_figure([], measure))


def test_branch_ratios_are_bars():
    ratios = [BranchRatio("layer1.0", 0.5), BranchRatio("layer1.1", 2.0)]
    (axes,) = plots.branch_ratio_figure(ratios).axes
    assert [bar.get_height() for bar in axes.patches] == [0.5, 2.0]


def test_lesions_are_drawn_beside_the_whole_network():
    studies = [
        LesionStudy("resnet8.cifar10", "", 10, 9.0, {"layer1.0": 20.0, "layer2.0": 30.0, "layer3.0": 40.0}),
        LesionStudy("plain8.cifar10", "", 10, 11.0, {"layer1.0": 80.0, "layer2.0": 85.0, "layer3.0": 90.0}),
    ]
    (axes,) = plots.lesion_figure(studies).axes
    assert [list(line.get_ydata()) for line in lines(axes)] == [[20, 30, 40], [80, 85, 90]]
    labels = [text.get_text() for text in axes.get_legend().get_texts()]
    assert labels == ["resnet8.cifar10: whole 9.00 %", "plain8.cifar10: whole 11.00 %"]


def test_a_feature_grid_has_a_tile_for_each_channel():
    features = np.stack([np.full((2, 2), 3.0), np.array([[0.0, 1.0], [2.0, 3.0]])]).astype(np.float32)
    grid = np.array(plots.feature_grid(features, columns=2))
    assert grid.shape == (96, 2 * 96 + 4, 4)
    assert len(np.unique(grid[:, :96].reshape(-1, 4), axis=0)) == 1
    assert len(np.unique(grid[:, 100:].reshape(-1, 4), axis=0)) == 4
    assert not grid[:, 96:100, 3].any()


def test_curves_are_those_of_the_cards():
    curves = [card.training_curve for card in trained_cards(open_catalogue()) if card.dataset == "cifar10"]
    plain, residual = plots.curves_figure(curves).axes
    for axes, connection in ((plain, "plain"), (residual, "residual")):
        there = sorted((c for c in curves if c.connection == connection), key=lambda c: c.depth)
        drawn = [list(line.get_ydata()) for line in lines(axes)]
        expected = [[getattr(e, f"{kind}_error") for e in c.epochs] for c in there for kind in ("train", "test")]
        assert drawn == expected
    assert plots.to_png(plots.curves_figure([]))


def test_another_map_is_laid_over_the_same_place():
    analysis = analyze(CAT, "resnet20.cifar10")
    photo = load_image(CAT)
    dark = plots.overlay(photo, analysis, heat=np.full((32, 32), 1e-6, dtype=np.float32))
    lit = plots.overlay(photo, analysis, heat=np.ones((32, 32), dtype=np.float32))
    changed = (np.asarray(dark) != np.asarray(lit)).any(2)
    left, top, right, bottom = (round(edge) for edge in analysis.crop)
    assert changed[top + 2 : bottom - 2, left + 2 : right - 2].mean() > 0.99
    assert not changed[:, : max(left - 2, 0)].any()
