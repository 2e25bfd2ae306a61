"""The catalogue finds its entries by their cards: shipped ones, and those of a user's folder."""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import platformdirs
import pytest

import resnet_demo
from resnet_demo import load_model
from resnet_demo.errors import InputError
from resnet_demo.zoo import Card, Catalogue, ModelCache, find_entry, list_models, open_catalogue, paths, weight_state
from tests.cards import put_weights

pytestmark = pytest.mark.usefixtures("own_folders")

ROOT = Path(resnet_demo.__file__).parents[1]


@pytest.fixture
def own(tmp_path):
    """The user's folder, with a network that the user has trained."""
    put_weights(tmp_path / "own", "resnet8.stripes")
    return tmp_path / "own"


def names(catalogue=None):
    return [entry.name for entry in (catalogue or open_catalogue()).entries() if entry.path]


def test_a_users_network_is_found_by_its_card(shipped, own, tmp_path):
    assert names() == ["resnet20.cifar10", "resnet8.stripes"]
    entry = find_entry("resnet8.stripes")
    assert (str(weight_state(entry)), entry.parameters, entry.test_error) == ("yours", 75_290, 90.0)
    assert (entry.dataset_title, entry.labels[3], entry.preprocessing.crop_size) == ("CIFAR-10", "cat", 32)
    assert load_model("resnet8.stripes", "cpu").labels == entry.labels
    shutil.move(own, tmp_path / "elsewhere")
    assert names() == ["resnet20.cifar10"]
    assert load_model("resnet8.stripes", "cpu", weights=tmp_path / "elsewhere").name == "resnet8.stripes"
    assert "resnet8.stripes" in {entry.name for entry in list_models(tmp_path / "elsewhere")}


def test_a_card_says_what_it_is_of_whatever_else_has_its_data_set(own):
    put_weights(own, "plain8.stripes")
    card = Card.read(own / "plain8.stripes.json")
    replace(card, classes=list("abcdefghij"), dataset_title="Letters", mean=[0.1] * 3).write(
        own / "plain8.stripes.json"
    )
    entry = find_entry("plain8.stripes")
    assert (entry.labels, entry.dataset_title) == (tuple("abcdefghij"), "Letters")
    assert entry.preprocessing.mean == (0.1, 0.1, 0.1)
    assert find_entry("resnet8.stripes").labels[0] == "airplane"


def test_without_a_setting_the_users_folder_is_the_systems(monkeypatch):
    monkeypatch.delenv("RESNET_DEMO_WEIGHTS")
    assert paths.user_folder() == platformdirs.user_data_path("resnet_demo", appauthor=False) / "weights"


def test_a_folder_that_is_asked_for_must_be_there(tmp_path, assert_clear_sentence):
    with pytest.raises(InputError, match="There is no folder") as caught:
        open_catalogue(tmp_path / "none")
    assert_clear_sentence(str(caught.value), paths=[tmp_path / "none"])


@pytest.mark.parametrize("kind", ["a file", "a link to itself"])
def test_a_users_folder_that_is_none_stops_nobody(shipped, tmp_path, caplog, kind):
    if kind == "a file":
        (tmp_path / "own").write_text("not a folder")
    else:
        (tmp_path / "own").symlink_to("own")
    for _ in range(2):
        assert names() == ["resnet20.cifar10"]
    assert [f"{tmp_path / 'own'} cannot be read" in record.getMessage() for record in caplog.records] == [True]


def test_the_shipped_folder_is_not_listed_twice(shipped, monkeypatch):
    assert open_catalogue(shipped).folders == (shipped,)
    monkeypatch.chdir(shipped.parent)
    assert names(open_catalogue(Path("weights"))) == ["resnet20.cifar10"]


def test_a_users_file_never_replaces_a_shipped_one(shipped, own, caplog):
    """Reported once, however often the catalogue is read."""
    card = put_weights(own, "resnet20.cifar10")
    replace(card, test_error=1.0).write(own / "resnet20.cifar10.json")
    catalogue = open_catalogue()
    for _ in range(2):
        assert names(catalogue) == ["resnet20.cifar10", "resnet8.stripes"]
        assert catalogue.find("resnet20.cifar10").test_error == 90.0
    said = [record.getMessage() for record in caplog.records]
    own_card, shipped_card = (folder / "resnet20.cifar10.json" for folder in (own, shipped))
    assert said == [f"{own_card} is ignored, as {shipped_card} has the same name: remove it."]


