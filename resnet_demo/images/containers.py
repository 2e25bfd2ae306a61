"""The parts of a JPEG, PNG or WebP file that define its pixels, the cost of decoding them, and the orientation.

Pillow reads a file's metadata by loops in Python and keeps all of it, so that a few megabytes of comments, profiles or
empty chunks take minutes. It therefore receives only the parts that it needs for decoding.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from struct import error as struct_error
from struct import unpack, unpack_from

from resnet_demo.images.decoding import TOO_COSTLY, Refused, check_pixels

# More segments or chunks than any photo has: a 50 MB PNG in the usual chunks of 8 KB has 6,000.
MOST_PARTS = 20_000
# Each scan of a progressive JPEG covers all pixels, and the coefficients are held until the last scan: 2 bytes per
# value. A camera's 50 million pixels in the usual 10 scans reach half of the first limit, and 300 MB at full colour.
MAX_SCANNED_PIXELS, MAX_COEFFICIENTS = 1_000_000_000, 200_000_000

MARKER = re.compile(rb"\xff([^\x00\xff])")
# Over a phone's photo, one pass of it takes 1.2 ms; `bytes.find` and `bytes.count` take 6.
NEXT_SCAN_OR_END = re.compile(rb"\xff[\xd9\xda]")
SOI, EOI, SOS, APP0, APP1, APP14, COM = 0xD8, 0xD9, 0xDA, 0xE0, 0xE1, 0xEE, 0xFE
ALONE = (0x01, *range(0xD0, 0xD9))  # Markers without a segment.
FRAMES = {0xC0: "baseline", 0xC1: "extended", 0xC2: "progressive"}
OTHER_FRAMES = (0xC3, 0xC5, 0xC6, 0xC7, 0xC9, 0xCA, 0xCB, 0xCD, 0xCE, 0xCF)
PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
XMP_ORIENTATION = re.compile(rb"tiff:Orientation(?:=\"|>)([1-8])")


@dataclass(frozen=True)
class Essence:
    """A file with the same pixels but no metadata; EXIF's orientation, 1 to 8; and the most bytes decoding takes."""

    form: str
    data: bytes
    orientation: int = 1
    memory: int = 0


def essence(data: bytes) -> Essence | None:
    """The essence of a JPEG, PNG or WebP file; None for other formats. Raises `Refused` if decoding it costs too much,
    `ValueError` if it is damaged."""
    try:
        if data.startswith(b"\xff\xd8\xff"):
            return _jpeg(data)
        if data.startswith(PNG_SIGNATURE):
            return _png(memoryview(data))
        if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
            return _webp(data)
    except (struct_error, IndexError) as error:
        raise ValueError("the file ends early") from error
    return None


def orientation(exif: bytes) -> int:
    """Tag 274 of the first directory of an EXIF block; 1, which means upright, if it cannot be read."""
    exif = exif.removeprefix(b"Exif\0\0")
    order = {b"II": "<", b"MM": ">"}.get(bytes(exif[:2]), "")
    try:
        (directory,) = unpack_from(f"{order}I", exif, 4)
        (count,) = unpack_from(f"{order}H", exif, directory)
        for entry in range(directory + 2, directory + 2 + 12 * count, 12):
            tag, kind = unpack_from(f"{order}HH", exif, entry)
            if order and tag == 0x112:
                return unpack_from(order + {1: "B", 3: "H", 4: "I"}[kind], exif, entry + 8)[0]
    except (struct_error, KeyError):
        pass
    return 1


def _jpeg(whole: bytes) -> Essence:
    """The segments up to the first scan, and all scans of the first image; some files contain a second image."""
    data = memoryview(whole)
    kept, turned, frame, end = [data[:2]], 1, None, 2
    for marker, start, end in _segments(data):
        if marker == APP1:
            turned = turned if turned != 1 else _turned(bytes(data[start + 4 : end]))
        elif marker in FRAMES:
            if frame:
                raise ValueError("two frames")
            frame = marker, bytes(data[start + 4 : end])
        elif marker in OTHER_FRAMES:
            raise Refused("is a JPEG of a kind that no browser shows: save it again as an ordinary one")
        if not (APP0 < marker < APP14 or marker in (APP14 + 1, COM)):
            kept.append(data[start:end])
        if marker == SOS:
            break
    if not frame:
        raise ValueError("no frame")
    last, more = _scans(whole, end)
    decoded = b"".join([*kept, data[end:last]])
    return Essence("JPEG", decoded, turned, _jpeg_memory(*frame, 1 + more))


