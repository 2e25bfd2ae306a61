"""A faster precision, and the error that is reported for it."""

from dataclasses import replace

import pytest

from resnet_demo import analyze, load_model
from resnet_demo.analysis.precision import precision_error
from resnet_demo.images import EXAMPLES

CAT = EXAMPLES / "cat.jpg"


def test_the_error_is_the_largest_difference():
    exact = analyze(CAT, load_model("resnet20.cifar10", "cpu"))
    first, *others = exact.predictions
    gradient, *layers = exact.gradients
    found = replace(
        exact,
        predictions=(replace(first, probability=first.probability - 0.125), *others),
        gradients=(replace(gradient, gradient_norm=gradient.gradient_norm * 1.5), *layers),
    )
    error = precision_error(found, exact)
    assert (error.probability, error.gradient_norm) == (pytest.approx(0.125), pytest.approx(0.5))
    assert str(error) == "probabilities differ from float32 by up to 12 points, gradient norms by up to 50 %"
    assert precision_error(exact, exact).gradient_norm == 0


def test_bfloat16_is_near_and_not_exact():
    model = load_model("resnet20.cifar10", "cpu")
    exact = analyze(CAT, model)
    found = analyze(CAT, model, exact.target.index, precision="bfloat16")
    error = precision_error(found, exact)
    assert (found.precision, exact.precision) == ("bfloat16", "float32")
    assert 0 < error.probability < 0.2
    assert 0 < error.gradient_norm < 0.5
