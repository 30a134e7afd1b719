"""Recipes: everything that decides what a training run computes, in one YAML file."""

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from relume.archs import Network
from relume.card import ModelCard, TrainingSource
from relume.train.components import (
    AdamOptions,
    AdversarialOptions,
    Arch,
    PerceptualOptions,
    TeacherOptions,
)
from relume.train.degradations import ChainOptions, Degradation, DownsampleOptions, SharpenOptions
from relume.train.options import Fraction, Options, Positive
from relume.train.schedule import Schedule


class DataOptions(Options):
    """Where pictures come from and how crops are taken.

    Attributes:
        train: folders or lists, see :func:`relume.data.pictures.find_pictures`.
        crop_px: side of the target crop.
        augment: quarter turns and mirroring.
        sharpen: unsharp masking of targets, or null.
    """

    train: tuple[str, ...] = ()
    crop_px: Positive = 96
    augment: bool = True
    sharpen: SharpenOptions | None = None


class MoreData(Options):
    """A further data set that a run mixes in.

    Attributes:
        share: part of the crops that are of it.
        train: as ``data.train``.
        degradation: what turns its crops into inputs.
    """

    share: Annotated[float, Field(gt=0, lt=1)]
    train: tuple[str, ...]
    degradation: Degradation


SMALLEST_CROP_PX = 32

NOT_DECIDING = re.compile(
    r"(runtime|validation|licences)\b|(description|counterpart|variant|(data|also\..*)\.train|teacher\.model)$"
)
"""Keys that leave the weights as they are, or nearly; of data and teacher, fingerprints are compared."""


class ValidateOptions(Options):
    """Validation during training.

    Attributes:
        pictures: folders or lists of sharp pictures; empty: training crops are the monitor.
        every: steps between validations.
        most: pictures used at most.
        protocol: named protocol of the scores.
    """

    pictures: tuple[str, ...] = ()
    every: Positive = 5000
    most: Positive = 8
    protocol: Literal["matlab", "skimage7", "daala", "rgb"] = "matlab"


class RuntimeOptions(Options):
    """How a run is computed. May change on resume: results then agree to rounding, not to the byte.

    Attributes:
        num_workers: data-loading processes.
        on_device: keep all pictures in the device's memory, and cut and shrink crops there, for GPUs that
            train faster than processors load; only for ``degradation.kind: downsample``. Inputs differ by a
            level of 255 here and there, where a value lies just between two.
        threads: CPU threads of the training process; null: as PyTorch chooses.
        precision: ``bf16`` computes convolutions in bfloat16 (autocast); ``auto`` does so where the hardware
            has units for it (CUDA, CPUs with AMX), as it is slower elsewhere.
        channels_last: NHWC memory layout.
        compile: torch.compile the networks.
        accumulate: parts in which a process computes its share of a batch, for less memory. Losses and
            gradients are those of the whole batch, but for batch norm and relativistic losses, which look
            at a part, and dropout, which draws a part's mask at once.
        max_minutes: time after which the run is saved and left, to be resumed; null: none.
        save_every: steps between checkpoints.
        keep: checkpoints kept, besides the best.
        log_every: steps between rows of metrics.jsonl.
    """

    num_workers: Annotated[int, Field(ge=0)] = 1
    on_device: bool = False
    threads: Positive | None = None
    precision: Literal["auto", "fp32", "bf16"] = "auto"
    channels_last: bool = True
    compile: bool = False
    accumulate: Positive = 1
    max_minutes: Annotated[float, Field(gt=0)] | None = None
    save_every: Positive = 5000
    keep: Positive = 3
    log_every: Positive = 100


