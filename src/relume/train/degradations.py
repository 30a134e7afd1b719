"""What makes a sharp crop bad, as a recipe chooses it by ``kind``; each owns its options."""

from collections.abc import Callable
from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, Field

from relume.data.pairing import Degradation as Degrades
from relume.degrade.bicubic import Downsample
from relume.degrade.blur import Blur, Ringing
from relume.degrade.chain import Chain, Sometimes, Step
from relume.degrade.compression import Compression
from relume.degrade.few_frames import FewFrames
from relume.degrade.film import Dust, Flicker, Grain, Scratches
from relume.degrade.frames import FrameMean
from relume.degrade.motion import MotionBlur
from relume.degrade.mpeg import Mpeg2
from relume.degrade.noise import Noise
from relume.degrade.rescale import DEFAULT_KERNELS, NamedKernel, Rescale
from relume.degrade.resize import Kernel
from relume.degrade.sharpen import Sharpen
from relume.degrade.video import ChromaShift, Interlace, Tape
from relume.train.options import Fraction, Options, Positive


def _ordered(limits: tuple[float, float]) -> tuple[float, float]:
    if limits[0] > limits[1]:
        raise ValueError("the first of a range must not be above the second")
    return limits


def _odd(limits: tuple[int, int]) -> tuple[int, int]:
    if not limits[0] % 2 == limits[1] % 2 == 1:
        raise ValueError("both must be odd")
    return limits


AboveZero = Annotated[float, Field(gt=0)]
Range = Annotated[tuple[AboveZero, AboveZero], AfterValidator(_ordered)]
FromZero = Annotated[
    tuple[Annotated[float, Field(ge=0)], Annotated[float, Field(ge=0)]], AfterValidator(_ordered)
]
Fractions = Annotated[tuple[Fraction, Fraction], AfterValidator(_ordered)]
Factors = Annotated[
    tuple[Annotated[float, Field(ge=1)], Annotated[float, Field(ge=1)]], AfterValidator(_ordered)
]
Sides = Annotated[tuple[Positive, Positive], AfterValidator(_ordered), AfterValidator(_odd)]
Quality = Annotated[int, Field(ge=1, le=100)]
Quantiser = Annotated[int, Field(ge=1, le=31)]
Kernels = Annotated[tuple[NamedKernel, ...], Field(min_length=1)]


class StepOptions(Options):
    """Options of a step of a chain, which are those of its class and the chance that it happens."""

    step: ClassVar[Callable[..., Step]]
    chance: Fraction = 1.0

    def build(self) -> Step:
        """The step."""
        step = self.step(**self.model_dump(exclude={"kind", "chance"}))
        return Sometimes(step, self.chance) if self.chance < 1 else step


class BlurOptions(StepOptions):
    """Options of :class:`relume.degrade.blur.Blur`."""

    step = Blur
    kind: Literal["blur"]
    side: Sides = (7, 21)
    sigma: Range = (0.2, 3.0)
    anisotropic: Fraction = 0.31
    generalised: Fraction = 0.15
    plateau: Fraction = 0.15
    beta_generalised: Range = (0.5, 4.0)
    beta_plateau: Range = (1.0, 2.0)
    sinc: Fraction = 0.1


class RingingOptions(StepOptions):
    """Options of :class:`relume.degrade.blur.Ringing`."""

    step = Ringing
    kind: Literal["ringing"]
    side: Sides = (7, 21)


class RescaleOptions(StepOptions):
    """Options of :class:`relume.degrade.rescale.Rescale`."""

    step = Rescale
    kind: Literal["rescale"]
    up: Fraction = 0.2
    down: Fraction = 0.7
    factors: Range = (0.15, 1.5)
    kernels: Kernels = DEFAULT_KERNELS
    antialias: Fraction = 0.0


class NoiseOptions(StepOptions):
    """Options of :class:`relume.degrade.noise.Noise`."""

    step = Noise
    kind: Literal["noise"]
    gaussian: Fraction = 0.5
    sigma: Range = (1.0, 30.0)
    strength: Range = (0.05, 3.0)
    grey: Fraction = 0.4


class CompressionOptions(StepOptions):
    """Options of :class:`relume.degrade.compression.Compression`."""

    step = Compression
    kind: Literal["compression"]
    quality: Annotated[tuple[Quality, Quality], AfterValidator(_ordered)] = (30, 95)
    webp: Fraction = 0.0


class Mpeg2Options(StepOptions):
    """Options of :class:`relume.degrade.mpeg.Mpeg2`."""

    step = Mpeg2
    kind: Literal["mpeg2"]
    quantiser: Annotated[tuple[Quantiser, Quantiser], AfterValidator(_ordered)] = (2, 16)
    num_frames: Annotated[int, Field(ge=1, le=16)] = 4
    pan_px: Annotated[int, Field(ge=0, le=16)] = 2


class GrainOptions(StepOptions):
    """Options of :class:`relume.degrade.film.Grain`."""

    step = Grain
    kind: Literal["grain"]
    strength: Range = (2.0, 14.0)
    size_px: Factors = (1.0, 2.5)
    colour: Fraction = 0.3


class FlickerOptions(StepOptions):
    """Options of :class:`relume.degrade.film.Flicker`."""

    step = Flicker
    kind: Literal["flicker"]
    gain: Fraction = 0.06


