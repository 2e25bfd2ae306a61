"""The command line, through the function that `python -m resnet_demo` calls; in a few tests as its own process."""

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from resnet_demo.zoo import list_models
from tests.pictures import encode, quadrants, save_photo

pytestmark = pytest.mark.usefixtures("own_folders")

ROOT = Path(__file__).parents[2]
MODEL = "resnet20.untrained"
LAYERS = ["conv1", *(f"layer{s}.{b}.conv{c}" for s in (1, 2, 3) for b in (0, 1, 2) for c in (1, 2)), "fc"]
STAGES = ["stem", *(f"layer{s}" for s in (1, 2, 3) for _ in range(6)), "fc"]


def json_lines(text):
    return [json.loads(line) for line in text.splitlines()]


def test_help_names_every_command(run):
    result = run("--help")
    assert result.code == 0
    for command in ("models", "analyze", "evaluate", "train", "download"):
        assert f" {command} " in result.out
        helped = run(command, "--help")
        assert (helped.code, helped.err) == (0, "")
        assert "Usage:" in helped.out


def test_models_lists_the_whole_catalogue(run, shipped):
    table = run("models").out
    rows = {row["name"]: row for row in json.loads(run("models", "--json").out)}
    assert list(rows) == [entry.name for entry in list_models()]
    assert all(name in table for name in rows)
    ours = {
        "name": "resnet20.cifar10",
        "state": "shipped",
        "parameters": 269_722,
        "test_error": 90.0,
        "made_from": None,
    }
    assert rows["resnet20.cifar10"] == ours
    assert "plain20.cifar10" not in rows
    assert rows["resnet18.tv_in1k"]["state"] == "45 MB to fetch"
    assert rows["resnet18.tv_in1k"]["test_error"] == pytest.approx(30.242)
    assert rows["resnet18.untrained"]["state"] == "untrained"


def test_analyze_prints_the_top_five_and_the_gradient(run, photo, shipped):
    result = run("analyze", photo, "--model", "resnet20.cifar10", "--device", "cpu")
    first, *predictions, last = result.out.splitlines()
    assert (result.code, result.err) == (0, "")
    assert first.startswith(f"{photo}  resnet20.cifar10, cpu, ")
    assert len([line for line in predictions if " % " in line]) == 5
    assert last.startswith("  gradient norm ")


def test_analyze_gives_json_with_everything(run, photo, shipped):
    result = run("analyze", photo, "--model", "resnet20.cifar10", "--device", "cpu", "--json")
    assert (result.code, result.err) == (0, "")
    (values,) = json_lines(result.out)
    assert (values["image"], values["model"], values["device"]) == (str(photo), "resnet20.cifar10", "cpu")
    chances = [prediction["probability"] for prediction in values["predictions"]]
    assert len(chances) == 5
    assert chances == sorted(chances, reverse=True)
    assert values["target"].keys() == {"index", "label", "logit", "probability"}
    assert values["target"]["index"] == values["predictions"][0]["index"]
    assert values["layer"] == "layer3.2"
    assert values["cam"]["shape"] == [8, 8] == list(np.shape(values["cam"]["values"]))
    assert values["cam"]["positive_evidence"] == (values["cam"]["max"] > 0)
    assert values["milliseconds"]["total"] > 0


def test_json_has_every_layer_in_forward_order(run, photo):
    gradients = json_lines(run("analyze", photo, "--model", MODEL, "--json").out)[0]["gradients"]
    assert [gradient["layer"] for gradient in gradients] == LAYERS
    assert [gradient["stage"] for gradient in gradients] == STAGES
    assert [gradients[i]["shape"] for i in (0, 1, 7, 19)] == [[16, 3, 3, 3], [16, 16, 3, 3], [32, 16, 3, 3], [10, 64]]
    assert all(gradient["gradient_norm"] > 0 and gradient["weight_norm"] > 0 for gradient in gradients)
    assert [gradient["response_std"] is None for gradient in gradients] == [False] * 19 + [True]


def test_target_and_layer_are_obeyed(run, photo, shipped):
    options = ("--model", "resnet20.cifar10", "--json", "--layer", "layer2")
    by_label = json_lines(run("analyze", photo, *options, "--target", "Cat").out)[0]
    by_index = json_lines(run("analyze", photo, *options, "--target", "3").out)[0]
    for values in (by_label, by_index):
        assert (values["target"]["index"], values["target"]["label"]) == (3, "cat")
        assert (values["layer"], values["cam"]["shape"]) == ("layer2.2", [16, 16])
    assert by_label["gradients"] == by_index["gradients"]


def test_an_untrained_model_predicts_nothing(run, photo):
    assert json_lines(run("analyze", photo, "--model", MODEL, "--json").out)[0]["predictions"] == []
    assert " % " not in run("analyze", photo, "--model", MODEL).out


