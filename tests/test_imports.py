"""What an import costs, and who may import whom (the layers are those of CONTRIBUTING.md)."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import relume

ROOT = Path(relume.__file__).parent
FILES = sorted(ROOT.rglob("*.py"))

BASE = {"relume", "errors", "files", "card", "machine", "suggestions"}
ALLOWED = {
    "relume": {"model", "shortcuts"},
    "errors": set(),
    "files": {"errors"},
    "card": {"errors"},
    "machine": set(),
    "suggestions": set(),
    "image": BASE,
    "degrade": BASE,
    "metrics": BASE | {"degrade"},
    "archs": {"errors"},
    "losses": BASE | {"archs"},
    "zoo": BASE,
    "backends": BASE | {"archs"},
    "engine": BASE | {"backends", "image"},
    "fidelity": BASE,
    "restoration": BASE | {"engine", "fidelity", "image"},
    "workload": BASE | {"engine", "restoration"},
    "model": BASE | {"backends", "engine", "image", "restoration", "workload", "zoo"},
    "shortcuts": BASE | {"image", "model"},
    "data": BASE | {"degrade", "image"},
    "train": BASE | {"archs", "backends", "data", "degrade", "engine", "image", "losses", "metrics", "zoo"},
    "evaluate": BASE | {"archs", "data", "degrade", "image", "losses", "metrics", "model", "video", "zoo"},
    "export": BASE | {"archs", "backends", "train", "zoo"},
    "quantisation": BASE | {"backends", "data", "degrade", "export", "image", "zoo"},
    "bench": BASE | {"backends", "engine", "image", "zoo"},
    "compare": BASE | {"image"},
    "doctor": BASE | {"backends", "image", "model", "zoo"},
    "modelcards": BASE | {"archs", "degrade", "evaluate", "image", "metrics", "model", "train", "zoo"},
    "jobs": BASE | {"image", "model", "workload"},
    "video": BASE | {"backends", "engine", "image", "metrics", "model"},
    "__main__": {"cli"},
    "cli": BASE
    | {"backends", "bench", "compare", "data", "doctor", "engine", "evaluate", "export", "image", "jobs"}
    | {"metrics", "model", "modelcards", "quantisation", "train", "video", "zoo"},
}
"""Layer -> layers it may import, lazily or not. A layer is the first name below ``relume``."""


PLAIN_HEAVY = {"numpy", "PIL", "rich", "torch", "openvino", "onnxruntime", "pyvips"}
TRAINING_ONLY = {
    "torch",
    "onnx",
    "pydantic",
    "yaml",
    "safetensors",
    "jaxtyping",
    "tensorboard",
    "threadpoolctl",
    "filelock",
}


def name_of(file: Path) -> str:
    return ".".join(["relume", *file.relative_to(ROOT).with_suffix("").parts]).removesuffix(".__init__")


MODULES = {name_of(file): ast.parse(file.read_text(encoding="utf-8")) for file in FILES}


def layer_of(module: str) -> str:
    return module.removeprefix("relume.").partition(".")[0]


def imports(nodes: Iterator[ast.AST]) -> Iterator[str]:
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            parts = (f"{node.module}.{alias.name}" for alias in node.names)
            yield from (part if part in MODULES else node.module for part in parts)


def relume_imports(nodes: Iterator[ast.AST]) -> set[str]:
    return {name for name in imports(nodes) if name.partition(".")[0] == "relume"}


def loaded_by(code: str) -> set[str]:
    """Top-level names of all modules that are loaded after running code in a fresh interpreter."""
    code += "\nimport sys; print('\\nLOADED', *{name.partition('.')[0] for name in sys.modules})"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(result.stdout.rpartition("LOADED")[2].split())


@pytest.mark.parametrize("module", MODULES)
def test_layers_import_only_what_they_may(module: str):
    layer = layer_of(module)
    imported = {layer_of(name) for name in relume_imports(ast.walk(MODULES[module]))}
    assert imported <= ALLOWED[layer] | {layer}


def test_only_the_torch_backend_imports_networks():
    users = {m for m, tree in MODULES.items() if "archs" in map(layer_of, relume_imports(ast.walk(tree)))}
    assert {user for user in users if layer_of(user) == "backends"} == {"relume.backends.torch"}


def test_modules_import_each_other_in_no_circle():
    graph = {name: relume_imports(iter(tree.body)) - {name} for name, tree in MODULES.items()}
    assert len(list(TopologicalSorter(graph).static_order())) >= len(MODULES)


def test_importing_relume_loads_nothing():
    assert loaded_by("import relume") & PLAIN_HEAVY == set()


def test_the_command_line_starts_without_what_commands_need():
    loaded = loaded_by("from relume.cli import run; run(['--help'])")
    assert loaded & PLAIN_HEAVY == set()


def test_upscaling_loads_only_what_a_plain_installation_has(tiny_model: Path, tmp_path: Path):
    from PIL import Image

    Image.new("RGB", (8, 6), "teal").save(tmp_path / "a.png")
    arguments = ["upscale", str(tmp_path / "a.png"), "-n", str(tiny_model), "--json"]
    loaded = loaded_by(f"from relume.cli import run; assert run({arguments}) == 0")
    assert "numpy" in loaded
    assert loaded & {*TRAINING_ONLY, "rich", "pyvips"} == set()


def test_evaluating_loads_only_what_a_plain_installation_has(tiny_model: Path, tmp_path: Path):
    from PIL import Image

    for folder in ("set/A", "set/B"):
        (tmp_path / folder).mkdir(parents=True)
        Image.new("RGB", (24, 24), "teal").save(tmp_path / folder / "a.png")
    arguments = ["eval", str(tiny_model), "--data", str(tmp_path / "set"), "-s", "1", "--measures", "niqe"]
    loaded = loaded_by(f"from relume.cli import run; assert run({arguments}) == 0")
    assert "relume" in loaded
    assert loaded & TRAINING_ONLY == set()


def test_nothing_is_told_to_anyone(tiny_model: Path):
    """OpenVINO's converter, which importing it loads, reports every import to a server."""
    code = f"import relume; relume.open_model({str(tiny_model)!r}).close()"
    assert loaded_by(code) & {"openvino_telemetry", "requests", "urllib3", "http"} == set()
