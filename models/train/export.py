"""Writes the trained weights as ONNX, static or with symbolic height and width.

The graph is built node by node: batch normalisation and the input scaling are folded into the
convolutions, the decode is left to the reader, and no node is there that OpenCV 4.6 does not know.

    python export.py --weights run/last.pt --out ../person.onnx [--dynamic] [--size 320x192]
"""

import argparse

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper

from net import INPUT_MEAN, INPUT_SCALE, STRIDES, Detector, Shape, heads, pyramid


class GraphOps:
    """The operations of `net.pyramid` and `net.heads`, as ONNX nodes."""

    def __init__(self, model: Detector):
        self.model, self.nodes, self.weights, self.count = model, [], [], 0

    def name(self, kind):
        self.count += 1
        return f"{kind}_{self.count}"

    def node(self, kind, inputs, **attributes):
        out = self.name(kind.lower())
        self.nodes.append(helper.make_node(kind, inputs, [out], name=out, **attributes))
        return out

    def constant(self, value, name=None):
        name = name or self.name("const")
        self.weights.append(numpy_helper.from_array(value, name))
        return name

    def convolution(self, label, x, weight, bias, stride=1):
        pad = weight.shape[2] // 2
        w = self.constant(weight.astype(np.float32), f"{label}.weight")
        b = self.constant(bias.astype(np.float32), f"{label}.bias")
        return self.node(
            "Conv", [x, w, b], kernel_shape=list(weight.shape[2:]), strides=[stride] * 2, pads=[pad] * 4
        )

    def conv(self, label, x):
        conv, norm = self.model.convs[label.replace(".", "_")]
        gain = (norm.weight / torch.sqrt(norm.running_var + norm.eps)).detach().double()
        weight = conv.weight.detach().double() * gain[:, None, None, None]
        bias = (norm.bias.detach().double() - norm.running_mean.double() * gain)
        x = self.convolution(label, x, weight.numpy(), bias.numpy(), conv.stride[0])
        return self.node("Relu", [x]) if self.model.specs[label][4] else x

    def add(self, a, b):
        return self.node("Add", [a, b])

    def upsample(self, x):
        scales = self.constant(np.array([1, 1, 2, 2], np.float32))
        roi = self.constant(np.zeros(0, np.float32))
        return self.node(
            "Resize", [x, roi, scales], mode="nearest", nearest_mode="floor",
            coordinate_transformation_mode="asymmetric",
        )


def build(model: Detector, height=192, width=320, dynamic=False):
    """The ONNX model for `model` in evaluation mode."""
    ops = GraphOps(model)
    # Raw bytes in: (x - mean) * scale before the stem. Its zero padding stands for the mean then, so the
    # subtraction stays a node of its own (a bias fold would be wrong at the picture's edge) and only the
    # scale moves into the weights.
    x = ops.node("Sub", ["input", ops.constant(np.full((1, 3, 1, 1), INPUT_MEAN, np.float32))])
    stem = model.convs["stem"][0]
    with torch.no_grad():
        original = stem.weight.clone()
        stem.weight.mul_(INPUT_SCALE)
    features = None

    class Ops:
        conv, add, upsample = ops.conv, ops.add, ops.upsample

    features = heads(Ops, pyramid(Ops, x, model.shape))
    with torch.no_grad():
        stem.weight.copy_(original)
    levels = []
    for i, (stride, f) in enumerate(zip(STRIDES, features)):
        a, b = model.logits[i], model.sides[i]
        logit = ops.convolution(f"logit{stride}", f, a.weight.detach().numpy(), a.bias.detach().numpy())
        bias = b.bias.detach().numpy() + np.log(stride)
        sides = ops.convolution(f"sides{stride}", f, b.weight.detach().numpy(), bias)
        level = ops.node("Concat", [logit, ops.node("Exp", [sides])], axis=1)
        levels.append(ops.node("Reshape", [level, ops.constant(np.array([1, 5, -1], np.int64))]))
    joined = ops.node("Concat", levels, axis=2)
    ops.nodes.append(helper.make_node("Transpose", [joined], ["output"], name="output", perm=[0, 2, 1]))
    h, w = ("height", "width") if dynamic else (height, width)
    cells = "cells" if dynamic else sum((height // s) * (width // s) for s in STRIDES)
    graph = helper.make_graph(
        ops.nodes, "pcount_person",
        [helper.make_tensor_value_info("input", TensorProto.FLOAT, [1, 3, h, w])],
        [helper.make_tensor_value_info("output", TensorProto.FLOAT, [1, cells, 5])],
        ops.weights,
    )
    proto = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], producer_name="pcount-tui")
    proto.ir_version = 7
    for key, value in (("format", "pcount"), ("strides", "8,16,32"), ("input", "BGR, 0..255")):
        entry = proto.metadata_props.add()
        entry.key, entry.value = key, value
    onnx.checker.check_model(proto)
    return proto


def load(path):
    """The averaged weights of a checkpoint, in evaluation mode."""
    state = torch.load(path, map_location="cpu", weights_only=True)
    model = Detector(Shape(**state["shape"]))
    model.load_state_dict(state["ema"])
    return model.eval()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--weights", required=True)
    parser.add_argument("--out", required=True)
    parser.add_argument("--size", default="320x192", help="declared width x height of the static form")
    parser.add_argument("--dynamic", action="store_true", help="symbolic height and width (ONNX Runtime)")
    args = parser.parse_args()
    width, height = map(int, args.size.split("x"))
    onnx.save(build(load(args.weights), height, width, args.dynamic), args.out)


if __name__ == "__main__":
    main()
