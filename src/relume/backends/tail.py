"""The layers that enlarge, in tiles inside the graph, for OpenVINO.

SRResNet works at the input's size (the trunk) and enlarges in its last layers (the tail), whose activations
take ten times the memory of all before. The tail looks only a few pixels around it. So for large inputs it
is put into the graph several times, each for a tile of the trunk's result: the runtime computes one after the
other, all in the same memory. Tiles cut off nothing that another needs, and pad where the picture ends only:
the graph computes what it did.
"""

from dataclasses import dataclass
from functools import cache
from math import ceil, prod

import numpy as np
from openvino import Model, Node, Output, opset1, opset8
from openvino.op import Constant
from openvino.utils.node_factory import NodeFactory

from relume.backends.base import TAIL_BYTES

Range = tuple[int, int]
Region = tuple[Range, Range]
"""Rows and columns, half-open, of what a layer gives."""

WORTH_TILES = 4
"""Tails whose largest layer holds less than this times the trunk's result are left alone."""

_PIXELWISE = {
    *("Add", "Subtract", "Multiply", "Divide", "PRelu", "Relu", "Tanh", "Sigmoid", "Clamp"),
    *("FakeQuantize", "Convert"),
}


@dataclass(frozen=True)
class Tail:
    """What follows the trunk of a network.

    Attributes:
        ends: names of the layers, in the trunk, whose results it takes.
        bytes: what its largest layer takes and gives, for the whole picture.
    """

    ends: frozenset[str]
    bytes: int


def find_tail(model: Model) -> Tail | None:
    """The tail of a model of known shape; None if it has none that is worth tiles.

    It reaches back to where several branches come together. One that is a single convolution of the input,
    as in the skip around a trunk, belongs to the tail, which computes it again: nothing has to keep it.
    """
    made = _made_of_the_picture(model)
    out, layers = model.get_results()[0].input_value(0), list[Node]()
    while _is_known(out.get_node()) and len(sources := _sources(out.get_node(), made)) == 1:
        layers.append(out.get_node())
        out = sources[0]
    branches = _sources(out.get_node(), made) if out.get_node().get_type_name() in _PIXELWISE else []
    ends = [branch for branch in branches or [out] if not _is_short(branch, made)]
    enlarges = any(layer.get_type_name() == "DepthToSpace" for layer in layers)
    at_input_size = all(_size(end) == _size(model.inputs[0]) for end in ends)
    if not (enlarges and ends and at_input_size):
        return None
    held = (layer for layer in layers if layer.get_type_name() not in _PIXELWISE)  # the others work in place
    largest = max(_num_bytes(layer.output(0)) + _num_bytes(layer.input_value(0)) for layer in held)
    if largest < WORTH_TILES * max(map(_num_bytes, ends)):
        return None
    return Tail(frozenset(end.get_node().get_name() for end in ends), largest)


def tile_tail(model: Model, tail: Tail) -> None:
    """Compute, in place, the tail in as many tiles as keep each below :data:`TAIL_BYTES`.

    Args:
        model: of known shape, NCHW.
        tail: its tail.
    """
    end = model.get_results()[0].input(0)
    whole, made = end.get_source_output(), _made_of_the_picture(model)
    scale = _size(whole)[0] // _size(model.inputs[0])[0]
    rows, columns = (
        [(first * scale, last * scale) for first, last in spans]
        for spans in _tiles(*_size(model.inputs[0]), ceil(tail.bytes / TAIL_BYTES))
    )
    parts = [[_flat(_part(whole, (row, column), tail, made)) for column in columns] for row in rows]
    end.replace_source_output(_joined([_joined(row, 2) for row in parts], 1))
    model.validate_nodes_and_infer_types()


def _tiles(height: int, width: int, least: int) -> tuple[list[Range], list[Range]]:
    """Rows and columns of at least so many tiles, about square."""
    side = (height * width / least) ** 0.5
    num_rows = min(height, max(1, round(height / side)))
    num_columns = min(width, ceil(least / num_rows))
    return _spans(height, num_rows), _spans(width, num_columns)


