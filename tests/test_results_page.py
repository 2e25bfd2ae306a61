"""docs/results.md says what the cards and studies say."""

import re

from docs.results import HERE, page
from resnet_demo.zoo import Catalogue
from resnet_demo.zoo.paths import shipped_folder


def test_it_is_what_the_cards_and_studies_make_of_it():
    """If not: `python -m docs.results`."""
    assert (HERE / "results.md").read_text(encoding="utf-8") == page(Catalogue((shipped_folder(),)))


def test_its_pictures_are_there():
    pictures = re.findall(r"!\[.+?\]\((.+?)\)", (HERE / "results.md").read_text(encoding="utf-8"))
    assert len(pictures) >= 3
    assert [name for name in pictures if not (HERE / name).is_file()] == []
