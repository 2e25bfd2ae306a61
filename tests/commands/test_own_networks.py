"""A network that a user has trained can be used by the commands and on the page."""

import json

import pytest

from resnet_demo.ui import build_page, choices
from resnet_demo.zoo import ModelCache, open_catalogue, paths

pytestmark = pytest.mark.usefixtures("own_folders")

NAME = "resnet8.stripes"
TRAIN = ("train", "resnet8", "--dataset", "stripes", "--epochs", 2, "--device", "cpu")


def files_in(folder):
    return {str(path.relative_to(folder)): path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}


def test_train_then_analyze(run, tmp_path, npz, photo):
    """In one process and without a folder option: the user's folder is found again."""
    shipped = files_in(paths.shipped_folder())
    assert run(*TRAIN, "--data", npz).code == 0
    assert set(files_in(tmp_path / "own")) == {f"{NAME}.{kind}" for kind in ("json", "jsonl", "safetensors")}
    assert files_in(paths.shipped_folder()) == shipped
    result = run("analyze", photo, "--model", NAME, "--device", "cpu", "--json")
    values = json.loads(result.out)
    assert (result.code, result.err, values["model"]) == (0, "", NAME)
    assert {p["label"] for p in values["predictions"]} == {"red", "green", "blue"}
    row = next(row for row in json.loads(run("models", "--json").out) if row["name"] == NAME)
    assert (row["state"], row["parameters"]) == ("yours", 74_835)
    assert NAME in {row["name"] for row in json.loads(run("results", "--json").out)}
    error = json.loads(run("evaluate", NAME, "--data", npz, "--device", "cpu", "--json").out)["top1_error"]
    assert round(error, 2) == row["test_error"]


def test_a_folder_can_be_named_instead(run, tmp_path, npz, photo):
    folder = tmp_path / "elsewhere"
    assert run(*TRAIN, "--data", npz, "--out", folder).code == 0
    missing = run("analyze", photo, "--model", NAME)
    assert (missing.code, missing.err.count("\n")) == (2, 1)
    for command in (
        ("analyze", photo, "--model", NAME, "--output", tmp_path / "out"),
        ("analyze", photo, "--model", NAME, "--compare", "resnet20.cifar10"),
        ("evaluate", NAME, "--data", npz),
        ("lesion", NAME, "--data", npz),
    ):
        result = run(*command, "--weights", folder, "--device", "cpu")
        assert (result.code, result.err) == (0, ""), command
    assert NAME in run("models", "--weights", folder).out
    # Its lesion study lies beside it and nowhere else.
    assert (folder / "lesions" / f"{NAME}.lesion.json").is_file()
    assert not (tmp_path / "own").exists()
    absent = run("models", "--weights", tmp_path / "none")
    assert (absent.code, absent.err.count("\n")) == (2, 1)


def test_a_rerun_notices_that_the_network_was_trained_anew(run, tmp_path, npz, photo):
    analyze = ("analyze", photo, "--model", NAME, "--device", "cpu", "--output", tmp_path / "out")
    logits = []
    for seed in (0, 1):
        for file in (tmp_path / "own").glob("*"):
            file.unlink()
        assert run(*TRAIN, "--data", npz, "--seed", seed).code == 0
        logits.append(json.loads(run(*analyze, "--json").out)["target"]["logit"])
    assert logits[0] != logits[1]


def test_the_page_offers_it(run, npz):
    cache = ModelCache("cpu", offline=True)
    assert run(*TRAIN, "--data", npz).code == 0
    assert ("stripes: 3 classes", "stripes") in choices.dataset_choices(cache.catalogue)
    assert ("stripes: ResNet-8", NAME) in choices.model_choices(cache.catalogue, trained=True)
    page = build_page(cache, NAME)
    offered = json.dumps(page.get_config_file()["components"], default=str)
    assert "stripes: 3 classes" in offered
    assert cache.get(NAME).labels == ("red", "green", "blue")


def test_a_shipped_network_is_not_trained_for_nothing(run, npz, shipped, tmp_path, assert_clear_sentence):
    """The catalogue would ignore the network, after hours of training."""
    options = ("--data", npz, "--epochs", 1, "--device", "cpu")
    refused = run("train", "resnet20", "--dataset", "cifar10", *options)
    assert refused.code == 2
    assert_clear_sentence(refused.err.strip())
    assert "is shipped with this project" in refused.err
    assert not (tmp_path / "own").exists()


@pytest.mark.parametrize("dataset", ["untrained", "tv_in1k", "a.b", "../up", "", "x" * 300])
def test_a_data_set_is_called_so_that_its_networks_are_found(run, npz, tmp_path, dataset, assert_clear_sentence):
    refused = run("train", "resnet8", "--dataset", dataset, "--data", npz, "--device", "cpu")
    assert refused.code == 2
    assert_clear_sentence(refused.err.strip())
    assert "cannot be called" in refused.err
    assert files_in(tmp_path / "own") == {}


def test_a_package_that_cannot_be_written_is_no_obstacle(run, npz, photo, shipped, tmp_path):
    shipped.chmod(0o555)
    before = files_in(shipped)
    try:
        assert run(*TRAIN, "--data", npz).code == 0
        assert run("lesion", NAME, "resnet20.cifar10", "--data", ten_classes(npz, tmp_path)).code == 2  # Three classes.
        assert run("lesion", "resnet20.cifar10", "--data", ten_classes(npz, tmp_path), "--device", "cpu").code == 0
        assert run("analyze", photo, "--model", NAME, "--device", "cpu").code == 0
    finally:
        shipped.chmod(0o755)
    assert files_in(shipped) == before
    assert (tmp_path / "own" / "lesions" / "resnet20.cifar10.lesion.json").is_file()
    entry = open_catalogue().find("resnet20.cifar10")
    from resnet_demo.laboratory.studies import find_study
    from resnet_demo.records import LesionStudy

    assert find_study(LesionStudy, entry, open_catalogue().folders).images == 20


def ten_classes(npz, folder):
    import numpy as np

    path = folder / "ten.npz"
    with np.load(npz) as arrays:
        np.savez(path, **dict(arrays) | {"classes": np.array([f"class {i}" for i in range(10)])})
    return path
