"""A damaged card or study is reported in one sentence and affects nothing else."""

import json
import logging
import os
import shutil
from dataclasses import asdict, replace

import pytest

from resnet_demo import load_model
from resnet_demo.errors import InputError
from resnet_demo.laboratory.studies import find_study, folder_of, read_study, write_study
from resnet_demo.networks import parse_name
from resnet_demo.networks.architecture import block_summaries
from resnet_demo.records import LesionStudy
from resnet_demo.ui import build_page
from resnet_demo.ui.choices import available
from resnet_demo.zoo import Card, Catalogue, ModelCache, find_entry, list_models, open_catalogue, paths, weight_state
from resnet_demo.zoo.results import all_results, missing, read_cards, trained_cards

pytestmark = pytest.mark.usefixtures("own_folders")

NAME = "resnet20.cifar10"
EPOCH = {"epoch": 1, "learning_rate": 0.1, "train_loss": 1.0, "train_error": 5.0, "test_error": 5.0, "seconds": 1.0}
# Name: the change of a valid card, and a part of the error message.
WRONG = {
    "a word for a number": ({"epochs": "many"}, "epochs is 'many'"),
    "half an epoch": ({"epochs": 1.5}, "epochs is '1.5'"),
    "no epoch": ({"epochs": 0}, "epochs"),
    "true": ({"seed": True}, "seed"),
    "seven means": ({"mean": [0.5] * 7}, "mean"),
    "two channels": (
        {"mean": [0.5] * 2, "std": [0.2] * 2, "network": asdict(parse_name("resnet20", in_channels=2))},
        "mean",
    ),
    "a mean beyond white": ({"mean": [0.5, 0.5, 5.0]}, "mean"),
    "no deviation": ({"std": [0.0, 0.2, 0.2]}, "std"),
    "classes without names": ({"classes": list(range(10))}, "classes"),
    "too few classes": ({"classes": ["a", "b"]}, "classes"),
    "not a number": ({"test_error": float("nan")}, "NaN"),
    "infinite": ({"train_error": float("inf")}, "Infinity"),
    "an error of more than all": ({"test_error": 101.0}, "percentages"),
    "a number beyond all bounds": ({"parameters": 10**400}, "parameters"),
    "a negative size": ({"input_size": -32}, "input_size"),
    "a size of a billion": ({"input_size": 10**9}, "input_size"),
    "a crop larger than the photo": ({"resize": 16}, "resize"),
    "a network that is none": ({"network": {"depth": 20}}, "network"),
    "a depth in words": ({"network": {"depth": "twenty"}}, "network"),
    "another network": ({"name": "plain20.cifar10"}, "another network"),
    "a curve of words": ({"curve": [EPOCH | {"test_error": "low"}]}, "test_error is 'low'"),
    "a curve of lists": ({"curve": [[1, 2]]}, "JSON object"),
    "a hash that is a list": ({"sha256": []}, "sha256"),
    "a recipe without a name": ({"recipe": {"name": ["fast"]}}, "recipe"),
    "no title": ({"dataset_title": ""}, "dataset_title"),
    "strange signs": ({"epochs": "\x1b[2J" * 1000}, r"epochs is '\x1b[2J"),
}


def broken(path, kind):
    """Replaces a valid card by something else."""
    values = json.loads(path.read_text())
    path.unlink()
    if kind in WRONG:
        path.write_text(json.dumps(values | WRONG[kind][0]))
    elif kind == "a folder":
        path.mkdir()
    elif kind == "a link to itself":
        path.symlink_to(path.name)
    elif kind == "a device":
        path.symlink_to("/dev/zero")
    elif kind == "a pipe":
        os.mkfifo(path)
    else:
        path.write_bytes({"no text": b"\xff\xfe", "half": b'{"name": ', "deep": b"[" * 100_000, "list": b"[]"}[kind])


