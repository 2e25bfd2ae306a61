"""From any file that a visitor may send to an upright RGB photo of bounded size, or a one-sentence error.

The format is determined by the content and must be on an allow-list: Pillow supports 40 formats, some of which run
other programs or have had security holes, and visitors do not need them.
"""

import os
import stat
from io import BytesIO
from os import PathLike
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from resnet_demo.errors import InputError
from resnet_demo.images import containers, decoding
from resnet_demo.images.decoding import Refused, small_rgb, to_rgb
from resnet_demo.memory import return_freed_memory

MAGIC = (b"\xff\xd8\xff", b"\x89PNG", b"GIF8", b"II*\0", b"MM\0*")  # The first bytes of most of their files.
SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".avif", ".heic", ".heif")
MAX_BYTES = 50_000_000
# A photo fills at most half of a projected page and a network's crop has 224 pixels, so more would only be slower. This
# is a quarter of a phone's photo of 4032 x 3024, at which it is decoded and need not be resized.
MAX_SIDE = 1008
# After decoding that took more bytes than this, memory is returned to the system.
LARGE = 100_000_000
# Example photos: the page offers them, and gradient flow is measured on them.
EXAMPLES = Path(__file__).parents[1] / "examples"

ImageSource = str | PathLike | bytes | Image.Image | np.ndarray


def load_image(source: ImageSource, max_side: int = MAX_SIDE) -> Image.Image:
    """The photo as an upright RGB image whose longer side has at most `max_side` pixels.

    source   a path, the bytes of a file, a PIL image, or an array: uint8 (H, W), (H, W, 3) or (H, W, 4)

    For files, the EXIF orientation is applied, transparency is composited on white, 16-bit, grey, CMYK and palette
    images are converted, the first frame of an animation is used, and a large JPEG is decoded at reduced size. PIL
    images and arrays keep their size. The result has no metadata. Raises `InputError` with one sentence.
    """
    if isinstance(source, np.ndarray):
        return to_rgb(_from_array(source))
    if isinstance(source, Image.Image):
        return _from_pil(source)
    if isinstance(source, bytes):
        name, data = "The image", source
        _require_size(name, len(data))
    else:
        name, data = _read(Path(source))
    try:
        return _decoded(data, max_side)
    except Refused as refusal:
        raise InputError(f"{name} {refusal}.") from refusal
    except MemoryError as error:
        raise InputError(f"{name} {decoding.TOO_COSTLY}.") from error
    except Image.UnidentifiedImageError as error:
        raise InputError(
            f"{name} is {_what_it_is(data)}: send a JPEG, PNG, WebP, GIF, BMP, TIFF, AVIF or HEIC."
        ) from error
    except Exception as error:  # On hostile bytes, decoders raise anything from struct.error to SyntaxError.
        raise InputError(f"{name} is damaged or incomplete and cannot be decoded: send it again.") from error


def _decoded(data: bytes, max_side: int) -> Image.Image:
    found = containers.essence(data)
    if not found:
        if not (data.startswith((b"GIF8", b"BM", b"II", b"MM")) or data[4:8] == b"ftyp"):
            raise Image.UnidentifiedImageError
        return decoding.decode_isolated(data, max_side)
    try:
        return _decoded_here(found, max_side)
    finally:
        if found.memory + 2 * len(data) > LARGE:
            return_freed_memory()


def _decoded_here(found: containers.Essence, max_side: int) -> Image.Image:
    with Image.open(BytesIO(found.data), formats=(found.form,)) as image:
        decoding.check_pixels(found.form, *image.size)  # The size as Pillow reads it, since Pillow decodes it.
        image.draft("RGB", decoding.bounded_size(image.size, max_side))
        image.load()
        turned = containers.orientation(image.info.get("exif", b"")) if found.form == "WEBP" else found.orientation
        return small_rgb(image, max_side, turned)


def _read(path: Path) -> tuple[str, bytes]:
    """The name and the bytes of a regular file; reading a device or a pipe may never end, or block."""
    name = path.name or str(path)
    try:
        size, data = _regular(path)
    except (OSError, ValueError) as error:  # ValueError: a name that no file can have, e.g. with a zero byte.
        reason = getattr(error, "strerror", None) or error
        raise InputError(f"{name} cannot be read: {reason}.") from error
    _require_size(name, size)
    return name, data


def _require_size(name: str, size: int) -> None:
    if size > MAX_BYTES:
        raise InputError(f"{name} has {size / 1e6:.0f} MB; the limit is {MAX_BYTES / 1e6:.0f} MB.")
    if not size:
        raise InputError(f"{name} is empty: send it again.")


def _regular(path: Path) -> tuple[int, bytes]:
    """The size and the bytes of a file, at most `MAX_BYTES` + 1 of them, whatever size it claims."""
    _require_regular(path.stat())
    # It may have been replaced since: opening a pipe must not block until a writer appears.
    with os.fdopen(
        os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)), "rb"
    ) as file:
        status = os.fstat(file.fileno())
        _require_regular(status)
        data = b"" if status.st_size > MAX_BYTES else file.read(MAX_BYTES + 1)
        return max(status.st_size, len(data)), data


def _require_regular(status: os.stat_result) -> None:
    if stat.S_ISDIR(status.st_mode):
        raise IsADirectoryError(None, "Is a directory")
    if not stat.S_ISREG(status.st_mode):
        raise OSError(None, "It is a device or a pipe and not a file")


def _from_pil(image: Image.Image) -> Image.Image:
    if 0 in image.size:
        raise InputError("The image has no pixels.")
    try:
        image.load()  # Pillow decodes an image that was opened from a file only here.
        return to_rgb(_upright(image))
    except Exception as error:
        raise InputError(f"The image of mode {image.mode} cannot be decoded or converted to RGB.") from error


def _upright(image: Image.Image) -> Image.Image:
    """The image rotated by its EXIF orientation; unreadable EXIF is ignored."""
    try:
        return ImageOps.exif_transpose(image)
    except Exception:
        return image


def _from_array(array: np.ndarray) -> Image.Image:
    if array.dtype != np.uint8 or not (array.ndim == 2 or (array.ndim == 3 and array.shape[2] in (3, 4))):
        raise InputError(
            f"An image array must be uint8 of shape (H, W), (H, W, 3) or (H, W, 4), not {array.dtype} {array.shape}."
        )
    if array.size == 0:
        raise InputError("The image array is empty.")
    return Image.fromarray(array)


def _what_it_is(data: bytes) -> str:
    """A guess from the first bytes, for files that are often sent by mistake."""
    known = {b"%PDF": "a PDF", b"%!PS": "a PostScript file", b"<svg": "an SVG drawing", b"PK\x03\x04": "a ZIP file"}
    for magic, what in known.items():
        if data.lstrip().startswith(magic):
            return what
    in_boxes = data[4:8] == b"ftyp" and data[8:12] in (b"avif", *decoding.HEIF_BRANDS)
    if data.startswith(MAGIC) or data[8:12] == b"WEBP" or in_boxes:
        return "damaged or incomplete"
    return "an SVG drawing" if b"<svg" in data[:1000] else "not an image that can be read"