def _spans(length: int, count: int) -> list[Range]:
    return [(i * length // count, (i + 1) * length // count) for i in range(count)]


def _part(out: Output, region: Region, tail: Tail, made: frozenset[str]) -> Output:
    """A region of what a layer of the tail gives."""
    layer = out.get_node()
    kind = layer.get_type_name()
    if layer.get_name() in tail.ends or kind == "Parameter":
        return _cut(out, region)
    if kind == "Convolution":
        seen, padding = _seen(layer, region)
        source = _part(layer.input_value(0), seen, tail, made)
        return _again(layer, [source, layer.input_value(1)], padding)
    if kind == "DepthToSpace":
        block = layer.get_attributes()["block_size"]
        rows, columns = ((first // block, ceil(last / block)) for first, last in region)
        shuffled = _again(layer, [_part(layer.input_value(0), (rows, columns), tail, made)])
        (top, bottom), (left, right) = region
        above, before = rows[0] * block, columns[0] * block
        return _cut(shuffled, ((top - above, bottom - above), (left - before, right - before)))
    inputs = (put.get_source_output() for put in layer.inputs())
    return _again(
        layer,
        [_part(i, region, tail, made) if i.get_node().get_name() in made else _copied(i) for i in inputs],
    )


def _copied(constant: Output) -> Output:
    """A constant for one layer alone, such as a bias: one for several is not fused into convolutions."""
    node = constant.get_node()
    while node.get_type_name() == "Reshape":
        node = node.input_value(0).get_node()
    if not isinstance(node, Constant):
        return constant
    return opset1.constant(node.data.reshape(list(constant.get_shape()))).output(0)


def _seen(conv: Node, region: Region) -> tuple[Region, dict[str, list[int]]]:
    """What of its input a convolution needs for a region of its result, and the padding that it keeps."""
    options = conv.get_attributes()
    sides = zip(
        region,
        _size(conv.input_value(0)),
        list(conv.get_input_shape(1))[2:],
        options["pads_begin"],
        options["dilations"],
        strict=True,
    )
    wanted = [
        (first - pad, last - pad + (taps - 1) * step, side) for (first, last), side, taps, pad, step in sides
    ]
    rows, columns = ((max(0, first), min(side, last)) for first, last, side in wanted)
    padding = {
        "pads_begin": [max(0, -first) for first, _, _ in wanted],
        "pads_end": [max(0, last - side) for _, last, side in wanted],
    }
    return (rows, columns), padding


def _again(layer: Node, inputs: list[Node | Output], changes: dict[str, list[int]] | None = None) -> Output:
    """What the same layer gives for other inputs."""
    factory = _factory(layer.get_type_info().version_id)
    return factory.create(
        layer.get_type_name(), inputs, {**layer.get_attributes(), **(changes or {})}
    ).output(0)


@cache
def _factory(opset: str) -> NodeFactory:
    return NodeFactory(opset)


def _cut(out: Output, region: Region) -> Output:
    if region == tuple((0, side) for side in _size(out)):
        return out
    first, last = (np.array(corner) for corner in zip(*region, strict=True))
    return opset8.slice(out.get_node(), first, last, np.array([1, 1]), np.array([2, 3])).output(0)


def _flat(out: Output) -> Output:
    """NCHW as rows of pixels, N × H × WC: shapes of four sides would be copied from a layout to another."""
    images, channels, height, width = out.get_shape()
    pixels = opset1.transpose(out.get_node(), np.array([0, 2, 3, 1]))
    return opset1.reshape(pixels, np.array([images, height, width * channels]), False).output(0)


def _joined(parts: list[Output], axis: int) -> Output:
    return opset1.concat(parts, axis).output(0) if len(parts) > 1 else parts[0]


def _made_of_the_picture(model: Model) -> frozenset[str]:
    """Names of all nodes that the input's pixels, not only its shape, go into."""
    made = {parameter.get_name() for parameter in model.get_parameters()}
    for node in model.get_ordered_ops():
        if node.get_type_name() != "ShapeOf" and _sources(node, made):
            made.add(node.get_name())
    return frozenset(made)


def _sources(node: Node, made: frozenset[str] | set[str]) -> list[Output]:
    """Inputs that are made of the picture."""
    inputs = (put.get_source_output() for put in node.inputs())
    return [source for source in inputs if source.get_node().get_name() in made]


def _is_known(layer: Node) -> bool:
    kind = layer.get_type_name()
    if kind == "Convolution":
        return set(layer.get_attributes()["strides"]) == {1}
    return kind == "DepthToSpace" or kind in _PIXELWISE


def _is_short(out: Output, made: frozenset[str]) -> bool:
    """Whether at most one convolution lies between this and the input."""
    num_convolutions = 0
    while (layer := out.get_node()).get_type_name() != "Parameter":
        if not _is_known(layer) or len(sources := _sources(layer, made)) != 1:
            return False
        num_convolutions += layer.get_type_name() == "Convolution"
        out = sources[0]
    return num_convolutions <= 1


def _size(out: Output) -> tuple[int, int]:
    """Rows and columns."""
    _, _, height, width = out.get_shape()
    return height, width


def _num_bytes(out: Output) -> int:
    return prod(out.get_shape()) * out.get_element_type().size
