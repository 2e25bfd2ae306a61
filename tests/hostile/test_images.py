"""Every file, whatever it contains, is decoded or refused within 3 s of processor time and 600 MB."""

import os
import struct
import sys
import zlib

import pytest
from PIL import Image

from resnet_demo.errors import InputError
from resnet_demo.images import MAX_BYTES, load_image
from tests.pictures import encode, quadrants

from . import files

PROFILE = files.chunk(b"iCCP", b"k\0\0" + zlib.compress(bytes(1_000_000)))
TEXT = files.chunk(b"zTXt", b"k\0\0" + zlib.compress(b"a" * 2_000_000))
LARGE_HEADER = struct.pack(">IIBBBBB", 13_300, 13_300, 8, 6, 0, 0, 0)
SMALL_TEXT = files.chunk(b"tEXt", struct.pack(">II", 10, 10))
# Of the encoder: larger files, made in a seventh of the time.
FAST = {"preset": "ultrafast"}
# Name: how the file is made, and a part of the error; None if it is decoded.
FILES = {
    "progressive JPEG of 2,000 scans": (lambda: files.progressive(9400, 2000), "scans"),
    "progressive JPEG of 100 scans": (lambda: files.progressive(9400, 100), "scans"),
    "small progressive JPEG of 500 scans": (lambda: files.progressive(2000, 500), "scans"),
    "progressive JPEG of 89 million pixels": (lambda: files.progressive(9400, 0), None),
    "progressive JPEG of too many coefficients": (
        lambda: files.claimed_jpeg(9400, 9400, progressive=True, subsampling=0),
        "too much time or memory",
    ),
    "arithmetic JPEG": (lambda: files.claimed_jpeg(9, 9).replace(b"\xff\xc0", b"\xff\xc9"), "no browser"),
    "camera's photo of 50 million pixels": (files.a_photo_of_50_megapixels, None),
    "CMYK JPEG": (lambda: encode(Image.new("CMYK", (9400, 9400)), "JPEG"), None),
    "thin JPEG": (lambda: encode(Image.new("RGB", (65_000, 1)), "JPEG"), None),
    "JPEG of fill bytes": (lambda: files.after_start(b"\xff" * 20_000_000), None),
    "JPEG of empty comments": (lambda: files.after_start(b"\xff\xfe\0\2" * 10_000_000), "is damaged"),
    "JPEG with EXIF that copies itself": (files.exif_bomb, None),
    "lossless WebP of one colour": (lambda: files.webp(9459, 9459), "17 million pixels"),
    "largest WebP": (lambda: files.webp(4123, 4123), None),
    "animated WebP": (lambda: files.frames_of_webp(100), None),
    "RGBA PNG": (lambda: files.png(9459, 9459, 6), "40 million pixels"),
    "largest RGBA PNG": (lambda: files.png(6300, 6300, 6), None),
    "largest interlaced PNG": (lambda: files.png(6300, 6300, 6, interlaced=True), None),
    "endless PNG": (lambda: files.png(40_000_000, 1, 6), None),
    "PNG of empty chunks": (lambda: files.png(9, 9, extra=files.chunk(b"abCd", b"") * 4_000_000), "is damaged"),
    "PNG of colour profiles": (lambda: files.png(9, 9, extra=PROFILE * 10_000), None),
    "PNG with a long text": (lambda: files.png(9, 9, extra=TEXT), None),
    "PNG with a second header": (lambda: files.png(10, 10, 6, extra=files.chunk(b"IHDR", LARGE_HEADER)), "is damaged"),
    "PNG with a late header": (
        lambda: files.png(13_300, 13_300, 6).replace(b"\r\n\x1a\n", b"\r\n\x1a\n" + SMALL_TEXT, 1),
        "is damaged",
    ),
    "noisy PNG": (lambda: encode(files.noise(4600, 3600), "PNG", compress_level=0), None),
    "F TIFF": (lambda: files.claimed_tiff("F", 9459), "40 million pixels"),
    "I TIFF": (lambda: files.claimed_tiff("I", 9459), "40 million pixels"),
    "CMYK TIFF": (lambda: files.claimed_tiff("CMYK", 9459), "40 million pixels"),
    "largest F TIFF": (lambda: files.tiff("F", 6300), None),
    "largest CMYK TIFF": (lambda: files.tiff("CMYK", 6300), None),
    "TIFF with LZMA inside": (lambda: files.tiff("L", 100, "lzma"), "unusual compression"),
    "TIFF with a huge tile": (files.tiff_with_a_huge_tile, "is damaged|too much"),
    "TIFF of entries that copy each other": (files.tiff_of_entries, "is damaged|too much|unusual"),
    "GIF of long comments": (lambda: files.gif(b"!\xfe" + (b"\xff" + b"a" * 255) * 80_000 + b"\0"), "too much"),
    "GIF of short comments": (lambda: files.gif(b"!\xfe\1a\0" * 5_000_000), "too much"),
    "largest GIF": (lambda: encode(Image.new("L", (6300, 6300)), "GIF"), None),
    "run-length BMP": (files.run_length_bmp, "too much"),
    "AVIF": (lambda: files.claimed_boxes("AVIF", 8192), "40 million pixels"),
    "noisy AVIF": (lambda: encode(files.noise(2000, 2000), "AVIF", speed=10, quality=95), None),
    "HEIC": (lambda: files.claimed_boxes("HEIF", 6400), "40 million pixels"),
    "HEIC of a phone": (
        lambda: encode(files.noise(2016, 1512).resize((4032, 3024)), "HEIF", quality=60, enc_params=FAST),
        None,
    ),
}