class ScratchesOptions(StepOptions):
    """Options of :class:`relume.degrade.film.Scratches`."""

    step = Scratches
    kind: Literal["scratches"]
    count: Annotated[tuple[Positive, Positive], AfterValidator(_ordered)] = (1, 3)
    width_px: Range = (0.6, 2.0)
    opacity: Fractions = (0.2, 0.8)
    slant: Fraction = 0.02


class DustOptions(StepOptions):
    """Options of :class:`relume.degrade.film.Dust`."""

    step = Dust
    kind: Literal["dust"]
    density: FromZero = (0.0, 8.0)
    radius_px: Range = (0.5, 3.0)
    hairs: Fraction = 0.2
    length_px: Range = (8.0, 40.0)
    opacity: Fractions = (0.4, 1.0)


class InterlaceOptions(StepOptions):
    """Options of :class:`relume.degrade.video.Interlace`."""

    step = Interlace
    kind: Literal["interlace"]
    motion_px: FromZero = (0.5, 6.0)


class ChromaShiftOptions(StepOptions):
    """Options of :class:`relume.degrade.video.ChromaShift`."""

    step = ChromaShift
    kind: Literal["chroma-shift"]
    shift_px: AboveZero = 3.0
    smear_px: Factors = (1.0, 8.0)


class TapeOptions(StepOptions):
    """Options of :class:`relume.degrade.video.Tape`."""

    step = Tape
    kind: Literal["tape"]
    smear_px: Factors = (1.0, 2.5)
    jitter_px: FromZero = (0.0, 0.5)


AnyStep = Annotated[
    BlurOptions
    | RingingOptions
    | RescaleOptions
    | NoiseOptions
    | CompressionOptions
    | Mpeg2Options
    | GrainOptions
    | FlickerOptions
    | ScratchesOptions
    | DustOptions
    | InterlaceOptions
    | ChromaShiftOptions
    | TapeOptions,
    Field(discriminator="kind"),
]


class ChainOptions(Options):
    """Options of :class:`relume.degrade.chain.Chain`."""

    kind: Literal["chain"]
    rounds: tuple[tuple[AnyStep, ...], ...]
    final: tuple[AnyStep, ...] = ()
    kernels: Kernels = DEFAULT_KERNELS
    antialias: Fraction = 0.0
    shuffled: bool = True

    def build(self, scale: int) -> Degrades:
        """The chain, ending at 1/``scale`` of the crop."""
        rounds = tuple(tuple(step.build() for step in steps) for steps in self.rounds)
        final = tuple(step.build() for step in self.final)
        return Chain(scale, rounds, final, self.kernels, self.antialias, self.shuffled)


class SharpenOptions(Options):
    """Options of :class:`relume.degrade.sharpen.Sharpen`."""

    amount: AboveZero = 0.5
    radius_px: AboveZero = 2.0
    threshold: Annotated[int, Field(ge=0, le=255)] = 3

    def build(self) -> Sharpen:
        """What is done to targets."""
        return Sharpen(self.amount, self.radius_px, self.threshold)


class DownsampleOptions(Options):
    """Options of :class:`relume.degrade.bicubic.Downsample`."""

    kind: Literal["downsample"] = "downsample"
    kernel: Kernel = "bicubic"

    def build(self, scale: int) -> Degrades:
        """The degradation."""
        return Downsample(scale, self.kernel)


class MotionBlurOptions(Options):
    """Options of :class:`relume.degrade.motion.MotionBlur`; only for scale 1."""

    kind: Literal["motion-blur"]
    length_px: AboveZero = 40.0
    exposure: tuple[Fraction, Fraction] = (0.05, 1.0)
    anxiety: Annotated[float, Field(ge=0)] = 0.003

    def build(self, scale: int) -> Degrades:
        """The degradation."""
        return MotionBlur(self.length_px, self.exposure, self.anxiety)


class FewFramesOptions(Options):
    """Options of :class:`relume.degrade.few_frames.FewFrames`; only for scale 1."""

    kind: Literal["few-frames"]
    num_frames: Sides = (7, 13)
    extent_px: Range = (1.0, 48.0)
    bend: Fraction = 1.0
    spread: Annotated[float, Field(ge=0)] = 0.2
    objects: Fraction = 0.3

    def build(self, scale: int) -> Degrades:
        """The degradation."""
        return FewFrames(self.num_frames, self.extent_px, self.bend, self.spread, self.objects)


class FrameMeanOptions(Options):
    """Options of :class:`relume.degrade.frames.FrameMean`; the data are folders of consecutive frames."""

    kind: Literal["frame-mean"]
    num_frames: tuple[Positive, Positive] = (7, 13)
    gamma: AboveZero = 1.0

    def build(self) -> FrameMean:
        """The degradation, which is of frames."""
        return FrameMean(self.num_frames, self.gamma)


class GivenOptions(Options):
    """Nothing is degraded: the data are folders with ``A`` (inputs) and ``B`` (targets) of equal names."""

    kind: Literal["given"]


Degradation = Annotated[
    DownsampleOptions | ChainOptions | MotionBlurOptions | FewFramesOptions | FrameMeanOptions | GivenOptions,
    Field(discriminator="kind"),
]
