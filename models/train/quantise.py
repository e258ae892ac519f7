"""Writes the eight-bit form of an exported file, which ONNX Runtime runs faster.

    python quantise.py --model ../person.onnx --data DIR --labels labels.jsonl --out ../person_int8.onnx

Weights and activations in eight bits, weights scaled per channel, activations calibrated on composed training pictures. The
last convolutions, of one pixel each, and the decode stay in float.

The form takes bytes: for each result of the first convolution the window that it looks at, `[1, height / 2, width / 2, 28]`, which
`detectors.windows` makes out of a picture. A convolution of three channels is slow in eight bits, the product of a window with the
weights is not, and nothing has to become float first.

Before that channels of one tensor are brought nearer to one range, and after it the weights of the first convolution are rounded
with regard to one another: see `equalise` and `round_together`.

For processors with VNNI, which alone run this form in the program: others may overflow when they add such products in pairs,
and want `--bits 7`.
"""

import argparse
import tempfile
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from onnxruntime import quantization as q

from data import SIZES, Composer, Pictures
from detectors import PAD, WINDOW, session, windows

SHOWN = 200  # composed pictures to calibrate with
LAST = ("logit", "sides")  # how the names of the last convolutions' weights begin


EQUAL = 0.7  # how far channels are brought to one range, 0..1; in weights that differences are paid for
SEEN = 80  # of the pictures, to find out the ranges
SAMPLED = 300  # windows of a picture


def composed(composer, size):
    """Training pictures of one size, as the network is trained with them."""
    made = []
    while len(made) < SHOWN:
        batch = composer.batch()[0]
        if batch.shape[1:3] == size[::-1]:
            made.extend(batch)
    return made[:SHOWN]


def as_input(picture):
    return {"input": picture[None].astype(np.float32).transpose(0, 3, 1, 2)}


class Reader(q.CalibrationDataReader):
    def __init__(self, pictures):
        self.rest = iter(pictures)

    def get_next(self):
        picture = next(self.rest, None)
        return picture if picture is None else as_input(picture)


def equalise(model, pictures):
    """Brings the channels of each tensor nearer to one range, because one step of eight bits serves them all.

    What a convolution with ReLU gives may be divided, channel by channel, where whatever reads it multiplies (Nagel et al.,
    "Data-free quantization through weight equalization and bias correction", 2019). Tensors that are added share their factors.
    """
    graph = model.graph
    group = {}  # of each tensor, by a member of it

    def of(name):
        while group.setdefault(name, name) != name:
            name = group[name]
        return name

    for node in graph.node:
        if node.op_type in ("Add", "Relu", "Resize"):
            for name in node.input if node.op_type == "Add" else node.input[:1]:
                group[of(name)] = of(node.output[0])
    names = [node.output[0] for node in graph.node if node.op_type in ("Add", "Relu")]
    shown = onnx.ModelProto()
    shown.CopyFrom(model)
    shown.graph.output.extend(helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in names)
    run = session(shown.SerializeToString())
    ranges = np.zeros(len(names), object)
    for picture in pictures[:SEEN]:
        found = [value[0].max((1, 2)) for value in run.run(names, as_input(picture))]
        ranges = [np.maximum(a, b) for a, b in zip(ranges, found)]
    factors = {}
    for name, found in zip(names, ranges):
        factors[of(name)] = np.maximum(factors.get(of(name), 0), found / found.max())
    convolutions = [node for node in graph.node if node.op_type == "Conv"]
    floats = {of(node.input[0]) for node in convolutions if node.input[1].startswith(LAST)}
    tensors = {tensor.name: tensor for tensor in graph.initializer}

    def scale(name, by):
        value = numpy_helper.to_array(tensors[name]) * by
        tensors[name].CopyFrom(numpy_helper.from_array(value.astype(np.float32), name))

    for name, factor in factors.items():
        # The last convolutions stay in float: nothing is paid there.
        factor = np.clip(factor, 0.01, 1) ** (1 if name in floats else EQUAL)
        for node in convolutions:
            if of(node.output[0]) == name:
                scale(node.input[1], 1 / factor[:, None, None, None])
                scale(node.input[2], 1 / factor)
            if of(node.input[0]) == name:
                scale(node.input[1], factor[:, None, None])


def round_together(weights, step, inputs):
    """Whole numbers for `weights`, `[N]` in steps of `step`, so that the products with `inputs`, `[M, N]`, change least: each
    weight's error is made good by those after it (Frantar et al., "GPTQ", 2022). Pixels side by side are nearly equal, so that
    rounding each weight by itself is a worse choice here than elsewhere."""
    products = inputs.T @ inputs / len(inputs)
    products += np.eye(len(products)) * 1e-4 * np.trace(products) / len(products)
    inverse = np.linalg.cholesky(np.linalg.inv(products)).T
    left, whole = weights.astype(np.float64), np.zeros(len(weights))
    for i in range(len(left)):
        whole[i] = np.clip(np.round(left[i] / step), -127, 127)
        left[i:] -= (left[i] - whole[i] * step) / inverse[i, i] * inverse[i, i:]
    return whole


