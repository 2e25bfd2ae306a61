"""What our components do otherwise than Gradio's."""

from pathlib import Path

from PIL import Image

from resnet_demo.ui.components import Heatmap


def test_a_picture_that_is_shown_again_is_not_written_again(tmp_path, monkeypatch):
    heatmap = Heatmap(render=False)
    heatmap.GRADIO_CACHE = str(tmp_path)
    pair = Image.new("RGB", (40, 30), "red"), Image.new("RGB", (40, 30), "blue")
    first = [Path(image.path) for image in heatmap.postprocess(pair).root]
    written = [path.stat().st_mtime_ns for path in first]
    again = [Path(image.path) for image in heatmap.postprocess(pair).root]
    assert again == first
    assert [path.stat().st_mtime_ns for path in again] == written
    assert [Image.open(path).size for path in first] == [(40, 30)] * 2
    assert sorted(path.name for path in tmp_path.rglob("*") if path.is_file()) == ["image.jpg"] * 2
    assert heatmap.postprocess(None) is None
