"""The laboratory's plots show the numbers they are given, and name them for screen readers."""

import numpy as np
import pytest

from resnet_demo import analyze, plots
from resnet_demo.analysis.comparison import compare
from resnet_demo.images import EXAMPLES, load_image
from resnet_demo.laboratory.flow import gradient_flow

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


def test_a_feature_grid_has_a_tile_for_each_channel():
    features = np.stack([np.full((2, 2), 3.0), np.array([[0.0, 1.0], [2.0, 3.0]])]).astype(np.float32)
    grid = np.array(plots.feature_grid(features, columns=2))
    assert grid.shape == (96, 2 * 96 + 4, 4)
    assert len(np.unique(grid[:, :96].reshape(-1, 4), axis=0)) == 1
    assert len(np.unique(grid[:, 100:].reshape(-1, 4), axis=0)) == 4
    assert not grid[:, 96:100, 3].any()


def test_another_map_is_laid_over_the_same_place():
    analysis = analyze(CAT, "resnet20.cifar10")
    photo = load_image(CAT)
    dark = plots.overlay(photo, analysis, heat=np.full((32, 32), 1e-6, dtype=np.float32))
    lit = plots.overlay(photo, analysis, heat=np.ones((32, 32), dtype=np.float32))
    changed = (np.asarray(dark) != np.asarray(lit)).any(2)
    left, top, right, bottom = (round(edge) for edge in analysis.crop)
    assert changed[top + 2 : bottom - 2, left + 2 : right - 2].mean() > 0.99
    assert not changed[:, : max(left - 2, 0)].any()
