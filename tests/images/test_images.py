"""Ordinary and unusual files, arrays and PIL images: each becomes the correct RGB picture."""

import numpy as np
import pytest
from PIL import Image, ImageCms

from resnet_demo.images import MAX_SIDE, decoding, load_image
from resnet_demo.images import loading as images
from tests.pictures import BLACK, BLUE, GREEN, RED, WHITE, encode, quadrants

GARBAGE_EXIF = b"Exif\0\0" + b"garbage" * 20
# The transposition of an upright picture to the one that a camera stores with each EXIF orientation.
TURN = Image.Transpose
AS_STORED = {2: TURN.FLIP_LEFT_RIGHT, 3: TURN.ROTATE_180, 4: TURN.FLIP_TOP_BOTTOM, 5: TURN.TRANSPOSE} | {
    6: TURN.ROTATE_90, 7: TURN.TRANSVERSE, 8: TURN.ROTATE_270
}  # fmt: skip


def orientation_tag(value):
    exif = Image.Exif()
    exif[0x112] = value
    return exif


def assert_quadrants(image, colors=(RED, GREEN, BLUE, WHITE), tolerance=0, size=(64, 32)):
    assert (image.mode, image.size) == ("RGB", size)
    width, height = size
    centres = [(width * x // 4, height * y // 4) for y in (1, 3) for x in (1, 3)]
    difference = np.array([image.getpixel(xy) for xy in centres]) - np.array(colors)
    assert np.abs(difference).max() <= tolerance, difference


PHOTO = quadrants()
LAB = ImageCms.profileToProfile(PHOTO, ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), outputMode="LAB")
OTHER = quadrants((BLACK, BLACK, BLACK, BLACK))

# Name: the bytes, and the tolerance of a channel's value if the format is lossy.
COLOR_FILES = {
    "JPEG": (encode(PHOTO, "JPEG", quality=95), 6),
    "progressive JPEG": (encode(PHOTO, "JPEG", quality=95, progressive=True), 6),
    "CMYK JPEG": (encode(PHOTO.convert("CMYK"), "JPEG", quality=95), 12),
    "JPEG with garbage EXIF": (encode(PHOTO, "JPEG", quality=95, exif=GARBAGE_EXIF), 6),
    "JPEG with an orientation that does not exist": (encode(PHOTO, "JPEG", quality=95, exif=orientation_tag(99)), 6),
    "JPEG of two frames (MPO)": (encode(PHOTO, "MPO", quality=95, save_all=True, append_images=[OTHER.copy()]), 6),
    "PNG": (encode(PHOTO, "PNG"), 0),
    "opaque RGBA PNG": (encode(PHOTO.convert("RGBA"), "PNG"), 0),
    "palette PNG": (encode(PHOTO.quantize(4), "PNG"), 3),
    "PNG with garbage EXIF": (encode(PHOTO, "PNG", exif=GARBAGE_EXIF), 0),
    "WebP": (encode(PHOTO, "WEBP", quality=95), 12),
    "lossless WebP": (encode(PHOTO, "WEBP", lossless=True), 0),
    "animated WebP": (encode(PHOTO, "WEBP", lossless=True, save_all=True, append_images=[OTHER.copy()]), 0),
    "WebP with garbage EXIF": (encode(PHOTO, "WEBP", lossless=True, exif=GARBAGE_EXIF), 0),
    "GIF": (encode(PHOTO, "GIF"), 3),
    "animated GIF": (encode(PHOTO, "GIF", save_all=True, append_images=[OTHER.copy()]), 3),
    "BMP": (encode(PHOTO, "BMP"), 0),
    "TIFF": (encode(PHOTO, "TIFF"), 0),
    "TIFF of two pages": (encode(PHOTO, "TIFF", save_all=True, append_images=[OTHER.copy()]), 0),
    "CMYK TIFF": (encode(PHOTO.convert("CMYK"), "TIFF"), 0),
    "LAB TIFF": (encode(LAB, "TIFF"), 6),
    "YCbCr TIFF with JPEG inside": (encode(PHOTO.convert("YCbCr"), "TIFF", compression="jpeg"), 12),
    "AVIF": (encode(PHOTO, "AVIF", quality=95), 12),
    "HEIC": (encode(PHOTO, "HEIF", quality=95), 12),
}


@pytest.mark.parametrize("name", COLOR_FILES)
@pytest.mark.filterwarnings("ignore:Corrupt EXIF")
def test_a_color_file_keeps_its_size_and_colors(name):
    data, tolerance = COLOR_FILES[name]
    assert_quadrants(load_image(data), tolerance=tolerance)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("form", ["JPEG", "PNG", "TIFF", "WEBP", "HEIF"])
def test_a_photo_stands_upright_for_every_exif_orientation(form, orientation):
    stored = PHOTO if orientation == 1 else PHOTO.transpose(AS_STORED[orientation])
    exif = orientation_tag(orientation)
    data = encode(stored, form, exif=exif.tobytes() if form == "HEIF" else exif)
    assert_quadrants(load_image(data), tolerance=30)


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".txt", ".pdf", ""])
def test_the_content_decides_and_not_the_suffix(tmp_path, suffix):
    path = tmp_path / f"photo{suffix}"
    path.write_bytes(encode(PHOTO, "PNG"))
    for source in (path, str(path)):
        assert_quadrants(load_image(source))


