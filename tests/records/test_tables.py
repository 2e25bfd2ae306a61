"""Records as tables."""

import csv
import io

from resnet_demo import analyze
from resnet_demo.images import EXAMPLES
from resnet_demo.records import GRADIENT_COLUMNS, gradient_csv, gradient_rows, relative_depths

CAT = EXAMPLES / "cat.jpg"


def test_relative_depths_go_from_0_to_1():
    depths = relative_depths(analyze(CAT, "resnet20.cifar10").gradients)
    assert (depths[0], depths[-1], len(depths)) == (0, 1, 20)


def test_a_single_layer_is_at_the_input():
    assert relative_depths(["fc"]) == [0.0]


def test_every_layer_has_a_row_of_numbers():
    analysis = analyze(CAT, "resnet20.cifar10")
    rows = [dict(zip(GRADIENT_COLUMNS, row, strict=True)) for row in gradient_rows(analysis)]
    assert [row["layer"] for row in rows] == [gradient.layer for gradient in analysis.gradients]
    assert rows[0]["shape"] == "16x3x3x3"
    assert rows[0]["gradient_norm"] == f"{analysis.gradients[0].gradient_norm:.4g}"
    assert rows[-1]["response_std"] == ""


def test_csv_has_every_number_in_full():
    analysis = analyze(CAT, "resnet20.cifar10")
    rows = list(csv.DictReader(io.StringIO(gradient_csv(analysis))))
    assert tuple(rows[0]) == GRADIENT_COLUMNS
    assert [float(row["gradient_norm"]) for row in rows] == [g.gradient_norm for g in analysis.gradients]
