"""OpenVINO: the fastest on x86 processors (``benchmarks/peers.py``)."""

import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from functools import cache, partial
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from relume.backends.base import TAIL_BYTES, Backend, Batch, Depth, Started, cannot_load, cannot_run
from relume.errors import OutOfMemory


@contextmanager
def _without_telemetry() -> Generator[None]:
    """Importing OpenVINO imports its converter, which tells a server so, unless this package is missing."""
    if "openvino_telemetry" in sys.modules:
        yield
        return
    sys.modules["openvino_telemetry"] = None  # pyright: ignore[reportArgumentType]
    try:
        yield
    finally:
        del sys.modules["openvino_telemetry"]


with _without_telemetry():
    import openvino
    from openvino import Layout, opset1
    from openvino.preprocess import PrePostProcessor

    from relume.backends.tail import find_tail, tile_tail


WORTH_COMPILING = 3
"""Batches of one shape in a row after which a graph of their own pays (compact-small at 511×750: 395 ms in a
graph for any shape, 350 ms in its own, which takes 100 ms to compile and to touch its memory)."""


Kind = tuple[tuple[int, ...], Depth]
"""Shape of a batch, and the type of its result."""


class OpenVINOBackend(Backend):
    """An ``.onnx`` file on the CPU, in float32.

    A graph compiled for one shape is faster than one for any, in which the last steps are not merged. The
    first shape that comes gets one, and so does each that comes often, or is so large that its tail is put
    into tiles (see :mod:`relume.backends.tail`); others run in the one for any.

    Compiled models are not cached on disk: compiling takes 0.1 s, and reading the cache saved less than 0.05.

    Args:
        weights: the file.
        threads: processor threads to use.

    Raises:
        InputError: if OpenVINO cannot read the file.
    """

    name = "openvino"
    device = "cpu"

    def __init__(self, weights: Path, threads: int):
        self._options = {
            "INFERENCE_PRECISION_HINT": "f32",  # bfloat16 by itself where the processor has AMX
            "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_NUM_THREADS": threads,
            "ENABLE_CPU_PINNING": False,  # other programs run here too
        }
        try:
            self._model = _with_fusible_prelu(_core().read_model(weights))
        except RuntimeError as error:
            raise cannot_load(weights, error) from error
        self._tail_bytes = 0.0  # per pixel, once a graph was compiled for a shape
        self._before: Kind | None = None
        self._in_a_row = 0
        self._forget()

    def start(self, batch: Batch, depth: Depth = np.float32) -> Started:
        """See :meth:`relume.backends.base.Backend.start`."""
        return partial(self._compute, batch, depth)

    def _compute(self, batch: Batch, depth: Depth) -> NDArray[Any]:
        batch = np.ascontiguousarray(batch)
        request = None
        try:
            request = self._request((batch.shape, depth))
            request.set_input_tensor(openvino.Tensor(batch, shared_memory=True))
            request.start_async()  # infer() hides errors when it runs on one thread
            request.wait()
        except RuntimeError as error:
            problem = cannot_run(error)
            if isinstance(problem, OutOfMemory):
                request = None  # or the traceback keeps its memory
                self._forget()  # it would ask for the same memory again, however small its input
            raise problem from error
        sr = request.get_output_tensor().data
        return sr.reshape(*sr.shape[:2], -1, batch.shape[3])

    def release(self) -> None:
        """See :meth:`relume.backends.base.Backend.release`."""
        for request in (*self._own.values(), *self._any.values()):
            request.get_compiled_model().release_memory()

    def close(self) -> None:
        """See :meth:`relume.backends.base.Backend.close`."""
        self._forget()
        del self._model

    def _request(self, kind: Kind) -> openvino.InferRequest:
        """What runs batches of this shape and gives results in this type."""
        self._in_a_row = self._in_a_row + 1 if kind == self._before else 1
        self._before = kind
        often, large = self._in_a_row > WORTH_COMPILING, self._has_large_tail(kind[0])
        if not self._own or (kind not in self._own and (often or large)):
            self._own.clear()
            self._own[kind] = self._compile(*kind)
        if kind in self._own:
            return self._own[kind]
        depth = kind[1]
        if depth not in self._any:
            self._any[depth] = self._compile(None, depth)
        return self._any[depth]

    def _forget(self) -> None:
        """Give back what was compiled."""
        self._own: dict[Kind, openvino.InferRequest] = {}
        self._any: dict[Depth, openvino.InferRequest] = {}

    def _has_large_tail(self, shape: tuple[int, ...]) -> bool:
        return self._tail_bytes * prod(shape[:3]) > TAIL_BYTES

    def _compile(self, shape: tuple[int, ...] | None, depth: Depth) -> openvino.InferRequest:
        model = _rounded(self._model.clone(), depth)
        if shape:
            images, height, width, channels = shape
            model.reshape([images, channels, height, width])
            tail = find_tail(model)
            self._tail_bytes = tail.bytes / (images * height * width) if tail else 0
            if tail and tail.bytes > TAIL_BYTES:
                tile_tail(model, tail)
        return _core().compile_model(_on_pixels(model), "CPU", self._options).create_infer_request()


