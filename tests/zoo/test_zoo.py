import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from onnx import TensorProto, helper, save_model

from relume import zoo
from relume.card import ModelCard
from relume.errors import InputError, UsageError
from relume.model import open_model
from relume.zoo import default_model, find_model, list_models, read_card, write_index

CARD = ModelCard(name="tiny-x2", task="upscale", arch="none", scale=2, halo_px=0, description="größer")


def write_onnx(path: Path, card: ModelCard = CARD, key: str = "relume_card") -> Path:
    """A model of 200 kB, so that the metadata lies behind a graph that must be skipped."""
    weights = helper.make_tensor("w", TensorProto.FLOAT, [50_000], np.zeros(50_000, np.float32))
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in ("lq", "sr")]
    graph = helper.make_graph(
        [helper.make_node("Identity", ["lq"], ["sr"])], "g", ends[:1], ends[1:], [weights]
    )
    model = helper.make_model(graph)
    helper.set_model_props(model, {"author": "someone", key: card.to_json(), "more": "x"})
    save_model(model, path)
    return path


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A wheel's folder with a family of two scales and a single model."""
    for name, scale in (("compact-small-x2", 2), ("compact-small-x4", 4), ("srresnet-x4", 4)):
        card = ModelCard(name=name, task="upscale", arch="none", scale=scale, halo_px=0)
        write_onnx(tmp_path / f"{name}.onnx", card)
    write_index(tmp_path)
    monkeypatch.setattr(zoo, "FOLDER", tmp_path)
    return tmp_path


def test_card_of_an_onnx_file(tmp_path: Path):
    assert read_card(write_onnx(tmp_path / "a.onnx")) == CARD


def test_card_of_a_safetensors_file(tmp_path: Path):
    from safetensors.numpy import save_file

    path = tmp_path / "a.safetensors"
    save_file({"w": np.zeros(1000, np.float32)}, path, metadata={"relume_card": CARD.to_json()})
    assert read_card(path) == CARD


@pytest.mark.parametrize("suffix", [".onnx", ".safetensors"])
@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x00",
        b"garbage garbage",
        b"\xff" * 40,
        b"\x0a\xff\xff\xff\xff\x0f",
        b"\x89PNG\r\n\x1a\n" + bytes(90),
    ],
)
def test_what_is_no_model_file(content: bytes, suffix: str, tmp_path: Path):
    path = tmp_path / f"a{suffix}"
    path.write_bytes(content)
    with pytest.raises(InputError):
        read_card(path)


def test_every_cut_of_a_model_file_is_refused(tmp_path: Path):
    whole = write_onnx(tmp_path / "a.onnx").read_bytes()
    cut = tmp_path / "cut.onnx"
    for size in (*range(1, 60), *range(len(whole) - 700, len(whole), 7)):
        cut.write_bytes(whole[:size])
        with pytest.raises(InputError):
            read_card(cut)


def test_noise_never_gives_anything_but_an_input_error(tmp_path: Path):
    random, path = np.random.default_rng(0), tmp_path / "a.onnx"
    for _ in range(300):
        path.write_bytes(random.bytes(random.integers(1, 200)))
        with pytest.raises(InputError):
            read_card(path)


def test_a_model_without_card(tmp_path: Path):
    with pytest.raises(InputError, match="no relume card"):
        read_card(write_onnx(tmp_path / "a.onnx", key="other"))


def test_a_missing_file(tmp_path: Path):
    with pytest.raises(InputError, match="No such file"):
        read_card(tmp_path / "a.onnx")
    with pytest.raises(UsageError, match="no such model file"):
        find_model(str(tmp_path / "a.onnx"))


@pytest.mark.parametrize(
    ("name", "scale", "found"),
    [
        ("compact-small-x2", None, "compact-small-x2"),
        ("compact-small-x2", 4, "compact-small-x2"),
        ("compact-small", None, "compact-small-x4"),
        ("compact-small", 1.5, "compact-small-x2"),
        ("compact-small", 2, "compact-small-x2"),
        ("compact-small", 2.5, "compact-small-x4"),
        ("compact-small", 8, "compact-small-x4"),
        ("srresnet", 2, "srresnet-x4"),
    ],
)
def test_find_by_name(folder: Path, name: str, scale: float | None, found: str):
    model = find_model(name, scale)
    assert model.card.name == found
    assert model.path == folder / f"{found}.onnx"