def _scans(whole: bytes, start: int) -> tuple[int, int]:
    """Where the image ends whose first scan starts there, and the number of its further scans."""
    found = NEXT_SCAN_OR_END.search(whole, start)
    if found and found[0][1] == EOI:
        return found.end(), 0
    end = whole.find(bytes((0xFF, EOI)), start)
    end = end + 2 if end > 0 else len(whole)
    return end, whole.count(bytes((0xFF, SOS)), start, end)


def _jpeg_memory(kind: int, frame: bytes, scans: int) -> int:
    """Bytes of the coefficients that are held while decoding. Raises `Refused` if decoding costs too much."""
    _, height, width, count = unpack(">BHHB", frame[:6])
    check_pixels("JPEG", width, height)
    if FRAMES[kind] != "progressive" and scans == 1:
        return 0
    if width * height * scans > MAX_SCANNED_PIXELS:
        raise Refused(f"is a JPEG of {scans} scans, which take too long: save it again as an ordinary one")
    sampling = [divmod(frame[7 + 3 * i], 16) for i in range(count)]
    most = [max(1, *(pair[axis] for pair in sampling)) for axis in (0, 1)] if count > 1 else sampling[0]
    held = sum(width * across * height * down for across, down in sampling) // max(1, most[0] * most[1])
    if held > MAX_COEFFICIENTS:
        raise Refused(TOO_COSTLY.removesuffix(", or a JPEG"))
    return 2 * held


def _segments(data: memoryview) -> Iterator[tuple[int, int, int]]:
    """The marker, the start and the end of each segment."""
    at = 2
    for _ in range(MOST_PARTS):
        found = MARKER.search(data, at)
        if not found or found[1][0] == EOI:
            raise ValueError("no scan")
        marker, start, at = found[1][0], found.start(), found.end()
        if marker not in ALONE:
            at += unpack_from(">H", data, at)[0]
            yield marker, start, at
    raise ValueError("too many segments")


def _turned(metadata: bytes) -> int:
    """The orientation given by EXIF or by XMP."""
    if metadata.startswith(b"Exif\0\0"):
        return orientation(metadata)
    found = XMP_ORIENTATION.search(metadata)
    return int(found[1]) if found else 1


def _png(data: memoryview) -> Essence:
    # Decoders take the size from the last header before the pixels, so exactly one is accepted, in its place.
    if unpack_from(">I4s", data, 8) != (13, b"IHDR"):
        raise ValueError("no header")
    width, height = unpack_from(">II", data, 16)
    check_pixels("PNG", width, height)
    kept, turned, at = [data[:33]], 1, 33
    for _ in range(MOST_PARTS):
        if at + 8 > len(data):
            break
        length, kind = unpack_from(">I4s", data, at)
        if kind == b"IHDR":
            raise ValueError("two headers")
        if kind in (b"PLTE", b"tRNS", b"IDAT", b"IEND"):
            kept.append(data[at : at + 12 + length])
        elif kind in (b"eXIf", b"iTXt") and turned == 1:
            content = bytes(data[at + 8 : at + 8 + length])
            turned = orientation(content) if kind == b"eXIf" else _turned(content)
        at += 12 + length
    else:
        raise ValueError("too many chunks")
    return Essence("PNG", b"".join(kept), turned, 4 * width * height)


def _webp(data: bytes) -> Essence:
    """The whole file: Pillow reads the metadata of a WebP only on request."""
    kind = data[12:16]
    if kind == b"VP8X":
        width, height = (1 + int.from_bytes(data[at : at + 3], "little") for at in (24, 27))
    elif kind == b"VP8L":
        bits = unpack_from("<I", data, 21)[0]
        width, height = 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    else:
        width, height = (side & 0x3FFF for side in unpack_from("<HH", data, 26))
    check_pixels("WEBP", width, height)
    return Essence("WEBP", data, 1, 20 * width * height)
