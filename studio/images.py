"""The one border between pictures (PIL) and tensors.

Inside the studio a picture is a float tensor ``(N, 3, H, W)`` in [-1, 1]. Outside it is a PIL picture, or a file
that somebody hands us: of any mode, rotated by a phone, animated, truncated, or not a picture at all. Everything
that crosses does so here, so a GAN never sees a palette and a page never sees a tensor.
"""

from __future__ import annotations

import io
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageOps, UnidentifiedImageError
from torch import Tensor

from studio.refused import Refused

MOST_PIXELS = 50_000_000  # about 7,000 x 7,000: any camera's picture, and no decompression bomb
FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "AVIF", "PPM")  # Pillow knows more: EPS runs Ghostscript
PAPER = (255, 255, 255)  # what shows through where a picture is transparent

ORIENTATION = 0x0112  # of EXIF
TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT, 3: Image.Transpose.ROTATE_180, 4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE, 6: Image.Transpose.ROTATE_270, 7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}  # fmt: skip
DEPTHS = (255, 1023, 4095, 16383, 65535)  # the greatest number of 8, 10, 12, 14 and 16 bits

Picture = Image.Image


class TooLarge(Refused):
    """More pixels than are opened."""


@dataclass(frozen=True)
class File:
    """A file that a verb gives: its bytes, what kind it is (``video/mp4``), and the ending of its name."""

    content: bytes = field(repr=False)
    type: str
    ending: str


def open_picture(source: str | Path | bytes | io.IOBase | Picture | np.ndarray, most: int = MOST_PIXELS) -> Picture:
    """Any picture a visitor may hand us -> an upright RGB picture on white paper.

    Palette, grey, 16-bit, CMYK and transparent pictures work, those of other depths than 8 bits with their own range
    (see `depth`; ``info["range"]`` says it); of an animation the first frame is taken; a camera's
    rotation is applied. An array of bytes is ``(H, W)``, ``(H, W, 3)`` or ``(H, W, 4)``.

    Raises:
        ValueError: not a picture, cut off, or of more than ``most`` pixels. The sentence says what to do.
    """
    return _opened(source, _on_paper, most)


def open_file(source: str | Path | bytes | io.IOBase | Picture) -> Picture:
    """The same, but as it is in the file, of any mode: for pictures whose numbers matter, such as label maps."""
    return _opened(source, lambda picture: picture)


def _opened(
    source: str | Path | bytes | io.IOBase | Picture | np.ndarray,
    made: Callable[[Picture], Picture],
    most: int = MOST_PIXELS,
) -> Picture:
    if isinstance(source, np.ndarray):
        source = _of_array(source)
    if isinstance(source, Picture):
        return made(upright(source))
    if isinstance(source, bytes):
        source = io.BytesIO(source)
    try:
        with Image.open(source, formats=FORMATS) as picture:
            width, height = picture.size
            if width * height > most:
                raise TooLarge("pictures.large", width=width, height=height, most=most / 1000000.0)
            deep = _is_deep(picture)
            picture.load()
            turned = upright(picture)
            return (_of_depth(source, turned) if deep and made is _on_paper else None) or made(turned)
    except (TooLarge, MemoryError):
        raise
    except FileNotFoundError as error:
        raise Refused("pictures.noFile", file=source) from error
    except (IsADirectoryError, PermissionError) as error:
        raise Refused("pictures.noReading", file=source) from error
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:  # Pillow's limits are higher
        raise Refused("pictures.huge", most=MOST_PIXELS / 1000000.0) from error
    except UnidentifiedImageError as error:
        raise Refused("pictures.heic" if _is_heic(source) else "pictures.notOne") from error
    except Exception as error:  # a decoder may raise anything
        raise Refused("pictures.damaged") from error


def _of_array(array: np.ndarray) -> Picture:
    if array.dtype == bool:
        array = array.astype(np.uint8) * 255
    if array.dtype != np.uint8 or not array.size or array.ndim not in (2, 3) or array.shape[2:] not in ((), (3,), (4,)):
        raise Refused("pictures.array", shape=str(array.shape), kind=array.dtype)
    return Image.fromarray(array)


