"""Photos whose pixels are known, and files of them."""

import io

import pillow_heif
from PIL import Image

# Only the tests write this format; the product reads it in a process of its own.
pillow_heif.register_heif_opener()

RED, GREEN, BLUE, WHITE, BLACK = (220, 40, 30), (30, 180, 60), (20, 60, 200), (255, 255, 255), (0, 0, 0)


def quadrants(colors=(RED, GREEN, BLUE, WHITE), size=(64, 32)):
    """The colours at the top left, top right, bottom left and bottom right."""
    small = Image.new("RGB", (2, 2))
    small.putdata(colors)
    return small.resize(size, Image.Resampling.NEAREST)


def save_photo(path, size=(64, 32)):
    path.parent.mkdir(parents=True, exist_ok=True)
    quadrants(size=size).save(path)
    return path


def encode(image, form, **options):
    file = io.BytesIO()
    image.save(file, form, **options)
    return file.getvalue()
