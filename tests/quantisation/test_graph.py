import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import numpy_helper
from onnx.helper import make_graph, make_model, make_node, make_opsetid, make_tensor_value_info

from relume.quantisation.graph import round_network

RNG = np.random.default_rng(0)

KERNELS = {
    "head": (8, 3, 3, 3),
    "down": (8, 8, 3, 3),
    "grouped": (8, 2, 3, 3),
    "wide": (8, 8, 3, 3),
    "tail": (3, 16, 1, 1),
}


@pytest.fixture(scope="module")
def model() -> onnx.ModelProto:
    """Strides, groups, holes, layers with two results, a join of two paths, and sizes that are computed."""

    def convolution(name: str, given: str, **options: object) -> onnx.NodeProto:
        side = KERNELS[name][-1]
        options = {"pads": [side // 2] * 4, "kernel_shape": [side, side], **options}
        return make_node("Conv", [given, f"{name}.weight"], [name], name=name, **options)

    nodes = [
        convolution("head", "lq"),
        make_node("Relu", ["head"], ["first"]),
        convolution("down", "first", strides=[2, 2]),
        convolution("grouped", "down", group=4),
        convolution("wide", "grouped", dilations=[2, 2], pads=[2] * 4),
        make_node("Split", ["wide"], ["left", "right"], axis=1, num_outputs=2),
        make_node("Concat", ["right", "left"], ["swapped"], axis=1),
        make_node("Shape", ["first"], ["size"]),
        make_node("Resize", ["swapped", "", "", "size"], ["large"], mode="nearest"),
        make_node("Concat", ["first", "large"], ["both"], axis=1),
        convolution("tail", "both"),
    ]
    weights = [
        numpy_helper.from_array(RNG.normal(0, 0.2, shape).astype(np.float32), f"{name}.weight")
        for name, shape in KERNELS.items()
    ]
    ends = (make_tensor_value_info(name, onnx.TensorProto.FLOAT, [1, 3, "h", "w"]) for name in ("lq", "tail"))
    given, result = ends
    graph = make_graph(nodes, "various", [given], [result], weights)
    return make_model(graph, opset_imports=[make_opsetid("", 18)], ir_version=10)


def test_a_network_of_many_kinds_of_layers(model: onnx.ModelProto):
    before = model.SerializeToString()
    network = round_network(model, [RNG.random((1, 3, 24, 28), np.float32) for _ in range(4)])
    quantised = network.with_layers(network.layers)
    onnx.checker.check_model(quantised)
    assert model.SerializeToString() == before
    lq = RNG.random((1, 3, 34, 20), np.float32)
    sessions = [onnxruntime.InferenceSession(m.SerializeToString()) for m in (model, quantised)]
    exact, rounded = (np.asarray(session.run(None, {"lq": lq})[0]) for session in sessions)
    assert 0 < np.square(exact - rounded).mean() < 0.001 * exact.var()
    stored = {t.name: tuple(t.dims) for t in quantised.graph.initializer if t.data_type == t.INT8}
    assert {name.partition("_")[0]: dims for name, dims in stored.items()} == {
        name: KERNELS[name] for name in ("down", "tail")
    }
