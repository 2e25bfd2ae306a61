"""Batches, folders and several processes give the results of single photos; a rerun computes only missing ones."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from resnet_demo import InputError, analyze, load_model
from resnet_demo.analysis import batches as many
from resnet_demo.analysis.batches import analyze_files, default_batch
from resnet_demo.analysis.explaining import analyze_batch
from resnet_demo.records import Question
from tests.page_server import free_port

from .models import make_model

pytestmark = pytest.mark.usefixtures("own_folders")
ROOT = Path(__file__).parents[2]


def photos(count):
    draw = np.random.default_rng(0)
    return [Image.fromarray(draw.integers(0, 256, (80 + 9 * i, 120, 3), dtype=np.uint8)) for i in range(count)]


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "photos").mkdir()
    for i, photo in enumerate(photos(5)):
        photo.save(tmp_path / "photos" / f"{i}.png")
    return tmp_path / "photos"


def assert_same(one, other):
    assert (one.target.index, one.layer, one.crop, one.channels) == (
        other.target.index,
        other.layer,
        other.crop,
        other.channels,
    )
    for a, b in zip(one.predictions, other.predictions, strict=True):
        assert (a.index, a.probability) == (b.index, pytest.approx(b.probability, rel=1e-4))
    # Where a unit is within a rounding error of 0, its gradient may pass in one of them and not in the other.
    smooth, switched = 1e-4, 5e-3
    for kind, value, tolerance in (
        ("gradients", "response_std", smooth),
        ("branch_ratios", "ratio", smooth),
        ("gradients", "gradient_norm", switched),
        ("outputs", "gradient_norm", switched),
    ):
        values = [[getattr(item, value) or 0 for item in getattr(analysis, kind)] for analysis in (one, other)]
        np.testing.assert_allclose(*values, rtol=tolerance)
    np.testing.assert_allclose(one.cam, other.cam, atol=2 * switched)
    np.testing.assert_allclose(one.features, other.features, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("name", ["resnet20", "plain20", "resnet18", "resnext50_32x4d", "highway20", "preresnet20"])
def test_a_batch_is_its_photos_one_by_one(name):
    model = make_model(name)
    for whole, photo in zip(analyze_batch(photos(3), model, Question(layer="layer2")), photos(3), strict=True):
        assert_same(whole, analyze(photo, model, layer="layer2"))


def test_photos_do_not_mix_in_an_untrained_network():
    model = load_model("resnet20.untrained", "cpu")
    for whole, photo in zip(analyze_batch(photos(3), model, Question(2)), photos(3), strict=True):
        assert_same(whole, analyze(photo, model, 2))


def test_files_come_back_in_order_and_a_bad_one_in_its_place(folder, monkeypatch):
    (folder / "2.png").write_bytes(b"no image")
    model, passes = make_model("resnet20"), []
    batch = many.analyze_batch
    monkeypatch.setattr(
        many, "analyze_batch", lambda images, *a, **k: passes.append(len(images)) or batch(images, *a, **k)
    )
    files = sorted(folder.iterdir())
    found = list(analyze_files(files, model, batch_size=3))
    assert [file for file, _ in found] == files
    assert [isinstance(result, InputError) for _, result in found] == [False, False, True, False, False]
    assert passes == [2, 2]
    for file, result in found:
        if file.name != "2.png":
            assert_same(result.analysis, analyze(file, model))


def test_small_photos_share_a_pass_and_large_ones_do_not():
    assert (default_batch(make_model("resnet20", size=32)), default_batch(make_model("resnet18", size=224))) == (32, 1)


def test_a_wrong_target_is_one_sentence(folder):
    with pytest.raises(InputError, match="No class is called 'zebra'"):
        list(analyze_files(sorted(folder.iterdir()), make_model("resnet20"), Question("zebra")))


def results(output):
    return {path.name: path.stat().st_mtime_ns for path in output.glob("*.json")}


@pytest.fixture
def empty_plots(monkeypatch):
    """Drawing takes longer than the analysis, and what a plot shows is no matter for reruns."""
    monkeypatch.setattr("resnet_demo.plots.report_figure", lambda analysis: Figure((1, 1)))


@pytest.mark.usefixtures("empty_plots")
def test_a_rerun_does_only_what_is_missing(run, folder, tmp_path):
    ask = ("analyze", folder, "--model", "resnet20.untrained", "--output", tmp_path / "out", "--json")
    first = run(*ask)
    before = results(tmp_path / "out")
    assert len(before) == 5
    (tmp_path / "out" / "3.json").unlink()
    (tmp_path / "out" / "4.json").write_text('{"image": "cut of')
    again = run(*ask)
    after = results(tmp_path / "out")
    assert {name for name in after if after[name] == before[name]} == {"0.json", "1.json", "2.json"}
    lines = [{json.loads(line)["image"] for line in text.splitlines()} for text in (first.out, again.out)]
    assert lines[0] == lines[1] == {str(file) for file in folder.iterdir()}
    assert [path.name for path in (tmp_path / "out").glob("*.partial")] == []


@pytest.mark.usefixtures("empty_plots")
def test_another_question_or_another_photo_is_answered_anew(run, folder, tmp_path):
    ask = ("analyze", folder, "--model", "resnet20.untrained", "--output", tmp_path / "out", "--target", "3")
    run(*ask)
    before = results(tmp_path / "out")
    Image.new("RGB", (50, 50), "red").save(folder / "1.png")
    os.utime(folder / "1.png", ns=(10**18, 10**18))  # Older than the previous file.
    (tmp_path / "out" / "2.plot.png").unlink()
    run(*ask)
    after = results(tmp_path / "out")
    assert {name for name in after if after[name] != before[name]} == {"1.json", "2.json"}
    run(*ask[:-1], "4")
    assert all(json.loads(path.read_text())["target"]["index"] == 4 for path in (tmp_path / "out").glob("*.json"))


@pytest.mark.usefixtures("empty_plots")
def test_the_order_is_that_of_the_files_whatever_is_known(run, folder, tmp_path):
    ask = ("analyze", folder, "--model", "resnet20.untrained", "--output", tmp_path / "out", "--json")
    run(*ask)
    for name in ("0", "3"):
        (tmp_path / "out" / f"{name}.json").unlink()
    images = [Path(json.loads(line)["image"]).name for line in run(*ask).out.splitlines()]
    assert images == [f"{i}.png" for i in range(5)]


def test_a_typo_is_told_at_once_in_a_faster_precision_too(run, folder):
    wrong = run("analyze", folder, "--model", "resnet20.untrained", "--precision", "bfloat16", "--layer", "lyaer3")
    assert wrong.code == 2
    assert "There is no layer 'lyaer3'" in wrong.err


def in_two_processes(folder, where, output):
    launcher = ("-m", "torch.distributed.run", "--nproc-per-node", "2", "--master-port", str(free_port()))
    ask = ("-m", "resnet_demo", "analyze", folder, "--model", "resnet20.untrained", "--device", "cpu", "--json")
    command = [sys.executable, *launcher, *map(str, ask), "--output", str(output)]
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, cwd=where)


@pytest.mark.usefixtures("empty_plots")
def test_two_processes_do_each_missing_photo_once_and_a_bad_one_ends_neither(run, folder, tmp_path):
    files, out = sorted(folder.iterdir()), tmp_path / "out"
    some = tmp_path / "some"
    some.mkdir()
    for file in files[:2]:
        file.rename(some / file.name)
    run("analyze", folder, "--model", "resnet20.untrained", "--output", out)
    first = results(out)
    assert len(first) == 3
    for file in files[:2]:
        (some / file.name).rename(file)
    (folder / "0.png").write_bytes(b"no image")

    done = in_two_processes(folder, tmp_path, out)
    assert done.returncode == 1, done.stderr
    assert "0.png is not an image" in done.stderr
    assert images_of(done.stdout) == [str(file) for file in files[1:]]
    second = results(out)
    assert second.keys() - first.keys() == {"1.json"}
    assert second.items() >= first.items()
    values = json.loads((out / "1.json").read_text())
    alone = analyze(values["image"], "resnet20.untrained").to_dict()
    norms = [[layer["gradient_norm"] for layer in found["gradients"]] for found in (values, alone)]
    np.testing.assert_allclose(*norms, rtol=5e-3)  # One thread there, several here: see `assert_same`.


def images_of(lines):
    return sorted(json.loads(line)["image"] for line in lines.splitlines())


def test_a_faster_precision_tells_its_error(run, folder):
    ask = ("analyze", folder / "0.png", "--model", "resnet20.untrained")
    faster = run(*ask, "--precision", "bfloat16", "--json")
    assert (faster.code, json.loads(faster.out)["precision"]) == (0, "bfloat16")
    assert "differ from float32 by up to" in faster.err
    wrong = run(*ask, "--precision", "float8")
    assert (wrong.code, wrong.out) == (2, "")
    assert "choose float32 or bfloat16" in wrong.err
