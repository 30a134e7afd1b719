"""A network in 8 bits as an ONNX graph, written node by node while it runs on the calibration crops."""

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray
from onnx import numpy_helper
from onnx.helper import (
    make_empty_tensor_value_info,
    make_graph,
    make_model,
    make_node,
    make_tensor_value_info,
    np_dtype_to_tensor_dtype,
)

from relume.machine import num_threads
from relume.quantisation.rounding import (
    LARGEST_LEVEL,
    Levels,
    RoundedKernel,
    Samples,
    choose_levels,
    round_kernel,
)

NUM_PLACES = 512
"""Of each crop, at which a kernel is fitted."""

Planes = NDArray[np.float32]
"""NCHW, one picture."""

EMPTY: Planes = np.zeros(0, np.float32)
"""In the place of what is no longer needed."""

Values = dict[str, list[Planes]]
"""What tensors hold, one entry a crop."""


@dataclass(frozen=True)
class RoundedLayer:
    """A convolution in 8 bits.

    Attributes:
        nodes: as much as runtimes recognise as one.
        num_products: multiplications for one crop.
    """

    nodes: list[onnx.NodeProto]
    num_products: int


@dataclass(frozen=True)
class RoundedNetwork:
    """A network and its convolutions in 8 bits.

    Attributes:
        model: in float32, with one input and one output.
        tensors: constants by name, those of the network and those of its convolutions in 8 bits.
        layers: the name of its result -> a convolution.
    """

    model: onnx.ModelProto
    tensors: dict[str, onnx.TensorProto]
    layers: dict[str, RoundedLayer] = field(default_factory=dict[str, RoundedLayer])

    def with_layers(self, names: Collection[str]) -> onnx.ModelProto:
        """The network with some convolutions in 8 bits and all others as they were."""
        assembled = onnx.ModelProto()
        assembled.CopyFrom(self.model)
        graph = assembled.graph
        del graph.node[:], graph.initializer[:], graph.value_info[:]
        for node in self.model.graph.node:
            name = node.output[0]
            graph.node.extend(self.layers[name].nodes if name in names else [node])
        taken = {name for node in graph.node for name in node.input}
        graph.initializer.extend(tensor for name, tensor in self.tensors.items() if name in taken)
        return assembled

    def constant(self, name: str, value: NDArray[np.generic]) -> str:
        """Add one; its name."""
        self.tensors[name] = numpy_helper.from_array(value, name)
        return name


def round_network(model: onnx.ModelProto, crops: Sequence[Planes]) -> RoundedNetwork:
    """Put the convolutions of a network into 8 bits.

    The network runs on the crops twice, node by node: as it is, and in 8 bits. Each kernel is fitted to the
    inputs that the layers before it give in 8 bits and to the outputs it had in float, so that it takes back
    what of their error it can. Only what goes into convolutions is rounded. Sums, PReLU and the pixel shuffle
    are exact; so are the convolutions that see the picture itself, which are cheap and need all its levels.

    Args:
        model: in float32, with one input and one output.
        crops: of training pictures.
    """
    graph = model.graph
    network = RoundedNetwork(model, {tensor.name: tensor for tensor in graph.initializer})
    exact: Values = {graph.input[0].name: list(crops)}
    rounded: Values = {graph.input[0].name: list(crops)}
    exceptions = _seeing_the_picture(graph)
    uses = Counter(name for node in graph.node for name in {*node.input})
    for node in graph.node:
        uses.subtract({*node.input})
        done_with = {name for name in node.input if name in exact and not uses[name]}
        _run([node], network, exact, done_with)
        nodes = [node]
        if node.output[0] not in exceptions and _is_plain(node):
            layer = _rounded_layer(node, network, rounded[node.input[0]], exact[node.output[0]])
            network.layers[node.output[0]] = layer
            nodes = layer.nodes
        _run(nodes, network, rounded, done_with)
    return network


def _rounded_layer(
    node: onnx.NodeProto, network: RoundedNetwork, inputs: Sequence[Planes], outputs: Sequence[Planes]
) -> RoundedLayer:
    kernel = numpy_helper.to_array(network.tensors[node.input[1]])
    levels = _levels_of(inputs, kernel)
    samples = Samples(kernel[0].size, len(kernel))
    rng = np.random.default_rng(0)
    for given, wanted in zip(inputs, outputs, strict=True):
        samples.add(*_at_places(_in_levels(given, levels), wanted, node, rng))
    nodes = list(_nodes(node, network, levels, round_kernel(kernel, levels, samples)))
    return RoundedLayer(nodes, kernel.size * outputs[0][0, 0].size)


