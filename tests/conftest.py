"""What every test may use."""

import signal
from pathlib import Path

import pytest

SHARED_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.fixture(scope="session", autouse=True)
def interruptible() -> None:
    """Ctrl-C works in the tests and what they start, also where a shell started them in its background."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The development data beside the repository; a test that needs it is skipped where it is absent."""
    if not SHARED_DATA.is_dir():
        pytest.skip("needs ../shared/data, which is not here")
    return SHARED_DATA


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An ONNX file of the smallest network at ×4, with fresh weights and a card."""
    return write(tmp_path_factory, "tiny-x4", arch={"kind": "compact", "size": "tiny"})


@pytest.fixture(scope="session")
def tiny_deblur_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An ONNX file of a small network for deblurring that uses statistics of the whole picture."""
    arch = {"kind": "deblurgan-unet", "width": 4}
    return write(tmp_path_factory, "tiny-deblur", changes="tail.1", arch=arch, task="deblur", scale=1)


def write(folders: pytest.TempPathFactory, name: str, changes: str = "", **recipe: object) -> Path:
    """``changes`` names the layer that starts small, made large: so that the network changes pictures."""
    from relume.archs import build
    from relume.export import write_model
    from relume.train.recipe import Recipe

    valid = Recipe.model_validate({"name": name, "steps": 1, **recipe})
    network = build(valid.arch.kind, valid.arch_options)
    if changes:
        network.get_submodule(changes).weight.data.mul_(100)
    path = folders.mktemp("models") / f"{name}.onnx"
    write_model(network, valid.card(network), path)
    return path