KINDS = [*WRONG, "a folder", "a link to itself", "a device", "a pipe", "no text", "half", "deep", "list"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_broken_card_is_named_and_the_rest_goes_on(shipped, caplog, assert_clear_sentence, kind):
    broken(shipped / f"{NAME}.json", kind)
    catalogue = open_catalogue()
    assert NAME not in {entry.name for entry in available(catalogue)}
    assert "resnet18.tv_in1k" in {entry.name for entry in available(catalogue)}
    assert len(list_models()) > 20
    assert (trained_cards(catalogue), all_results(catalogue), NAME in missing(catalogue)) == ((), (), True)
    assert str(weight_state(find_entry(NAME))) == "damaged"
    for told in ("spec", "labels", "preprocessing", "parameters", "dataset_title"):
        with pytest.raises(InputError, match=rf"^{NAME}\.json "):
            getattr(find_entry(NAME), told)
    with pytest.raises(InputError, match=rf"^{NAME}\.json ") as caught:
        load_model(NAME)
    message = str(caught.value)
    assert_clear_sentence(message)
    assert WRONG.get(kind, ("", ""))[1] in message
    assert len(message) < 300
    assert [record.getMessage() for record in caplog.records] == [message]  # Once, not on every access.
    assert load_model("resnet20.untrained").name == "resnet20.untrained"


def test_the_command_line_lists_the_rest_and_warns(run, shipped, caplog):
    broken(shipped / f"{NAME}.json", "a word for a number")
    rows = {row["name"]: row for row in json.loads(run("models", "--json").out)}
    assert (rows[NAME]["state"], rows["resnet18.untrained"]["state"]) == ("damaged", "untrained")
    assert (rows[NAME]["parameters"], rows[NAME]["test_error"]) == (None, None)
    assert [record.levelno for record in caplog.records] == [logging.WARNING]
    assert (run("models").code, run("results").code) == (0, 0)
    for command in (["evaluate"], ["lesion"], ["analyze", "none.png", "--model"]):
        result = run(*command, NAME)
        assert (result.code, result.err.count("\n")) == (2, 1)
        assert result.err.startswith(f"{NAME}.json is not a weights card (epochs is 'many')")


@pytest.fixture
def card(shipped):
    return Card.read(shipped / f"{NAME}.json")


def test_cards_of_other_runs_are_left_out_too(tmp_path, caplog, card):
    runs = tmp_path / "runs" / paths.SEEDS
    for seed in ("good", "bad"):
        (runs / seed).mkdir(parents=True)
        card.write(runs / seed / f"{NAME}.json")
    broken(runs / "bad" / f"{NAME}.json", "not a number")
    assert read_cards([runs]) == (card,)
    assert [summary.runs for summary in all_results(Catalogue((tmp_path / "runs",)))] == [1]
    assert [str(runs / "bad") in record.getMessage() for record in caplog.records] == [True]
    with pytest.raises(InputError, match="There is no card"):
        read_cards([runs / "bad"])


def test_a_card_of_before_is_still_read(tmp_path, card):
    card.write(tmp_path / "card.json")
    values = json.loads((tmp_path / "card.json").read_text())
    del values["resize"], values["dataset_title"]
    (tmp_path / "card.json").write_text(json.dumps(values))
    assert Card.read(tmp_path / "card.json") == replace(card, dataset_title="cifar10")
    assert (card.preprocessing.resize_size, card.preprocessing.crop_size) == (32, 32)


STUDIES = {
    "half": "{",
    "of another network": json.dumps(
        {"model": NAME, "sha256": "abc", "images": 1, "test_error": 1, "errors": {"x": 1}}
    ),
    "of nothing": json.dumps({"model": NAME, "sha256": "abc", "images": 1, "test_error": 1, "errors": {}}),
    "in words": json.dumps({"model": NAME, "sha256": "abc", "images": "all", "test_error": 1, "errors": {}}),
    "a list": "[]",
}


@pytest.mark.parametrize("kind", [*STUDIES, "impossible", "a folder"])
def test_a_broken_study_is_none(tmp_path, caplog, kind):
    folder, entry = folder_of(LesionStudy, tmp_path), find_entry(NAME)
    errors = {piece.name: 1.0 for piece in block_summaries("resnet20")}
    write_study(LesionStudy(NAME, "of other weights", 10, 5.0, errors), folder)
    assert find_study(LesionStudy, entry, [tmp_path]) is None
    path = write_study(LesionStudy(NAME, entry.weights_hash, 10, 5.0, errors), folder)
    assert read_study(LesionStudy, entry, folder).errors == errors
    assert find_study(LesionStudy, entry, [tmp_path / "none", tmp_path]).errors == errors
    own = tmp_path / "own"
    other = write_study(LesionStudy(NAME, entry.weights_hash, 10, 6.0, errors), folder_of(LesionStudy, own))
    assert find_study(LesionStudy, entry, [tmp_path, own]).test_error == 6
    other.unlink()
    if kind == "a folder":
        path.unlink()
        path.mkdir()
    elif kind == "impossible":
        path.write_text(path.read_text().replace("1.0", "-1.0"))
    else:
        path.write_text(STUDIES[kind])
    assert read_study(LesionStudy, entry, folder) is None
    assert [record.getMessage().startswith(f"{path.name} is not a lesion study (") for record in caplog.records] == [
        True
    ]


BROKEN = {"the one it opens with": [NAME], "every plain one": ["plain20.cifar10", "plain56.cifar10"], "all": None}


@pytest.mark.parametrize("which", BROKEN)
def test_the_page_is_built_without_broken_cards(tmp_path, monkeypatch, which):
    folder = tmp_path / "weights"
    shutil.copytree(paths.shipped_folder(), folder, ignore=shutil.ignore_patterns("cache"))
    monkeypatch.setattr(paths, "shipped_folder", lambda: folder)
    names = BROKEN[which] or [path.stem for path in folder.glob("*.json")]
    for name in names:
        broken(folder / f"{name}.json", "a word for a number")
    page = build_page(ModelCache("cpu", offline=True))
    assert len(page.fns) > 10
    offered = json.dumps(page.get_config_file()["components"], default=str)
    assert "resnet20.untrained" in offered
    assert not any(f'"{name}"' in offered for name in names)


def test_a_process_warns_on_stderr_and_goes_on(run_process, tmp_path, card):
    card.write(tmp_path / "a.b.json")
    (tmp_path / "bad\x1b.b.json").write_text("{}")
    result = run_process("results", tmp_path, "--json")
    assert (result.returncode, len(json.loads(result.stdout))) == (0, 1)
    assert result.stderr.decode() == f"{tmp_path}: bad\\x1b.b.json is not a weights card (it has no name).\n"
