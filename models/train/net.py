"""The network: a plain 3x3 convolution + ReLU backbone, a small feature pyramid, one head a stride.

Every layer is a convolution that ONNX Runtime and OpenCV 4.6 both run at full speed. The forward pass
is written once, against a small set of operations (`conv`, `add`, `upsample`), so that training (PyTorch)
and export (an ONNX graph built node by node) walk the same description.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import nn

STRIDES = (8, 16, 32)
# Input bytes are brought to about -2..2 in training; export folds this into the first convolution.
INPUT_MEAN, INPUT_SCALE = 114.0, 1.0 / 58.0


@dataclass(frozen=True)
class Shape:
    """Channels of each stage and how many residual blocks it has (`c4` is the stride 4 stage)."""

    stem: int = 16
    c4: int = 32
    c8: int = 64
    c16: int = 128
    c32: int = 160
    n4: int = 0
    n8: int = 2
    n16: int = 3
    n32: int = 1
    neck: int = 64
    head: int = 64


def description(shape: Shape):
    """Every convolution as name -> (inputs, outputs, kernel, stride, relu)."""
    s = shape
    convs = {"stem": (3, s.stem, 3, 2, True)}

    def stage(name, cin, cout, blocks):
        convs[f"{name}.down"] = (cin, cout, 3, 2, True)
        for i in range(blocks):
            convs[f"{name}.{i}.a"] = (cout, cout // 2, 3, 1, True)
            convs[f"{name}.{i}.b"] = (cout // 2, cout, 3, 1, True)

    stage("s4", s.stem, s.c4, s.n4)
    stage("s8", s.c4, s.c8, s.n8)
    stage("s16", s.c8, s.c16, s.n16)
    stage("s32", s.c16, s.c32, s.n32)
    convs["lat32"] = (s.c32, s.neck, 1, 1, True)
    convs["lat16"] = (s.c16, s.neck, 1, 1, True)
    convs["lat8"] = (s.c8, s.neck, 1, 1, True)
    convs["top16"] = (s.neck, s.neck, 3, 1, True)
    convs["top8"] = (s.neck, s.neck, 3, 1, True)
    convs["down16"] = (s.neck, s.neck, 3, 2, True)
    convs["down32"] = (s.neck, s.neck, 3, 2, True)
    for stride in STRIDES:
        convs[f"head{stride}"] = (s.neck, s.head, 3, 1, True)
    return convs


def pyramid(ops, x, shape: Shape):
    """The forward pass up to the heads, in terms of `ops`; returns the features for strides 8, 16, 32."""

    def stage(name, x, blocks):
        x = ops.conv(f"{name}.down", x)
        for i in range(blocks):
            x = ops.add(x, ops.conv(f"{name}.{i}.b", ops.conv(f"{name}.{i}.a", x)))
        return x

    x = ops.conv("stem", x)
    x = stage("s4", x, shape.n4)
    c8 = stage("s8", x, shape.n8)
    c16 = stage("s16", c8, shape.n16)
    c32 = stage("s32", c16, shape.n32)
    p32 = ops.conv("lat32", c32)
    p16 = ops.conv("top16", ops.add(ops.conv("lat16", c16), ops.upsample(p32)))
    p8 = ops.conv("top8", ops.add(ops.conv("lat8", c8), ops.upsample(p16)))
    p16 = ops.add(p16, ops.conv("down16", p8))
    p32 = ops.add(p32, ops.conv("down32", p16))
    return p8, p16, p32


def heads(ops, features):
    """What each head makes of the pyramid's features."""
    return [ops.conv(f"head{s}", p) for s, p in zip(STRIDES, features)]


class Detector(nn.Module):
    """Takes `[N, 3, H, W]` BGR bytes as floats; gives logits `[N, A]`, distances `[N, A, 4]` and the pyramid.

    H and W are multiples of 32. Cells come in the order of strides 8, 16, 32, row by row. Distances are
    left, top, right, bottom in input pixels from the point (column * stride, row * stride).
    """

    def __init__(self, shape: Shape = Shape()):
        super().__init__()
        self.shape = shape
        self.specs = description(shape)
        self.convs = nn.ModuleDict()
        for name, (cin, cout, kernel, stride, _) in self.specs.items():
            self.convs[name.replace(".", "_")] = nn.Sequential(
                nn.Conv2d(cin, cout, kernel, stride, kernel // 2, bias=False),
                nn.BatchNorm2d(cout, momentum=0.03),
            )
        self.logits = nn.ModuleList(nn.Conv2d(shape.head, 1, 1) for _ in STRIDES)
        self.sides = nn.ModuleList(nn.Conv2d(shape.head, 4, 1) for _ in STRIDES)
        for conv in self.logits:
            nn.init.normal_(conv.weight, std=0.01)
            nn.init.constant_(conv.bias, -4.6)  # start at a score of 0.01: nearly all cells are background
        for conv in self.sides:
            nn.init.normal_(conv.weight, std=0.01)
            nn.init.constant_(conv.bias, 0.7)  # e^0.7 = 2 strides to each side
        # A residual block starts as the identity, which lets the first steps be large.
        for name in self.specs:
            if name.endswith(".b"):
                nn.init.constant_(self.convs[name.replace(".", "_")][1].weight, 0.2)

    def conv(self, name, x):
        block = self.convs[name.replace(".", "_")]
        x = block(x)
        return F.relu(x, inplace=True) if self.specs[name][4] else x

    @staticmethod
    def add(a, b):
        return a + b

    @staticmethod
    def upsample(x):
        return F.interpolate(x, scale_factor=2, mode="nearest")

    def forward(self, x):
        x = (x - INPUT_MEAN) * INPUT_SCALE
        features = pyramid(self, x, self.shape)
        logits, sides = [], []
        for stride, f, a, b in zip(STRIDES, heads(self, features), self.logits, self.sides):
            logits.append(a(f).float().flatten(1))
            d = b(f).float().clamp(-6, 6).exp() * stride
            sides.append(d.flatten(2).transpose(1, 2))
        return torch.cat(logits, 1), torch.cat(sides, 1), features


def points(height: int, width: int, device=None):
    """The reference point of each cell in input pixels, `[A, 2]`, and its stride, `[A]`."""
    all_points, all_strides = [], []
    for stride in STRIDES:
        ys, xs = torch.meshgrid(
            torch.arange(height // stride, device=device),
            torch.arange(width // stride, device=device),
            indexing="ij",
        )
        all_points.append(torch.stack([xs, ys], -1).reshape(-1, 2).float() * stride)
        all_strides.append(torch.full((all_points[-1].shape[0],), float(stride), device=device))
    return torch.cat(all_points), torch.cat(all_strides)
