"""What tests of losses share."""

from pathlib import Path

import pytest

from relume.losses.vgg_weights import VGG19Weights, load_vgg19


@pytest.fixture(scope="session")
def original_vgg19(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> VGG19Weights:
    """VGG19 with the original weights; not to be changed."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        return load_vgg19(shared_data / "vgg19")
