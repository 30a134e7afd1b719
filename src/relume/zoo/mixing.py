"""Network interpolation: a model between two that share their network.

Source: X. Wang et al., "ESRGAN: enhanced super-resolution generative adversarial networks", ECCV 2018
workshops, section 3.4: between a network trained for fidelity and the one that adversarial training made of
it, every mixture of the weights is a working network, with fewer artefacts the nearer it is to the first.
"""

from io import BytesIO

import numpy as np

from relume.errors import UsageError
from relume.zoo import ModelFile
from relume.zoo.headers import fields, varint

_GRAPH, _INITIALIZER = 7, 5
_TYPE, _NAME, _RAW = 2, 8, 9
_DTYPES = {1: np.float32, 10: np.float16}
"""Fields of ONNX's ModelProto, GraphProto and TensorProto, and element types; see ``onnx.proto``."""

LARGEST_DISTANCE = 0.7
"""Between two sets of weights, relative to their size: adversarial training goes 0.1 to 0.3 far, weights of
different beginnings are 1.4 apart."""


def mix(model: ModelFile, counterpart: ModelFile, strength: float) -> bytes:
    """The content of an ``.onnx`` file between two: ``counterpart + strength · (model − counterpart)``.

    Raises:
        UsageError: if the two do not share a network, or one was not trained from the other, or they are no
            ``.onnx`` files.
    """
    if {model.path.suffix, counterpart.path.suffix} != {".onnx"}:
        raise UsageError("--strength mixes weights of .onnx files", got=f"{model.path}, {counterpart.path}")
    mixed, other = bytearray(model.path.read_bytes()), counterpart.path.read_bytes()
    places, others = _weights(mixed), _weights(other)
    if _shapes(places) != _shapes(others):
        raise UsageError(
            f"{model.card.name} and {counterpart.card.name} do not share a network",
            hint="leave --strength out",
        )
    distance = size_of_both = 0.0
    for name, (at, size, dtype) in places.items():
        near, far = (
            np.frombuffer(content, dtype, size // np.dtype(dtype).itemsize, start).astype(np.float64)
            for content, start in ((other, others[name][0]), (mixed, at))
        )
        distance += float(((far - near) ** 2).sum())
        size_of_both += float((near**2).sum() + (far**2).sum())
        mixed[at : at + size] = (near + strength * (far - near)).astype(dtype).tobytes()
    if distance > LARGEST_DISTANCE**2 * size_of_both / 2:
        raise UsageError(
            f"{model.card.name} was not trained from {counterpart.card.name}, so that nothing lies between",
            hint="leave --strength out",
        )
    return bytes(mixed)


def _weights(content: bytes | bytearray) -> dict[str, tuple[int, int, type]]:
    """Position, size and type of the learned values of an ``.onnx`` file, by name."""
    file = BytesIO(content)
    found: dict[str, tuple[int, int, type]] = {}
    for graph, start, size in fields(file, len(content)):
        for number, at, length in fields(file, start + size, start) if graph == _GRAPH else ():
            if number == _INITIALIZER:
                parts = {n: (a, s) for n, a, s in fields(file, at + length, at)}
                dtype = _DTYPES.get(varint(file, parts[_TYPE][0])[0])
                if dtype and _RAW in parts:
                    name = content[parts[_NAME][0] : sum(parts[_NAME])].decode()
                    found[name] = (*parts[_RAW], dtype)
    return found


def _shapes(places: dict[str, tuple[int, int, type]]) -> dict[str, tuple[int, type]]:
    return {name: (size, dtype) for name, (_, size, dtype) in places.items()}
