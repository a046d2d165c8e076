"""Whatever a visitor hands us, as a picture."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
import pytest
import torch

from studio.images import Image, fit, open_picture, png, sheet, to_picture, to_pictures, to_tensor


def encoded(picture: Image.Image, kind: str = "PNG", **how) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, kind, **how)
    return buffer.getvalue()


def huge_png(width: int, height: int) -> bytes:
    """A whole header that promises far more pixels than follow."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(b"\0" * 1000))
        + chunk(b"IEND", b"")
    )


RED = Image.new("RGB", (6, 4), (200, 30, 40))


def palette_with_alpha() -> bytes:
    picture = Image.new("P", (6, 4), 1)
    picture.putpalette([0, 0, 0, 200, 30, 40])
    picture.putpixel((0, 0), 0)
    return encoded(picture, transparency=0)


def rotated() -> bytes:
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was held upright: turn by 90 degrees to see it so
    return encoded(RED, "JPEG", exif=exif)


GOOD = {
    "rgb": (encoded(RED), (200, 30, 40)),
    "grey": (encoded(Image.new("L", (6, 4), 120)), (120, 120, 120)),
    "one bit": (encoded(Image.new("1", (6, 4), 1)), (255, 255, 255)),
    "cmyk": (encoded(RED.convert("CMYK"), "JPEG", quality=95), (200, 30, 40)),
    "sixteen bit": (encoded(Image.fromarray(np.full((4, 6), 30840, np.uint16))), (120, 120, 120)),
    "transparent": (encoded(Image.new("RGBA", (6, 4), (0, 0, 0, 0))), (255, 255, 255)),
    "half transparent": (encoded(Image.new("RGBA", (6, 4), (0, 0, 0, 128))), (127, 127, 127)),
    "grey with alpha": (encoded(Image.new("LA", (6, 4), (0, 0))), (255, 255, 255)),
    "palette with alpha": (palette_with_alpha(), (200, 30, 40)),
    "animated gif": (encoded(RED, "GIF", save_all=True, append_images=[Image.new("RGB", (6, 4))]), (200, 30, 40)),
    "animated webp": (
        encoded(RED, "WEBP", save_all=True, append_images=[Image.new("RGB", (6, 4))], lossless=True),
        (200, 30, 40),
    ),
    "tiff": (encoded(RED, "TIFF"), (200, 30, 40)),
}


@pytest.mark.parametrize("name", GOOD)
def test_what_is_a_picture_opens(name):
    content, colour = GOOD[name]
    picture = open_picture(content)
    assert picture.mode == "RGB"
    assert picture.size == (6, 4)
    assert np.abs(np.asarray(picture)[2, 4].astype(int) - colour).max() <= 8


def test_transparency_is_white_paper():
    assert open_picture(palette_with_alpha()).getpixel((0, 0)) == (255, 255, 255)


def test_a_cameras_rotation_is_applied():
    assert open_picture(rotated()).size == (4, 6)


BAD = {
    "text": (b"hello, I am not a picture", "not a picture"),
    "nothing": (b"", "not a picture"),
    "truncated": (encoded(Image.effect_noise((300, 300), 50).convert("RGB"), "JPEG")[:2000], "damaged or cut off"),
    "truncated png": (encoded(Image.effect_noise((300, 300), 50))[:5000], "damaged or cut off"),
    "30,000 x 30,000": (huge_png(30_000, 30_000), "far more pixels than the 50 million"),
    "8,000 x 8,000": (huge_png(8_000, 8_000), "8,000 x 8,000 pixels; at most 50 million"),
    "promises more than it holds": (huge_png(3_000, 3_000), "damaged or cut off"),
    "svg": (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "not a picture"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_not_gets_a_sentence(name):
    content, sentence = BAD[name]
    with pytest.raises(ValueError, match=sentence):
        open_picture(content)


def test_files_by_name(tmp_path):
    with pytest.raises(ValueError, match="There is no file"):
        open_picture(tmp_path / "none.png")
    with pytest.raises(ValueError, match="can't be read"):
        open_picture(tmp_path)
    RED.save(tmp_path / "red.png")
    assert open_picture(tmp_path / "red.png").size == (6, 4)


def test_there_and_back_is_exact():
    picture = Image.effect_noise((32, 20), 80).convert("RGB")
    assert np.array_equal(np.asarray(to_picture(to_tensor(picture))), np.asarray(picture))
    assert np.array_equal(np.asarray(open_picture(png(picture))), np.asarray(picture))


def test_outside_the_range_is_clipped_and_nan_is_grey():
    made = np.asarray(to_picture(torch.tensor([[[[-9.0, 9.0, float("nan"), 0.0]]]])))
    assert made[0, :, 0].tolist() == [0, 255, 128, 128]


@pytest.mark.parametrize("size", [(10, 40), (40, 10), (1, 1), (500, 499), (64, 64)])
def test_fit_keeps_the_whole_picture_on_paper(size):
    fitted = np.asarray(fit(Image.new("RGB", size, (0, 0, 0)), 64, 64)).astype(int)
    assert fitted.shape == (64, 64, 3)
    share = min(size) / max(size)
    assert abs((fitted < 128).all(axis=2).mean() - share) < 0.03


def test_a_thin_line_stays_when_it_is_made_small():
    picture = Image.new("RGB", (1024, 1024), "white")
    picture.paste((0, 0, 0), (0, 500, 1024, 506))
    assert np.asarray(fit(picture, 128, 128)).min() < 140


def test_sheet_lays_out_rows():
    made = sheet([[RED, RED, RED], [RED]])
    assert made.size == (3 * 8 - 2, 2 * 6 - 2)
    assert len(to_pictures(torch.zeros(3, 1, 4, 4))) == 3
    with pytest.raises(ValueError, match="to_pictures"):
        to_picture(torch.zeros(2, 3, 4, 4))
