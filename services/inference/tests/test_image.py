"""Image files become upright pictures in four modes, or are refused with a reason."""

import struct
import zlib
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, features

from atoll_inference.media.errors import MediaTooLarge, Undecodable, Unsupported
from atoll_inference.media.image import decode_image, encode_png
from atoll_inference.media.limits import MediaLimits

LIMITS = MediaLimits()
ORIENTATION = 0x0112


def corners() -> Image.Image:
    """48 x 32 with a colour of its own in each quarter."""
    image = Image.new("RGB", (48, 32))
    for colour, box in zip(
        ((200, 0, 0), (0, 200, 0), (0, 0, 200), (200, 200, 0)),
        ((0, 0, 24, 16), (24, 0, 48, 16), (0, 16, 24, 32), (24, 16, 48, 32)),
        strict=True,
    ):
        image.paste(colour, box)
    return image


def file(image: Image.Image, kind: str, **options: Any) -> BytesIO:
    target = BytesIO()
    image.save(target, kind, **options)
    target.seek(0)
    return target


def png(*chunks: tuple[bytes, bytes]) -> BytesIO:
    """A PNG file of exactly these chunks."""
    data = b"\x89PNG\r\n\x1a\n"
    for kind, body in chunks:
        data += struct.pack(">I", len(body)) + kind + body
        data += struct.pack(">I", zlib.crc32(kind + body))
    return BytesIO(data)


def header(width: int, height: int, bits: int = 8, colour: int = 2) -> tuple[bytes, bytes]:
    return b"IHDR", struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0)


def near(image: Image.Image, expected: Image.Image, tolerance: int = 0) -> bool:
    if image.mode != expected.mode or image.size != expected.size:
        return False
    difference = np.asarray(image, np.int16) - np.asarray(expected, np.int16)
    return bool(np.abs(difference).max() <= tolerance)


@pytest.mark.parametrize(
    ("kind", "options", "tolerance"),
    [
        ("PNG", {}, 0),
        ("JPEG", {"quality": 95, "subsampling": 0}, 6),
        ("WEBP", {"lossless": True}, 0),
        ("GIF", {}, 0),
        ("BMP", {}, 0),
        ("TIFF", {}, 0),
        ("TIFF", {"compression": "tiff_lzw"}, 0),
    ],
)
def test_the_six_formats_are_read(kind: str, options: dict[str, Any], tolerance: int) -> None:
    assert near(decode_image(file(corners(), kind, **options), LIMITS), corners(), tolerance)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "TIFF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_orientation_of_a_camera_is_applied_once(kind: str, orientation: int) -> None:
    undo = {
        1: None,
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }[orientation]
    stored = corners() if undo is None else corners().transpose(undo)
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    options = {"quality": 95, "subsampling": 0} if kind == "JPEG" else {}
    options |= {"lossless": True} if kind == "WEBP" else {}
    decoded = decode_image(file(stored, kind, exif=exif, **options), LIMITS)
    assert near(decoded, corners(), 6)
    assert near(decode_image(BytesIO(encode_png(decoded)), LIMITS), corners(), 6)


def test_damaged_camera_data_does_not_spoil_the_picture() -> None:
    decoded = decode_image(file(corners(), "PNG", exif=b"Exif\0\0II*\0\xff\xff\xff\x7f"), LIMITS)
    assert near(decoded, corners())


def test_a_path_is_read_and_its_name_means_nothing(tmp_path: Path) -> None:
    path = tmp_path / "picture.txt"
    path.write_bytes(file(corners(), "PNG").getvalue())
    assert near(decode_image(path, LIMITS), corners())
    with pytest.raises(FileNotFoundError):
        decode_image(tmp_path / "absent.png", LIMITS)


