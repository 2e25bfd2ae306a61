"""Damaged, hostile and foreign files: each gives one clear error message and never a crash."""

import io
import random
import re
import struct
import zlib
from unittest import mock

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from resnet_demo.errors import InputError
from resnet_demo.images import MAX_BYTES, MAX_SIDE, decoding, load_image
from tests.pictures import BLACK, encode, quadrants

PHOTO, OTHER = quadrants(), quadrants((BLACK, BLACK, BLACK, BLACK))


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width, height, depth, rows, extra=b""):
    """A grey PNG made by hand: `rows` as stored in the file, each after its filter byte."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + extra + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


VALID = {
    "JPEG": encode(PHOTO, "JPEG"),
    "PNG": encode(PHOTO, "PNG"),
    "WEBP": encode(PHOTO, "WEBP"),
    "GIF": encode(PHOTO, "GIF", save_all=True, append_images=[OTHER.copy()]),
    "TIFF": encode(PHOTO, "TIFF", compression="tiff_lzw"),
    "BMP": encode(PHOTO, "BMP"),
    "AVIF": encode(PHOTO, "AVIF"),
    "HEIF": encode(PHOTO, "HEIF"),
}
# Name: the bytes, and a part of the error message.
BAD_FILES = {
    "empty": (b"", "is empty"),
    "text": (b"hello, this is a letter", "is not an image"),
    "PDF": (b"%PDF-1.7\n%\xe2\xe3", "is a PDF"),
    "SVG": (b'<svg xmlns="http://www.w3.org/2000/svg"/>', "is an SVG drawing"),
    "SVG with a prolog": (b'<?xml version="1.0"?>\n<!-- drawn -->\n<svg/>', "is an SVG drawing"),
    "EPS": (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "is a PostScript file"),
    "ZIP": (b"PK\x03\x04" + bytes(40), "is a ZIP file"),
    "HEIC": (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(100), "is damaged"),
    "ICO": (encode(PHOTO, "ICO"), "is not an image"),
    "PPM": (encode(PHOTO, "PPM"), "is not an image"),
    "TGA": (encode(PHOTO, "TGA"), "is not an image"),
    "JPEG 2000": (encode(PHOTO, "JPEG2000"), "is not an image"),
    "PNG without pixels": (png(0, 1, 8, b"\0"), "is damaged"),
    "bomb that only claims its size": (png(100_000, 100_000, 8, b"\0"), "has more than 40 million pixels"),
    "bomb of one bit a pixel": (png(12_000, 12_000, 1, bytes(12_000 * 1501)), "has more than 40 million pixels"),
    **{f"half a {form}": (data[: len(data) // 2], "is damaged") for form, data in VALID.items()},
    **{f"the first bytes of a {form}": (data[:16], "is damaged") for form, data in VALID.items() if form != "BMP"},
}


@pytest.mark.parametrize("name", BAD_FILES)
@pytest.mark.filterwarnings("ignore:Corrupt EXIF", "ignore::PIL.Image.DecompressionBombWarning")
def test_a_bad_file_is_one_clear_sentence(tmp_path, assert_clear_sentence, name):
    data, part = BAD_FILES[name]
    path = tmp_path / "holiday.jpg"
    path.write_bytes(data)
    with pytest.raises(InputError, match=f"^holiday.jpg {part}") as caught:
        load_image(path)
    assert_clear_sentence(str(caught.value))


def test_what_is_no_readable_file_is_one_clear_sentence(tmp_path, assert_clear_sentence):
    huge = tmp_path / "huge.png"
    with huge.open("wb") as file:
        file.truncate(MAX_BYTES + 10_000_000)
    for path, part in (
        (tmp_path / "gone.jpg", "gone.jpg cannot be read: No such file"),
        (tmp_path, "cannot be read: Is a directory"),
        (".", ". cannot be read: Is a directory"),
        ("a\0b.jpg", "cannot be read"),
        ("n" * 300, "cannot be read: File name too long"),
        (huge, "huge.png has 60 MB; the limit is 50 MB"),
        (bytes(MAX_BYTES + 10_000_000), "The image has 60 MB; the limit is 50 MB"),
        (b"", "The image is empty: send it again"),
    ):
        with pytest.raises(InputError, match=re.escape(part)) as caught:
            load_image(path)
        assert_clear_sentence(str(caught.value))


SHAPES = [(), (4,), (4, 4, 1), (4, 4, 2), (4, 4, 5), (1, 4, 4, 3), (0, 4, 3), (4, 0)]
DTYPES = ["bool", "int8", "uint16", "float32", "complex64", "object"]


@pytest.mark.parametrize(
    ("shape", "dtype"), [(shape, "uint8") for shape in SHAPES] + [((4, 4, 3), dtype) for dtype in DTYPES], ids=str
)
def test_an_array_of_another_shape_or_type_is_refused(assert_clear_sentence, shape, dtype):
    with pytest.raises(InputError, match=re.escape(f"not {dtype} {shape}") if 0 not in shape else "is empty") as caught:
        load_image(np.zeros(shape, dtype))
    assert_clear_sentence(str(caught.value))


@pytest.mark.parametrize(
    "image",
    [
        Image.new("RGB", (0, 4)),
        Image.new("F", (4, 0)),
        Image.new("La", (4, 4)),
        Image.open(io.BytesIO(VALID["PNG"][:-40])),
    ],
    ids=["no width", "no height", "a mode without conversion", "a truncated file opened by the caller"],
)
def test_a_pil_image_that_cannot_be_converted_is_one_clear_sentence(assert_clear_sentence, image):
    with pytest.raises(InputError) as caught:
        load_image(image)
    assert_clear_sentence(str(caught.value))


def rgb_or_input_error(data):
    # A damaged header may claim any size; a lower limit keeps thousands of them fast, and tests the limit. A process
    # for each of them would take minutes.
    with (
        mock.patch.dict(decoding.MAX_PIXELS, dict.fromkeys(decoding.MAX_PIXELS, 1_000_000)),
        mock.patch.object(decoding, "decode_isolated", decoding.decode_here),
    ):
        try:
            image = load_image(data)
        except InputError as error:
            assert "\n" not in str(error)
            return
    assert image.mode == "RGB"
    assert 1 <= max(image.size) <= MAX_SIDE


MAGIC = [b"", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF89a", b"BM", b"II*\0", b"MM\0*", b"RIFF\x99\0\0\0WEBPVP8 "]
MAGIC += [b"\0\0\0\x18ftypheic\0\0\0\0mif1heic"]
FUZZ = settings(max_examples=200, deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow])


@FUZZ
@given(st.sampled_from(MAGIC), st.binary(max_size=400))
@pytest.mark.filterwarnings("ignore")
def test_random_bytes_never_raise_anything_but_input_error(magic, data):
    rgb_or_input_error(magic + data)


@FUZZ
@given(st.sampled_from(sorted(VALID)), st.integers(0, 2**32), st.integers(0, 12), st.floats(0, 1))
@pytest.mark.filterwarnings("ignore")
def test_damaged_files_never_raise_anything_but_input_error(form, seed, edits, keep):
    """The bytes with some of them changed, mostly in the header, where that has the most effect; often truncated."""
    draw, data = random.Random(seed), bytearray(VALID[form])
    for _ in range(edits):
        data[min(int(draw.expovariate(1 / 60)), len(data) - 1)] = draw.randrange(256)
    rgb_or_input_error(bytes(data[: max(1, int(len(data) * min(1, 2 * keep)))]))