class Recipe(Options):
    """One experiment.

    Attributes:
        name: what the exported model is called.
        description: one sentence for the model card.
        variant: which of the recipe file's variants were applied; :func:`load_recipe` notes it.
        task: what the model does.
        scale: output pixels per input pixel and side.
        arch: the generator.
        initial_weights: model file (.safetensors) or run folder to start from; empty: fresh weights.
        counterpart: model in the package, trained without invention, whose weights ``initial_weights`` are:
            ``--strength`` mixes with them. Empty: with the enlarged picture.
        initial_scale: scale of ``initial_weights`` where it is another one: tensors of other shapes, those of
            the upsampler, then start fresh. As in EDSR (Lim et al. 2017), section 4.3. ``compact`` of size
            medium starts for half the scale with the means of sub-pixels: as its result made smaller.
        fixed_statistics: the generator's batch norm keeps the statistics of ``initial_weights``, and takes
            none from batches: training then sees the network as it is used. For weights that are far
            on; networks without batch norm train as ever.
        even_upsampling: fresh layers that enlarge start without a checkerboard, see
            :func:`relume.archs.upsampling.start_even`. Only a start: training may bring one. Where the
            architecture has ``arch.smooth_upsampling``, that keeps flat surfaces free of it for good.
        degradation: what turns a sharp crop into an input.
        data: the training pictures.
        also: further data sets, by any names, each with its share of the crops.
        loss: the pixel loss, or null.
        loss_weight: factor on the pixel loss.
        perceptual: the feature loss, or null.
        teacher: a trained network whose results are targets too, or null.
        total_variation: factor on the result's total variation.
        checkerboard: factor on the part of the error that repeats with the scale's period, see
            :func:`relume.losses.checkerboard.checkerboard`.
        adversarial: the adversary, or null.
        optimizer: its kind and options.
        schedule: the learning rate's course.
        batch_size: crops per step.
        steps: length of the run.
        ema: decay of the weights' running mean, which is what is validated and exported; 0: none.
        seed: of everything random.
        validation: scores and pictures while training.
        runtime: how it is computed.
        licences: training sources and their licences, for the model card.
    """

    name: str
    description: str = ""
    variant: str = ""
    task: Literal["upscale", "deblur"] = "upscale"
    scale: Literal[1, 2, 3, 4, 8] = 4
    arch: Arch
    initial_weights: str = ""
    counterpart: str = ""
    initial_scale: Annotated[int, Field(ge=1)] | None = None
    fixed_statistics: bool = False
    even_upsampling: bool = False
    degradation: Degradation = DownsampleOptions()
    data: DataOptions = DataOptions()
    also: dict[str, MoreData] = Field(default_factory=dict[str, MoreData])
    loss: Literal["l1", "mse", "charbonnier"] | None = "l1"
    loss_weight: Annotated[float, Field(gt=0)] = 1.0
    perceptual: PerceptualOptions | None = None
    teacher: TeacherOptions | None = None
    total_variation: Annotated[float, Field(ge=0)] = 0.0
    checkerboard: Annotated[float, Field(ge=0)] = 0.0
    adversarial: AdversarialOptions | None = None
    optimizer: AdamOptions = AdamOptions()
    schedule: Schedule = Schedule()
    batch_size: Positive = 16
    steps: Positive
    ema: Fraction = 0.999
    seed: Annotated[int, Field(ge=0)] = 0
    validation: ValidateOptions = ValidateOptions()
    runtime: RuntimeOptions = RuntimeOptions()
    licences: dict[str, str] = Field(default_factory=dict[str, str])

    @model_validator(mode="after")
    def _crops_fit_the_scale(self) -> Self:
        for degradation in (self.degradation, *(more.degradation for more in self.also.values())):
            if self.scale > 1 and not isinstance(degradation, DownsampleOptions | ChainOptions):
                raise ValueError(
                    f"degradation {degradation.kind} does not shrink: it needs scale 1, not {self.scale}"
                )
        if not self.validation.pictures and self.data.crop_px < SMALLEST_CROP_PX:
            raise ValueError(
                f"data.crop_px {self.data.crop_px} is below {SMALLEST_CROP_PX}, the least that can be scored"
            )
        if self.data.crop_px % self.scale:
            raise ValueError(f"data.crop_px {self.data.crop_px} is not a multiple of scale {self.scale}")
        return self

    @model_validator(mode="after")
    def _shares_leave_some(self) -> Self:
        if (taken := sum(more.share for more in self.also.values())) >= 1:
            raise ValueError(f"the shares in also sum to {taken:g}, which leaves nothing of data.train")
        return self

    @model_validator(mode="after")
    def _something_is_minimised(self) -> Self:
        if not (self.loss or self.perceptual or self.adversarial or self.teacher):
            raise ValueError("there is no loss: set loss, perceptual, teacher or adversarial")
        adversarial = self.adversarial
        if adversarial and not adversarial.joint and adversarial.loss not in {"bce", "lsgan", "hinge"}:
            raise ValueError(
                f"adversarial.joint: {adversarial.loss} cannot update on real and generated apart"
            )
        return self

    @model_validator(mode="after")
    def _there_are_statistics(self) -> Self:
        if self.fixed_statistics and not self.initial_weights:
            raise ValueError("fixed_statistics needs initial_weights, which have them")
        return self

    @property
    def arch_options(self) -> dict[str, Any]:
        """Keyword arguments of the architecture."""
        return {"scale": self.scale, **self.arch.model_dump(exclude={"kind"})}

    def smoke(self) -> Self:
        """The same experiment in seconds: four steps of two small crops, to see that everything works."""
        unit = 32 * self.scale  # what the deepest network here needs of an input
        adversarial = self.adversarial and self.adversarial.model_copy(
            update={"critic_steps": min(2, self.adversarial.critic_steps)}
        )
        small = {
            "steps": 4,
            "adversarial": adversarial,
            "batch_size": 2,
            "initial_weights": "",
            "fixed_statistics": False,
            "teacher": None,
            "data": self.data.model_copy(update={"crop_px": max(1, 128 // unit) * unit}),
            "validation": self.validation.model_copy(update={"every": 2, "most": 2}),
            "runtime": self.runtime.model_copy(
                update={"compile": False, "accumulate": 1, "num_workers": 0, "save_every": 2, "log_every": 1}
            ),
        }
        return self.model_copy(update=small)

    def card(self, network: Network) -> ModelCard:
        """The card of a network trained by this recipe, as far as the recipe knows it."""
        return ModelCard(
            name=self.name,
            task=self.task,
            arch=self.arch.kind,
            arch_options=self.arch_options,
            scale=network.scale,
            value_range=network.value_range,
            size_multiple=network.size_multiple,
            halo_px=network.halo_px,
            global_stats=network.global_stats,
            adversarial=self.adversarial is not None,
            counterpart=self.counterpart,
            downsampling=getattr(self.degradation, "kernel", "bicubic"),
            description=self.description,
            training_data=tuple(TrainingSource(name=n, licence=text) for n, text in self.licences.items()),
            recipe=self.name,
            variant=self.variant,
            recipe_sha256=self.sha256(),
        )

    def resolved(self) -> dict[str, Any]:
        """Every key with its value, defaults included, as plain JSON types."""
        return self.model_dump(mode="json")

    def deciding(self) -> dict[str, Any]:
        """The keys, dotted, that decide what the weights become, with their values."""
        return _deciding(self.resolved())

    def sha256(self) -> str:
        """Hash of the deciding keys that are not at their defaults: later options leave it as it was."""
        chosen = _deciding(self.model_dump(mode="json", exclude_defaults=True))
        return hashlib.sha256(json.dumps(chosen, sort_keys=True).encode()).hexdigest()


def _deciding(content: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in _flat(content).items() if not NOT_DECIDING.match(key)}


def _flat(content: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in content.items():
        flat |= _flat(value, f"{prefix}{key}.") if isinstance(value, Mapping) else {f"{prefix}{key}": value}
    return flat
