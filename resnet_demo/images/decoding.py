"""From an opened image to a small upright RGB picture, a tile at a time; and decoding in a process with limits.

In the formats that this process decodes, the header tells the cost of decoding (see `containers`). The others can hide
any cost: an AVIF or a phone's HEIC has frames that are never shown, the parts of a TIFF can be anywhere, run-length BMP
and the blocks of a GIF are read by loops in Python. They are decoded by running this file as a script, with the
system's limits on time and memory. This file imports nothing of the project, which would cost the script a second.
"""

import math
import subprocess
import sys
from collections.abc import Iterator
from io import BytesIO

from PIL import Image
from PIL.TiffImagePlugin import TiffImageFile

ISOLATED = ("GIF", "BMP", "TIFF", "AVIF")
# What a phone's photo begins with, after "ftyp". Pillow has no decoder for it.
HEIF_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")
# A JPEG is decoded at reduced size; WebP takes 17 to 27 bytes per pixel, the others 4.
MAX_PIXELS = {"JPEG": 89_478_485, "WEBP": 17_000_000} | dict.fromkeys(("PNG", "HEIF", *ISOLATED), 40_000_000)
# Limits of a decoder in its own process. An image within the limits above takes half a second.
SECONDS, BYTES = 2, 450_000_000
PATIENCE = 60
TOO_COSTLY = "takes too much time or memory to decode: send a smaller version of it, or a JPEG"
TILE_PIXELS = 1 << 20
TURN = Image.Transpose
UPRIGHT = {2: TURN.FLIP_LEFT_RIGHT, 3: TURN.ROTATE_180, 4: TURN.FLIP_TOP_BOTTOM, 5: TURN.TRANSPOSE} | {
    6: TURN.ROTATE_270, 7: TURN.TRANSVERSE, 8: TURN.ROTATE_90
}  # fmt: skip
# Tags of TIFF, and one of their values.
PHOTOMETRIC, SUBSAMPLING, YCBCR = 262, 530, 6
# TIFF's compressions: none, CCITT, LZW, JPEG, deflate, PackBits. Others may turn a few bytes into gigabytes.
COMPRESSIONS = ("raw", "tiff_ccitt", "group3", "group4", "tiff_lzw", "jpeg", "tiff_adobe_deflate", "tiff_deflate")
COMPRESSIONS += ("packbits",)


class Refused(Exception):  # noqa: N818 - not an error of the program
    """Why a file is refused, as the rest of a sentence that begins with its name."""


def check_pixels(form: str, width: int, height: int) -> None:
    """Raises `Refused` for more pixels than can be decoded."""
    if width * height > (limit := MAX_PIXELS[form]):
        jpeg = "" if form == "JPEG" else ", or a JPEG"
        raise Refused(f"has more than {limit // 10**6} million pixels: send a smaller version of it{jpeg}")


def bounded_size(size: tuple[int, int], max_side: int) -> tuple[int, int]:
    """Width and height scaled down so that the longer side has at most `max_side` pixels."""
    scale = min(1.0, max_side / max(size))
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def small_rgb(image: Image.Image, max_side: int, orientation: int = 1) -> Image.Image:
    """RGB pixels without metadata, the longer side of at most `max_side` pixels, rotated by EXIF's `orientation`."""
    size = bounded_size(image.size, max_side)
    across, down = (max(1, int(old / new / 2)) for old, new in zip(image.size, size, strict=True))
    small = _reduced(image, (across, down))
    # The last column and row of a reduced picture may be covered only partly by the image.
    width, height = image.width / across, image.height / down
    if orientation in UPRIGHT:
        small = small.transpose(UPRIGHT[orientation])
        if orientation >= 5:
            size, width, height = (size[1], size[0]), height, width
    return small if small.size == size else small.resize(size, Image.Resampling.BILINEAR, box=(0, 0, width, height))


def to_rgb(image: Image.Image) -> Image.Image:
    """RGB pixels without metadata, from any mode that Pillow converts: depth reduced to 8 bits, transparency on
    white."""
    return _reduced(image, (1, 1))


