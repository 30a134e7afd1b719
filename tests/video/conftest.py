"""Small clips, made on the spot with whatever a test is about."""

from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from relume.model import Model, open_model
from relume.video.colour import from_rgb
from relume.video.tags import Colour, coding_of, frame_of, planar, settled_colour

MakeClip = Callable[..., Path]


@pytest.fixture(scope="session")
def model(tiny_model: Path) -> Model:
    """The smallest network at ×4, ready to run."""
    return open_model(str(tiny_model))


@pytest.fixture
def make_clip(tmp_path: Path) -> MakeClip:
    """Write a clip; see :func:`write_clip`."""

    def make(name: str = "clip.mkv", **options: Any) -> Path:
        return write_clip(tmp_path / name, **options)

    return make


def picture(number: int, width: int, height: int) -> NDArray[np.uint8]:
    """A smooth picture that moves."""
    y, x = np.mgrid[0:height, 0:width]
    waves = (np.sin((x + 2 * number) / 9), np.cos((y - number) / 7), np.sin((x + y + number) / 11))
    return np.stack([128 + 80 * wave for wave in waves], axis=-1).astype(np.uint8)


def write_clip(
    path: Path,
    *,
    pts: Sequence[int] = range(12),
    time_base: Fraction = Fraction(1, 25),
    size: tuple[int, int] = (48, 32),
    codec: str = "libx264",
    pix_fmt: str = "yuv420p",
    options: dict[str, str] | None = None,
    pictures: Callable[[int, int, int], NDArray[np.uint8]] = picture,
    colour: tuple[int, int, int, int] = (1, 1, 1, 1),
    shape: Fraction = Fraction(1),
    turn: int = 0,
    audio: Sequence[str] = (),
    subtitles: bool = False,
    font: bytes = b"",
    chapters: bool = False,
    metadata: dict[str, str] | None = None,
) -> Path:
    """Write a clip of moving waves.

    Args:
        path: where; decides the container.
        pts: when each frame is shown.
        time_base: the unit of that.
        size: width and height.
        codec: FFmpeg's name.
        pix_fmt: pixel layout.
        options: of the encoder.
        pictures: number, width and height -> RGB.
        colour: primaries, transfer, matrix and range.
        shape: of pixels.
        turn: degrees.
        audio: languages of the sound tracks.
        subtitles: whether there are two lines of text.
        font: an attachment.
        chapters: whether there are two.
        metadata: of the file.
    """
    width, height = size
    settled = settled_colour(Colour(*colour), height, rgb=planar(pix_fmt).startswith("gbr"))
    coding = coding_of(planar(pix_fmt), settled)
    with av.open(str(path), "w") as container:
        container.metadata.update(metadata or {})
        video: Any = container.add_stream(codec, rate=Fraction(25), options=options or {})
        video.width, video.height, video.pix_fmt = width, height, pix_fmt
        context = video.codec_context
        context.time_base, context.sample_aspect_ratio = time_base, shape
        context.color_primaries, context.color_trc, context.colorspace, context.color_range = colour
        if turn:
            video.set_display_rotation(turn)
        tracks = [_add_audio(container, language) for language in audio]
        text = _add_subtitles(container) if subtitles else None
        if font:
            container.add_attachment("serif.ttf", "application/x-truetype-font", font)
        if chapters:
            units = {"time_base": Fraction(1, 1000)}
            container.set_chapters(
                [
                    {"id": 1, "start": 0, "end": 200, "metadata": {"title": "One"}, **units},
                    {"id": 2, "start": 200, "end": 480, "metadata": {"title": "Two"}, **units},
                ]
            )
        for number, at in enumerate(pts):
            rgb = pictures(number, width, height).astype(np.float32) / 255
            frame: Any = frame_of(from_rgb(rgb, coding), planar(pix_fmt), Colour(*colour)).reformat(
                format=pix_fmt
            )
            frame.pts, frame.time_base = at, time_base
            container.mux(video.encode(frame))
        container.mux(video.encode(None))
        for track in tracks:
            _write_tone(container, track)
        if text:
            _write_lines(container, text)
    return path


def _add_audio(container: Any, language: str) -> Any:
    stream = container.add_stream("aac", rate=8000)
    stream.codec_context.layout = "mono"
    stream.metadata.update({"language": language, "title": f"in {language}"})
    return stream


def _write_tone(container: Any, stream: Any) -> None:
    tone = np.sin(np.arange(4096) / 9).astype(np.float32)[None] / 2
    for start in range(0, 4096, 1024):
        frame = av.AudioFrame.from_ndarray(tone[:, start : start + 1024], "fltp", "mono")
        frame.sample_rate, frame.pts = 8000, start
        container.mux(stream.encode(frame))
    container.mux(stream.encode(None))


def _add_subtitles(container: Any) -> Any:
    stream = container.add_mux_stream("subrip")
    stream.time_base = Fraction(1, 1000)
    stream.metadata["language"] = "deu"
    return stream


def _write_lines(container: Any, stream: Any) -> None:
    for start, line in ((0, b"Guten Tag"), (240, "Auf Wiedersehen, schön".encode())):
        packet = av.Packet(line)
        packet.stream, packet.time_base = stream, Fraction(1, 1000)
        packet.pts = packet.dts = start
        packet.duration = 200
        container.mux(packet)
