"""The command that opens the page, and app.py, which calls it; with a user's networks, and without any networks."""

import gc
import json
import os
import re
import subprocess
import sys
import warnings
from pathlib import Path

import pytest

from resnet_demo.ui import build_page, choices
from resnet_demo.ui.photo import EXAMPLES
from resnet_demo.zoo import Catalogue, ModelCache, paths
from tests.cards import put_weights

pytestmark = pytest.mark.usefixtures("own_folders")

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def all_threads(monkeypatch):
    """The page's process shares its cores among its visitors; the tests go on with all of them."""
    monkeypatch.setattr("resnet_demo.ui.share_cores", lambda: None)


def test_the_page_has_the_networks_of_a_users_folder(run, tmp_path, monkeypatch):
    found = []

    def ask(build, *options, **more):
        frozen = gc.get_freeze_count()
        (analyze,) = (event.fn for event in build().fns.values() if event.api_name == "analyze")
        assert gc.get_freeze_count() - frozen > 10_000  # The whole page.
        found.extend(analyze(str(EXAMPLES / "cat.jpg"), model) for model in ("", "resnet8.stripes"))
        sys.exit()

    put_weights(tmp_path / "mine", "resnet8.stripes")
    monkeypatch.setattr("resnet_demo.ui.serve", ask)
    result = run("page", "--offline", "--weights", tmp_path / "mine", "--model", "resnet8.stripes")
    assert (result.code or 0, result.err) == (0, "")
    assert [(values["model"], len(values["predictions"])) for values in found] == [("resnet8.stripes", 5)] * 2


WRONG = {
    "model": (("--model", "resnet21"), "There is no model 'resnet21'"),
    "weights": (("--weights", "nowhere"), "There is no folder nowhere"),
    "data": (("--data", "nowhere.npz"), "There is no nowhere.npz"),
    "long data": (("--data", "x" * 5000), "There is no xxx"),
    "share": (("--share", "--offline"), "--share needs the network"),
}


def app_py(*options):
    command = [sys.executable, "app.py", *options]
    return subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=120, env=os.environ | {"COLUMNS": "100"}
    )


def test_a_wrong_option_of_app_py_is_one_sentence():
    options, says = WRONG["data"]
    done = app_py(*options)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(says)
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("kind", WRONG)
def test_wrong_options_are_one_sentence(run, kind, tmp_path, monkeypatch, assert_clear_sentence):
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    options, says = WRONG[kind]
    result = run("page", *options)
    assert (result.code, result.out) == (2, "")
    assert result.err.startswith(says)
    assert_clear_sentence(result.err.strip())


def test_app_py_has_the_options_of_the_command(run, monkeypatch):
    monkeypatch.setenv("COLUMNS", "100")
    helped, same = (text.partition("Options")[2] for text in (app_py("--help").stdout, run("page", "--help").out))
    assert helped == same
    for option in ("--host", "--port", "--share", "--model", "--offline", "--open", "--device", "--name", "--weights"):
        assert option in helped


def test_without_any_weights_the_pickers_offer_untrained_networks():
    nothing = Catalogue(())
    assert choices.opening(nothing) == "resnet20.untrained"
    assert choices.deepest_pair(nothing) == ("resnet56.untrained", "plain56.untrained")
    assert choices.model_choices(nothing, trained=True) == []
    assert [tag for _, tag in choices.dataset_choices(nothing)] == ["tv_in1k", "tv2_in1k", "untrained"]
    assert choices.nearest_depth(nothing, "untrained", "plain", "resnet20.untrained") == "plain20.untrained"


def test_the_page_is_built_without_any_weights(tmp_path, monkeypatch):
    (tmp_path / "empty").mkdir()
    monkeypatch.setattr(paths, "shipped_folder", lambda: tmp_path / "empty")
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)  # Gradio's warning about a value that is not a choice.
        page = build_page(ModelCache("cpu", offline=True))
    offered = json.dumps(page.get_config_file()["components"], default=str)
    assert "resnet20.untrained" in offered
    assert not re.search(r'"\w+\.cifar10"', offered)


def test_the_pair_is_of_whatever_data_set_has_one(tmp_path):
    for name in ("resnet8.a", "plain14.b", "resnet14.b", "plain8.b", "resnet8.b", "resnet20.b"):
        put_weights(tmp_path, name)
    assert choices.deepest_pair(Catalogue((tmp_path,))) == ("resnet14.b", "plain14.b")
    assert choices.opening(Catalogue((tmp_path,))) == "resnet8.a"
