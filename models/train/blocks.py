"""Times candidate building blocks in ONNX Runtime and OpenCV, one core each.

    python blocks.py [--rounds 30]

Each candidate turns 64 channels at stride 8 of a 320x192 input (40x24) into 64 and is repeated six times;
the plain pair of 3x3 convolutions is what the network is made of. Rounds are interleaved; medians.
"""

import argparse
import time

import cv2
import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

from detectors import session

CHANNELS, HEIGHT, WIDTH, REPEATS = 64, 24, 40, 6


class Graph:
    """Collects nodes of an ONNX graph with weights at random."""

    def __init__(self):
        self.nodes, self.weights, self.rng, self.macs = [], [], np.random.default_rng(1), 0

    def node(self, kind, *inputs, **attributes):
        name = f"{kind}{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, list(inputs), [name], name=name, **attributes))
        return name

    def constant(self, value):
        name = f"c{len(self.weights)}"
        self.weights.append(numpy_helper.from_array(np.asarray(value, np.float32), name))
        return name

    def conv(self, x, cin, cout, kernel, group=1):
        shape = (cout, cin // group, kernel, kernel)
        self.macs += int(np.prod(shape)) * HEIGHT * WIDTH
        w = self.constant(self.rng.normal(0, (1 / np.prod(shape[1:])) ** 0.5, shape))
        b = self.constant(np.zeros(cout))
        pads = [kernel // 2] * 4
        return self.node("Conv", x, w, b, kernel_shape=[kernel] * 2, pads=pads, group=group)

    def model(self, out):
        self.nodes.append(helper.make_node("Relu", [out], ["output"], name="output"))
        value = lambda name: helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, CHANNELS, HEIGHT, WIDTH])
        graph = helper.make_graph(self.nodes, "blocks", [value("input")], [value("output")], self.weights)
        proto = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)])
        proto.ir_version = 7
        return proto


def relu(g, x):
    return g.node("Relu", x)


def silu(g, x):
    return g.node("Mul", x, g.node("Sigmoid", x))


def hard_swish(g, x):
    # Opset 13 has no HardSwish: x * clip(x / 6 + 1 / 2, 0, 1).
    return g.node("Mul", x, g.node("HardSigmoid", x, alpha=1 / 6, beta=0.5))


def plain(act, kernel=3):
    """One full 3x3 convolution."""
    return lambda g, x: act(g, g.conv(x, CHANNELS, CHANNELS, kernel))


def narrow(act):
    """The network's own: two 3x3 convolutions through half the channels, and the sum."""

    def block(g, x):
        half = act(g, g.conv(x, CHANNELS, CHANNELS // 2, 3))
        return g.node("Add", x, act(g, g.conv(half, CHANNELS // 2, CHANNELS, 3)))

    return block


def separable(act, kernel):
    """Depthwise, then 1x1."""

    def block(g, x):
        x = act(g, g.conv(x, CHANNELS, CHANNELS, kernel, group=CHANNELS))
        return act(g, g.conv(x, CHANNELS, CHANNELS, 1))

    return block


def inverted(act, kernel=3, wide=3):
    """MobileNetV2's: 1x1 to three times the channels, depthwise, 1x1 back, and the sum."""

    def block(g, x):
        y = act(g, g.conv(x, CHANNELS, wide * CHANNELS, 1))
        y = act(g, g.conv(y, wide * CHANNELS, wide * CHANNELS, kernel, group=wide * CHANNELS))
        return g.node("Add", x, g.conv(y, wide * CHANNELS, CHANNELS, 1))

    return block


CANDIDATES = {
    "narrow pair of 3x3, ReLU (used)": narrow(relu),
    "narrow pair of 3x3, hard-swish": narrow(hard_swish),
    "narrow pair of 3x3, SiLU": narrow(silu),
    "one 3x3, ReLU": plain(relu),
    "one 3x3, SiLU": plain(silu),
    "depthwise 3x3 + 1x1, ReLU": separable(relu, 3),
    "depthwise 3x3 + 1x1, hard-swish": separable(hard_swish, 3),
    "depthwise 3x3 + 1x1, SiLU": separable(silu, 3),
    "depthwise 5x5 + 1x1, ReLU": separable(relu, 5),
    "depthwise 5x5 + 1x1, SiLU (RTMDet's)": separable(silu, 5),
    "inverted residual x3, depthwise 3x3, ReLU": inverted(relu),
    "inverted residual x3, depthwise 3x3, hard-swish": inverted(hard_swish),
}


def build(block):
    """The block repeated, as bytes of an ONNX file, and its multiply-adds."""
    graph, x = Graph(), "input"
    for _ in range(REPEATS):
        x = block(graph, x)
    proto = graph.model(x)
    onnx.checker.check_model(proto)
    return proto.SerializeToString(), graph.macs / REPEATS


def runners(data):
    """A function for each engine that runs the network once."""
    x = np.random.default_rng(2).normal(size=(1, CHANNELS, HEIGHT, WIDTH)).astype(np.float32)
    ort = session(data)
    net = cv2.dnn.readNetFromONNX(np.frombuffer(data, np.uint8))

    def opencv():
        net.setInput(x)
        net.forward()

    return [lambda: ort.run(None, {"input": x}), opencv]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=30)
    args = parser.parse_args()
    cv2.setNumThreads(1)
    built = {name: build(block) for name, block in CANDIDATES.items()}
    every = {name: runners(data) for name, (data, _) in built.items()}
    times = {name: [[], []] for name in every}
    for _ in range(args.rounds + 2):
        for name, pair in every.items():
            for run, seen in zip(pair, times[name]):
                start = time.perf_counter()
                run()
                seen.append(time.perf_counter() - start)
    versions = f"ONNX Runtime {onnxruntime.__version__}, ms", f"OpenCV {cv2.__version__}, ms"
    print(f"| block | million multiply-adds | {versions[0]} | {versions[1]} |\n| --- | --- | --- | --- |")
    for name, pair in times.items():
        ort, opencv = (1e3 * float(np.median(seen[2:])) / REPEATS for seen in pair)
        print(f"| {name} | {built[name][1] / 1e6:.1f} | {ort:.3f} | {opencv:.3f} |")


if __name__ == "__main__":
    main()
