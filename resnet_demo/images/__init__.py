"""Any file a visitor may send, to a safe RGB photo."""

from resnet_demo.images.loading import EXAMPLES, MAX_BYTES, MAX_SIDE, SUFFIXES, ImageSource, load_image

__all__ = ["EXAMPLES", "MAX_BYTES", "MAX_SIDE", "SUFFIXES", "ImageSource", "load_image"]
