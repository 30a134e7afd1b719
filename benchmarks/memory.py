"""Working memory of each architecture per input pixel, beside what ``relume.engine.memory`` plans with.

    python benchmarks/memory.py [ARCHITECTURE...]

Each measurement is a process of its own, which runs a window twice the size after a smaller one: the growth
of its peak RSS between them, over the growth of the window, is free of what libraries and code take.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from relume.archs import build
from relume.backends import open_backend
from relume.card import ModelCard
from relume.engine.memory import window_bytes
from relume.export import write_model
from relume.jobs.pipeline import peak_rss
from relume.zoo import read_card

OPTIONS = {
    "compact": [{"scale": s, "size": size} for s in (2, 4) for size in ("small", "medium")],
    "srresnet": [{"scale": s} for s in (2, 4)],
    "rrdb": [{}],
    "keras-srgan": [{"scale": s} for s in (2, 4)],
    "faces": [{"upsample": upsample} for upsample in ("shuffle", "deconv")],
    "unet": [{"scale": s} for s in (2, 4)],
    "compact-unet": [{}],
    "deblurgan": [{}, {"as_published": True}],
    "deblurgan-unet": [{}],
}
SIDES = {"compact": (256, 512), "compact-unet": (256, 512), "srresnet": (192, 384), "keras-srgan": (192, 384)}
OTHER_SIDES = (128, 256)
DEVICES = ("openvino", "onnxruntime")


def main() -> None:
    """Print measured and planned bytes of every combination."""
    for arch in sys.argv[1:] or OPTIONS:
        for options in OPTIONS[arch]:
            with tempfile.TemporaryDirectory() as folder:
                path = write(arch, options, Path(folder))
                sides = SIDES.get(arch, OTHER_SIDES)
                for device in DEVICES:
                    found, planned = measure(path, device, sides), plan(path, device, sides)
                    print(
                        f"{arch} {json.dumps(options)}, {device}: {found:.0f}, planned {planned:.0f}",
                        flush=True,
                    )


def write(arch: str, options: dict[str, object], folder: Path) -> Path:
    """A model file with fresh weights."""
    network = build(arch, options)
    card = ModelCard(
        name="m",
        task="upscale",
        arch=arch,
        scale=network.scale,
        halo_px=network.halo_px,
        size_multiple=network.size_multiple,
    )
    write_model(network, card, folder / "model.onnx")
    return folder / "model.onnx"


def plan(path: Path, device: str, sides: tuple[int, int]) -> float:
    """What :func:`measure` should find."""
    small, large = (window_bytes(read_card(path), device, side**2) for side in sides)
    return (large - small) / (sides[1] ** 2 - sides[0] ** 2)


def measure(path: Path, device: str, sides: tuple[int, int]) -> float:
    """Growth of the peak RSS in bytes per input pixel, in a fresh process."""
    command = [sys.executable, __file__, str(path), device, *map(str, sides)]
    return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def run(path: Path, device: str, *sides: int) -> float:
    """What :func:`measure` starts."""
    card = read_card(path)
    backend = open_backend(path, card, device=device)
    peaks: list[int] = []
    for side in sides:
        backend.run(np.ones((1, side, side, 3), np.float32))
        peaks.append(peak_rss())
    return (peaks[1] - peaks[0]) / (sides[1] ** 2 - sides[0] ** 2)


if __name__ == "__main__":
    if sys.argv[1:2] and Path(sys.argv[1]).is_file():
        print(run(Path(sys.argv[1]), sys.argv[2], *map(int, sys.argv[3:])))
    else:
        main()
