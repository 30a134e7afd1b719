"""What MPEG-2, the compression of DVDs and digital television, does to a frame of a film."""

from dataclasses import dataclass
from fractions import Fraction
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from relume.degrade.resize import imresize
from relume.degrade.video import FROM_RGB, TO_RGB
from relume.errors import UsageError

if TYPE_CHECKING:
    from av import Packet, VideoFrame

GRID_PX = 16
"""Side of a macroblock."""

_LEAST_PX = 32
"""Side of the smallest frames that are encoded; smaller pictures go on as their mirror."""


@dataclass(frozen=True)
class Mpeg2:
    """A frame of a short shot over the picture, encoded as MPEG-2 and decoded again.

    The shot pans a little, so that most frames are predicted from others, with the errors that this leaves;
    one of them, at random, is taken back, from where the picture was in it. Blocks begin anywhere, as in
    :class:`relume.degrade.compression.Compression`.

    Attributes:
        quantiser: range of the quantiser of all frames: 2 is nearly without loss, 31 the coarsest.
        num_frames: length of the shot: the first frame is coded on its own, of the others every second is
            predicted from both sides.
        pan_px: largest motion from frame to frame, along each side.

    Raises:
        UsageError: if PyAV (the extra ``video``) is not installed.
    """

    quantiser: tuple[int, int] = (2, 16)
    num_frames: int = 4
    pan_px: int = 2

    def __post_init__(self) -> None:
        if find_spec("av") is None:
            raise UsageError("degrading by MPEG-2 needs PyAV", hint="pip install 'relume[video]'")

    def __call__(self, image: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
        """HWC RGB in [0, 1] -> HWC in [0, 1] of the same size."""
        height, width, _ = image.shape
        quantiser = int(rng.integers(self.quantiser[0], self.quantiser[1] + 1))
        taken = int(rng.integers(self.num_frames))
        pan = rng.integers(-self.pan_px, self.pan_px + 1, 2)
        top, left = rng.integers(0, GRID_PX, 2)
        reach = self.num_frames * self.pan_px
        rows, columns = (max(_LEAST_PX, side + GRID_PX + side % 2) for side in (height, width))
        margins = [
            (int(offset) + reach, size - side - int(offset) + reach)
            for offset, size, side in ((top, rows, height), (left, columns, width))
        ]
        wide = np.pad(image @ FROM_RGB.T, (*margins, (0, 0)), mode="symmetric")
        places = [reach + (number - taken) * pan for number in range(self.num_frames)]
        shot = [_planes(wide[row : row + rows, column : column + columns]) for row, column in places]
        split = _pixels(_coded(shot, columns, quantiser)[taken])
        return (split[top : top + height, left : left + width] @ TO_RGB.T).clip(0, 1)


def _planes(split: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Brightness and colour differences, HWC, as 4:2:0 of limited range, its planes one below the other."""
    height, width, _ = split.shape
    small = split[..., 1:].reshape(height // 2, 2, width // 2, 2, 2).mean(axis=(1, 3))
    luma, chroma = 16.5 + 219 * split[..., 0], 128.5 + 224 * small
    planes = [luma.ravel(), chroma[..., 0].ravel(), chroma[..., 1].ravel()]
    return np.concatenate(planes).clip(16, 240).astype(np.uint8).reshape(-1, width)


def _pixels(planes: NDArray[np.uint8]) -> NDArray[np.float32]:
    """The reverse of :func:`_planes`; colour is interpolated linearly."""
    width = planes.shape[1]
    height = planes.shape[0] // 3 * 2
    values = planes.astype(np.float32)
    small = (values[height:].reshape(2, height // 2, width // 2).transpose(1, 2, 0) - 128) / 224
    luma = (values[:height, :, None] - 16) / 219
    chroma = imresize(small, height=height, width=width, kernel="bilinear")
    return np.concatenate([luma, chroma], axis=2, dtype=np.float32)


def _coded(shot: list[NDArray[np.uint8]], columns: int, quantiser: int) -> list[NDArray[np.uint8]]:
    """The frames of a shot, 4:2:0, encoded with one quantiser and decoded."""
    import av

    rows = shot[0].shape[0] // 3 * 2
    encoder: Any = av.CodecContext.create("mpeg2video", "w")
    encoder.width, encoder.height, encoder.pix_fmt = columns, rows, "yuv420p"
    encoder.time_base, encoder.framerate = Fraction(1, 25), Fraction(25)
    encoder.gop_size, encoder.max_b_frames, encoder.thread_count = len(shot), 1, 1
    encoder.options = {"qmin": str(quantiser), "qmax": str(quantiser)}
    packets: list[Packet[Any]] = []
    for number, planes in enumerate(shot):
        frame = av.VideoFrame.from_ndarray(planes, "yuv420p")
        frame.pts = number
        packets += encoder.encode(frame)
    packets += encoder.encode(None)
    decoder: Any = av.CodecContext.create("mpeg2video", "r")
    decoder.thread_count = 1
    decoded: list[VideoFrame] = [frame for packet in [*packets, None] for frame in decoder.decode(packet)]
    return [np.asarray(frame.to_ndarray(), np.uint8) for frame in decoded]