def upright(picture: Picture) -> Picture:
    """The picture as its camera was held. Only pixels are turned: what else EXIF says is read by nobody here, and may
    be such that it can't be written anew."""
    try:
        how = TURNS.get(picture.getexif().get(ORIENTATION))
    except Exception:  # damaged EXIF is none
        how = None
    return picture if how is None else picture.transpose(how)


def _is_heic(source: str | Path | io.IOBase) -> bool:
    """Whether it is a phone's picture that no library here reads."""
    try:
        if isinstance(source, (str, Path)):
            with open(source, "rb") as file:
                head = file.read(16)
        else:
            source.seek(0)
            head = source.read(16)
    except (OSError, ValueError):
        return False
    return head[4:8] == b"ftyp" and head[8:11] in (b"hei", b"hev", b"mif", b"msf")


# ---- depth ----------------------------------------------------------------------------------------------------------


def _is_deep(picture: Picture) -> bool:
    """Whether its colours have 16 bits each, of which Pillow keeps the upper 8."""
    return picture.mode in ("RGB", "RGBA") and any(";16" in str(tile[-1]) for tile in getattr(picture, "tile", []))


def _of_depth(source: str | Path | io.IOBase, picture: Picture) -> Picture | None:
    """Colours of 10 or 12 bits in a file for 16, with their own range; None = they do fill 16 bits."""
    import cv2

    if np.asarray(picture)[..., :3].max(initial=0) >= DEPTHS[-2] >> 8:
        return None
    if isinstance(source, (str, Path)):
        content = Path(source).read_bytes()
    else:
        source.seek(0)
        content = source.read()
    values = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR | cv2.IMREAD_ANYDEPTH)
    if values is None or values.dtype != np.uint16:
        return None
    return _scaled(values[..., ::-1].astype(np.float64), whole=True)


def depth(values: np.ndarray, whole: bool) -> tuple[float, float]:
    """(what is black, what is white) in a picture of these numbers: the whole range of 8, 10, 12, 14 or 16 bits that
    they need; of fractions 0 to 1; of what goes below 0, as a scanner's numbers do, from the least to the greatest."""
    low, high = float(values.min(initial=0)), float(values.max(initial=0))
    if low < 0 or high > DEPTHS[-1]:
        return low, max(high, low + 1e-12)
    if not whole and high <= 1:
        return 0.0, 1.0
    return 0.0, float(next(top for top in DEPTHS if high <= top))


def _scaled(values: np.ndarray, whole: bool) -> Picture:
    values = np.nan_to_num(values, posinf=0.0, neginf=0.0)
    low, high = depth(values, whole)
    made = Image.fromarray((((values - low) / (high - low)).clip(0, 1) * 255).round().astype(np.uint8)).convert("RGB")
    made.info["range"] = (low, high)
    return made


def _on_paper(picture: Picture) -> Picture:
    """8 bits, RGB, transparency laid on white."""
    if picture.mode == "RGB":
        return picture.copy()
    if picture.mode.startswith("I") or picture.mode == "F":  # 16-bit scans: Pillow would clip them to white
        return _scaled(np.asarray(picture, dtype=np.float64), picture.mode != "F")
    if "A" in picture.mode or "transparency" in picture.info or picture.mode in ("La", "RGBa"):
        picture = picture.convert("RGBA")
        paper = Image.new("RGBA", picture.size, (*PAPER, 255))
        return Image.alpha_composite(paper, picture).convert("RGB")
    return picture.convert("RGB")


def to_tensor(pictures: Picture | Sequence[Picture], size: int | tuple[int, int] | None = None) -> Tensor:
    """Pictures -> ``(N, 3, H, W)`` in [-1, 1].

    Args:
        size: ``(height, width)`` or the side of a square; the whole picture is fitted in and the rest is paper, so
            that nothing is cut off and nothing is stretched. None keeps the size (all must then be alike).
    """
    if isinstance(pictures, Picture):
        pictures = [pictures]
    if size is not None:
        height, width = (size, size) if isinstance(size, int) else size
        pictures = [fit(p, width, height) for p in pictures]
    arrays = np.stack([np.asarray(p.convert("RGB"), dtype=np.float32) for p in pictures])
    return torch.from_numpy(arrays).permute(0, 3, 1, 2).contiguous() / 127.5 - 1