def test_a_folder_means_the_images_in_it(run, tmp_path):
    files = [save_photo(tmp_path / "trip" / name) for name in ("d.png", "b.JPG", "f.gif", "a/g.webp", "e.bmp", "c.tif")]
    (tmp_path / "trip" / "notes.txt").write_text("no image")
    result = run("analyze", tmp_path / "trip", "--model", MODEL, "--json")
    assert (result.code, result.err) == (0, "")
    assert [line["image"] for line in json_lines(result.out)] == [str(file) for file in sorted(files)]


def test_a_bad_file_is_reported_and_the_others_are_done(run, tmp_path, photo, assert_clear_sentence):
    bad, missing, last = tmp_path / "bad.jpg", tmp_path / "missing.png", save_photo(tmp_path / "last.png")
    bad.write_text("not a photo")
    result = run("analyze", photo, bad, missing, last, "--model", MODEL, "--json")
    assert result.code == 1
    assert [line["image"] for line in json_lines(result.out)] == [str(photo), str(last)]
    for line, file in zip(result.err.splitlines(), (bad, missing), strict=True):
        assert line.startswith(f"{file}: {file.name} ")
        assert_clear_sentence(line, paths=[file])


def test_output_holds_an_overlay_a_plot_and_json_for_every_image(run, tmp_path, photo):
    same_name = save_photo(tmp_path / "other" / "photo.png", size=(40, 50))
    same_stem, numbered = save_photo(tmp_path / "photos" / "photo.jpg"), save_photo(tmp_path / "photo-2.png")
    files = [photo, same_name, same_stem, numbered]
    result = run("analyze", *files, "--model", MODEL, "--output", tmp_path / "new" / "results")
    assert (result.code, result.err) == (0, "")
    written = sorted((tmp_path / "new" / "results").iterdir())
    assert len(written) == 3 * len(files)
    results = {json.loads(file.read_text())["image"]: file for file in written if file.suffix == ".json"}
    assert results.keys() == {str(file) for file in files}
    for image, file in results.items():
        with Image.open(image) as original, Image.open(file.with_suffix(".overlay.png")) as overlay:
            assert overlay.size == original.size
        with Image.open(file.with_suffix(".plot.png")) as plot:
            assert plot.width > 1000


ANALYZE = ("analyze", "PHOTO", "--model", MODEL)
WRONG = {
    "model": ((*ANALYZE[:2], "--model", "resnet21"), "no model 'resnet21'. Did you mean"),
    "model like no other": (
        (*ANALYZE[:2], "--model", "nonsense"), "There is no model 'nonsense'. `python -m resnet_demo models` lists them"
    ),
    "architecture": ((*ANALYZE[:2], "--model", "resnet57.untrained"), "CIFAR depths are 6n+2"),
    "untrained weights": ((*ANALYZE[:2], "--model", "plain20.cifar10"), "pick plain20.untrained"),
    "layer": ((*ANALYZE, "--layer", "layer9"), "choose one of stem, layer1.0"),
    "label": ((*ANALYZE, "--target", "zebra"), "No class is called 'zebra'"),
    "number that is none": ((*ANALYZE, "--target", "²"), "No class is called '²'"),
    "double minus": ((*ANALYZE, "--target=--5"), "No class is called '--5'"),
    "index": ((*ANALYZE, "--target", "10"), "an index from 0 to 9"),
    "device": ((*ANALYZE, "--device", "toaster"), "no device 'toaster' here"),
    "device without values": ((*ANALYZE, "--device", "meta"), "no device 'meta' here"),
    "output": ((*ANALYZE, "--output", "PHOTO"), "cannot be created"),
    "folder without images": (("analyze", "EMPTY", "--model", MODEL), "holds no images"),
    "evaluation of nothing": (("evaluate", MODEL), "pick a trained model"),
    "evaluation data": (("evaluate", "resnet20.cifar10", "--data", "GONE"), "give --data an .npz"),
    "training data": (("train", "resnet8", "--data", "GONE"), "give --data an .npz"),
    "training data of no kind": (("train", "resnet8", "--data", "PHOTO"), "is not an .npz with train_x"),
    "training folder": (("train", "resnet8", "--data", "EMPTY"), "There are no images in"),
    "data set": (("train", "resnet8", "--dataset", "mnist"), "for mnist give --data"),
    "data set offline": (("train", "resnet8", "--offline"), "Connect to the internet, or give --data"),
    "folder for weights": (("train", "resnet8", "--data", "NPZ", "--out", "PHOTO"), "cannot be created"),
    "download offline": (
        ("download", "resnet18.tv_in1k", "--offline"), "run `python -m resnet_demo download resnet18.tv_in1k` once"
    ),
    "download of what is not there": (("download", "resnet1.tv_in1k"), "no model 'resnet1.tv_in1k'"),
    "download of nothing": (("download",), "Name the models to download"),
}  # fmt: skip