def test_a_users_damaged_card_is_skipped(own, caplog):
    (own / "plain8.stripes.json").write_text('{"name": ')
    (own / "notes.old.json").write_text("{}")
    (own / "package.json").write_text("{}")  # Not a card by its name.
    catalogue = open_catalogue()
    assert {"plain8.stripes", "notes.old"} < set(names(catalogue))
    for _ in range(2):
        states = {entry.name: weight_state(entry).kind for entry in catalogue.entries() if entry.path}
        assert (states["plain8.stripes"], states["notes.old"], states["resnet8.stripes"]) == (
            "damaged", "damaged", "yours",
        )  # fmt: skip
    assert sorted(record.getMessage().partition(" (")[0] for record in caplog.records) == [
        "notes.old.json is not a weights card",
        "plain8.stripes.json is not a weights card",
    ]


@pytest.mark.parametrize("name", ["resnet8.untrained", "resnet8.tv_in1k"])
def test_no_card_can_pass_for_something_else(own, name):
    shutil.copy(own / "resnet8.stripes.json", own / f"{name}.json")
    assert names(Catalogue((own,))) == ["resnet8.stripes"]


def test_one_catalogue_sees_what_comes_goes_and_changes(own):
    catalogue = open_catalogue()
    before = catalogue.find("resnet8.stripes")
    assert before.test_error == 90.0
    assert catalogue.find("resnet8.stripes") is before  # Its card is not read again.
    put_weights(own, "plain8.stripes")
    assert catalogue.find("plain8.stripes").card
    card = before.card
    replace(card, test_error=12.5).write(own / "resnet8.stripes.json")
    assert catalogue.find("resnet8.stripes").test_error == 12.5
    (own / "resnet8.stripes.json").unlink()
    with pytest.raises(InputError, match="train it with `python -m resnet_demo train resnet8 --dataset stripes`"):
        catalogue.find("resnet8.stripes")


def test_a_network_that_is_trained_anew_is_loaded_anew(own):
    cache = ModelCache("cpu")
    before = cache.get("resnet8.stripes")
    assert cache.get("resnet8.stripes") is before
    put_weights(own, "resnet8.stripes", seed=2)
    after = cache.get("resnet8.stripes")
    assert after is not before
    assert cache.get("resnet8.stripes") is after


def in_a_copy(folder, code, **environment):
    """The output of `code` in a process that imports resnet_demo from `folder`."""
    variables = {**os.environ, "PYTHONPATH": os.pathsep.join([str(folder), os.environ.get("PYTHONPATH", "")])}
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=folder, env=variables | environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout


WHERE = """
import json
from resnet_demo.zoo import list_models, paths
names = [entry.name for entry in list_models() if entry.path]
print(json.dumps([str(paths.shipped_folder()), str(paths.cache_folders()[0]), names]))
"""


def test_an_installed_package_has_its_weights_inside_whatever_is_beside_it(tmp_path):
    site = tmp_path / "site-packages"
    shutil.copytree(ROOT / "resnet_demo", site / "resnet_demo", ignore=shutil.ignore_patterns("__pycache__"))
    put_weights(site / "resnet_demo" / "weights", "resnet8.inside")
    (site / "app.py").write_text("print('something else')")
    put_weights(site / "weights", "resnet8.outside")
    home = {"HOME": str(tmp_path / "home"), "RESNET_DEMO_CACHE": "", "RESNET_DEMO_WEIGHTS": ""}
    home |= {"XDG_CACHE_HOME": "", "XDG_DATA_HOME": ""}
    shipped, cache, found = json.loads(in_a_copy(site, WHERE, **home))
    assert (Path(shipped), found) == (site / "resnet_demo" / "weights", ["resnet8.inside"])
    assert site not in Path(cache).parents


def test_a_clone_has_its_weights_beside_the_package():
    assert paths.shipped_folder() == ROOT / "weights"
    assert {"resnet20.cifar10", "plain20.cifar10"} <= set(names())


def test_a_bare_architecture_keeps_its_meaning_whatever_the_user_has_trained(shipped, own):
    for name in ("resnet20.mine", "plain110.mine"):
        put_weights(own, name)
    assert find_entry("resnet20").name == "resnet20.cifar10"
    assert find_entry("resnet8").name == "resnet8.stripes"
    assert find_entry("plain110").name == "plain110.untrained"
    assert find_entry("plain110.mine").path
    (own / "resnet8.stripes.json").write_text("{}")
    assert find_entry("resnet8").problem  # Which says what is wrong with the only one of that name.
    (shipped / "resnet20.cifar10.json").write_text("{}")
    assert find_entry("resnet20").problem
