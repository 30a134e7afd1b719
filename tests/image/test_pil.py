import numpy as np
import pytest
from PIL import Image

from relume.errors import InputError
from relume.image import from_pil, to_pil


@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "RGBA", "I;16"])
def test_modes_come_back(make_levels, mode):
    levels = make_levels("L", 16) if mode == "I;16" else make_levels(mode)
    image = Image.fromarray(levels[..., 0] if levels.shape[2] == 1 else levels)
    assert image.mode == mode
    back = to_pil(from_pil(image))
    assert back.mode == mode
    opaque = levels[..., -1] > 0 if mode.endswith("A") else slice(None)
    np.testing.assert_array_equal(np.asarray(back)[opaque], np.asarray(image)[opaque])


@pytest.mark.parametrize(
    ("mode", "becomes"),
    [("1", "L"), ("P", "RGB"), ("PA", "RGBA"), ("CMYK", "RGB"), ("La", "LA"), ("HSV", "RGB"), ("LAB", "RGB")],
)
def test_other_modes_become_plain_ones(mode, becomes):
    colour = Image.new("P", (4, 4), 1)
    colour.putpalette([0, 0, 0, 255, 0, 0])
    image = {"P": colour, "PA": colour.convert("PA")}.get(mode) or Image.new(mode, (4, 4))
    assert to_pil(from_pil(image)).mode == becomes


def test_grey_palettes_are_grey(make_levels):
    grey = Image.fromarray(make_levels("L")[..., 0])
    assert from_pil(grey.convert("P")).grey == (grey.convert("P").getpalette()[3:6] == [1, 1, 1])


@pytest.mark.parametrize("mode", ["I", "F"])
def test_modes_with_32_bits_are_refused(mode):
    with pytest.raises(InputError, match=f"unsupported picture mode; got {mode}; allowed: 1, L"):
        from_pil(Image.new(mode, (4, 4)))


def test_metadata_come_back_and_the_orientation_is_applied(rgb_profile):
    image = Image.new("RGB", (8, 4))
    exif = Image.Exif()
    exif[0x112] = 6
    image.info = {"exif": exif.tobytes(), "icc_profile": rgb_profile, "xmp": b"<x/>", "dpi": (300, 300)}
    back = to_pil(from_pil(image))
    assert back.size == (4, 8)
    assert back.info.keys() == image.info.keys()
    assert back.getexif()[0x112] == 1
    assert from_pil(back).pixels.shape == (8, 4, 3)


@pytest.mark.parametrize("dpi", [(0, 0), (1e9, 1e9), (float("nan"), 1), (-72, 72)])
def test_nonsense_resolutions_are_dropped(dpi):
    image = Image.new("RGB", (8, 4))
    image.info["dpi"] = dpi
    assert from_pil(image).dpi is None


def test_deep_colour_is_rounded_to_8_bits():
    picture = from_pil(Image.new("RGB", (1, 1))).replace(bits=16, pixels=np.full((1, 1, 3), 0.5, np.float32))
    assert to_pil(picture).getpixel((0, 0)) == (128, 128, 128)
