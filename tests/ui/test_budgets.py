"""A visitor of the page may not ask for more than it can afford, of a user's own networks neither."""

from dataclasses import replace

import pytest

from resnet_demo.errors import InputError
from resnet_demo.images import EXAMPLES
from resnet_demo.ui import choices
from resnet_demo.ui.answers import look
from resnet_demo.zoo import Entry, ModelCache, find_entry, open_catalogue
from tests.cards import put_weights


@pytest.fixture
def own(tmp_path):
    """A network that sees photos of 1024 pixels: 41 billion multiply-adds."""
    card = put_weights(tmp_path / "own", "resnet20.mine")
    replace(card, resize=1024, input_size=1024).write(tmp_path / "own" / "resnet20.mine.json")
    return open_catalogue(tmp_path / "own")


def test_a_users_network_has_the_bounds_of_every_other(own):
    cache = ModelCache("cpu", offline=True, catalogue=own)
    with pytest.raises(InputError, match=r"resnet20\.mine would take too long"):
        look(cache, str(EXAMPLES / "cat.jpg"), "resnet20.mine")
    assert look(cache, str(EXAMPLES / "cat.jpg"), "resnet20.untrained")


def test_only_a_residual_network_and_a_plain_one_are_twins(tmp_path):
    assert choices.twin(find_entry("resnet20.cifar10")) == "plain20.cifar10"
    assert choices.twin(find_entry("plain34-nonorm.untrained")) == "resnet34-nonorm.untrained"
    assert choices.twin(find_entry("plain34-folded.tv_in1k")) == "resnet34.tv_in1k"
    assert choices.twin(find_entry("plain56-grown.cifar10")) == "plain56.cifar10"
    others = [Entry(name, "mine") for name in ("resnext50_32x4d", "preresnet20", "highway20")]
    assert not any(map(choices.twin, others))
    put_weights(tmp_path / "own", "preresnet110.cifar10")
    assert choices.deepest_pair(open_catalogue(tmp_path / "own")) == ("resnet56.cifar100", "plain56.cifar100")
