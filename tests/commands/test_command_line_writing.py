"""Files that the command line writes, and errors in writing: long and strange names, invalid folders, full disks."""

import json
import os
from pathlib import Path

import pytest
from matplotlib.figure import Figure

from resnet_demo.commands.results_of_photos import stems_of
from tests.pictures import save_photo

pytestmark = pytest.mark.usefixtures("own_folders")

MODEL = "resnet20.untrained"


@pytest.fixture(autouse=True)
def empty_plots(monkeypatch):
    """What a plot shows is no matter here, and drawing it takes longer than the analysis."""
    for name in ("report_figure", "compare_figure"):
        monkeypatch.setattr(f"resnet_demo.plots.{name}", lambda *what: Figure((1, 1)))


# 249 letters, 248 and 250 bytes.
LONG = ("x" * 249, "\N{LATIN SMALL LETTER A WITH DIAERESIS}" * 124, "a" + "\N{SNOWMAN}" * 83)


@pytest.mark.parametrize("options", [[], ["--compare", "plain8.untrained"]], ids=["analyzed", "compared"])
def test_a_long_name_does_not_stop_the_rest(run, tmp_path, options):
    files = [save_photo(tmp_path / "photos" / f"{name}.png") for name in ("a", *LONG)]
    result = run("analyze", tmp_path / "photos", "--model", "resnet8.untrained", "--output", tmp_path / "out", *options)
    assert (result.code, result.err) == (0, "")
    assert len(list((tmp_path / "out").iterdir())) == (7 if options else 3) * len(files)


def test_shortened_names_are_always_the_same_and_nobody_elses():
    names = [f"{start}{name[:-3]}{end}" for name in LONG for start in ("", "b") for end in ("", "1", "2")]
    files = [Path(folder) / f"{name}.png" for folder in ("one", "other") for name in names]
    stems = stems_of(files)
    assert len(set(stems.values())) == len(files)
    assert stems_of(files[3:7]) == {file: stems[file] for file in files[3:7]}
    for file, stem in stems.items():
        assert len(os.fsencode(f"{stem}.preresnet110-nonorm-sigmoid-xavier.untrained.overlay.png")) <= 255
        assert stem.startswith(file.stem[:40])
    assert stems_of([Path("short.png")]) == {Path("short.png"): "short"}


@pytest.mark.parametrize("compared", [False, True])
def test_results_of_one_photo_that_cannot_be_written_stop_no_other(
    run, tmp_path, photo, compared, assert_clear_sentence
):
    other, out = save_photo(tmp_path / "photos" / "zebra.png"), tmp_path / "out"
    options = ["--compare", "plain20.untrained"] if compared else []
    blocked = out / (f"photo.{MODEL}.json" if compared else "photo.json")
    blocked.mkdir(parents=True)
    result = run("analyze", photo, other, "--model", MODEL, "--output", out, *options)
    assert result.code == 1
    assert result.err == f"{photo}: {blocked} cannot be written: Is a directory.\n"
    assert (out / (f"zebra.{MODEL}.json" if compared else "zebra.json")).is_file()
    assert str(other) in result.out


def test_a_full_disk_is_told_photo_by_photo(run, tmp_path, photo):
    out = tmp_path / "out"
    out.mkdir()
    (out / "photo.plot.png").symlink_to("/dev/full")
    result = run("analyze", photo, "--model", MODEL, "--output", out)
    assert (result.code, "cannot be written: No space left on device." in result.err) == (1, True)
    assert not (out / "photo.json").exists()


PLACES = {
    "flow onto a folder": (("gradient-flow", "resnet8", "--output", "EMPTY"), "is a folder: give the name of a file"),
    "flow into nowhere": (("gradient-flow", "resnet8", "--output", "GONE/x.png"), "There is no folder"),
    "flow onto a full disk": (("gradient-flow", "resnet8", "--output", "FULL"), "No space left on device"),
    "lesion onto a file": (("lesion", "resnet20.cifar10", "--out", "PHOTO"), "cannot be created"),
    "lesion into a file": (("lesion", "resnet20.cifar10", "--out", "PHOTO/x"), "cannot be created"),
    "training into a file": (("train", "resnet8", "--data", "NPZ", "--out", "PHOTO/x"), "cannot be created"),
    "analysis into a file": (
        (*("analyze", "PHOTO", "--model", MODEL), "--output", "PHOTO/x"),
        "cannot be created",
    ),
    "photo with a name too long": (("analyze", "x" * 300, "--model", MODEL), "File name too long"),
    "data with a name too long": (("evaluate", "resnet20.cifar10", "--data", "x" * 300), "give --data an .npz"),
}


@pytest.mark.parametrize("place", PLACES)
def test_a_place_that_cannot_be_written_is_one_sentence(
    run, tmp_path, photo, npz, shipped, assert_clear_sentence, place
):
    (tmp_path / "empty").mkdir()
    (tmp_path / "full.png").symlink_to("/dev/full")
    arguments, part = PLACES[place]
    places = {"PHOTO": photo, "NPZ": npz, "EMPTY": tmp_path / "empty", "GONE": tmp_path / "gone"}
    places |= {"FULL": tmp_path / "full.png"}
    heads, tails = zip(*(word.partition("/")[::2] for word in arguments), strict=True)
    given = [places[head] / tail if head in places else head for head, tail in zip(heads, tails, strict=True)]
    result = run(*given)
    assert (result.code in (1, 2), result.out) == (True, "")
    assert part in result.err
    assert result.err.count("\n") == 1
    assert_clear_sentence(result.err.rstrip("\n"), paths=[*places.values(), tmp_path / "torch" / "datasets"])