@pytest.mark.parametrize("wrong", WRONG)
def test_a_wrong_choice_is_one_clear_sentence(run, tmp_path, photo, npz, shipped, assert_clear_sentence, wrong):
    (tmp_path / "empty").mkdir()
    places = {"PHOTO": photo, "NPZ": npz, "EMPTY": tmp_path / "empty", "GONE": tmp_path / "gone"}
    arguments, part = WRONG[wrong]
    result = run(*(places.get(argument, argument) for argument in arguments))
    assert (result.code in (1, 2), result.out) == (True, "")
    assert part in result.err
    assert result.err.count("\n") == 1
    assert_clear_sentence(result.err.rstrip("\n"), paths=[*places.values(), tmp_path / "torch" / "datasets"])


def test_download_knows_what_needs_no_download(run, tmp_path):
    cached = tmp_path / "cache" / "resnet18-f37072fd.pth"
    cached.parent.mkdir()
    cached.touch()
    result = run("download", MODEL, "resnet18.tv_in1k", "--offline")
    assert result.code == 0
    assert result.out.splitlines() == [f"{MODEL}: nothing to fetch", f"resnet18.tv_in1k: {cached}"]


def test_two_networks_are_compared(run, photo, tmp_path):
    options = ("--model", "resnet20.cifar10", "--compare", "plain20.cifar10", "--target", "dog")
    values = json.loads(run("analyze", photo, *options, "--json", "--output", tmp_path / "out").out)
    assert [values[side]["model"] for side in ("first", "second")] == ["resnet20.cifar10", "plain20.cifar10"]
    assert {values[side]["target"]["label"] for side in ("first", "second")} == {"dog"}
    assert (tmp_path / "out" / "photo.compare.png").exists()
    assert run("analyze", photo, *options).out.count("gradient norm") == 2


def test_gradient_flow_is_tabulated(run, tmp_path):
    result = run("gradient-flow", "resnet8", "plain8-nonorm", "--output", tmp_path / "flow.png")
    assert (result.code, "plain8-nonorm" in result.out, (tmp_path / "flow.png").exists()) == (0, True, True)
    flows = json.loads(run("gradient-flow", "resnet8", "--json").out)
    assert [layer["layer"] for layer in flows[0]["layers"]][::7] == ["conv1", "fc"]
    assert run("gradient-flow", "resnet9").code == 2


def with_ten_classes(npz, folder):
    with np.load(npz) as arrays:
        np.savez(folder / "ten.npz", **dict(arrays) | {"classes": np.array([f"class {i}" for i in range(10)])})
    return folder / "ten.npz"


def test_lesions_are_measured_and_kept(run, tmp_path, npz, shipped):
    data = with_ten_classes(npz, tmp_path)
    result = run("lesion", "resnet20.cifar10", "--data", data, "--out", tmp_path / "studies")
    assert result.code == 0
    study = json.loads((tmp_path / "studies" / "resnet20.cifar10.lesion.json").read_text())
    assert (study["images"], len(study["errors"])) == (20, 9)
    assert study["several_images"] == 2
    assert {count: len(draws) for count, draws in study["several"].items()} == {str(count): 5 for count in range(2, 9)}
    wrong = run("lesion", "resnet20.untrained", "--data", data)
    assert (wrong.code, "was not trained by this project" in wrong.err) == (2, True)


def test_gradients_after_training_are_measured_and_kept(run, tmp_path, npz, shipped):
    data, name = with_ten_classes(npz, tmp_path), "resnet20.cifar10"
    result = run("trained-flow", name, "--data", data, "--images", 6, "--out", tmp_path / "flows")
    assert (result.code, "gradient norm" in result.out) == (0, True)
    study = json.loads((tmp_path / "flows" / f"{name}.flow.json").read_text())
    assert (study["images"], len(study["layers"])) == (6, 20)
    wrong = run("trained-flow", "resnet20.untrained", "--data", data)
    assert (wrong.code, "was not trained by this project" in wrong.err) == (2, True)


