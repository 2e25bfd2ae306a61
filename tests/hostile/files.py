"""Small files that are very expensive to decode."""

import io
import struct
import zlib

import numpy as np
from PIL import Image, ImageFile

from tests.pictures import encode

ImageFile.MAXBLOCK = 1 << 26  # Buffer of Pillow's encoder, large enough for noise.


def noise(width, height):
    return Image.fromarray(np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8))


def progressive(side, scans):
    """A grey JPEG whose last scan, which is empty, is repeated `scans` times."""
    data = encode(Image.new("L", (side, side), 90), "JPEG", progressive=True, quality=50)
    last, end = data.rfind(b"\xff\xda"), data.rfind(b"\xff\xd9")
    return data[:end] + data[last:end] * scans + data[end:]


def claimed_jpeg(width, height, **options):
    """A JPEG whose header claims another size."""
    data = encode(Image.new("RGB", (64, 64)), "JPEG", **options)
    frame = data.index(b"\xff\xc2" if options.get("progressive") else b"\xff\xc0") + 5
    return data[:frame] + struct.pack(">HH", height, width) + data[frame + 4 :]


def after_start(extra, data=None):
    """A JPEG with `extra` after its first two bytes."""
    data = data or encode(Image.new("L", (10, 10)), "JPEG")
    return data[:2] + extra + data[2:]


def exif_bomb():
    """5,000 entries that each claim the same 65,000 bytes."""
    entries = b"".join(struct.pack("<HHII", 0x9000 + i, 7, 65_000, 0) for i in range(5000))
    block = (b"Exif\0\0II*\0\x08\0\0\0" + struct.pack("<H", 5000) + entries).ljust(65_500, b"\0")
    segment = b"\xff\xe1" + struct.pack(">H", len(block) + 2) + block
    return after_start(segment * 20)


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width, height, color=0, extra=b"", interlaced=False):
    """A black PNG of 8 bits per channel; `color` is the standard's number, e.g. 6 for RGBA."""
    pack, depth, parts = zlib.compressobj(1), {0: 1, 6: 4}[color], []
    passes = [(0, 8, 0, 8), (4, 8, 0, 8), (0, 4, 4, 8), (2, 4, 0, 4), (0, 2, 2, 4), (1, 2, 0, 2), (0, 1, 1, 2)]
    for left, across, top, down in passes if interlaced else [(0, 1, 0, 1)]:
        row = bytes(1 + depth * len(range(left, width, across)))
        parts += [pack.compress(row) for _ in range(top, height, down)]
    header = struct.pack(">IIBBBBB", width, height, 8, color, 0, 0, interlaced)
    pixels = b"".join([*parts, pack.flush()])
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + extra + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def webp(width, height):
    """A lossless WebP of a single colour: five Huffman codes of one symbol, so no bits for the pixels."""
    bits, at = 0, 0
    for value, count in [(width - 1, 14), (height - 1, 14), (0, 1), (0, 3), (0, 3), *[(0b0001, 4)] * 5]:
        bits |= value << at
        at += count
    content = b"\x2f" + bits.to_bytes(13, "little")
    return b"RIFF" + struct.pack("<I", 12 + len(content)) + b"WEBPVP8L" + struct.pack("<I", len(content)) + content


def tiff(mode, side, compression="tiff_lzw"):
    return encode(Image.new(mode, (side, side)), "TIFF", compression=compression)


def claimed_tiff(mode, side):
    """A TIFF whose tags claim another size."""
    data = bytearray(tiff(mode, 64))
    (start,) = struct.unpack_from("<I", data, 4)
    (count,) = struct.unpack_from("<H", data, start)
    for at in range(start + 2, start + 2 + 12 * count, 12):
        if struct.unpack_from("<H", data, at)[0] in (256, 257):
            struct.pack_into("<HII", data, at + 2, 4, 1, side)
    assert Image.open(io.BytesIO(data)).size == (side, side)
    return bytes(data)


def claimed_boxes(form, side, **options):
    """An AVIF or HEIC whose box of the size, `ispe`, claims another one."""
    data = bytearray(encode(Image.new("RGB", (64, 64)), form, **options))
    assert data.count(b"ispe") == 1
    struct.pack_into(">II", data, data.index(b"ispe") + 8, side, side)
    return bytes(data)


def tiff_of(tags, data=b""):
    """A little-endian TIFF from the tag, type (3 is 16 bits, 4 is 32), count and value of each entry."""
    entries = b"".join(struct.pack("<HHII", *tag) for tag in sorted(tags))
    return b"II*\0\x08\0\0\0" + struct.pack("<H", len(tags)) + entries + bytes(4) + data


def tiff_with_a_huge_tile():
    sizes = [(256, 3, 1, 16), (257, 3, 1, 16), (322, 4, 1, 60_000), (323, 4, 1, 60_000)]
    rest = [(258, 3, 1, 8), (259, 3, 1, 8), (262, 3, 1, 1), (277, 3, 1, 1), (324, 4, 1, 200), (325, 4, 1, 4_000_000)]
    return tiff_of(sizes + rest, bytes(100) + zlib.compress(bytes(1 << 28), 1))


def tiff_of_entries():
    """60,000 entries that each claim the same megabyte."""
    size = [(256, 3, 1, 16), (257, 3, 1, 16), (259, 3, 1, 1), (273, 4, 1, 8), (279, 4, 1, 256)]
    return tiff_of(size + [(1000 + i, 7, 1_000_000, 0) for i in range(60_000)], bytes(500_000))


def gif(extra):
    """A GIF with `extra` between the header and the first picture."""
    data = encode(Image.new("L", (10, 10)), "GIF")
    start = data.rindex(b",\0\0\0\0\x0a\0\x0a\0")
    return data[:start] + extra + data[start:]


def run_length_bmp():
    """A BMP whose rows all end immediately: the decoder fills them byte by byte."""
    pixels = b"\1\0\0\0" * 600 + b"\0\1"
    header = struct.pack("<IiiHHIIiiII", 40, 60_000, 600, 1, 8, 1, len(pixels), 0, 0, 256, 0)
    start = 14 + len(header) + 1024
    return b"BM" + struct.pack("<IHHI", start + len(pixels), 0, 0, start) + header + bytes(1024) + pixels


def a_photo_of_50_megapixels():
    """A JPEG as from a camera: fine grain, progressive in ten scans."""
    grain = noise(2048, 1536)
    photo = Image.new("RGB", (8192, 6144))
    for left in range(0, 8192, 2048):
        for top in range(0, 6144, 1536):
            photo.paste(grain, (left, top))
    return encode(photo, "JPEG", progressive=True, quality=50)


def frames_of_webp(count):
    file = io.BytesIO()
    frames = [Image.new("RGB", (500, 500), (i, 0, 0)) for i in range(count)]
    frames[0].save(file, "WEBP", save_all=True, append_images=frames[1:], lossless=True)
    return file.getvalue()
