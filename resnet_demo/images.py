"""Any file a visitor may send, to an upright RGB photo of bounded size, or one sentence that says what is wrong.

The format is decided by the content and must be on an allow-list: Pillow knows 40 formats, some of which run other
programs or have had holes, and no visitor sends them.
"""

import io
from os import PathLike
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from resnet_demo.errors import InputError

FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF")
OURS = (b"\xff\xd8\xff", b"\x89PNG", b"GIF8", b"II*\0", b"MM\0*")  # How most of their files begin.
SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".avif")
# Pillow's own threshold of suspicion. A frame of this size decodes into 360 MB at four bytes a pixel.
MAX_PIXELS = 89_478_485
MAX_BYTES = 50_000_000
# A photo fills at most half a projector and a network sees 224 pixels of it: more is only slower. At 1000 the
# 4032 x 3024 photo of a phone is decoded at a quarter of its size.
MAX_SIDE = 1000
STRIP_PIXELS = 1 << 22
# Photos to try things with: the page offers them, and gradient flow is measured on them.
EXAMPLES = Path(__file__).parent / "examples"

ImageSource = str | PathLike | bytes | Image.Image | np.ndarray


def load_image(source: ImageSource, max_side: int = MAX_SIDE) -> Image.Image:
    """The photo as an upright RGB image whose longer side has at most `max_side` pixels.

    source   a path, the bytes of a file, a PIL image, or an array: uint8 (H, W), (H, W, 3) or (H, W, 4)

    Files: EXIF orientation is applied, transparency is laid on white, 16-bit, grey, CMYK and palette images are
    converted, an animation gives its first frame, a large JPEG is decoded at reduced size. PIL images and arrays
    keep their size. Raises `InputError` with one sentence.
    """
    if isinstance(source, np.ndarray):
        return to_rgb(_from_array(source))
    if isinstance(source, Image.Image):
        return _from_pil(source)
    name, data = ("The image", source) if isinstance(source, bytes) else _read(Path(source))
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as image:
            if image.width * image.height > MAX_PIXELS:
                raise Image.DecompressionBombError
            image.draft("RGB", _bounded_size(image.size, max_side))
            image.load()
            return _bounded(to_rgb(_upright(image)), max_side)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning, MemoryError) as error:
        raise InputError(
            f"{name} has more than {MAX_PIXELS // 10**6} million pixels: send a smaller version of it."
        ) from error
    except Image.UnidentifiedImageError as error:
        raise InputError(f"{name} is {_what_it_is(data)}: send a JPEG, PNG, WebP, GIF, BMP, TIFF or AVIF.") from error
    except Exception as error:  # Decoders meet hostile bytes and raise anything from struct.error to SyntaxError.
        raise InputError(f"{name} is damaged or incomplete and cannot be decoded: send it again.") from error


def to_rgb(image: Image.Image) -> Image.Image:
    """Any mode of Pillow to RGB: depth reduced to 8 bits, transparency laid on white."""
    if image.mode == "RGB" and "transparency" not in image.info:
        return image
    if image.mode in ("I", "F") or image.mode.startswith("I;16"):
        return _eight_bits(image).convert("RGB")
    if image.has_transparency_data:
        image = image.convert("RGBA")
        white = Image.new("RGBA", image.size, "white")
        return Image.alpha_composite(white, image).convert("RGB")
    return image.convert("RGB")


def _read(path: Path) -> tuple[str, bytes]:
    name = path.name or str(path)
    try:
        size = path.stat().st_size
        data = b"" if size > MAX_BYTES else path.read_bytes()
    except (OSError, ValueError) as error:  # ValueError: a name that no file can have, e.g. with a zero byte.
        reason = getattr(error, "strerror", None) or error
        raise InputError(f"{name} cannot be read: {reason}.") from error
    if size > MAX_BYTES:
        raise InputError(f"{name} has {size / 1e6:.0f} MB; the limit is {MAX_BYTES / 1e6:.0f} MB.")
    if not data:
        raise InputError(f"{name} is empty: send it again.")
    return name, data


def _from_pil(image: Image.Image) -> Image.Image:
    if 0 in image.size:
        raise InputError("The image has no pixels.")
    try:
        image.load()  # An image that was opened from a file is decoded only now.
        return to_rgb(_upright(image))
    except Exception as error:
        raise InputError(f"The image of mode {image.mode} cannot be decoded or converted to RGB.") from error


def _upright(image: Image.Image) -> Image.Image:
    """Turned as its EXIF orientation says; EXIF that cannot be read says nothing."""
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


def _eight_bits(image: Image.Image) -> Image.Image:
    """16-bit values are divided by 257; 32-bit and floating ones have no fixed white, so they are stretched.

    Strip by strip: the floating copies of a large frame would take gigabytes.
    """
    values = np.asarray(image)
    low, high = (0.0, 65535.0) if image.mode.startswith("I;16") else _range(values)
    strips = np.array_split(values, -(-values.size // STRIP_PIXELS))
    return Image.fromarray(np.concatenate([_scaled(strip, low, high) for strip in strips]))


def _scaled(values: np.ndarray, low: float, high: float) -> np.ndarray:
    finite = np.nan_to_num(values.astype(np.float64), nan=low, posinf=high, neginf=low)
    scaled = (finite - low) / max(high - low, 1e-12) * 255
    return np.clip(np.rint(scaled), 0, 255).astype(np.uint8)


def _range(values: np.ndarray) -> tuple[float, float]:
    """Black and white of an image without a fixed scale: 0 to 65535 if its values look like 16-bit ones."""
    finite = values[np.isfinite(values)]
    if not finite.size:
        return 0.0, 1.0
    low, high = float(finite.min()), float(finite.max())
    return (0.0, 65535.0) if low >= 0 and 255 < high <= 65535 else (min(low, 0.0), high)


def _bounded_size(size: tuple[int, int], max_side: int) -> tuple[int, int]:
    scale = min(1.0, max_side / max(size))
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def _bounded(image: Image.Image, max_side: int) -> Image.Image:
    size = _bounded_size(image.size, max_side)
    return image if size == image.size else image.resize(size, Image.Resampling.BILINEAR, reducing_gap=2.0)


def _what_it_is(data: bytes) -> str:
    """A guess from the first bytes, for the files that people do send by mistake."""
    if data[4:8] == b"ftyp" and data[8:12] in (b"heic", b"heix", b"hevc", b"mif1", b"msf1"):
        return "a HEIC photo, which is not supported"
    known = {b"%PDF": "a PDF", b"%!PS": "a PostScript file", b"<svg": "an SVG drawing", b"PK\x03\x04": "a ZIP file"}
    for magic, what in known.items():
        if data.lstrip().startswith(magic):
            return what
    if data.startswith(OURS) or data[8:12] == b"WEBP" or data[4:12] == b"ftypavif":
        return "damaged or incomplete"
    return "an SVG drawing" if b"<svg" in data[:1000] else "not an image that can be read"
