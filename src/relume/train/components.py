"""The parts of a recipe that are chosen by ``kind``; each owns its options."""

from typing import Annotated, Literal

from pydantic import Field

from relume.archs.discriminators import DISCRIMINATORS, Discriminator
from relume.train.options import Options, Positive

Beta = Annotated[float, Field(ge=0, lt=1)]


class SRResNetOptions(Options):
    """Options of :class:`relume.archs.srresnet.SRResNet`."""

    kind: Literal["srresnet"]
    width: Positive = 64
    num_blocks: Positive = 16
    smooth_upsampling: bool = False


class RRDBOptions(Options):
    """Options of :class:`relume.archs.rrdb.RRDBNet`."""

    kind: Literal["rrdb"]
    width: Positive = 32
    growth: Positive = 16
    num_blocks: Positive = 8


class CompactOptions(Options):
    """Options of :class:`relume.archs.compact.Compact`."""

    kind: Literal["compact"]
    size: Literal["tiny", "small", "medium"] = "small"


class CompactUNetOptions(Options):
    """Options of :class:`relume.archs.compact_unet.CompactUNet`."""

    kind: Literal["compact-unet"]
    width: Positive = 32


class UNetOptions(Options):
    """Options of :class:`relume.archs.unet.UNet`."""

    kind: Literal["unet"]
    smooth_upsampling: bool = False


class FacesOptions(Options):
    """Options of :class:`relume.archs.faces.FacesNet`."""

    kind: Literal["faces"]
    upsample: Literal["shuffle", "deconv"] = "shuffle"
    smooth_upsampling: bool = False


class KerasSRGANOptions(Options):
    """Options of :class:`relume.archs.keras_srgan.KerasSRGAN`."""

    kind: Literal["keras-srgan"]
    as_printed: bool = False
    smooth_upsampling: bool = False


class DeblurGANOptions(Options):
    """Options of :class:`relume.archs.deblurgan.DeblurGAN`."""

    kind: Literal["deblurgan"]
    as_published: bool = False
    transposed: bool = False


class DeblurUNetOptions(Options):
    """Options of :class:`relume.archs.deblurgan.DeblurUNet`."""

    kind: Literal["deblurgan-unet"]
    width: Positive = 64


Arch = Annotated[
    SRResNetOptions
    | CompactOptions
    | UNetOptions
    | FacesOptions
    | KerasSRGANOptions
    | DeblurGANOptions
    | DeblurUNetOptions
    | CompactUNetOptions
    | RRDBOptions,
    Field(discriminator="kind"),
]


class AdamOptions(Options):
    """Options of Adam (Kingma & Ba 2015).

    Attributes:
        lr: base learning rate, multiplied by the schedule.
        betas: decay of the two running means.
        clip_norm: largest norm of the whole gradient, or null for no clipping.
    """

    kind: Literal["adam"] = "adam"
    lr: Annotated[float, Field(gt=0)] = 1e-4
    betas: tuple[Beta, Beta] = (0.9, 0.999)
    clip_norm: Annotated[float, Field(gt=0)] | None = None


class PerceptualOptions(Options):
    """Options of :class:`relume.losses.perceptual.PerceptualLoss`.

    Attributes:
        weight: factor on the sum over taps.
        taps: tap of VGG19, such as ``relu5_4``, and its factor.
        distance: squared or absolute difference.
        normalise: divide features by their root mean square on photographs.
        divisor: divide features by this as well.
    """

    weight: Annotated[float, Field(gt=0)] = 1.0
    taps: dict[str, Annotated[float, Field(gt=0)]] = Field(default_factory=lambda: {"relu5_4": 1.0})
    distance: Literal["mse", "l1"] = "mse"
    normalise: bool = True
    divisor: Annotated[float, Field(gt=0)] = 1.0


class TeacherOptions(Options):
    """Distillation: L1 to the results of a trained network, beside the other losses.

    Attributes:
        model: its run folder, checkpoint or ``.safetensors`` model.
        weight: factor on the distance.
        ensemble: the mean of its results for the input turned and mirrored in eight ways: a better target for
            eight times the work.
    """

    model: str
    weight: Annotated[float, Field(gt=0)] = 1.0
    ensemble: bool = False


class SRGANDiscriminatorOptions(Options):
    """Options of :class:`relume.archs.discriminators.SRGANDiscriminator`."""

    kind: Literal["srgan"] = "srgan"


class ConditionalDiscriminatorOptions(Options):
    """Options of :class:`relume.archs.discriminators.ConditionalDiscriminator`."""

    kind: Literal["conditional"]
    inject_at: Annotated[int, Field(ge=0, le=6)] = 2


class FacesDiscriminatorOptions(Options):
    """Options of :class:`relume.archs.discriminators.FacesDiscriminator`."""

    kind: Literal["faces"]


class KerasDiscriminatorOptions(Options):
    """Options of :class:`relume.archs.discriminators.KerasDiscriminator`."""

    kind: Literal["keras"]


class PatchDiscriminatorOptions(Options):
    """Options of :class:`relume.archs.discriminators.PatchDiscriminator`."""

    kind: Literal["patch"]


class UNetDiscriminatorOptions(Options):
    """Options of :class:`relume.archs.discriminators.UNetDiscriminator`."""

    kind: Literal["unet"]
    width: Positive = 64


class AdversarialOptions(Options):
    """The adversary: its network, its loss and the order of updates.

    Attributes:
        discriminator: the network.
        loss: name in :data:`relume.losses.adversarial.ADVERSARIAL`.
        weight: factor on the generator's adversarial loss.
        warmup_steps: steps over which that factor rises from 0.
        first: whose block comes first in a step; both use the same generated pictures.
        joint: one discriminator update for real and generated pictures; false: one for each.
        critic_steps: discriminator updates for one of the generator, each on a fresh batch.
        penalty: factor on the gradient penalty, where the loss needs one.
        optimizer: of the discriminator.
    """

    discriminator: Annotated[
        SRGANDiscriminatorOptions
        | ConditionalDiscriminatorOptions
        | FacesDiscriminatorOptions
        | KerasDiscriminatorOptions
        | PatchDiscriminatorOptions
        | UNetDiscriminatorOptions,
        Field(discriminator="kind"),
    ] = SRGANDiscriminatorOptions()
    loss: Literal["bce", "lsgan", "hinge", "relativistic-bce", "relativistic-lsgan", "wgan-gp"] = "bce"
    weight: Annotated[float, Field(gt=0)] = 1e-3
    warmup_steps: Annotated[int, Field(ge=0)] = 0
    first: Literal["generator", "discriminator"] = "generator"
    joint: bool = True
    critic_steps: Positive = 1
    penalty: Annotated[float, Field(ge=0)] = 10.0
    optimizer: AdamOptions = AdamOptions()

    def build(self) -> Discriminator:
        """The network with fresh weights."""
        options = self.discriminator.model_dump(exclude={"kind"})
        return DISCRIMINATORS[self.discriminator.kind](**options)
