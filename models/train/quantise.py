"""Writes the eight-bit form of an exported file, which ONNX Runtime runs faster.

    python quantise.py --model ../person.onnx --data DIR --labels labels.jsonl --out ../person_int8.onnx

Weights and activations in eight bits, weights scaled per channel, activations calibrated on composed training pictures. The
last convolutions, of one pixel each, and the decode stay in float.

The form takes bytes: for each result of the first convolution the window that it looks at, `[1, height / 2, width / 2, 28]`, which
`detectors.windows` makes out of a picture. A convolution of three channels is slow in eight bits, the product of a window with the
weights is not, and nothing has to become float first.

For processors with VNNI, which alone run this form in the program: others may overflow when they add such products in pairs,
and want `--bits 7`.
"""

import argparse
import tempfile
from pathlib import Path

import numpy as np
import onnx
from onnx import helper, numpy_helper
from onnxruntime import quantization as q

from data import SIZES, Composer, Pictures
from detectors import PAD, WINDOW

SHOWN = 200  # composed pictures to calibrate with
LAST = ("logit", "sides")  # how the names of the last convolutions' weights begin


class Reader(q.CalibrationDataReader):
    """Composed training pictures of one size, as the network is trained with them."""

    def __init__(self, composer, size):
        made = []
        while len(made) < SHOWN:
            batch = composer.batch()[0]
            if batch.shape[1:3] == size[::-1]:
                made.extend(batch)
        self.rest = iter(made[:SHOWN])

    def get_next(self):
        picture = next(self.rest, None)
        return picture if picture is None else {"input": picture[None].astype(np.float32).transpose(0, 3, 1, 2)}


def open_sizes(model):
    """Leaves open how high and wide the input is: calibration pictures are not of the declared size."""
    graph = model.graph
    for value, names in ((graph.input[0], {2: "height", 3: "width"}), (graph.output[0], {1: "cells"})):
        for axis, name in names.items():
            value.type.tensor_type.shape.dim[axis].dim_param = name
    return model


def take_windows(graph):
    """Lets the first convolution read windows of bytes, instead of subtracting from a picture of floats and reading that."""
    makers = {out: node for node in graph.node for out in node.output}
    tensors = {tensor.name: tensor for tensor in graph.initializer}
    conv = next(node for node in graph.node if node.op_type == "Conv")
    quantised = makers[makers[conv.input[0]].input[0]]  # Sub, QuantizeLinear, DequantizeLinear, Conv
    scale = numpy_helper.to_array(tensors[quantised.input[1]])
    zero = numpy_helper.to_array(tensors[quantised.input[2]])
    # All bytes are there in calibration, so that one step is one level, and gray is zero.
    if abs(scale - 1) > 1e-3 or zero != PAD:
        raise SystemExit(f"bytes would be scaled by {scale} around {zero}")
    weight = tensors[makers[conv.input[1]].input[0]]
    values = numpy_helper.to_array(weight).transpose(0, 2, 3, 1)
    values = values.reshape(len(values), -1, 1, 1)
    values = np.pad(values, ((0, 0), (0, WINDOW - values.shape[1]), (0, 0), (0, 0)))
    weight.CopyFrom(numpy_helper.from_array(values, weight.name))
    del conv.attribute[:]
    conv.attribute.append(helper.make_attribute("kernel_shape", [1, 1]))
    last = makers[conv.input[0]]
    dropped = (last, quantised, makers[quantised.input[0]])
    kept = [node for node in graph.node if node not in dropped]
    planes = helper.make_node("Transpose", ["input"], ["windows"], name="windows", perm=[0, 3, 1, 2])
    floats = helper.make_node("DequantizeLinear", ["windows", *last.input[1:]], list(last.output), name=last.name)
    del graph.node[:]
    graph.node.extend([planes, floats, *kept])
    used = {name for node in graph.node for name in node.input}
    for tensor in [tensor for tensor in graph.initializer if tensor.name not in used]:
        graph.initializer.remove(tensor)
    sizes = [1, "rows", "columns", WINDOW]
    graph.input[0].CopyFrom(helper.make_tensor_value_info("input", onnx.TensorProto.UINT8, sizes))
    del graph.value_info[:]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name in ("model", "data", "labels", "out"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--bits", type=int, default=8, choices=(7, 8), help="of the weights")
    args = parser.parse_args()
    size = max(SIZES, key=SIZES.get)
    reader = Reader(Composer(1, Pictures(args.data, args.labels), None, 1.0), size)
    model = open_sizes(onnx.load(args.model))
    with tempfile.TemporaryDirectory() as folder:
        free, prepared = (str(Path(folder) / name) for name in ("free.onnx", "prepared.onnx"))
        onnx.save(model, free)
        q.shape_inference.quant_pre_process(free, prepared, skip_symbolic_shape=True)
        nodes = onnx.load(prepared).graph.node
        floats = [node.name for node in nodes if node.op_type in ("Sub", "Exp", "Concat", "Reshape", "Transpose")]
        floats += [node.name for node in nodes if node.op_type == "Conv" and node.input[1].startswith(LAST)]
        q.quantize_static(
            prepared, args.out, reader, quant_format=q.QuantFormat.QDQ, per_channel=True,
            reduce_range=args.bits == 7, activation_type=q.QuantType.QUInt8, weight_type=q.QuantType.QInt8,
            nodes_to_exclude=floats,
        )
    made = onnx.load(args.out)
    take_windows(made.graph)
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