ESCAPE = "\x1b[31m\x07[bold]\r\n\N{RIGHT-TO-LEFT OVERRIDE}"


def test_control_characters_of_names_are_spelled_out(run, tmp_path, shipped):
    good, bad = save_photo(tmp_path / f"good{ESCAPE}.png"), tmp_path / f"bad{ESCAPE}.png"
    bad.write_bytes(b"no picture")
    result = run("analyze", good, bad, "--model", MODEL, "--output", tmp_path / f"out{ESCAPE}")
    assert result.code == 1
    told = run("analyze", tmp_path / f"none{ESCAPE}", "--model", ESCAPE * 100).err
    flow = run("gradient-flow", ESCAPE * 100, "--output", tmp_path / f"flow{ESCAPE}.png").err
    for text in (result.out, result.err, told, flow):
        assert r"\x1b[31m\x07[bold]\r\n" in text
        assert all(line.isprintable() for line in text.split("\n"))
    assert max(len(told), len(flow)) < 1000
    # JSON has its own escapes and preserves the name.
    line = json.loads(run("analyze", good, "--model", MODEL, "--json").out)
    assert line["image"] == str(good)


def test_control_characters_of_cards_are_spelled_out(run, tmp_path, photo, shipped):
    path = shipped / "resnet20.cifar10.json"
    values = json.loads(path.read_text())
    values["classes"] = [f"{ESCAPE}{i}" for i in range(10)]
    path.write_text(json.dumps(values))
    assert r"\x1b[31m" in run("analyze", photo, "--model", "resnet20.cifar10").out
    (tmp_path / "run").mkdir()
    text = json.dumps(values | {"name": f"resnet20{ESCAPE}.x", "recipe": {"name": ESCAPE}})
    (tmp_path / "run" / "resnet20.x.json").write_text(text)
    table = run("results", tmp_path / "run").out
    assert (r"\x1b[31m" in table, "\x1b" in table) == (True, False)


@pytest.mark.parametrize("inside", [".", "out"])
@pytest.mark.parametrize("options", [[], ["--compare", "plain8.untrained"]], ids=["analyzed", "compared"])
def test_a_rerun_takes_no_picture_that_it_has_written_for_a_photo(run, tmp_path, inside, options):
    photos = tmp_path / "photos"
    save_photo(photos / "photo.png")
    command = ("analyze", photos, "--model", "resnet8.untrained", "--output", photos / inside, *options)
    assert run(*command).code == 0
    written = sorted(photos.rglob("*"))
    assert run(*command).code == 0
    assert sorted(photos.rglob("*")) == written


@pytest.mark.parametrize("options", [[], ["--compare", "plain8.untrained"]], ids=["analyzed", "compared"])
def test_another_photo_of_the_same_name_replaces_no_results(run, tmp_path, options):
    out, suffix = tmp_path / "out", ".resnet8.untrained" if options else ""
    sizes = {"one": (64, 32), "other": (32, 64)}
    for folder, size in sizes.items():
        save_photo(tmp_path / folder / "photo.png", size)
    for folder in (*sizes, *sizes):  # Twice, as a rerun finds its own.
        command = ("analyze", tmp_path / folder, "--model", "resnet8.untrained", "--output", out, *options)
        assert run(*command).code == 0
    names = {json.loads(path.read_text())["image"]: path.name for path in out.glob(f"*{suffix}.json")}
    found = {folder: names.get(str(tmp_path / folder / "photo.png")) for folder in sizes}
    assert found == {"one": f"photo{suffix}.json", "other": f"photo-2{suffix}.json"}
    assert len(list(out.iterdir())) == 2 * (7 if options else 3)


def test_a_photo_that_was_moved_keeps_its_results(run, tmp_path):
    out, there = tmp_path / "out", tmp_path / "there"
    save_photo(tmp_path / "here" / "photo.png")
    assert run("analyze", tmp_path / "here", "--model", MODEL, "--output", out).code == 0
    (tmp_path / "here").rename(there)
    assert run("analyze", there, "--model", MODEL, "--output", out).code == 0
    assert len(list(out.iterdir())) == 3
    assert json.loads((out / "photo.json").read_text())["image"] == str(there / "photo.png")


def test_pictures_of_an_interrupted_rewrite_are_not_taken_for_those_that_were_asked_for(
    run, tmp_path, photo, monkeypatch
):
    out = tmp_path / "out"
    command = ("analyze", photo, "--model", "resnet20.cifar10", "--output", out)
    assert run(*command).code == 0
    right = (out / "photo.overlay.png").read_bytes()

    def stopped(analysis):
        raise KeyboardInterrupt

    with monkeypatch.context() as interrupted:
        interrupted.setattr("resnet_demo.plots.report_figure", stopped)
        assert run(*command, "--target", "1", "--layer", "layer1").code != 0
    assert (out / "photo.overlay.png").read_bytes() != right
    assert run(*command).code == 0
    assert (out / "photo.overlay.png").read_bytes() == right
