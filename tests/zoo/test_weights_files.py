"""Invalid weights files give one sentence each, both in the catalogue and in a training run."""

import json
import shutil

import pytest
import torch
from safetensors.torch import load_file, save_file

from resnet_demo import create_network, load_model
from resnet_demo.errors import InputError
from resnet_demo.training import evaluate_runs
from resnet_demo.zoo import sha256_of
from tests.stripes import save_stripes
from tests.zoo.torchvision_files import RESNET18, cached_in, torch_bytes

pytestmark = pytest.mark.usefixtures("own_folders")

NAME = "resnet20.cifar10"


def changed(state, name):
    """A state dict with an error."""
    first = "conv1.weight"
    return {
        "not a number": lambda: state | {first: torch.full_like(state[first], torch.nan)},
        "infinite statistics": lambda: state | {"bn1.running_var": torch.full((16,), torch.inf)},
        "another precision": lambda: {key: value.double() for key, value in state.items()},
        "integers": lambda: state | {first: state[first].int()},
        "another shape": lambda: state | {first: state[first][:, :1].clone()},
        "another network": lambda: create_network("plain32").state_dict(),
        "a tensor too few": lambda: {key: value for key, value in state.items() if key != first},
        "a tensor too many": lambda: state | {"fc2.weight": torch.zeros(3)},
        "none": dict,
    }[name]()


STATES = [
    "not a number", "infinite statistics", "another precision", "integers", "another shape", "another network",
    "a tensor too few", "a tensor too many", "none",
]  # fmt: skip
FILES = ["a folder", "a link to itself", "damaged"]


def put(path, kind):
    """An invalid weights file at `path`, whose hash is in its card if it can have one."""
    if kind in FILES:
        path.unlink()
        if kind == "a folder":
            path.mkdir()
        elif kind == "a link to itself":
            path.symlink_to(path.name)
        else:
            path.write_bytes(b"\xff" * 500)
    else:
        save_file({key: value.contiguous() for key, value in changed(load_file(path), kind).items()}, path)
    if path.is_file():
        card = path.with_suffix(".json")
        card.write_text(json.dumps(json.loads(card.read_text()) | {"sha256": sha256_of(path)}))


@pytest.mark.parametrize("kind", [*STATES, *FILES])
def test_wrong_shipped_weights_are_a_sentence(shipped, tmp_path, assert_clear_sentence, kind):
    path = shipped / f"{NAME}.safetensors"
    put(path, kind)
    with pytest.raises(InputError, match=rf"^{path.name} (holds|is)") as caught:
        load_model(NAME)
    assert_clear_sentence(str(caught.value))
    runs = tmp_path / "runs"
    shutil.copytree(shipped, runs, symlinks=True)
    with pytest.raises(InputError, match=rf"^{runs}: {path.name} (holds|is)") as caught:
        evaluate_runs(NAME, runs, save_stripes(tmp_path / "data.npz"), "cpu")
    assert_clear_sentence(str(caught.value), paths=[runs])


@pytest.mark.parametrize("kind", ["not a number", "another network", "a list", "words", "numbers for names"])
def test_wrong_downloaded_weights_are_a_sentence(tmp_path, monkeypatch, assert_clear_sentence, kind):
    state = create_network("resnet18").state_dict()
    wrong = {"a list": [1, 2], "words": {"fc.weight": "many"}, "numbers for names": {1: torch.zeros(3)}}
    cached_in(tmp_path / "cache", torch_bytes(wrong.get(kind) or changed(state, kind)), monkeypatch)
    with pytest.raises(InputError, match=r"^resnet18-\w+\.pth holds ") as caught:
        load_model(RESNET18, "cpu")
    assert_clear_sentence(str(caught.value))


def test_a_folder_in_the_place_of_a_download_is_named(tmp_path, monkeypatch, assert_clear_sentence):
    from resnet_demo.zoo import torchvision_weights as tv

    (tmp_path / "cache" / tv.file_name("resnet18", "tv_in1k")).mkdir(parents=True)
    with pytest.raises(InputError, match=r"is not a regular file in .*: remove it") as caught:
        load_model(RESNET18, "cpu")
    assert_clear_sentence(str(caught.value), paths=[tmp_path / "cache"])
