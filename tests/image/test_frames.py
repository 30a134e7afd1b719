from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw

from relume.errors import InputError, OutputError
from relume.image import Animation, Picture, read_image, write_image

DURATIONS = [100, 250, 40]


def make(path: Path, alpha: bool = False, **options: Any) -> list[Image.Image]:
    """Three frames of flat colours, which no format changes much, on a canvas that is partly transparent."""
    frames = []
    for number, colour in enumerate([(250, 0, 0), (0, 0, 250), (0, 250, 0)]):
        frame = Image.new("RGBA", (24, 16), (0, 0, 0, 0) if alpha else (255, 255, 255, 255))
        ImageDraw.Draw(frame).ellipse((8 * number, 4, 8 * number + 8, 12), (*colour, 255))
        frames.append(frame if alpha else frame.convert("RGB"))
    frames[0].save(path, save_all=True, append_images=frames[1:], duration=DURATIONS, **options)
    return frames


def shown(path: Path) -> list[np.ndarray]:
    with Image.open(path) as image:
        return [
            np.asarray(_seek(image, number).convert("RGBA"), int)
            for number in range(getattr(image, "n_frames", 1))
        ]


def _seek(image: Image.Image, number: int) -> Image.Image:
    image.seek(number)
    return image


@pytest.mark.parametrize("alpha", [False, True])
@pytest.mark.parametrize(
    ("source", "options"),
    [("a.gif", {"disposal": 2}), ("a.png", {}), ("a.webp", {"lossless": True})],
)
@pytest.mark.parametrize("target", ["b.png", "b.webp", "b.gif"])
def test_frames_and_durations_survive(tmp_path: Path, source: str, options: Any, target: str, alpha: bool):
    frames = make(tmp_path / source, alpha, loop=0, **options)
    animation = read_image(tmp_path / source)
    assert isinstance(animation, Animation)
    assert (animation.height, animation.width, animation.durations_ms) == (16, 24, tuple(DURATIONS))
    write_image(animation, tmp_path / target)
    again = read_image(tmp_path / target)
    assert isinstance(again, Animation)
    assert again.durations_ms == tuple(DURATIONS)
    for frame, found in zip(frames, shown(tmp_path / target), strict=True):
        expected = np.asarray(frame.convert("RGBA"), int)
        assert abs(found[..., 3] - expected[..., 3]).max() <= 8
        visible = expected[..., 3] > 0
        assert abs(found - expected)[visible].mean() < 12


@pytest.mark.parametrize("plays", [0, 1, 3])
@pytest.mark.parametrize("target", ["b.png", "b.webp", "b.gif"])
def test_how_often_it_plays_survives(tmp_path: Path, plays: int, target: str):
    make(tmp_path / "a.png", loop=plays)
    animation = read_image(tmp_path / "a.png")
    assert isinstance(animation, Animation)
    write_image(animation, tmp_path / target)
    again = read_image(tmp_path / target)
    assert isinstance(again, Animation)
    assert (animation.plays, again.plays) == (plays, plays)


def test_one_frame_is_a_picture(tmp_path: Path):
    for name in ("a.gif", "a.png", "a.webp", "a.jpg"):
        Image.new("RGB", (4, 4)).save(tmp_path / name)
        assert isinstance(read_image(tmp_path / name), Picture)


def test_the_picture_for_viewers_without_animation_is_no_frame(tmp_path: Path):
    frames = [Image.new("RGB", (4, 4), colour) for colour in ("white", "red", "blue")]
    frames[0].save(
        tmp_path / "a.png", save_all=True, append_images=frames[1:], duration=[70, 80], default_image=True
    )
    animation = read_image(tmp_path / "a.png")
    assert isinstance(animation, Animation)
    colours = [frame.pixels[0, 0].tolist() for frame in animation.frames]
    assert (animation.durations_ms, colours) == ((70, 80), [[1, 0, 0], [0, 0, 1]])


def test_too_many_frames_are_refused(tmp_path: Path):
    make(tmp_path / "a.gif")
    with pytest.raises(InputError, match="more than 2 frames of 24 × 16 pixels"):
        read_image(tmp_path / "a.gif", max_pixels=24 * 16 * 2)


def test_single_picture_formats_are_refused(tmp_path: Path):
    make(tmp_path / "a.gif")
    with pytest.raises(OutputError, match="got an animation as JPEG"):
        write_image(read_image(tmp_path / "a.gif"), tmp_path / "b.jpg")
    assert not (tmp_path / "b.jpg").exists()


def test_a_damaged_frame_is_one_clear_line(tmp_path: Path):
    make(tmp_path / "a.png")
    content = (tmp_path / "a.png").read_bytes()
    (tmp_path / "a.png").write_bytes(content[: len(content) // 2])
    with pytest.raises(InputError):
        write_image(read_image(tmp_path / "a.png"), tmp_path / "b.png")
    assert not (tmp_path / "b.png").exists()


def test_frames_are_restored_one_by_one(tmp_path: Path, tiny_model: Path):
    import relume

    make(tmp_path / "a.gif", alpha=True, disposal=2)
    calls: list[tuple[int, int]] = []
    relume.upscale(
        tmp_path / "a.gif",
        tmp_path / "b.png",
        model=str(tiny_model),
        progress=lambda *call: calls.append(call),
    )
    result = read_image(tmp_path / "b.png")
    assert isinstance(result, Animation)
    assert (result.width, result.durations_ms) == (96, tuple(DURATIONS))
    assert calls[-1][0] == calls[-1][1]
    assert all(frame.alpha is not None for frame in replace(result).frames)
