"""The one description of a model, written into every model file (``.onnx``, ``.safetensors``)."""

import json
from dataclasses import MISSING, asdict, dataclass, field, fields, is_dataclass
from typing import Any, Literal, Self, get_args, get_origin, get_type_hints

from relume.errors import InputError

Task = Literal["upscale", "deblur"]
Precision = Literal["float32", "int8"]
Downsampling = Literal["bicubic", "bilinear", "box"]


@dataclass(frozen=True, kw_only=True)
class Score:
    """A measured quality: which data, which named protocol, which numbers.

    Attributes:
        dataset: name of the evaluation set, such as ``Set5``.
        protocol: name of the protocol, see :mod:`relume.metrics.protocol`.
        psnr: mean peak signal-to-noise ratio in dB.
        ssim: mean structural similarity, in the protocol's variant.
        base: the same two numbers of bicubic enlargement, or where nothing is enlarged of the input; empty if
            they were not recorded.
    """

    dataset: str
    protocol: str
    psnr: float
    ssim: float
    base: tuple[float, ...] = ()


@dataclass(frozen=True, kw_only=True)
class TrainingSource:
    """A set of pictures that a model was trained on.

    Attributes:
        name: what the data is called.
        licence: its terms, or that none are stated.
    """

    name: str
    licence: str


@dataclass(frozen=True, kw_only=True)
class ModelCard:
    """What a model is, what it needs, where it comes from and how good it was measured to be.

    Attributes:
        name: the model's name, ``<name>-x<scale>``.
        task: ``upscale`` or ``deblur``.
        arch: key in :data:`relume.archs.ARCHS`.
        arch_options: keyword arguments of that architecture.
        scale: output pixels per input pixel and side.
        channels: colour channels of input and output.
        value_range: the range the network works in; files take and give [0, 1] whatever it is.
        size_multiple: input sides must be multiples of this (the engine pads by reflection).
        halo_px: radius of the receptive field in input pixels; tiles overlap by at least this.
        global_stats: whether statistics over the whole picture enter the result (instance norm).
        adversarial: whether it was trained against a discriminator: it may then drift in colour and invent.
        counterpart: name of the model of the same network without invention that it was trained from, if any.
        downsampling: kernel by which the inputs of its training were made small.
        licence: SPDX identifier of the weights' licence.
        description: one sentence for people who choose a model.
        training_data: what it was trained on.
        recipe: name of the recipe that made it.
        variant: of that recipe; empty for the recipe as it stands.
        recipe_sha256: hash of the recipe's resolved content.
        training: what the training was: steps, hours, hardware.
        perceptual_weights: weights of VGG19 that the perceptual loss used: name, file and its SHA-256; empty
            where there was no such loss, or they were not recorded.
        precision: of the convolutions; those in 8 bits are faster and a little less exact.
        calibration: from what the ranges of numbers in 8 bits were taken; empty in float32.
        scores: measured qualities.
        weights_sha256: hash over names, shapes and bytes, see :func:`relume.archs.base.weights_sha256`.
    """

    name: str
    task: Task
    arch: str
    scale: int
    halo_px: int
    arch_options: dict[str, Any] = field(default_factory=dict[str, Any])
    channels: int = 3
    value_range: tuple[float, float] = (0.0, 1.0)
    size_multiple: int = 1
    global_stats: bool = False
    adversarial: bool = False
    counterpart: str = ""
    downsampling: Downsampling = "bicubic"
    licence: str = "Apache-2.0"
    description: str = ""
    training_data: tuple[TrainingSource, ...] = ()
    recipe: str = ""
    variant: str = ""
    recipe_sha256: str = ""
    training: str = ""
    perceptual_weights: str = ""
    precision: Precision = "float32"
    calibration: str = ""
    scores: tuple[Score, ...] = ()
    weights_sha256: str = ""

    @property
    def main_scores(self) -> tuple[Score, ...]:
        """Those by the first of the protocols: what lists of models show."""
        return tuple(score for score in self.scores if score.protocol == self.scores[0].protocol)

    def to_json(self) -> str:
        """The card as one JSON object, keys in the order of the attributes."""
        return json.dumps(asdict(self), ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read a card.

        Raises:
            InputError: if the text is no JSON object, or keys are missing, unknown or of the wrong kind.
        """
        try:
            raw = json.loads(text)
            if isinstance(raw, dict) and "adversarial" not in raw:  # from before this field
                raw["adversarial"] = "gan" in str(raw.get("recipe"))
            card: Self = _read(raw, cls, "the card")
        except (ValueError, RecursionError) as error:
            raise InputError(
                "the model's card cannot be read", got=error, hint="export the model again"
            ) from error
        for name in ("scale", "channels", "size_multiple"):
            if getattr(card, name) < 1:
                raise InputError(f"the model's card: {name} is wrong", got=getattr(card, name), allowed="≥ 1")
        return card


def _read(value: Any, kind: Any, place: str) -> Any:
    """A JSON value as what a field's type says; ``place`` names it in errors.

    Raises:
        InputError: if it is something else.
    """
    origin, arguments = get_origin(kind), get_args(kind)
    if kind is Any:
        return value
    if origin is Literal and value in arguments:
        return value
    if origin is dict and isinstance(value, dict):
        return value
    if origin is tuple and isinstance(value, list):
        kinds = arguments[:1] * len(value) if arguments[-1] is ... else arguments
        if len(kinds) == len(value):
            return tuple(_read(value[i], kind, f"{place}[{i}]") for i, kind in enumerate(kinds))
    if is_dataclass(kind) and isinstance(value, dict):
        return _read_fields(value, kind, place)
    if kind is float and isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    if isinstance(kind, type) and type(value) is kind:
        return value
    raise InputError(f"the model's card: {place} is wrong", got=repr(value)[:80], allowed=_named(kind))


def _read_fields(value: dict[str, Any], kind: Any, place: str) -> Any:
    kinds = get_type_hints(kind)
    if unknown := value.keys() - kinds.keys():
        raise InputError(
            f"the model's card: {place} has unknown keys", got=sorted(unknown), hint="made by a newer relume?"
        )
    required = {f.name for f in fields(kind) if f.default is MISSING and f.default_factory is MISSING}
    if missing := required - value.keys():
        raise InputError(f"the model's card: {place} lacks keys", got=sorted(missing), hint="export it again")
    return kind(**{name: _read(v, kinds[name], name) for name, v in value.items()})


def _named(kind: Any) -> str:
    plain = isinstance(kind, type) and not get_args(kind)
    return kind.__name__ if plain else str(kind).replace("typing.", "")