def test_grey_files_become_grey_rgb():
    grey = PHOTO.convert("L")
    for data in (encode(grey, "JPEG", quality=95), encode(grey, "PNG"), encode(grey, "TIFF"), encode(grey, "BMP")):
        assert_quadrants(load_image(data), [(v, v, v) for v in (93, 121, 64, 255)], tolerance=2)


def test_one_bit_files_are_black_and_white():
    bits = quadrants((WHITE, BLACK, BLACK, WHITE)).convert("1")
    for form in ("PNG", "TIFF", "BMP"):
        assert_quadrants(load_image(encode(bits, form)), (WHITE, BLACK, BLACK, WHITE))


def see_through():
    """Red above; below, black that is fully transparent on the left and half transparent on the right."""
    photo = quadrants((RED, RED, BLACK, BLACK)).convert("RGBA")
    photo.paste((0, 0, 0, 0), (0, 16, 32, 32))
    photo.paste((0, 0, 0, 128), (32, 16, 64, 32))
    return photo


@pytest.mark.parametrize(
    ("form", "options"),
    [
        ("PNG", {}),
        ("WEBP", {"lossless": True, "exact": True}),
        ("TIFF", {}),
        ("AVIF", {"quality": 95}),
        ("HEIF", {"quality": 95}),
    ],
)
def test_transparency_is_laid_on_white(form, options):
    expected = (RED, RED, WHITE, (127, 127, 127))
    assert_quadrants(
        load_image(encode(see_through(), form, **options)), expected, tolerance=12 if form in ("AVIF", "HEIF") else 0
    )


def test_transparency_of_grey_palette_and_plain_rgb_is_laid_on_white():
    grey = see_through().convert("LA")
    assert_quadrants(load_image(encode(grey, "PNG")), ((93,) * 3, (93,) * 3, WHITE, (127,) * 3), tolerance=1)
    palette = quadrants((RED, BLACK, BLACK, RED)).quantize(2)
    index_of_black = palette.getpixel((48, 8))
    for form in ("PNG", "GIF"):
        data = encode(palette, form, transparency=index_of_black)
        assert_quadrants(load_image(data), (RED, WHITE, WHITE, RED), tolerance=3)
    keyed = encode(quadrants((RED, BLACK, BLACK, BLUE)), "PNG", transparency=BLACK)
    assert_quadrants(load_image(keyed), (RED, WHITE, WHITE, BLUE))


def greys(image):
    assert image.mode == "RGB"
    pixels = np.asarray(image)
    assert (pixels == pixels[..., :1]).all()
    return pixels[0, :, 0].tolist()


