"""What every test may use."""

from pathlib import Path

import pytest

SHARED_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The development data beside the repository; a test that needs it is skipped where it is absent."""
    if not SHARED_DATA.is_dir():
        pytest.skip("needs ../shared/data, which is not here")
    return SHARED_DATA


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An ONNX file of the smallest network at ×4, with fresh weights and a card."""
    from relume.archs import build
    from relume.export import write_model
    from relume.train.recipe import Recipe

    arch = {"kind": "compact", "size": "tiny"}
    recipe = Recipe.model_validate({"name": "tiny-x4", "arch": arch, "steps": 1})
    network = build(recipe.arch.kind, recipe.arch_options)
    path = tmp_path_factory.mktemp("models") / "tiny-x4.onnx"
    write_model(network, recipe.card(network), path)
    return path
