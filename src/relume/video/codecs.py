"""The codecs a film can be written with, set so that equal frames always give equal bytes."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING, Final

from relume.errors import UsageError
from relume.video.tags import Mastering, planar

if TYPE_CHECKING:
    from av.video.format import VideoFormat


@dataclass(frozen=True, kw_only=True)
class Codec:
    """A way to write films.

    Attributes:
        encoder: FFmpeg's name of the encoder.
        suffixes: of the containers that hold it; the first is the usual one.
        crf: default quality, lower is better; None if the codec has no such number.
        crf_range: the lowest and highest allowed.
        preset: default effort; None if there is none.
        presets: what may be asked.
        layouts: the pixel layouts it is used with; None: all that the encoder offers.
        least_bits: depth that even 8-bit films are written with.
        most_fps: the highest frame rate that it takes.
        holds_shape: whether the coded pictures themselves tell the shape of their pixels.
        holds_mastering: whether they hold HDR10 data.
    """

    encoder: str
    suffixes: tuple[str, ...]
    crf: float | None = None
    crf_range: tuple[float, float] = (0, 51)
    preset: str | None = None
    presets: tuple[str, ...] = ()
    layouts: tuple[str, ...] | None = None
    least_bits: int = 8
    most_fps: float = inf
    holds_shape: bool = False
    holds_mastering: bool = False


_X26X_PRESETS: Final = (
    *("ultrafast", "superfast", "veryfast", "faster", "fast", "medium"),
    *("slow", "slower", "veryslow", "placebo"),
)

CODECS: Final = {
    "av1": Codec(
        encoder="libsvtav1",
        suffixes=(".mkv", ".mp4", ".m4v", ".webm"),
        crf=24,
        crf_range=(1, 63),
        preset="8",  # from 9 on what stands still flickers more, and SVT-AV1 warns of artefacts from 10 on
        presets=tuple(map(str, range(14))),
        layouts=("yuv420p10le",),
        least_bits=10,
        most_fps=240,
        holds_mastering=True,
    ),
    "x264": Codec(
        encoder="libx264",
        suffixes=(".mkv", ".mp4", ".m4v", ".mov", ".ts"),
        crf=16,
        preset="medium",
        presets=_X26X_PRESETS,
        holds_shape=True,
        holds_mastering=True,
    ),
    "x265": Codec(
        encoder="libx265",
        suffixes=(".mkv", ".mp4", ".m4v", ".mov", ".ts"),
        crf=18,
        preset="medium",
        presets=_X26X_PRESETS,
        holds_shape=True,
        holds_mastering=True,
    ),
    "ffv1": Codec(encoder="ffv1", suffixes=(".mkv",)),
    "prores": Codec(encoder="prores_ks", suffixes=(".mov", ".mkv"), least_bits=10),
}
"""Name for ``--codec`` -> codec."""

DEFAULT_CODEC: Final = "av1"

_Y4M_LAYOUTS: Final = ("gray", "yuv420p", "yuv422p", "yuv444p", "yuv411p")

UNCODED: Final = {
    "pictures": Codec(encoder="png", suffixes=(), layouts=("gray", "gray16le", "gbrp", "gbrp16le")),
    "y4m": Codec(
        encoder="rawvideo",
        suffixes=(),
        layouts=(*_Y4M_LAYOUTS, *(f"yuv{share}p{bits}le" for share in (420, 422, 444) for bits in (10, 12))),
    ),
}
"""What is written without a container: files of pictures, and Y4M to standard output."""


@dataclass(frozen=True, kw_only=True)
class Encoding:
    """How a film is written: everything that the bytes of a segment depend on, besides its frames.

    Attributes:
        codec: a key of :data:`CODECS` or :data:`UNCODED`.
        pix_fmt: planar pixel layout.
        crf: quality, where the codec has it.
        preset: effort, where the codec has it.
        threads: of the encoder; some cut pictures or look ahead by it.
    """

    codec: str
    pix_fmt: str
    crf: float | None
    preset: str | None
    threads: int


def choose_encoding(
    source_pix_fmt: str,
    *,
    codec: str = DEFAULT_CODEC,
    crf: float | None = None,
    preset: str | None = None,
    pix_fmt: str | None = None,
    threads: int,
) -> Encoding:
    """Settle how to write a film.

    Args:
        source_pix_fmt: planar layout of the film's own frames.
        codec: a key of :data:`CODECS` or :data:`UNCODED`.
        crf: asked quality, or None for the codec's default.
        preset: asked effort.
        pix_fmt: asked layout; by default the nearest to the film's that loses no bits, if there is one.
        threads: of the encoder.

    Raises:
        UsageError: if there is no such codec, or it has not what is asked.
    """
    known = (CODECS | UNCODED).get(codec)
    if known is None:
        raise UsageError("unknown codec", got=codec, allowed=CODECS)
    _refuse_unknown(codec, known, crf, preset)
    offered = [name for name in _offered(known) if name == planar_or_none(name)]
    if pix_fmt is not None and pix_fmt not in offered:
        raise UsageError(f"--pix-fmt {pix_fmt} does not fit {codec}", allowed=offered)
    return Encoding(
        codec=codec,
        pix_fmt=pix_fmt or _nearest(source_pix_fmt, offered, known.least_bits),
        crf=known.crf if crf is None else crf,
        preset=preset or known.preset,
        threads=threads,
    )


def _refuse_unknown(codec: str, known: Codec, crf: float | None, preset: str | None) -> None:
    lowest, highest = known.crf_range
    if crf is not None and (known.crf is None or not lowest <= crf <= highest):
        allowed = "no --crf: its quality is fixed" if known.crf is None else f"{lowest:g} to {highest:g}"
        raise UsageError(f"--crf {crf:g} does not fit {codec}", allowed=allowed)
    if preset is not None and preset not in known.presets:
        raise UsageError(f"--preset {preset} does not fit {codec}", allowed=known.presets or "no --preset")


def planar_or_none(pix_fmt: str) -> str | None:
    """The planar layout of a layout, None for one that relume cannot write."""
    from relume.errors import InputError

    try:
        return planar(pix_fmt)
    except (InputError, KeyError):
        return None


def _offered(codec: Codec) -> Sequence[str]:
    from av.codec import Codec as Encoder

    formats = Encoder(codec.encoder, "w").video_formats or []
    return codec.layouts or [item.name for item in formats]


def _nearest(source: str, offered: Sequence[str], least_bits: int) -> str:
    """The layout that keeps most: depth, then chroma, then family, and then is smallest."""
    from av.video.format import VideoFormat

    wanted = VideoFormat(source)
    bits, wanted_size = max(wanted.components[0].bits, least_bits), _chroma_size(wanted)

    def losses(name: str) -> tuple[object, ...]:
        layout = VideoFormat(name)
        has, (wide, high) = layout.components[0].bits, _chroma_size(layout)
        return (
            max(0, bits - has),
            max(0, wanted_size[0] - wide) + max(0, wanted_size[1] - high),
            layout.is_rgb != wanted.is_rgb,
            wide * high,
            has,
        )

    return min(offered, key=losses)


def _chroma_size(layout: "VideoFormat") -> tuple[int, int]:
    """Chroma samples across and down a picture of 64 × 64 pixels; RGB counts as full chroma."""
    if len(layout.components) < 3:
        return 0, 0
    return (64, 64) if layout.is_rgb else (layout.chroma_width(64), layout.chroma_height(64))


_FAITHFUL: Final = "enable-tf=0"
"""Without SVT-AV1's filter over time, which smooths what it encodes: at preset 8 it costs 0.3 to 1.7 dB."""


