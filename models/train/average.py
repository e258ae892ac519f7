"""Writes the mean of exported files of one network, which often sees more than any of them.

    python average.py --out mean.onnx first.onnx second.onnx

After Wortsman et al., "Model soups", ICML 2022: weights that training took from a common beginning can be averaged,
number by number, at no cost when the network runs. Folded statistics are averaged with them.
"""

import argparse

import numpy as np
import onnx
from onnx import numpy_helper


def mean(models):
    """The first of `models` with every float weight replaced by the mean of all."""
    made = onnx.ModelProto()
    made.CopyFrom(models[0])
    for weights in zip(made.graph.initializer, *(model.graph.initializer for model in models)):
        values = [numpy_helper.to_array(weight) for weight in weights[1:]]
        if len({(weight.name, weight.data_type, *weight.dims) for weight in weights}) > 1:
            raise SystemExit(f"'{weights[0].name}' differs: these are not files of one network")
        if np.issubdtype(values[0].dtype, np.floating):
            weights[0].CopyFrom(numpy_helper.from_array(np.mean(values, 0, values[0].dtype), weights[0].name))
    return made


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("models", nargs="+", help="exported files")
    parser.add_argument("--out", required=True)
    args = parser.parse_args()
    onnx.save(mean([onnx.load(path) for path in args.models]), args.out)


if __name__ == "__main__":
    main()