def test_a_landscape_is_measured_row_by_row_and_goes_on_where_it_was_stopped(run, tmp_path, npz, shipped):
    data, name = with_ten_classes(npz, tmp_path), "resnet20.cifar10"
    measure = ("landscape", name, "--data", data, "--size", 3, "--images", 6, "--out", tmp_path)
    assert run(*measure).code == 0
    path = tmp_path / f"{name}.landscape.json"
    whole = json.loads(path.read_text())
    assert (whole["images"], len(whole["loss"]), len(whole["error"])) == (6, 3, 3)
    begun = tmp_path / "begun" / path.name
    assert not begun.exists()
    # Stopped after a row: what is there is kept, even if it is wrong, and the rest is measured.
    path.rename(begun)
    begun.write_text(json.dumps(whole | {"loss": [[7.0] * 3], "error": [[7.0] * 3]}))
    assert run(*measure).code == 0
    again = json.loads(path.read_text())
    assert again["loss"] == [[7.0] * 3, *whole["loss"][1:]]
    # What is complete is not measured again, and stays while another plane is.
    changed = path.stat().st_mtime_ns
    assert run(*measure).code == 0
    assert path.stat().st_mtime_ns == changed
    assert run(*measure, "--seed", 1).code == 0
    other = json.loads(path.read_text())
    assert other["loss"][0] not in (whole["loss"][0], [7.0] * 3)
    assert other["loss"][1][1] == pytest.approx(whole["loss"][1][1])
    for option, value in (("--size", 4), ("--reach", "nan"), ("--seed", 2**64)):
        assert run(*measure, option, value).code == 2


@pytest.mark.parametrize("command", [("train", "resnet8"), ("gradient-flow", "plain8"), ("race", "resnet8")])
def test_a_seed_that_no_card_could_keep_is_refused_at_once(run, tmp_path, command):
    result = run(*command, "--seed", 10**12)
    assert (result.code, "4294967295" in result.err) == (2, True)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes with names")
def test_a_pipe_or_a_device_among_the_photos_is_reported_or_passed_over(run, tmp_path, photo):
    folder = photo.parent / "mixed"
    kept = save_photo(folder / "kept.png")
    os.mkfifo(folder / "pipe.jpg")
    (folder / "zero.jpg").symlink_to("/dev/zero")
    result = run("analyze", folder, "--model", MODEL, "--json")
    assert (result.code, [line["image"] for line in json_lines(result.out)]) == (0, [str(kept)])
    result = run("analyze", folder / "pipe.jpg", folder / "zero.jpg", "--model", MODEL, "--json")
    assert result.code == 1
    assert result.err.count("cannot be read: It is a device or a pipe and not a file.") == 2


def test_a_process_keeps_stderr_to_its_own_sentences(run_process, tmp_path, photo):
    """Warnings of Pillow and torch about such files must not reach the output."""
    huge, broken = tmp_path / "huge.png", tmp_path / "broken.jpg"
    Image.new("1", (12_000, 12_000)).save(huge)
    damaged_exif = b"Exif\0\0MM\0\x2a\0\0\0\x08\xff\xff" + b"\x01\x12\0\x99" * 20
    broken.write_bytes(encode(quadrants(), "JPEG", exif=damaged_exif)[:-10])
    result = run_process("analyze", photo, huge, broken, "--model", MODEL, "--json")
    assert result.returncode == 1
    assert json.loads(result.stdout)["image"] == str(photo)
    assert result.stderr.decode().splitlines() == [
        f"{huge}: huge.png has more than 40 million pixels: send a smaller version of it, or a JPEG.",
        f"{broken}: broken.jpg is damaged or incomplete and cannot be decoded: send it again.",
    ]


@pytest.mark.skipif(sys.platform != "linux", reason="other systems cannot play a full disk")
@pytest.mark.parametrize("form", [[], ["--json"]])
def test_a_process_whose_output_does_not_fit_on_the_disk_says_so(form):
    line = [sys.executable, "-m", "resnet_demo", "results", *form]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with Path("/dev/full").open("w") as full:
        result = subprocess.run(line, stdout=full, stderr=subprocess.PIPE, env=environment, timeout=120, check=False)
    assert result.returncode == 2
    assert result.stderr == b"The output could not be written in full: No space left on device.\n"


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no such file names")
@pytest.mark.parametrize("form", ["text", "json"])
def test_file_names_that_the_output_cannot_spell_are_survived(run, run_process, tmp_path, monkeypatch, form):
    odd = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.png"))
    files = [
        save_photo(tmp_path / "\N{LATIN SMALL LETTER E WITH ACUTE}.png"),
        save_photo(tmp_path / "photo.png").rename(odd),
    ]
    command = ("analyze", *files, "--model", MODEL)
    if form == "json":
        written = io.BytesIO()
        monkeypatch.setattr("sys.stdout", io.TextIOWrapper(written, "ascii", "strict"))
        result = run(*command, "--json")
        assert (result.code, result.err) == (0, "")
        assert [line["image"] for line in json_lines(written.getvalue())] == [str(file) for file in files]
    else:
        result = run_process(*command, PYTHONIOENCODING="ascii:strict")
        assert (result.returncode, result.stderr) == (0, b"")
        assert [name in result.stdout for name in (rb"/\xe9.png  ", rb"/caf\udce9.png  ")] == [True, True]
