"""Image files to pictures and back."""

from io import BytesIO
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import Image as pillow
from PIL import ImageOps
from PIL.BmpImagePlugin import BmpImageFile
from PIL.GifImagePlugin import GifImageFile
from PIL.Image import Image
from PIL.ImageFile import ImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.TiffImagePlugin import TiffImageFile
from PIL.WebPImagePlugin import WebPImageFile

from atoll_inference.media.errors import MediaTooLarge, Undecodable, Unsupported
from atoll_inference.media.limits import MediaLimits

FORMATS = ("PNG", "JPEG", "WebP", "GIF", "BMP", "TIFF")
"""What `decode_image` takes, whatever the file is called."""

_PREFIX = 16
_BOMBS = (pillow.DecompressionBombError, pillow.DecompressionBombWarning)


def decode_image(source: Path | BinaryIO, limits: MediaLimits) -> Image:
    """Decode the first frame, upright by its EXIF orientation, in mode L, LA, RGB or RGBA.

    Colour profiles are not applied. Samples of 16 bits keep their upper 8.

    Args:
        source: a path, or a seekable file that is read from its start.

    Raises:
        Undecodable: damaged, truncated or empty.
        Unsupported: no format of `FORMATS`, or 32-bit samples, whose range no header tells.
        MediaTooLarge: `image_too_large`, judged from the header before anything is decoded.
        OSError: a path that cannot be opened.
    """
    if isinstance(source, Path):
        with source.open("rb") as file:
            return _decode(file, limits)
    source.seek(0)
    return _decode(source, limits)


def encode_png(image: Image) -> bytes:
    """The picture as a PNG file, without metadata."""
    target = BytesIO()
    # Level 6, the default, takes four times as long to save a tenth of a photograph.
    image.save(target, "PNG", compress_level=1)
    return target.getvalue()


def _decode(file: BinaryIO, limits: MediaLimits) -> Image:
    prefix = file.read(_PREFIX)
    if not prefix:
        raise Undecodable("The picture is empty.")
    plugin = _plugin(prefix)
    file.seek(0)
    try:
        # The plugin is called here, and not `Image.open`, because that warns of large pictures
        # by a figure of its own and loads readers of some forty formats.
        picture = plugin(file)
        _check_size(picture, limits)
        picture.load()
        return _plain(_upright(picture))
    except (MediaTooLarge, Unsupported, MemoryError):
        raise
    except _BOMBS as error:
        raise _too_large(str(error).partition(",")[0], limits) from error
    except Exception as error:  # a damaged header takes the plugins to all kinds of exceptions
        raise Undecodable(
            f"The picture is damaged or truncated and cannot be decoded: {error}"
        ) from error


def _plugin(prefix: bytes) -> type[ImageFile]:
    plugins: tuple[tuple[tuple[bytes, ...], type[ImageFile]], ...] = (
        ((b"\x89PNG\r\n\x1a\n",), PngImageFile),
        ((b"\xff\xd8\xff",), JpegImageFile),
        ((b"GIF87a", b"GIF89a"), GifImageFile),
        ((b"BM",), BmpImageFile),
        ((b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"), TiffImageFile),
    )
    for magic, plugin in plugins:
        if prefix.startswith(magic):
            return plugin
    if prefix.startswith(b"RIFF") and prefix[8:12] == b"WEBP":
        return WebPImageFile
    raise Unsupported(f"The file is no picture of a type that is taken: {', '.join(FORMATS)}.")


def _check_size(picture: ImageFile, limits: MediaLimits) -> None:
    width, height = picture.size
    if width < 1 or height < 1:
        raise Undecodable("The picture has no pixels.")
    if width * height > limits.image_pixels:
        raise _too_large(f"The picture has {width} x {height} pixels", limits)


def _too_large(what: str, limits: MediaLimits) -> MediaTooLarge:
    return MediaTooLarge(
        f"{what}, and at most {limits.image_pixels} pixels are taken. Send a smaller one.",
        "image_too_large",
    )


def _upright(picture: ImageFile) -> Image:
    """A copy that holds neither the file nor its further frames."""
    try:
        return ImageOps.exif_transpose(picture)
    except MemoryError:
        raise
    except Exception:  # damaged metadata says nothing about the pixels
        return picture.copy()


def _plain(image: Image) -> Image:
    alpha = image.has_transparency_data
    if image.mode.startswith("I;16"):
        values = np.asarray(image, dtype=np.uint16)
        image = pillow.fromarray((values >> 8).astype(np.uint8))
    elif image.mode in ("I", "F"):
        raise Unsupported(
            "The picture has samples of 32 bits, whose range is not told. Save it with 8 or 16 "
            "bits a sample."
        )
    elif image.mode in ("1", "L", "La", "LA"):
        image = _converted(image, "LA" if alpha else "L")
    else:
        image = _converted(image, "RGBA" if alpha else "RGB")
    image.info = {}
    return image


def _converted(image: Image, mode: str) -> Image:
    return image if image.mode == mode else image.convert(mode)
