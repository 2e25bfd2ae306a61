"""What becomes of a photo that has been sent, before any network sees it."""

from pathlib import Path

import gradio as gr
import numpy as np
import pytest
from PIL import Image

from resnet_demo.images import load_image
from resnet_demo.ui.photo import visible
from tests.pictures import encode, quadrants


@pytest.mark.parametrize(("name", "form"), [("a.HEIC", "HEIF"), ("a.heif", "HEIF"), ("a.tif", "TIFF")])
def test_what_browsers_cannot_show_is_rewritten_with_the_pixels_that_are_analyzed(tmp_path, name, form):
    path = tmp_path / name
    path.write_bytes(encode(quadrants(size=(2000, 1500)), form))
    shown = visible(str(path))
    assert Path(shown).parent == tmp_path
    with Image.open(shown) as photo:
        assert photo.format == "PNG"
        assert np.array_equal(photo, load_image(path))


def test_every_other_photo_stays_as_it_was_sent(tmp_path):
    (tmp_path / "a.jpg").write_bytes(encode(quadrants(), "JPEG"))
    (tmp_path / "broken.heic").write_bytes(b"broken")
    for path in (None, str(tmp_path / "a.jpg"), str(tmp_path / "broken.heic"), str(tmp_path / "gone.tif")):
        assert visible(path) == gr.skip()
    assert not list(tmp_path.glob("*.png"))