def _reduced(image: Image.Image, factors: tuple[int, int]) -> Image.Image:
    """RGB, with each `factors` pixels replaced by their mean. Tile by tile, as copies of a large frame take gigabytes;
    the result equals that of the whole frame."""
    across, down = factors
    limits = _range(image) if image.mode in ("I", "F") else (0.0, 65535.0)
    small = Image.new("RGB", (math.ceil(image.width / across), math.ceil(image.height / down)))
    for left, top, tile in _tiles(image, factors):
        tile = _tile_to_rgb(tile, limits)
        small.paste(tile if factors == (1, 1) else tile.reduce(factors), (left // across, top // down))
    return small


def _tiles(image: Image.Image, factors: tuple[int, int] = (1, 1)) -> Iterator[tuple[int, int, Image.Image]]:
    """Left, top, and a tile of the image, as wide as possible and, except for the last, a multiple of `factors`."""
    across, down = factors
    width = -(-min(image.width, 1 << 16) // across) * across
    height = max(1, TILE_PIXELS // width // down) * down
    for top in range(0, image.height, height):
        for left in range(0, image.width, width):
            box = (left, top, min(left + width, image.width), min(top + height, image.height))
            yield left, top, image.crop(box)


def _tile_to_rgb(image: Image.Image, limits: tuple[float, float]) -> Image.Image:
    if image.mode == "RGB" and "transparency" not in image.info:
        return image
    if image.mode in ("I", "F") or image.mode.startswith("I;16"):
        return _eight_bits(image, *limits).convert("RGB")
    if image.has_transparency_data:
        image = image.convert("RGBA")
        white = Image.new("RGBA", image.size, "white")
        return Image.alpha_composite(white, image).convert("RGB")
    return image.convert("RGB")


def _eight_bits(image: Image.Image, low: float, high: float) -> Image.Image:
    """Divide 16-bit values by 257; 32-bit and floating values have no fixed white, so they are stretched."""
    import numpy as np

    values = np.asarray(image).astype(np.float64)
    np.nan_to_num(values, copy=False, nan=low, posinf=high, neginf=low)
    values -= low
    values /= max(high - low, 1e-12)
    values *= 255
    return Image.fromarray(np.clip(np.rint(values, out=values), 0, 255, out=values).astype(np.uint8))


def _range(image: Image.Image) -> tuple[float, float]:
    """Black and white of an image without a fixed scale: 0 to 65535 if its values look like 16-bit ones."""
    ends = [end for _, _, tile in _tiles(image) for end in _ends(tile)]
    if not ends:
        return 0.0, 1.0
    low, high = min(ends), max(ends)
    return (0.0, 65535.0) if low >= 0 and 255 < high <= 65535 else (min(low, 0.0), high)


def _ends(image: Image.Image) -> tuple[float, ...]:
    """The lowest and the highest finite value, if there are any."""
    import numpy as np

    values = np.asarray(image)
    finite = values[np.isfinite(values)]
    return (float(finite.min()), float(finite.max())) if finite.size else ()


def decode_isolated(data: bytes, max_side: int) -> Image.Image:
    """`decode_here` in a process of its own. Raises `Refused`, or any exception of Pillow for damaged files."""
    command = [sys.executable, "-W", "ignore", __file__, str(max_side)]
    try:
        done = subprocess.run(command, input=data, capture_output=True, timeout=PATIENCE)  # noqa: S603 - ours
    except subprocess.TimeoutExpired as error:
        raise Refused(TOO_COSTLY) from error
    kind, _, content = done.stdout.partition(b"\n")
    if kind == b"pixels":
        size, _, pixels = content.partition(b"\n")
        width, height = map(int, size.split())
        return Image.frombytes("RGB", (width, height), pixels)
    if kind == b"unknown":
        raise Image.UnidentifiedImageError
    if kind == b"damaged":
        raise OSError("damaged")
    # Without an answer, it was killed at one of its limits.
    raise Refused(content.decode() if kind == b"refused" else TOO_COSTLY)


def decode_here(data: bytes, max_side: int) -> Image.Image:
    """The small picture of a file in one of the isolated formats."""
    with Image.open(BytesIO(data), formats=_forms(data)) as image:
        check_pixels(str(image.format), *image.size)
        ycbcr = isinstance(image, TiffImageFile) and _prepare_tiff(image)
        image.load()
        try:
            orientation = image.getexif().get(0x112, 1)  # Removed in a TIFF, which Pillow has already rotated.
        except Exception:  # Unreadable EXIF is ignored.
            orientation = 1
        small = small_rgb(image, max_side, orientation)
        return Image.merge("YCbCr", small.split()).convert("RGB") if ycbcr else small


def _forms(data: bytes) -> tuple[str, ...]:
    """The formats that Pillow may take the file for."""
    if data[4:8] != b"ftyp" or data[8:12] not in HEIF_BRANDS or b"avif" in data[12:64]:
        return ISOLATED
    import pillow_heif  # Only where it is needed, and in this process of its own.

    pillow_heif.options.DECODE_THREADS = 1
    pillow_heif.register_heif_opener(thumbnails=False)
    return ("HEIF",)


def _prepare_tiff(image: TiffImageFile) -> bool:
    """Whether the decoder returns Y, Cb and Cr as the three channels."""
    if image.info.get("compression") not in COMPRESSIONS:
        raise Refused("is a TIFF of an unusual compression: save it again without one")
    tags = image.tag_v2
    if tags.get(PHOTOMETRIC) != YCBCR or image.tile[0].codec_name not in ("raw", "packbits"):
        return False
    if tags.get(SUBSAMPLING) != (1, 1):
        raise Refused("is a TIFF with subsampled colours: save it again as RGB")
    # Pillow writes three bytes per pixel here but expects four.
    rest = [tile.args[1:] if isinstance(tile.args, tuple) else () for tile in image.tile]
    image.tile = [tile._replace(args=("RGB", *others)) for tile, others in zip(image.tile, rest, strict=True)]
    return True


def _limit_this_process() -> None:
    try:
        import resource
    except ImportError:  # Windows has no such limits; the caller's timeout remains.
        return
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS + 1))
    resource.setrlimit(resource.RLIMIT_DATA, (BYTES, BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _answer(data: bytes, max_side: int) -> bytes:
    try:
        picture = decode_here(data, max_side)
    except Refused as refusal:
        return f"refused\n{refusal}".encode()
    except Image.UnidentifiedImageError:
        return b"unknown"
    except Exception as error:
        out_of_memory = isinstance(error, MemoryError) or "memory" in str(error)
        return f"refused\n{TOO_COSTLY}".encode() if out_of_memory else b"damaged"
    return f"pixels\n{picture.width} {picture.height}\n".encode() + picture.tobytes()


if __name__ == "__main__":
    _limit_this_process()
    Image.MAX_IMAGE_PIXELS = None  # Replaced by the limits above.
    sys.stdout.buffer.write(_answer(sys.stdin.buffer.read(), int(sys.argv[1])))