def num_products(weights: Path, side: int) -> int:
    """Multiplications of all convolutions for a square picture of this side.

    Raises:
        InputError: if OpenVINO cannot read the file.
    """
    try:
        model = _core().read_model(weights)
        model.reshape([1, 3, side, side])
    except RuntimeError as error:
        raise cannot_load(weights, error) from error
    convolutions = [op for op in model.get_ops() if op.get_type_name() in {"Convolution", "GroupConvolution"}]
    return sum(prod(op.get_output_shape(0)) * prod(list(op.get_input_shape(1))[1:]) for op in convolutions)


def _levelled(value: openvino.Node, low: float, high: float, levels: int) -> openvino.Node:
    return opset1.fake_quantize(value, *map(np.float32, (low, high, low, high)), levels)


def matrix_product(side: int, threads: int, *, int8: bool) -> Callable[[], None]:
    """What multiplies two square matrices, once a call: as much as this runtime gets out of the processor.

    Args:
        side: rows and columns.
        threads: processor threads to use.
        int8: whether of 8-bit integers; else of float32.
    """
    rng = np.random.default_rng(0)
    left, right = rng.random((2, side, side), np.float32)
    given = opset1.parameter(left.shape, openvino.Type.f32)
    first, second = given, opset1.constant(right)
    if int8:  # 256 levels for the one and 255, around 0, for the other: what VNNI takes
        first, second = _levelled(first, 0, 1, 256), _levelled(second, -1, 1, 255)
    model = openvino.Model([opset1.matmul(first, second, False, False)], [given], "product")  # pyright: ignore
    options = {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": threads}
    request = _core().compile_model(model, "CPU", options).create_infer_request()

    def run() -> None:
        request.set_input_tensor(openvino.Tensor(left, shared_memory=True))
        request.start_async()
        request.wait()

    return run


@cache
def _core() -> openvino.Core:
    """The process's only one: on processors with AMX, several that end leave signal handlers crashing.

    Sums and roundings to 8 bits that OpenVINO compiles into one piece of code ("snippets", in graphs for one
    shape only) differ in the last bit from the same one after the other. Some values are then rounded to
    another level, and SRResNet makes of such steps, on noise, differences of up to 9 levels of the result.
    They save no time here.
    """
    core = openvino.Core()
    with suppress(RuntimeError):  # an option that no manual names: it may go
        core.set_property("CPU", {"SNIPPETS_MODE": "DISABLE"})
    return core


def _rounded(model: openvino.Model, depth: Depth) -> openvino.Model:
    """Clip the result, and round it to levels if they are wanted."""
    end = model.get_results()[0].input(0)
    before = end.get_source_output().get_node()
    if depth is np.uint8 and before.get_type_name() == "DepthToSpace":
        end = before.input(0)  # levels are a quarter of the memory to shuffle
    sr = end.get_source_output()
    if depth is np.uint8:
        levels = opset1.fake_quantize(sr, *map(np.float32, (0, 1, 0, 255)), 256)
        end.replace_source_output(opset1.convert(levels, openvino.Type.u8).output(0))
    else:
        end.replace_source_output(opset1.clamp(sr, 0.0, 1.0).output(0))
    model.validate_nodes_and_infer_types()
    return model


def _on_pixels(model: openvino.Model) -> openvino.Model:
    """Take and give NHWC: inside the graph this costs next to nothing, as networks run in NHWC."""
    plan = PrePostProcessor(model)
    flat = len(model.get_results()[0].get_output_partial_shape(0)) == 3
    for side in (plan.input(), *([] if flat else [plan.output()])):
        side.tensor().set_layout(Layout("NHWC"))
        side.model().set_layout(Layout("NCHW"))
    return plan.build()


def _with_fusible_prelu(model: openvino.Model) -> openvino.Model:
    """Give slopes the shape (1, C, 1, 1): OpenVINO fuses PReLU into the convolution before it only then.

    ONNX files have (C, 1, 1). Between unfused layers the activations are copied to another layout and back,
    which nearly doubles the time of a compact network.
    """
    for node in model.get_ops():
        if node.get_type_name() != "PRelu" or node.input(1).get_partial_shape().rank.get_length() != 3:
            continue
        slope = node.input_value(1).get_node()
        if slope.get_type_name() == "Constant":
            node.input(1).replace_source_output(opset1.constant(slope.data[None]).output(0))
    return model
