"""Bicubic scores that are known: an evaluation that measures wrongly is found out before it reports."""

from relume.errors import InputError
from relume.evaluate.report import Result

_PSNR_TOLERANCE = 0.02
_SSIM_TOLERANCE = 0.002

KNOWN_DATASETS = {
    "56d899b36425f6e2932d723ffc58806b5f82e6731427bb2990b7d877f2ea3f95": "Set5",
    "54ff874551104591e4383c57bcc7d562f90a727c3fb0d18136d40e626635f6fc": "Set14",
    "ab7c173f1a42b2df1c15f1559221bb3175e2b6208667cc31ab48a32659a6ab1c": "BSD100",
}
"""Hash of the decoded pictures (:func:`relume.evaluate.datasets.fingerprint`) -> name."""

GOLDEN = {
    ("Set5", 2, "matlab"): (33.66, 0.9299),
    ("Set5", 3, "matlab"): (30.39, 0.8682),
    ("Set5", 4, "matlab"): (28.42, 0.811),
    ("Set5", 4, "skimage7"): (28.42, 0.823),
    ("Set5", 4, "daala"): (28.42, 0.822),
    ("Set5", 4, "rgb"): (26.70, 0.773),
    ("Set14", 2, "matlab"): (30.31, 0.8690),
    ("Set14", 3, "matlab"): (27.62, 0.7752),
    ("Set14", 4, "matlab"): (26.09, 0.705),
    ("Set14", 4, "skimage7"): (26.09, 0.722),
    ("Set14", 4, "daala"): (26.09, 0.750),
    ("Set14", 4, "rgb"): (24.27, 0.665),
    ("BSD100", 2, "matlab"): (29.56, 0.8431),
    ("BSD100", 3, "matlab"): (27.21, 0.7385),
    ("BSD100", 4, "matlab"): (25.96, 0.668),
    ("BSD100", 4, "skimage7"): (25.96, 0.686),
    ("BSD100", 4, "daala"): (25.96, 0.695),
    ("BSD100", 4, "rgb"): (24.66, 0.642),
}
"""Dataset, scale, protocol -> PSNR in dB and SSIM of the bicubic row. The rows over Y come from published
tables and from measurements with other software; the ``rgb`` rows were measured with this one. Set14 is known
here with sides cropped to multiples of 4: its rows are not quite the published 30.24, 27.55 and 26.00 dB."""


def check_bicubic(result: Result, scale: int) -> list[str]:
    """Compare measured bicubic scores with the known ones of the dataset, which is recognised by its pixels.

    Args:
        result: bicubic over one dataset.
        scale: output pixels per input pixel and side.

    Returns:
        The protocols that were checked; none where no scores are known.

    Raises:
        InputError: if one is off by more than 0.02 dB or 0.002: nothing else measured here is to be trusted.
    """
    name = KNOWN_DATASETS.get(result.fingerprint, "")
    checked = [protocol for protocol in result.scores if (name, scale, protocol) in GOLDEN]
    for protocol in checked:
        psnr, ssim = (result.mean(protocol)[key] for key in ("psnr", "ssim"))
        known = GOLDEN[name, scale, protocol]
        if abs(psnr - known[0]) > _PSNR_TOLERANCE or abs(ssim - known[1]) > _SSIM_TOLERANCE:
            raise InputError(
                f"this evaluation measures wrongly: bicubic on {name} ×{scale}, protocol {protocol}, is off",
                got=f"{psnr:.3f} dB / {ssim:.4f}",
                allowed=f"{known[0]:.2f} ± {_PSNR_TOLERANCE} dB / {known[1]:.4f} ± {_SSIM_TOLERANCE}",
                hint="report this with the output of `relume doctor`",
            )
    return checked
