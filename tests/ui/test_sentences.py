"""What a visitor is told is of no use at a terminal, and what is of use there is told at a terminal."""

import re

import pytest

from resnet_demo.errors import InputError
from resnet_demo.training.data import fetch_cifar10
from resnet_demo.zoo import find_entry
from resnet_demo.zoo.weights import fetch_entry
from tests.page_server import ROOT

TERMINAL = re.compile("python -m|--[a-z]")


@pytest.mark.usefixtures("own_folders")
@pytest.mark.parametrize(
    ("ask", "told", "hint"),
    [
        (lambda: find_entry("nonsense"), "There is no model 'nonsense'.", "resnet_demo models"),
        (lambda: find_entry("resnet21"), "Did you mean resnet20.cifar10", "resnet_demo models"),
        (lambda: find_entry("plain26.cifar10"), "pick plain26.untrained.", "train plain26 --dataset cifar10"),
        (lambda: fetch_entry(find_entry("resnet18.tv_in1k"), offline=True), "choose another", "download resnet18"),
        (lambda: fetch_cifar10(offline=True), "and this is offline.", "--data"),
    ],
)
def test_no_visitor_is_told_what_to_type_into_a_terminal(ask, told, hint):
    with pytest.raises(InputError) as raised:
        ask()
    message = raised.value.message
    assert told in message
    assert not TERMINAL.search(message)
    assert str(raised.value).startswith(message)
    assert hint in str(raised.value)


# Modules of these rooms that the page does not reach, or only at its start.
ELSEWHERE = ("zoo/catalogue.py", "training/data.py", "training/evaluation.py", "training/loop.py")


def test_no_message_that_reaches_the_page_names_a_command():
    rooms = ("zoo", "analysis", "images", "laboratory", "networks", "training", "ui")
    sources = [path for room in rooms for path in sorted((ROOT / "resnet_demo" / room).rglob("*.py"))]
    asked = [path for path in sources if not str(path).endswith(ELSEWHERE)]
    messages = [
        message
        for path in asked
        for message in re.findall(r"InputError\(\s*((?:f?\"[^\"]*\"\s*)+)", path.read_text(encoding="utf-8"))
    ]
    assert len(messages) > 60
    assert [message for message in messages if TERMINAL.search(message)] == []
