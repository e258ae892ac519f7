"""Begins from an exported ONNX file instead of random weights.

Export folds each batch normalisation into its convolution, so a file has no statistics. They are measured
again: the convolutions' rows are brought to length one, a few batches are shown, and gain and bias are set
so that the network answers as the file does.
"""

import numpy as np
import onnx
import torch
from onnx import numpy_helper

from net import INPUT_SCALE, STRIDES


@torch.no_grad()
def restore(model, path, batches):
    """Gives `model` the weights of the file; `batches` are inputs `[N, 3, H, W]` to measure statistics with."""
    held = {t.name: torch.tensor(numpy_helper.to_array(t)) for t in onnx.load(str(path)).graph.initializer}

    def put(parameter, name, change=lambda v: v):
        if name not in held or held[name].shape != parameter.shape:
            raise SystemExit(f"'{path}' has no '{name}' of shape {list(parameter.shape)}: another network's file")
        parameter.copy_(change(held[name]))

    for label in model.specs:
        conv, norm = model.convs[label.replace(".", "_")]
        put(conv.weight, f"{label}.weight", lambda w: w / INPUT_SCALE if label == "stem" else w)
        put(norm.bias, f"{label}.bias")
        length = conv.weight.flatten(1).norm(dim=1).clamp(min=1e-6)
        conv.weight.div_(length[:, None, None, None])
        norm.weight.copy_(length)
        norm.running_mean.zero_()
        norm.running_var.fill_(1 - norm.eps)
    for stride, logits, sides in zip(STRIDES, model.logits, model.sides):
        put(logits.weight, f"logit{stride}.weight")
        put(logits.bias, f"logit{stride}.bias")
        put(sides.weight, f"sides{stride}.weight")
        put(sides.bias, f"sides{stride}.bias", lambda b: b - np.log(stride))

    sums = {name: [0, 0.0, 0.0] for name in model.convs}

    def count(name):
        def hook(_module, _inputs, out):
            seen, values = sums[name], out.double()
            seen[0] += out.numel() // out.shape[1]
            seen[1] += values.sum((0, 2, 3))
            seen[2] += values.square().sum((0, 2, 3))
        return hook

    hooks = [block[0].register_forward_hook(count(name)) for name, block in model.convs.items()]
    model.eval()
    for batch in batches:
        model(batch)
    for hook in hooks:
        hook.remove()
    for name, (_, norm) in model.convs.items():
        n, total, squares = sums[name]
        mean = total / n
        norm.running_mean.copy_(mean)
        norm.running_var.copy_((squares / n - mean.square()).clamp(min=0))
        norm.bias.add_(norm.weight * norm.running_mean)
        norm.weight.mul_(torch.sqrt(norm.running_var + norm.eps))