def fit(picture: Picture, width: int, height: int) -> Picture:
    """The whole picture inside ``width`` x ``height``, centred on paper. Shrinks by area, so that lines stay lines."""
    if picture.size == (width, height):
        return picture
    scale = min(width / picture.width, height / picture.height)
    inner = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
    how = Image.Resampling.BOX if scale < 0.5 else Image.Resampling.BICUBIC
    if scale >= 0.5 and scale < 1:
        how = Image.Resampling.HAMMING
    picture = picture.resize(inner, how)
    if inner == (width, height):
        return picture
    paper = Image.new("RGB", (width, height), PAPER)
    paper.paste(picture, ((width - inner[0]) // 2, (height - inner[1]) // 2))
    return paper


def crop_square(picture: Picture, size: int) -> Picture:
    """The middle square, ``size`` x ``size``: for photographs, where the edge matters less than the scale."""
    return ImageOps.fit(picture, (size, size), Image.Resampling.BICUBIC)


def to_pictures(tensor: Tensor) -> list[Picture]:
    """``(N, 3 or 1, H, W)`` in [-1, 1] -> N pictures. Values outside are clipped, NaN becomes mid grey."""
    grid = tensor.detach().float().nan_to_num(0.0).clamp(-1, 1).add(1).mul(127.5).round().to(torch.uint8)
    grid = grid.expand(-1, 3, -1, -1).permute(0, 2, 3, 1).cpu().numpy()
    return [Image.fromarray(np.ascontiguousarray(item)) for item in grid]


def to_picture(tensor: Tensor) -> Picture:
    """``(1, 3, H, W)`` or ``(3, H, W)`` in [-1, 1] -> one picture."""
    if tensor.ndim == 3:
        tensor = tensor[None]
    if len(tensor) != 1:
        raise ValueError(f"This tensor holds {len(tensor)} pictures; use to_pictures.")
    return to_pictures(tensor)[0]


def sheet(rows: Sequence[Sequence[Picture]], gap: int = 2) -> Picture:
    """A contact sheet: rows of equally large pictures, ``gap`` pixels of paper between them."""
    width, height = rows[0][0].size
    columns = max(len(row) for row in rows)
    paper = Image.new("RGB", (columns * (width + gap) - gap, len(rows) * (height + gap) - gap), PAPER)
    for y, row in enumerate(rows):
        for x, picture in enumerate(row):
            paper.paste(picture, (x * (width + gap), y * (height + gap)))
    return paper


def png(picture: Picture) -> bytes:
    """The picture as PNG. Level 1: a third larger than the smallest, ten times faster, and exact."""
    buffer = io.BytesIO()
    picture.save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()


def gif(frames: Sequence[Picture], rate: float = 24) -> File:
    """An endless GIF, ``rate`` frames a second (GIF counts in hundredths); all frames share one palette of 256."""
    wall = Image.new("RGB", (frames[0].width, frames[0].height * min(len(frames), 32)))
    for k, frame in enumerate(frames[:: max(1, len(frames) // 32)][:32]):
        wall.paste(frame, (0, k * frame.height))
    palette = wall.quantize(256, Image.Quantize.MEDIANCUT)
    first, *rest = (frame.quantize(palette=palette, dither=Image.Dither.FLOYDSTEINBERG) for frame in frames)
    buffer = io.BytesIO()
    first.save(buffer, "GIF", save_all=True, append_images=rest, duration=round(100 / rate) * 10, loop=0)
    return File(buffer.getvalue(), "image/gif", ".gif")


def mp4(frames: Sequence[Picture], rate: float = 24, side: int = 256) -> File:
    """An MP4 film (VP9, which browsers play), enlarged to about ``side`` pixels by whole numbers.

    Raises:
        ValueError: this machine's OpenCV can't write films.
    """
    import cv2

    scale = max(1, side // max(frames[0].size))
    width, height = (2 * -(-each * scale // 2) for each in frames[0].size)  # codecs want even numbers
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "film.mp4"
        writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"vp09"), rate, (width, height))
        try:
            if not writer.isOpened():
                raise Refused("pictures.noMovie")
            for frame in frames:
                large = frame.convert("RGB").resize((width, height), Image.Resampling.LANCZOS)
                writer.write(np.ascontiguousarray(np.asarray(large)[:, :, ::-1]))
        finally:
            writer.release()
        return File(path.read_bytes(), "video/mp4", ".mp4")
