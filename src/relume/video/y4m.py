"""Uncompressed frames for other programs to read from a pipe: YUV4MPEG2."""

from typing import TYPE_CHECKING, BinaryIO, Final

from relume.video.segments import Pictures
from relume.video.tags import coding_of, planes_of

if TYPE_CHECKING:
    from av import VideoFrame

_CHROMA: Final = {"gray": "mono", "yuv420p": "420mpeg2", "yuv422p": "422", "yuv444p": "444", "yuv411p": "411"}


class Y4mWriter:
    """Writes frames as they come.

    The format tells neither matrix nor times: readers guess the one, and number the frames.

    Args:
        stream: where to.
        pictures: what the frames are; their layout is one of ``codecs.UNCODED["y4m"]``.
    """

    def __init__(self, stream: BinaryIO, pictures: Pictures):
        self._stream = stream
        layout, rate, shape = pictures.encoding.pix_fmt, pictures.rate, pictures.sample_aspect_ratio
        full = coding_of(layout, pictures.colour).full
        words = [
            "YUV4MPEG2",
            f"W{pictures.width} H{pictures.height}",
            f"F{rate.numerator}:{rate.denominator}",
            f"Ip A{shape.numerator}:{shape.denominator}",
            f"C{_CHROMA.get(layout) or layout.removeprefix('yuv').removesuffix('le')}",
            f"XCOLORRANGE={'FULL' if full else 'LIMITED'}",
        ]
        stream.write(" ".join(words).encode() + b"\n")

    def add(self, image: "VideoFrame") -> None:
        """Write the next frame.

        Raises:
            OSError: if the stream takes no more.
        """
        self._stream.write(b"FRAME\n")
        for plane in planes_of(image):
            self._stream.write(plane.tobytes())
