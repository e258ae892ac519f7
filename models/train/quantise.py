"""Writes the eight-bit form of an exported file, which ONNX Runtime runs faster.

    python quantise.py --model ../person.onnx --data DIR --labels labels.jsonl --out ../person_int8.onnx

Weights and activations in eight bits, weights scaled per channel, activations calibrated on composed training pictures. The
first convolution, the heads and the decode stay in float. For processors with VNNI, which alone run this form in the program:
others may overflow when they add such products in pairs, and want `--bits 7`.
"""

import argparse
import tempfile
from pathlib import Path

import numpy as np
import onnx
from onnxruntime import quantization as q

from data import SIZES, Composer, Pictures

SHOWN = 200  # composed pictures to calibrate with
HEADS = 9  # convolutions at the end: three for each stride


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


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name in ("model", "data", "labels", "out"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--bits", type=int, default=8, choices=(7, 8), help="of the weights")
    args = parser.parse_args()
    size = max(SIZES, key=SIZES.get)
    reader = Reader(Composer(1, Pictures(args.data, args.labels), None, 1.0), size)
    with tempfile.TemporaryDirectory() as folder:
        # Calibration wants symbolic sizes: the pictures are not of the declared one.
        free, prepared = (str(Path(folder) / name) for name in ("free.onnx", "prepared.onnx"))
        model = onnx.load(args.model)
        declared = [onnx.TypeProto() for _ in range(2)]
        for kept, value in zip(declared, (model.graph.input[0], model.graph.output[0])):
            kept.CopyFrom(value.type)
        for value, names in ((model.graph.input[0], {2: "height", 3: "width"}), (model.graph.output[0], {1: "cells"})):
            for axis, name in names.items():
                value.type.tensor_type.shape.dim[axis].dim_param = name
        onnx.save(model, free)
        q.shape_inference.quant_pre_process(free, prepared, skip_symbolic_shape=True)
        nodes = onnx.load(prepared).graph.node
        convolutions = [n.name for n in nodes if n.op_type == "Conv"]
        others = [n.name for n in nodes if n.op_type in ("Sub", "Exp", "Concat", "Reshape", "Transpose")]
        q.quantize_static(
            prepared, args.out, reader, quant_format=q.QuantFormat.QDQ, per_channel=True,
            reduce_range=args.bits == 7, activation_type=q.QuantType.QUInt8, weight_type=q.QuantType.QInt8,
            nodes_to_exclude=[*convolutions[:1], *convolutions[-HEADS:], *others],
        )
    made = onnx.load(args.out)
    made.graph.input[0].type.CopyFrom(declared[0])
    made.graph.output[0].type.CopyFrom(declared[1])
    del made.graph.value_info[:]
    # What the tool declares but nothing uses, and an older ONNX Runtime refuses.
    used = [opset for opset in made.opset_import if not opset.domain]
    del made.opset_import[:]
    made.opset_import.extend(used)
    made.ir_version = model.ir_version
    onnx.checker.check_model(made)
    onnx.save(made, args.out)


if __name__ == "__main__":
    main()
