"""Results that give their input back when they are made small again."""

from typing import Final

import numpy as np

from relume.fidelity.resampling import REACH_PX, Kernel, Pixels, add_enlarged, shrink

_RELAXATIONS: Final = 2 * (0.98, 2.01, 1.25, 3.57)
"""One for every step: the inverse roots of a Chebyshev polynomial of degree 4 on [0.25, 1.05], twice.

There lie the eigenvalues of shrinking what was enlarged by the bicubic kernel: 1 for flat colour, least for
the finest chequerboard. Every four steps take the residual to 3 % or less (G. Golub, R. Varga, "Chebyshev
semi-iterative methods", 1961, section 3).
"""

MARGIN_PX: Final = 2 * REACH_PX * len(_RELAXATIONS)
"""How far around a part of the input what happens there matters to it: two resamplings a step."""

_CLOSE_ENOUGH: Final = 0.1 / 255


def back_project(sr: Pixels, lq: Pixels, scale: int, kernel: Kernel) -> Pixels:
    """The picture nearest to ``sr`` that, made small, is ``lq``.

    Iterated back-projection: the residual ``lq − shrink(sr)`` is enlarged and added. As the enlargement is
    the adjoint of the shrinking, this only changes the range of the adjoint, which the input determines,
    and leaves what the network put into the null space of the shrinking.

    Args:
        sr: HWC in [0, 1]; changed in place.
        lq: HWC in [0, 1], smaller by ``scale``.
        scale: the factor.
        kernel: how ``lq`` is taken to have been made.

    Returns:
        ``sr``, in [0, 1].

    Source:
        M. Irani, S. Peleg, "Improving resolution by image registration", CVGIP 1991, eq. 4; Y. Wang, J. Yu,
        J. Zhang, "Zero-shot image restoration using denoising diffusion null-space model", ICLR 2023, eq. 7.
    """
    for relaxation in _RELAXATIONS:
        missing = lq - shrink(sr, scale, kernel)
        if abs(missing).max() <= _CLOSE_ENOUGH:
            break
        add_enlarged(sr, np.float32(relaxation) * missing, scale, kernel)
        np.clip(sr, 0, 1, out=sr)
    return sr


def residual(sr: Pixels, lq: Pixels, scale: int, kernel: Kernel) -> Pixels:
    """How far the result, made small, is from its input: HWC, in levels of 8 bits."""
    return 255 * (shrink(sr, scale, kernel) - lq)