@pytest.mark.parametrize(
    ("image", "kind", "mode", "pixel"),
    [
        (Image.new("1", (3, 2), 1), "PNG", "L", 255),
        (Image.new("L", (3, 2), 70), "PNG", "L", 70),
        (Image.new("LA", (3, 2), (70, 9)), "PNG", "LA", (70, 9)),
        (Image.new("RGBA", (3, 2), (1, 2, 3, 4)), "PNG", "RGBA", (1, 2, 3, 4)),
        (Image.new("RGB", (3, 2), (9, 80, 7)).quantize(4), "PNG", "RGB", (9, 80, 7)),
        (Image.new("I;16", (3, 2), 0x1234), "PNG", "L", 0x12),
        (Image.new("I;16", (3, 2), 65535), "TIFF", "L", 255),
        (Image.new("CMYK", (3, 2), (0, 255, 255, 0)), "TIFF", "RGB", (255, 0, 0)),
        (Image.new("YCbCr", (3, 2), (128, 128, 128)), "TIFF", "RGB", (128, 128, 128)),
    ],
)
def test_every_mode_becomes_one_of_four(
    image: Image.Image, kind: str, mode: str, pixel: Any
) -> None:
    decoded = decode_image(file(image, kind), LIMITS)
    assert decoded.mode == mode
    assert decoded.size == image.size
    assert decoded.getpixel((1, 1)) == pixel


def test_a_jpeg_for_print_is_shown_in_its_colours() -> None:
    image = Image.new("CMYK", (8, 8), (0, 255, 255, 0))
    decoded = decode_image(file(image, "JPEG", quality=95), LIMITS)
    assert near(decoded, Image.new("RGB", (8, 8), (255, 0, 0)), 4)


@pytest.mark.parametrize(
    ("mode", "transparent", "expected"),
    [("P", 0, "RGBA"), ("RGB", (200, 0, 0), "RGBA"), ("L", 70, "LA")],
)
def test_a_transparent_colour_becomes_an_alpha_channel(
    mode: str, transparent: Any, expected: str
) -> None:
    image = Image.new(mode, (4, 4), transparent)
    decoded = decode_image(file(image, "PNG", transparency=transparent), LIMITS)
    assert decoded.mode == expected
    assert decoded.getchannel("A").getextrema() == (0, 0)


def test_a_transparent_gif_keeps_what_is_seen() -> None:
    image = Image.new("RGBA", (8, 4), (0, 0, 0, 0))
    image.paste((250, 0, 0, 255), (0, 0, 4, 4))
    decoded = decode_image(file(image, "GIF"), LIMITS)
    assert decoded.getpixel((0, 0)) == (250, 0, 0, 255)
    assert decoded.getchannel("A").getpixel((7, 3)) == 0


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "TIFF", "PNG"])
def test_of_a_moving_picture_the_first_frame_is_taken(kind: str) -> None:
    frames = [Image.new("RGB", (9, 7), c) for c in ((255, 0, 0), (0, 255, 0), (0, 0, 255))]
    options = {"lossless": True} if kind == "WEBP" else {}
    data = file(frames[0], kind, save_all=True, append_images=frames[1:], **options)
    decoded = decode_image(data, LIMITS)
    assert decoded.getpixel((4, 3)) == (255, 0, 0)
    assert type(decoded) is Image.Image, "nothing of the file is kept"


def test_a_picture_of_one_pixel_is_a_picture() -> None:
    assert decode_image(file(Image.new("RGB", (1, 1), (5, 6, 7)), "PNG"), LIMITS).size == (1, 1)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF"])
@pytest.mark.parametrize("kept", [0.02, 0.5, 0.95])
def test_a_truncated_file_is_refused(kind: str, kept: float) -> None:
    noise = np.random.default_rng(1).integers(0, 255, (64, 64, 3), dtype=np.uint8)
    data = file(Image.fromarray(noise), kind).getvalue()
    with pytest.raises(Undecodable, match="damaged or truncated"):
        decode_image(BytesIO(data[: max(20, int(len(data) * kept))]), LIMITS)


def test_an_empty_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Undecodable, match="empty"):
        decode_image(BytesIO(), LIMITS)
    (tmp_path / "empty.png").touch()
    with pytest.raises(Undecodable, match="empty"):
        decode_image(tmp_path / "empty.png", LIMITS)