def encoder_options(encoding: Encoding, mastering: Mastering | None) -> dict[str, str]:
    """Options of the encoder.

    Whatever cuts its work by the machine's processors is set to fixed numbers; what is left of threading
    changes no byte (tested for each).
    """
    threads = encoding.threads
    options = {
        "av1": {"svtav1-params": ":".join([f"lp={min(threads, 6)}", _FAITHFUL, *_svt_mastering(mastering)])},
        "x264": {"x264-params": ":".join([f"threads={threads}", *_x264_mastering(mastering)])},
        "x265": {
            "x265-params": ":".join(
                [
                    "log-level=error",
                    f"pools={threads}",
                    f"frame-threads={min(threads, 4)}",
                    "repeat-headers=1" if mastering else "info=0",
                    *_x265_mastering(mastering),
                ]
            )
        },
        "ffv1": {"level": "3", "slices": "4", "slicecrc": "1", "g": "1"},
        "prores": {"profile": "4" if "444" in encoding.pix_fmt else "3", "vendor": "apl0"},
    }[encoding.codec]
    if encoding.crf is not None:
        options["crf"] = f"{encoding.crf:g}"
    if encoding.preset is not None:
        options["preset"] = encoding.preset
    return options


def _x265_mastering(mastering: Mastering | None) -> list[str]:
    """``G(x,y)B(x,y)R(x,y)WP(x,y)L(max,min)``, in 1/50000 and in 1/10000 cd/m²."""
    found: list[str] = []
    if mastering and mastering.primaries and mastering.luminance:
        red, green, blue, white = _points(mastering, 50000)
        black, peak = (round(value * 10000) for value in mastering.luminance)
        found.append(f"master-display=G({green})B({blue})R({red})WP({white})L({peak},{black})")
    if mastering and mastering.light:
        found.append("max-cll={},{}".format(*mastering.light))
    return found


def _x264_mastering(mastering: Mastering | None) -> list[str]:
    renamed = (item.replace("master-display", "mastering-display") for item in _x265_mastering(mastering))
    return [item.replace("max-cll", "cll") for item in renamed]


def _svt_mastering(mastering: Mastering | None) -> list[str]:
    """As x265's, but as decimal fractions."""
    found: list[str] = []
    if mastering and mastering.primaries and mastering.luminance:
        values = [f"{float(value):.6g}" for value in mastering.primaries]
        red, green, blue, white = (",".join(values[at : at + 2]) for at in (0, 2, 4, 6))
        black, peak = (f"{float(value):.6g}" for value in mastering.luminance)
        found.append(f"mastering-display=G({green})B({blue})R({red})WP({white})L({peak},{black})")
    if mastering and mastering.light:
        found.append("content-light={},{}".format(*mastering.light))
    return found


def _points(mastering: Mastering, unit: int) -> list[str]:
    values = [round(value * unit) for value in mastering.primaries or ()]
    return [f"{values[at]},{values[at + 1]}" for at in (0, 2, 4, 6)]
