"""Networks, one file each, and the table from an architecture's name to its class."""

from typing import Any

from relume.archs.base import Network, num_parameters
from relume.archs.compact import Compact
from relume.archs.compact_unet import CompactUNet
from relume.archs.deblurgan import DeblurGAN, DeblurUNet
from relume.archs.faces import FacesNet
from relume.archs.keras_srgan import KerasSRGAN
from relume.archs.rrdb import RRDBNet
from relume.archs.srresnet import SRResNet
from relume.archs.unet import UNet
from relume.errors import UsageError

ARCHS: dict[str, type[Network]] = {
    "srresnet": SRResNet,
    "compact": Compact,
    "rrdb": RRDBNet,
    "unet": UNet,
    "faces": FacesNet,
    "keras-srgan": KerasSRGAN,
    "compact-unet": CompactUNet,
    "deblurgan": DeblurGAN,
    "deblurgan-unet": DeblurUNet,
}

__all__ = ["ARCHS", "Network", "build", "num_parameters"]


def build(arch: str, options: dict[str, Any]) -> Network:
    """Build a network with fresh weights.

    Raises:
        UsageError: for an unknown architecture or options that it does not have.
    """
    if arch not in ARCHS:
        raise UsageError("unknown architecture", got=arch, allowed=ARCHS)
    try:
        return ARCHS[arch](**options)
    except (TypeError, KeyError, AssertionError) as error:
        raise UsageError(f"architecture {arch} cannot be built with these options", got=error) from error
