"""Plots: heatmaps exactly over the crop, readable scales, and no state shared between threads."""

import io
import math
import pickle
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
import torch
from matplotlib import colormaps
from PIL import Image

from resnet_demo import analyze, plots
from resnet_demo.plots.style import power_of_ten

PHOTO = Image.fromarray(np.random.default_rng(0).integers(0, 256, (60, 100, 3), dtype=np.uint8))


@pytest.fixture(scope="module")
def analysis():
    return analyze(PHOTO, "resnet20.untrained", target=1)


@pytest.fixture(scope="module")
def with_projections():
    return analyze(PHOTO, "resnet20-B.untrained")


def pixels(image):
    return np.asarray(image).astype(int)


def test_full_opacity_shows_the_enlarged_map_and_nothing_of_the_photo(analysis):
    cam = np.random.default_rng(1).random((8, 8)).astype(np.float32)
    square = replace(analysis, cam=cam, cam_max=1.0, crop=(20.0, 0.0, 80.0, 60.0), photo_size=(100, 60))
    shown = plots.overlay(PHOTO, square, opacity=1.0)
    enlarged = torch.nn.functional.interpolate(torch.tensor(cam)[None, None], (60, 60), mode="bilinear")[0, 0]
    expected = colormaps["inferno"]((enlarged.numpy() * 255).astype(np.uint8))[..., :3] * 255
    assert np.abs(pixels(shown)[:, 20:80] - expected).max() <= 3


def test_zero_opacity_shows_the_photo_as_it_is(analysis):
    square = replace(analysis, crop=(20.0, 0.0, 80.0, 60.0))
    assert plots.overlay(PHOTO, square, opacity=0.0).tobytes() == PHOTO.tobytes()


def test_what_was_not_seen_is_dark_and_a_white_line_parts_it_from_what_was(analysis):
    square = replace(analysis, cam=np.ones((8, 8), np.float32), cam_max=1.0, crop=(20.0, 0.0, 80.0, 60.0))
    veil = pixels(plots.veil(square))
    assert (veil[:, [19, 80]] == 255).all()
    assert (veil[:, :19] == 0).all()
    assert (veil[:, 81:] == 0).all()
    assert not (veil[:, 20:80] == 255).all(2).any()
    whole = pixels(plots.veil(replace(square, crop=(0.0, 0.0, 100.0, 60.0))))
    assert not (whole == 255).all(2).any()


def test_half_opacity_is_half_way(analysis):
    square = replace(analysis, crop=(20.0, 0.0, 80.0, 60.0))
    none, half, full = (pixels(plots.overlay(PHOTO, square, opacity)) for opacity in (0.0, 0.5, 1.0))
    assert np.abs(half - (none + full) / 2).max() <= 1


def test_without_positive_evidence_there_is_no_heat(analysis):
    nothing = replace(analysis, cam=np.zeros((8, 8), np.float32), cam_max=0.0)
    assert plots.veil(nothing) is None
    assert plots.overlay(PHOTO, nothing, 1.0).tobytes() == PHOTO.tobytes()


def test_another_photo_is_refused(analysis):
    with pytest.raises(ValueError, match="pixels"):
        plots.overlay(PHOTO.resize((50, 30)), analysis)


def test_the_peak_of_the_map_is_where_the_network_saw_it(analysis):
    cam = np.zeros((8, 8), np.float32)
    cam[1, 6] = 1.0
    square = replace(analysis, cam=cam, cam_max=1.0, crop=(20.0, 0.0, 80.0, 60.0))
    brightness = pixels(plots.overlay(PHOTO, square, 1.0))[:, 20:80].sum(axis=2)
    row, column = np.unravel_index(brightness.argmax(), brightness.shape)
    assert (row * 8 // 60, column * 8 // 60) == (1, 6)


def points(figure):
    axes = figure.axes[0]
    return np.concatenate(
        [c.get_offsets() for c in axes.collections if len(c.get_offsets()) and c.get_label()[0] == "_"]
    )


def test_every_layer_is_one_point_in_forward_order(with_projections):
    figure = plots.gradient_figure(with_projections)
    drawn = sorted(map(tuple, points(figure)))
    expected = [(i, g.gradient_norm) for i, g in enumerate(with_projections.gradients)]
    np.testing.assert_allclose(drawn, expected, rtol=1e-6)
    assert figure.axes[0].get_yscale() == "log"


def test_stages_and_projections_are_named(with_projections):
    axes = plots.gradient_figure(with_projections).axes[0]
    assert [text.get_text() for text in axes.texts] == ["stem", "layer1", "layer2", "layer3", "fc"]
    assert "projection shortcut" in [text.get_text() for text in axes.get_legend().get_texts()]


def test_a_network_without_projections_does_not_explain_them(analysis):
    legend = plots.gradient_figure(analysis).axes[0].get_legend()
    assert [text.get_text() for text in legend.get_texts()] == ["convolution", "fc"]


def test_a_gradient_of_zero_is_said_and_not_drawn(analysis):
    first, *rest = analysis.gradients
    dead = replace(analysis, gradients=(replace(first, gradient_norm=0.0), *rest))
    texts = [text.get_text() for text in plots.gradient_figure(dead).axes[0].texts]
    assert any("1 of 20 layers have a gradient of exactly 0" in text for text in texts)
    lost = replace(analysis, gradients=tuple(replace(g, gradient_norm=math.nan) for g in analysis.gradients))
    assert plots.to_png(plots.gradient_figure(lost))


def test_a_figure_as_svg_says_what_it_shows_and_has_the_colour_of_its_kind_of_network(analysis):
    svg = plots.to_svg(plots.gradient_figure(analysis), 'what it "shows" & more')
    assert svg.startswith('<svg role="img" aria-label="what it &quot;shows&quot; &amp; more"')
    residual, plain = (plots.KIND_COLORS[kind].lower() for kind in ("residual", "plain"))
    assert residual in svg
    assert plain not in svg
    assert plain in plots.to_svg(plots.gradient_figure(replace(analysis, model="plain20.cifar10")), "")
    assert "<script" not in svg


def test_png_of_the_report_has_bars_and_gradients(analysis):
    labels = ("a $tasty$ dish", "b", "$a_$ or $5", "d", "e")
    from resnet_demo.records import Prediction

    predicted = tuple(Prediction(i, label, 0.2) for i, label in enumerate(labels))
    target = replace(analysis.target, label=labels[2])
    figure = plots.report_figure(replace(analysis, predictions=predicted, target=target))
    image = Image.open(io.BytesIO(plots.to_png(figure)))
    assert image.size[0] > 1500
    assert [tick.get_text() for tick in figure.axes[0].get_yticklabels()] == list(labels)
    assert len(figure.axes) == 2


@pytest.mark.parametrize(("value", "text"), [(1000.0, "10³"), (1.0, "10⁰"), (1e-12, "10⁻¹²")])
def test_tick_labels_need_no_tex(value, text):
    assert power_of_ten(value) == text


def test_threads_draw_what_one_thread_draws(analysis, with_projections):
    def draw(which):
        return plots.to_png(plots.gradient_figure(which))

    both = [analysis, with_projections] * 4
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(draw, both)) == [draw(which) for which in both]


def test_pyplot_is_never_imported(analysis):
    code = (
        "import pickle, sys; from resnet_demo import plots\n"
        "plots.to_png(plots.report_figure(pickle.load(sys.stdin.buffer)))\n"
        "sys.exit('matplotlib.pyplot' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], input=pickle.dumps(analysis), check=False)
    assert done.returncode == 0
