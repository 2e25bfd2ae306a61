"""What a visitor is told instead of what the command line is."""

import pytest

from resnet_demo.errors import InputError
from resnet_demo.ui import html
from resnet_demo.ui.sentences import Sentence, for_visitors
from resnet_demo.zoo import find_entry
from resnet_demo.zoo.weights import fetch_entry


@pytest.mark.usefixtures("own_folders")
@pytest.mark.parametrize(
    ("ask", "told"),
    [
        (lambda: find_entry("nonsense"), "There is no model 'nonsense'."),
        (lambda: find_entry("resnet21"), "There is no model 'resnet21'. Did you mean resnet20.cifar10"),
        (lambda: find_entry("plain26.cifar10"), "in this copy: pick plain26.untrained."),
        (lambda: fetch_entry(find_entry("resnet18.tv_in1k"), offline=True), "MB, and this is offline."),
    ],
)
def test_no_visitor_is_told_what_to_type_into_a_terminal(ask, told):
    with pytest.raises(InputError, match="`python -m resnet_demo") as raised:
        ask()
    message = for_visitors(str(raised.value))
    assert told in message
    assert "python" not in message
    assert message[-1] in ".?"
    assert "python" not in html.alert(str(raised.value)) + Sentence(str(raised.value)).message


def test_every_other_message_stays_as_it_is():
    for text in ("cat..jpg is empty: send it again.", "a `b` c.", ":, or", "There is no layer 'x'?."):
        assert for_visitors(text) == text