@pytest.mark.parametrize("name", FILES)
def test_no_file_costs_more_than_a_request_may(tmp_path, within_budget, name):
    make, sentence = FILES[name]
    path = tmp_path / "holiday.jpg"
    path.write_bytes(make())
    assert path.stat().st_size <= MAX_BYTES
    cost = within_budget(f"load({str(path)!r})")
    if sentence:
        assert cost["result"].startswith("InputError: holiday.jpg ")
        assert any(part in cost["result"] for part in sentence.split("|")), cost
    else:
        assert cost["result"].startswith("<PIL.Image.Image image mode=RGB"), cost
    assert cost["after"] < 120, cost  # Memory was returned.


def marked():
    """A comment, EXIF, a colour profile and XMP, in every format that supports them."""
    exif = Image.Exif()
    exif[0x10E] = "taken at home"
    options = {"comment": b"at home", "exif": exif, "icc_profile": b"profile at home", "xmp": b"<x>at home</x>"}
    photo = quadrants()
    yield from (encode(photo, form, **options) for form in ("JPEG", "PNG", "WEBP", "TIFF", "AVIF"))
    yield encode(photo, "HEIF", exif=exif.tobytes(), xmp=b"<x>at home</x>")
    yield encode(photo, "GIF", comment=b"at home")


@pytest.mark.parametrize("data", list(marked()), ids=["JPEG", "PNG", "WEBP", "TIFF", "AVIF", "HEIC", "GIF"])
def test_no_metadata_are_left(tmp_path, data):
    path = tmp_path / "photo"
    path.write_bytes(data)
    assert b"at home" in data
    opened = Image.open(path)
    opened.load()
    before = dict(opened.info)
    for source in (data, path, opened):
        photo = load_image(source)
        assert photo.info == {}
        assert type(photo) is Image.Image
        for form in ("JPEG", "PNG", "GIF", "WEBP", "TIFF"):
            assert b"at home" not in encode(photo, form)
    assert opened.info == before


def test_uncompressed_ycbcr_tiff_of_pillow_is_read():
    for compression in (None, "tiff_lzw", "packbits"):
        photo = load_image(encode(quadrants().convert("YCbCr"), "TIFF", compression=compression))
        for xy in ((8, 8), (40, 8), (8, 24), (40, 24)):
            assert photo.getpixel(xy) == pytest.approx(quadrants().getpixel(xy), abs=3)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes with names")
def test_a_pipe_or_a_device_is_refused_at_once(tmp_path, within_budget, assert_clear_sentence):
    os.mkfifo(tmp_path / "pipe.jpg")
    (tmp_path / "zero.jpg").symlink_to("/dev/zero")
    for path in (tmp_path / "pipe.jpg", tmp_path / "zero.jpg"):
        result = within_budget(f"load({str(path)!r})")["result"]
        assert result == f"InputError: {path.name} cannot be read: It is a device or a pipe and not a file."


@pytest.mark.skipif(sys.platform != "linux", reason="no such file")
def test_a_read_ends_at_the_limit_whatever_the_file_says(monkeypatch, tmp_path):
    """Files in /proc claim to be empty."""
    monkeypatch.setattr("resnet_demo.images.loading.MAX_BYTES", 10)
    with pytest.raises(InputError, match="the limit is"):
        load_image("/proc/self/status")


def test_the_orientation_of_a_photo_with_two_exif_blocks_and_xmp():
    xmp = b'<x tiff:Orientation="6"/>'
    segment = b"http://ns.adobe.com/xap/1.0/\0" + xmp
    data = encode(quadrants(), "JPEG", quality=95)
    turned = data[:2] + b"\xff\xe1" + struct.pack(">H", len(segment) + 2) + segment + data[2:]
    assert load_image(turned).size == (32, 64)