def test_the_default_is_of_the_asked_task_and_of_several_the_preferred(folder: Path):
    assert default_model() == "compact-small"
    with pytest.raises(UsageError, match="without a model to deblur yet; give one with -n MODEL"):
        default_model("deblur")
    for path in folder.glob("compact-*.onnx"):
        path.unlink()
    write_onnx(folder / "a.onnx", ModelCard(name="a", task="deblur", arch="none", scale=1, halo_px=0))
    assert (default_model("upscale"), default_model("deblur")) == ("srresnet", "a")


def test_find_by_path(tmp_path: Path):
    path = write_onnx(tmp_path / "mine.onnx")
    assert find_model(str(path)).card == CARD


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("srresnett", "did you mean srresnet"),
        ("compact-smal-x4", "did you mean compact-small-x4"),
        ("zzz", "or the path of"),
        ("", "or the path of"),
        ("../srresnet-x4", "did you mean srresnet-x4"),
    ],
)
def test_an_unknown_name(name: str, hint: str):
    with pytest.raises(UsageError, match=hint) as caught:
        find_model(name)
    assert "compact-small, compact-small-x2, compact-small-x4, srresnet, srresnet-x4" in str(caught.value)


def test_a_changed_model_is_refused(folder: Path):
    path = folder / "srresnet-x4.onnx"
    content = bytearray(path.read_bytes())
    content[100_000] ^= 1
    path.write_bytes(content)
    with pytest.raises(InputError, match="not the one relume came with"):
        find_model("srresnet")
    shutil.copy(folder / "compact-small-x4.onnx", folder / "new-x4.onnx")
    with pytest.raises(InputError, match="not the one relume came with"):
        find_model("new")


def test_the_wheels_models_are_whole():
    index = json.loads((zoo.FOLDER / "index.json").read_text())
    assert sorted(index) == [model.path.name for model in list_models()]
    for model in list_models():
        assert find_model(model.card.name) == model
        assert model.path.name == f"{model.card.name}.onnx"
        assert model.path.stat().st_size <= 8_000_000


@pytest.mark.parametrize(
    "quantised", [m.card for m in list_models() if m.card.precision == "int8"], ids=lambda card: card.name
)
def test_models_in_8_bits_are_of_their_weights_and_lose_less_than_a_tenth_of_a_dB(quantised):
    plain = find_model(quantised.name.removesuffix("-int8")).card
    assert quantised.weights_sha256 == plain.weights_sha256
    assert quantised.calibration
    psnr = {(score.dataset, score.protocol): score.psnr for score in plain.scores}
    assert {score.dataset for score in quantised.scores} >= {"Set5", "Set14"}
    for score in quantised.scores:
        assert psnr[score.dataset, score.protocol] - score.psnr < 0.1


def test_the_default_is_in_8_bits_only_where_that_is_faster(monkeypatch):
    for faster, name in ((True, "compact-small-x4-int8"), (False, "compact-small-x4")):
        monkeypatch.setattr("relume.model.prefers_int8", lambda device, faster=faster: faster)
        with open_model(scale=4) as model:
            assert model.card.name == name
    with open_model("compact-small-x4") as model:
        assert model.card.precision == "float32"


def test_a_family_means_8_bits_where_that_is_wanted(tiny_model: Path, tmp_path: Path, monkeypatch):
    monkeypatch.setattr("relume.zoo.FOLDER", tmp_path)
    for name in ("tiny-x4", "tiny-x4-int8", "other-x4"):
        (tmp_path / f"{name}.onnx").write_bytes(tiny_model.read_bytes())
    write_index(tmp_path)
    asked = {
        "tiny": "tiny-x4-int8",
        "tiny-x4": "tiny-x4",
        "tiny-x4-int8": "tiny-x4-int8",
        "other": "other-x4",
    }
    assert {name: find_model(name, int8=True).path.stem for name in asked} == asked
    assert find_model("tiny").path.stem == "tiny-x4"
    outdated = replace(read_card(tiny_model), weights_sha256="of other weights")
    write_onnx(tmp_path / "tiny-x4-int8.onnx", outdated)
    assert find_model("tiny", int8=True).path.stem == "tiny-x4"