def _nodes(
    node: onnx.NodeProto, network: RoundedNetwork, levels: Levels, kernel: RoundedKernel
) -> Iterator[onnx.NodeProto]:
    """To levels with a step for each channel; from there on as if all had the same step."""
    name = node.output[0]
    step = np.float32(np.exp(np.log(levels.steps).mean()))
    steps = (kernel.steps / step).astype(np.float32)
    bias = np.round(kernel.bias / (steps.astype(np.float64) * step)).clip(-(2**31) + 1, 2**31 - 1)
    zeros = network.constant(f"{name}_zeros", np.full(len(levels.steps), levels.zero, np.uint8))
    zero = network.constant(f"{name}_zero", np.array(levels.zero, np.uint8))
    given = network.constant(f"{name}_steps", levels.steps)
    yield make_node("QuantizeLinear", [node.input[0], given, zeros], [f"{name}_levels"], axis=1)
    one = network.constant(f"{name}_step", np.array(step))
    yield make_node("DequantizeLinear", [f"{name}_levels", one, zero], [f"{name}_inputs"])
    for part, value, scale in (
        ("weights", kernel.weights, steps),
        ("bias", bias.astype(np.int32), steps * step),
    ):
        stored = network.constant(f"{name}_{part}_levels", value)
        scales = network.constant(f"{name}_{part}_steps", scale)
        yield make_node("DequantizeLinear", [stored, scales], [f"{name}_{part}"], axis=0)
    convolution = onnx.NodeProto()
    convolution.CopyFrom(node)
    del convolution.input[:]
    convolution.input.extend(f"{name}_{part}" for part in ("inputs", "weights", "bias"))
    yield convolution


def _levels_of(inputs: Sequence[Planes], kernel: NDArray[np.float32]) -> Levels:
    lows = np.min([crop.min((0, 2, 3)) for crop in inputs], 0).astype(np.float64)
    highs = np.max([crop.max((0, 2, 3)) for crop in inputs], 0).astype(np.float64)
    gains = np.square(kernel.astype(np.float64)).sum((0, 2, 3))
    return choose_levels(np.minimum(lows, 0), np.maximum(highs, 0), gains)


def _in_levels(planes: Planes, levels: Levels) -> Planes:
    """Levels less ``zero``, as floats."""
    found = np.round(planes / levels.steps[:, None, None])
    return found.clip(-levels.zero, LARGEST_LEVEL - levels.zero)


def _at_places(
    inputs: Planes, outputs: Planes, node: onnx.NodeProto, rng: np.random.Generator
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """At some places, what lies under the kernel (N×I·k·k), and the outputs (N×O)."""
    options = {a.name: list(a.ints) for a in node.attribute}
    top, left, bottom, right = options.get("pads", [0] * 4)
    rows, columns = options.get("strides", [1, 1])
    around = np.pad(inputs[0], ((0, 0), (top, bottom), (left, right)))
    windows = np.lib.stride_tricks.sliding_window_view(around, options["kernel_shape"], (1, 2))
    windows = windows[:, ::rows, ::columns]
    height, width = outputs.shape[2:]
    places = rng.choice(height * width, min(NUM_PLACES, height * width), replace=False)
    row, column = np.divmod(places, width)
    return windows[:, row, column].swapaxes(0, 1).reshape(len(places), -1), outputs[0][:, row, column].T


def _run(
    nodes: Sequence[onnx.NodeProto], network: RoundedNetwork, values: Values, done_with: Collection[str]
) -> None:
    """Add to the values what the last node gives, and drop, crop by crop, those that nothing else needs."""
    made = {name for node in nodes for name in node.output}
    needed = dict.fromkeys(name for node in nodes for name in node.input if name and name not in made)
    given = [name for name in needed if name not in network.tensors]
    graph = make_graph(
        nodes,
        "part",
        [
            make_tensor_value_info(name, np_dtype_to_tensor_dtype(values[name][0].dtype), None)
            for name in given
        ],
        [make_empty_tensor_value_info(name) for name in nodes[-1].output],
        [network.tensors[name] for name in needed if name in network.tensors],
    )
    origin = network.model
    model = make_model(graph, opset_imports=origin.opset_import, ir_version=origin.ir_version)
    session = open_session(model)
    found: list[list[Planes]] = []
    for index in range(len(next(iter(values.values())))):
        results = session.run(None, {name: values[name][index] for name in given})
        found.append([np.asarray(result) for result in results])
        for name in done_with:
            values[name][index] = EMPTY
    values.update(zip(nodes[-1].output, map(list, zip(*found, strict=True)), strict=True))


def open_session(model: onnx.ModelProto) -> onnxruntime.InferenceSession:
    """Load a graph on the CPU."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = num_threads()
    options.enable_cpu_mem_arena = False  # an arena a node
    return onnxruntime.InferenceSession(model.SerializeToString(), options, ["CPUExecutionProvider"])


def _is_plain(node: onnx.NodeProto) -> bool:
    """Whether this is a convolution without groups and holes."""
    options = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
    return node.op_type == "Conv" and options.get("group", 1) == 1 and {*options.get("dilations", [1])} == {1}


def _seeing_the_picture(graph: onnx.GraphProto) -> set[str]:
    """Results of convolutions with nothing but shifts, scalings and padding between them and the input."""
    constants = {tensor.name for tensor in graph.initializer}
    pictures = {graph.input[0].name}
    found: set[str] = set()
    for node in graph.node:  # sorted: what a node takes comes before it
        if not pictures & {*node.input}:
            continue
        if node.op_type == "Conv":
            found.update(node.output)
        elif node.op_type in {"Sub", "Add", "Mul", "Div", "Pad"} and {*node.input} <= pictures | constants:
            pictures.update(node.output)
    return found