@pytest.mark.parametrize(
    "data",
    [
        b"%PDF-1.7 this is no picture",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n",
        b"P6 1 1 255 abc",
        b"x",
    ],
)
def test_other_types_are_refused_by_name(data: bytes) -> None:
    with pytest.raises(Unsupported, match="PNG, JPEG, WebP, GIF, BMP, TIFF"):
        decode_image(BytesIO(data), LIMITS)


@pytest.mark.skipif(not features.check("avif"), reason="this Pillow writes no AVIF")
def test_formats_that_pillow_reads_beyond_the_list_are_refused() -> None:
    with pytest.raises(Unsupported):
        decode_image(file(corners(), "AVIF"), LIMITS)


def test_samples_without_a_known_range_are_refused() -> None:
    with pytest.raises(Unsupported, match="8 or 16 bits"):
        decode_image(file(Image.new("F", (4, 4), 0.5), "TIFF"), LIMITS)


@pytest.mark.parametrize("size", [(20_000, 20_000), (9_000, 9_000), (2**31 - 1, 2**31 - 1)])
def test_a_large_picture_is_refused_from_its_header(size: tuple[int, int]) -> None:
    with pytest.raises(MediaTooLarge, match=f"{size[0]} x {size[1]}") as refusal:
        decode_image(png(header(*size), (b"IDAT", b"")), LIMITS)
    assert refusal.value.code == "image_too_large"


@pytest.mark.parametrize("kind", ["JPEG", "WEBP", "GIF", "BMP", "TIFF"])
def test_the_pixel_limit_holds_for_every_format(kind: str) -> None:
    data = file(Image.new("RGB", (100, 50)), kind)
    assert decode_image(data, MediaLimits(image_pixels=5_000)).size == (100, 50)
    with pytest.raises(MediaTooLarge) as refusal:
        decode_image(data, MediaLimits(image_pixels=4_999))
    assert refusal.value.code == "image_too_large"


def test_a_limit_above_that_of_pillow_is_the_one_that_counts() -> None:
    # 9,000 x 10,000 is above the size of which Pillow warns; one bit a sample keeps it small.
    rows = zlib.compress((b"\0" + bytes(1125)) * 10_000)
    data = png(header(9_000, 10_000, bits=1, colour=0), (b"IDAT", rows), (b"IEND", b""))
    decoded = decode_image(data, MediaLimits(image_pixels=100_000_000))
    assert (decoded.size, decoded.mode) == ((9_000, 10_000), "L")


def test_a_webp_file_is_measured_before_its_canvas_is_made() -> None:
    body = b"VP8X" + struct.pack("<I", 10) + bytes(4)
    body += (16_382).to_bytes(3, "little") * 2
    data = b"RIFF" + struct.pack("<I", len(body) + 4) + b"WEBP" + body
    with pytest.raises(MediaTooLarge) as refusal:
        decode_image(BytesIO(data), LIMITS)
    assert refusal.value.code == "image_too_large"


@pytest.mark.parametrize("kind", [b"zTXt", b"iCCP"])
def test_text_that_unpacks_to_hundreds_of_megabytes_is_not_unpacked(kind: bytes) -> None:
    bomb = zlib.compress(bytes(200_000_000))
    pixel = zlib.compress(b"\0\1\2\3")
    chunk = b"note\0\0" + bomb
    data = png(header(1, 1), (kind, chunk), (b"IDAT", pixel), (b"IEND", b""))
    try:
        assert decode_image(data, LIMITS).getpixel((0, 0)) == (1, 2, 3)
    except Undecodable as refusal:
        assert "too large" in str(refusal).lower()


def test_a_png_file_holds_the_pixels_and_no_metadata() -> None:
    data = file(corners(), "JPEG", quality=95, icc_profile=b"profile", comment=b"secret")
    decoded = decode_image(data, LIMITS)
    encoded = encode_png(decoded)
    assert b"profile" not in encoded
    assert b"secret" not in encoded
    assert near(decode_image(BytesIO(encoded), LIMITS), decoded)
