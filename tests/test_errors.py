"""Text of a caller in error messages: shortened, on one line, and without terminal control characters."""

import pytest

from resnet_demo import InputError, analyze, create_network
from resnet_demo.analysis.attributions import attribute
from resnet_demo.analysis.finding import find_class, find_layer
from resnet_demo.errors import QUOTED, did_you_mean, quoted, shortened, visible
from resnet_demo.laboratory.lesion import check_blocks
from resnet_demo.networks import parse_name
from resnet_demo.networks.precision import computing_in
from resnet_demo.training import FAST
from resnet_demo.zoo import find_entry, pick_device


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "plain"),
        ("é \N{SNOWMAN}", "é \N{SNOWMAN}"),
        ("a\nb\tc\x1b[2J\x07", r"a\nb\tc\x1b[2J\x07"),
        ("\x9b31m", r"\x9b31m"),
        ("a\N{RIGHT-TO-LEFT OVERRIDE}b\N{LINE SEPARATOR}", r"a\u202eb\u2028"),
        ("\udce9", r"\udce9"),
        ("no-break\N{NO-BREAK SPACE}space", "no-break\N{NO-BREAK SPACE}space"),
    ],
)
def test_control_characters_are_spelled_out(text, shown):
    assert visible(text) == str(InputError(text)) == shown


def test_long_texts_are_cut():
    assert quoted("short") == "'short'"
    assert quoted("x" * QUOTED) == repr("x" * QUOTED)
    assert quoted("x" * 10**6) == repr("x" * (QUOTED - 1) + "…")
    assert shortened(" a \n b ") == "a b"
    assert len(shortened("word " * 1000)) == QUOTED


HUGE = "\x1b[2J" + "zq" * 100_000
CALLS = {
    "model": lambda: find_entry(HUGE),
    "untrained model": lambda: find_entry(f"{HUGE}.untrained"),
    "network": lambda: parse_name(HUGE),
    "suffix": lambda: parse_name("resnet20-" + "zq" * 100_000),
    "suffix twice": lambda: parse_name("resnet20" + "-A" * 100_000),
    "axis": lambda: create_network("resnet20", norm=HUGE),
    "class": lambda: find_class(HUGE, ("cat", "dog")),
    "index": lambda: find_class(10**4000, ("cat", "dog")),
    "layer": lambda: find_layer(HUGE, ("stem",)),
    "block": lambda: check_blocks([HUGE], ("layer1.0",)),
    "method": lambda: attribute(b"", "resnet20.untrained", HUGE),
    "device": lambda: pick_device(HUGE),
    "precision": lambda: computing_in(HUGE, pick_device("cpu")).__enter__(),
    "recipe": lambda: type(FAST)(name="x", epochs=1, precision=HUGE),
    "model of an analysis": lambda: analyze(b"", HUGE),
}


@pytest.mark.parametrize("what", CALLS)
def test_a_huge_text_is_repeated_in_little(what, assert_clear_sentence):
    with pytest.raises(InputError) as caught:
        CALLS[what]()
    message = str(caught.value)
    assert_clear_sentence(message)
    assert message.isprintable()
    assert message.count("zq") <= QUOTED / 2
    assert len(message) < 500


def test_what_was_meant_is_asked_only_where_something_is_close():
    known = ["resnet20", "resnet56", "plain20"]
    assert did_you_mean("resnet2O", known, most=1) == " Did you mean resnet20?"
    assert did_you_mean("resnet2", known) == " Did you mean resnet20 or resnet56?"
    assert did_you_mean("x" * 100_000, known) == ""