def open_sizes(model):
    """Leaves open how high and wide the input is: calibration pictures are not of the declared size."""
    graph = model.graph
    for value, names in ((graph.input[0], {2: "height", 3: "width"}), (graph.output[0], {1: "cells"})):
        for axis, name in names.items():
            value.type.tensor_type.shape.dim[axis].dim_param = name
    return model


def take_windows(graph, floats, pictures):
    """Lets the first convolution read windows of bytes, instead of subtracting from a picture of floats and reading that.
    `floats`: its weights before they were rounded, `[out, 3, 3, 3]`."""
    makers = {out: node for node in graph.node for out in node.output}
    tensors = {tensor.name: tensor for tensor in graph.initializer}
    conv = next(node for node in graph.node if node.op_type == "Conv")
    quantised = makers[makers[conv.input[0]].input[0]]  # Sub, QuantizeLinear, DequantizeLinear, Conv
    scale = numpy_helper.to_array(tensors[quantised.input[1]])
    zero = numpy_helper.to_array(tensors[quantised.input[2]])
    # All bytes are there in calibration, so that one step is one level, and gray is zero.
    if abs(scale - 1) > 1e-3 or zero != PAD:
        raise SystemExit(f"bytes would be scaled by {scale} around {zero}")
    quantised_weights = makers[conv.input[1]]
    weight, steps = tensors[quantised_weights.input[0]], numpy_helper.to_array(tensors[quantised_weights.input[1]])
    random = np.random.default_rng(1)
    inputs = [windows(picture[None]).reshape(-1, WINDOW) for picture in pictures]
    inputs = np.concatenate([random.choice(rows, SAMPLED) for rows in inputs])[:, : floats[0].size].astype(np.float64) - PAD
    rows = floats.transpose(0, 2, 3, 1).reshape(len(floats), -1)
    values = np.stack([round_together(row, step, inputs) for row, step in zip(rows, steps)]).astype(np.int8)
    values = np.pad(values, ((0, 0), (0, WINDOW - values.shape[1])))[:, :, None, None]
    weight.CopyFrom(numpy_helper.from_array(values, weight.name))
    del conv.attribute[:]
    conv.attribute.append(helper.make_attribute("kernel_shape", [1, 1]))
    last = makers[conv.input[0]]
    dropped = (last, quantised, makers[quantised.input[0]])
    kept = [node for node in graph.node if node not in dropped]
    planes = helper.make_node("Transpose", ["input"], ["windows"], name="windows", perm=[0, 3, 1, 2])
    unpacked = helper.make_node("DequantizeLinear", ["windows", *last.input[1:]], list(last.output), name=last.name)
    del graph.node[:]
    graph.node.extend([planes, unpacked, *kept])
    used = {name for node in graph.node for name in node.input}
    for tensor in [tensor for tensor in graph.initializer if tensor.name not in used]:
        graph.initializer.remove(tensor)
    sizes = [1, "rows", "columns", WINDOW]
    graph.input[0].CopyFrom(helper.make_tensor_value_info("input", TensorProto.UINT8, sizes))
    del graph.value_info[:]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name in ("model", "data", "labels", "out"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--bits", type=int, default=8, choices=(7, 8), help="of the weights")
    args = parser.parse_args()
    size = max(SIZES, key=SIZES.get)
    pictures = composed(Composer(1, Pictures(args.data, args.labels), None, 1.0), size)
    model = open_sizes(onnx.load(args.model))
    equalise(model, pictures)
    stem = next(node for node in model.graph.node if node.op_type == "Conv").input[1]
    stem = next(numpy_helper.to_array(tensor) for tensor in model.graph.initializer if tensor.name == stem)
    with tempfile.TemporaryDirectory() as folder:
        free, prepared = (str(Path(folder) / name) for name in ("free.onnx", "prepared.onnx"))
        onnx.save(model, free)
        q.shape_inference.quant_pre_process(free, prepared, skip_symbolic_shape=True)
        nodes = onnx.load(prepared).graph.node
        floats = [node.name for node in nodes if node.op_type in ("Sub", "Exp", "Concat", "Reshape", "Transpose")]
        floats += [node.name for node in nodes if node.op_type == "Conv" and node.input[1].startswith(LAST)]
        q.quantize_static(
            prepared, args.out, Reader(pictures), quant_format=q.QuantFormat.QDQ, per_channel=True,
            reduce_range=args.bits == 7, activation_type=q.QuantType.QUInt8, weight_type=q.QuantType.QInt8,
            nodes_to_exclude=floats,
        )
    made = onnx.load(args.out)
    take_windows(made.graph, stem, pictures)
    # What the tool declares but nothing uses, and an older ONNX Runtime refuses.
    used = [opset for opset in made.opset_import if not opset.domain]
    del made.opset_import[:]
    made.opset_import.extend(used)
    made.ir_version = model.ir_version
    for entry in made.metadata_props:
        if entry.key == "input":
            entry.value = "windows of 3x3 BGR bytes, two pixels apart"
    onnx.checker.check_model(made)
    onnx.save(made, args.out)


if __name__ == "__main__":
    main()