@pytest.mark.parametrize("form", ["PNG", "TIFF"])
def test_sixteen_bits_become_eight_on_their_full_scale(form):
    values = np.array([[0, 257, 32768, 40000, 65535]], dtype=np.uint16)
    assert greys(load_image(encode(Image.fromarray(values), form))) == [0, 1, 128, 156, 255]


def test_numbers_without_a_fixed_white_are_stretched():
    floats = np.array([[0.0, 0.25, 1.0, np.nan, np.inf, -np.inf]], dtype=np.float32)
    assert greys(load_image(encode(Image.fromarray(floats), "TIFF"))) == [0, 64, 255, 0, 255, 0]
    assert greys(load_image(encode(Image.fromarray(np.int32([[-100, 0, 100]])), "TIFF"))) == [0, 128, 255]
    assert greys(load_image(encode(Image.fromarray(np.int32([[0, 32768, 65000]])), "TIFF"))) == [0, 128, 253]
    assert greys(load_image(Image.new("F", (2, 1), 7.0))) == [255, 255]


def test_a_tall_deep_picture_is_converted_strip_by_strip_without_a_seam(monkeypatch):
    column = np.linspace(0, 65535, 999).astype(np.uint16)[:, None].repeat(3, axis=1)
    whole = np.asarray(load_image(Image.fromarray(column)))
    monkeypatch.setattr(decoding, "TILE_PIXELS", 100)
    assert (np.asarray(load_image(Image.fromarray(column))) == whole).all()
    assert (whole[:, 0, 0] == np.rint(column[:, 0] / 257)).all()


@pytest.mark.parametrize("size", [(1, 1), (1, 3000), (3000, 1), (2000, 500), (999, 1001)])
def test_the_longer_side_of_a_file_is_bounded_and_its_shape_kept(size):
    bounded = load_image(encode(Image.new("RGB", size, RED), "PNG"))
    scale = min(1, MAX_SIDE / max(size))
    assert bounded.size == tuple(max(1, round(side * scale)) for side in size)
    assert bounded.getpixel((0, 0)) == RED
    assert max(load_image(encode(Image.new("RGB", size, RED), "PNG"), max_side=10).size) <= 10


@pytest.mark.parametrize(("form", "orientation"), [("JPEG", 1), ("JPEG", 6), ("MPO", 1)])
def test_a_large_jpeg_is_decoded_at_reduced_size(monkeypatch, form, orientation):
    decoded = []
    small_rgb = images.small_rgb
    monkeypatch.setattr(images, "small_rgb", lambda image, *args: decoded.append(image.size) or small_rgb(image, *args))
    photo = load_image(encode(quadrants(size=(4032, 3024)), form, exif=orientation_tag(orientation)))
    assert photo.size == ((1008, 756) if orientation == 1 else (756, 1008))
    assert decoded == [(1008, 756)]


def test_arrays_of_the_right_form_keep_every_pixel():
    pixels = np.random.default_rng(0).integers(0, 256, (1200, 8, 3), dtype=np.uint8)
    assert (np.asarray(load_image(pixels)) == pixels).all()
    assert (np.asarray(load_image(pixels[::-2, ::2])) == pixels[::-2, ::2]).all()
    assert (np.asarray(load_image(pixels[..., 0])) == pixels[..., :1]).all()
    opaque = np.dstack([pixels, np.full(pixels.shape[:2], 255, np.uint8)])
    assert (np.asarray(load_image(opaque)) == pixels).all()
    assert (np.asarray(load_image(opaque * np.uint8([1, 1, 1, 0]))) == 255).all()


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "RGBX", "RGBa", "CMYK", "YCbCr", "HSV", "P"])
def test_a_pil_image_of_any_mode_becomes_rgb_and_keeps_its_size(mode):
    photo = PHOTO.resize((1600, 16), Image.Resampling.NEAREST)
    converted = photo.convert("RGBA").convert(mode) if mode == "RGBa" else photo.convert(mode)
    tolerance = {"P": 60, "YCbCr": 3, "HSV": 6}.get(mode, 0)
    assert_quadrants(load_image(converted), tolerance=tolerance, size=(1600, 16))
    assert_quadrants(load_image(LAB), tolerance=6)
