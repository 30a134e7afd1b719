"""Signs that adversarial training goes wrong, and what to do about each.

The numbers are those of a row of ``metrics.jsonl``: means over the steps since the last row.
"""

from collections.abc import Mapping

LARGEST_DRIFT = 2.0
"""Mean change of a colour channel, in levels of 255, that is still no cause for concern."""

LARGEST_MARGIN = 12.0
"""D(real) − D(fake) in logits beyond which a discriminator with sigmoid teaches the generator nothing."""

SMALLEST_MARGIN = -0.5
"""D(real) − D(fake) in logits below which a discriminator takes generated pictures for the real ones."""

LARGEST_CHECKERBOARD = 1.0
"""Root mean square of the regular pattern in results, in levels of 255, beyond which it can be seen."""

LARGEST_GRADIENT = 1e3
"""Norm of a gradient beyond which steps are more noise than direction."""

LARGEST_IMBALANCE = 1000
"""How many times harder one loss may pull at the result than another that still has a say."""

WEIGHTS = {
    "perceptual": "perceptual.weight",
    "adversarial": "adversarial.weight",
    "teacher": "teacher.weight",
}
"""Which key of a recipe a loss is weighted by; a pixel loss by ``loss_weight``."""


def warnings_for(row: Mapping[str, float], *, bounded: bool) -> dict[str, str]:
    """Advice on a row by what it is about, empty when all is well.

    Args:
        row: means by name: ``d/margin``, ``colour_drift/r`` …, ``grad_norm``, ``d/grad_norm`` …,
            ``pull/l1`` …; and the number of ``skipped`` updates; or scores of a validation,
            ``validation/checkerboard`` among them.
        bounded: whether logits go through a sigmoid or margin (all losses but Wasserstein's), so that a large
            margin means that the discriminator has won.
    """
    told: dict[str, str] = {}
    if row.get("skipped"):
        told["skipped"] = (
            f"{row['skipped']:.0f} updates had no finite gradient and were skipped: lower the learning rates"
        )
    drift = max(abs(row.get(f"colour_drift/{channel}", 0.0)) for channel in "rgb")
    if drift > LARGEST_DRIFT:
        adversarial = any(key.startswith("d/") for key in row)
        advice = (
            "raise loss_weight, or lower adversarial.weight"
            if adversarial
            else "if it stays so, lower optimizer.lr"
        )
        told["colour"] = f"colours move by {drift:.1f} levels: {advice}"
    lattice = row.get("validation/checkerboard", 0.0)
    if lattice > LARGEST_CHECKERBOARD:
        told["checkerboard"] = (
            f"results have a checkerboard of {lattice:.1f} levels: if it does not fade, "
            "checkerboard=2 is a loss on it, and arch.smooth_upsampling=true leaves flat surfaces "
            "without one (srresnet, keras-srgan, faces, unet)"
        )
    for key in row:
        if key.endswith("grad_norm") and row[key] > LARGEST_GRADIENT:
            option = "adversarial.optimizer" if key.startswith("d/") else "optimizer"
            told[key] = f"{key} is {row[key]:.0f}: set {option}.clip_norm"
    if bounded and "d/margin" in row:
        told |= _balance(row["d/margin"])
    return told | _imbalance(row)


def _imbalance(row: Mapping[str, float]) -> dict[str, str]:
    """A loss that does next to nothing; those on patterns are meant to do little."""
    pulls = {name.removeprefix("pull/"): value for name, value in row.items() if name.startswith("pull/")}
    for meant in ("total_variation", "checkerboard"):
        pulls.pop(meant, None)
    if not pulls:
        return {}
    weak, strong = min(pulls, key=pulls.__getitem__), max(pulls, key=pulls.__getitem__)
    if pulls[strong] <= LARGEST_IMBALANCE * pulls[weak]:
        return {}
    told = f"at the result {strong} pulls over {LARGEST_IMBALANCE} times as hard as {weak}"
    advice = f"raise {WEIGHTS.get(weak, 'loss_weight')} or lower {WEIGHTS.get(strong, 'loss_weight')}"
    return {"imbalance": f"{told}: if that stays so, {advice}"}


def _balance(margin: float) -> dict[str, str]:
    rate = "adversarial.optimizer.lr"
    if margin > LARGEST_MARGIN:
        return {"discriminator": f"the discriminator wins (margin {margin:.1f}): lower {rate}"}
    if margin < SMALLEST_MARGIN:
        return {
            "generator": f"the generator wins (margin {margin:.1f}): raise {rate} or lower adversarial.weight"
        }
    return {}
