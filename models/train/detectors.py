"""Runs ONNX person detectors on pictures: this project's own and the ones it learns from or is measured by.

All take BGR bytes. Boxes come back as `[N, 5]` rows: left, top, right, bottom in picture pixels, score.
"""

import cv2
import numpy as np
import onnx
import onnxruntime

PAD = 114
WINDOW = 28  # bytes of a window: nine pixels of three, and one more, because ONNX Runtime multiplies by fours


def session(model, threads=1):
    """An ONNX Runtime session on the CPU for a path or the bytes of a file; its log is quiet."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(
        model if isinstance(model, bytes) else str(model), options, providers=["CPUExecutionProvider"])


def letterbox(image, width, height):
    """The picture scaled to fit, top left, the rest grey; and the scale."""
    r = min(width / image.shape[1], height / image.shape[0])
    w, h = max(1, round(image.shape[1] * r)), max(1, round(image.shape[0] * r))
    interpolation = cv2.INTER_AREA if r < 1 else cv2.INTER_LINEAR
    canvas = np.full((height, width, 3), PAD, np.uint8)
    canvas[:h, :w] = cv2.resize(image, (w, h), interpolation=interpolation)
    return canvas, r


def fit_size(shape, width):
    """Input size of this width that keeps the picture's aspect, in multiples of 32."""
    return width, max(32, -(-shape[0] * width // (shape[1] * 32)) * 32)


def cells(height, width):
    """Column, row and stride of each cell: strides 8, 16, 32, row by row."""
    parts = []
    for s in (8, 16, 32):
        y, x = np.mgrid[0 : -(-height // s), 0 : -(-width // s)]
        parts.append(np.stack([x.ravel(), y.ravel(), np.full(x.size, s)], 1))
    return np.concatenate(parts).astype(np.float32)


def equal(scores, reference):
    """Scores moved, as logits, so that `reference` becomes 0.4: what RTMDet is trusted from."""
    scores = np.clip(scores, 1e-4, 1 - 1e-4)
    odds = scores / (1 - scores) * (1 - reference) / reference * 0.4 / 0.6
    return odds / (1 + odds)


def windows(batch):
    """What the first convolution of the eight-bit form looks at, `[N, H / 2, W / 2, WINDOW]`, of `[N, H, W, 3]` bytes: rows and
    columns 2i - 1 to 2i + 1 for the i-th."""
    padded = np.pad(batch, ((0, 0), (1, 0), (1, 0), (0, 0)), constant_values=PAD)
    height, width = batch.shape[1] // 2, batch.shape[2] // 2
    pixels = [padded[:, y::2, x::2][:, :height, :width] for y in range(3) for x in range(3)]
    return np.pad(np.concatenate(pixels, -1), ((0, 0), (0, 0), (0, 0), (0, WINDOW - 27)))


def suppress(boxes, overlap):
    """Greedy non-maximum suppression of `[N, 5]` rows."""
    boxes = boxes[np.argsort(-boxes[:, 4])]
    keep = []
    while len(boxes):
        keep.append(boxes[0])
        boxes = boxes[1:][iou(boxes[:1], boxes[1:])[0] <= overlap]
    return np.array(keep, np.float32).reshape(-1, 5)


def iou(a, b):
    """Intersection over union of every box of `a` with every box of `b`."""
    lt = np.maximum(a[:, None, :2], b[None, :, :2])
    rb = np.minimum(a[:, None, 2:4], b[None, :, 2:4])
    inter = np.clip(rb - lt, 0, None).prod(2)
    area = lambda x: np.clip(x[:, 2:4] - x[:, :2], 0, None).prod(1)
    return inter / np.maximum(area(a)[:, None] + area(b)[None] - inter, 1e-9)


class PointDetector:
    """The `[1, A, 5]` layout: logit and four distances from the cell's corner point, in input pixels."""

    mean = (0.0, 0.0, 0.0)
    overlap = 0.55

    def __init__(self, path, threads=1):
        self.session = session(path, threads)
        self.input = self.session.get_inputs()[0].name
        self.bytes = self.session.get_inputs()[0].type == "tensor(uint8)"

    def dense(self, canvas):
        """Scores `[A]` and boxes `[A, 4]` of a canvas or of a batch with one leading axis more."""
        batch = canvas if canvas.ndim == 4 else canvas[None]
        if self.bytes:
            x = windows(batch)
        else:
            x = batch.astype(np.float32) - np.array(self.mean, np.float32)
            x = np.ascontiguousarray(x.transpose(0, 3, 1, 2))
        out = np.concatenate([self.session.run(None, {self.input: x[i : i + 1]})[0] for i in range(len(x))])
        score, boxes = self.decode(out, batch.shape[1:3])
        return (score, boxes) if canvas.ndim == 4 else (score[0], boxes[0])

    @staticmethod
    def decode(out, shape):
        """Scores and boxes of raw rows `[..., A, 5]`."""
        grid = cells(*shape)
        xy = grid[:, :2] * grid[:, 2:]
        boxes = np.concatenate([xy - out[..., 1:3], xy + out[..., 3:5]], -1)
        return 1 / (1 + np.exp(-out[..., 0])), boxes

    def detect(self, image, width, height, lowest=0.05):
        canvas, r = letterbox(image, width, height)
        score, boxes = self.dense(canvas)
        keep = score > lowest
        return suppress(np.concatenate([boxes[keep] / r, score[keep, None]], 1), self.overlap)


class RtmDet(PointDetector):
    """RTMDet with decode and suppression cut off: the same layout, and a mean to subtract."""

    mean = (103.53, 116.28, 123.675)
    overlap = 0.6


class Teacher(RtmDet):
    """RTMDet that also tells what its heads are given."""

    def __init__(self, path, threads=1):
        model = onnx.load(str(path))
        self.features = [neck(model.graph, i) for i in range(3)]
        for name in self.features:
            model.graph.output.append(onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, None))
        self.session = session(model.SerializeToString(), threads)
        self.input = self.session.get_inputs()[0].name

    def answer(self, canvas):
        """Scores `[A]`, boxes `[A, 4]` and features `[A, C]` of each cell of a canvas."""
        x = (canvas.astype(np.float32) - np.array(self.mean, np.float32)).transpose(2, 0, 1)[None]
        out, *features = self.session.run(None, {self.input: np.ascontiguousarray(x)})
        features = np.concatenate([f[0].reshape(f.shape[1], -1) for f in features], 1).T
        return *self.decode(out[0], canvas.shape[:2]), features


def neck(graph, level):
    """The name of the tensor from which one level's score and box branches both start."""
    makers = {out: node for node in graph.node for out in node.output}

    def upwards(weight):
        name = next(node for node in graph.node if weight in node.input).input[0]
        while name in makers:
            yield name
            name = makers[name].input[0]

    boxes = set(upwards(f"bbox_head.rtm_reg.{level}.weight"))
    return next(name for name in upwards(f"bbox_head.rtm_cls.{level}.weight") if name in boxes)


class Yolox(PointDetector):
    """YOLOX, one class, decode cut off: `[1, A, 6]`."""

    overlap = 0.45

    def prepare(self, canvas):
        return canvas

    def dense(self, canvas):
        x = np.ascontiguousarray(self.prepare(canvas)[None].astype(np.float32).transpose(0, 3, 1, 2))
        out = self.session.run(None, {self.input: x})[0][0]
        grid = cells(*canvas.shape[:2])
        centre = (out[:, :2] + grid[:, :2]) * grid[:, 2:]
        half = np.exp(out[:, 2:4]) * grid[:, 2:] / 2
        return out[:, 4] * out[:, 5], np.concatenate([centre - half, centre + half], 1)


class ByteTrack(Yolox):
    """YOLOX as ByteTrack trains it: RGB, brought to mean zero; people whole, also where others hide them."""

    overlap = 0.6
    MEAN, DEVIATION = (0.406, 0.456, 0.485), (0.225, 0.224, 0.229)

    def prepare(self, canvas):
        return ((canvas / 255 - self.MEAN) / self.DEVIATION)[..., ::-1]


class OpenVino:
    """Detectors of Intel's Open Model Zoo that end in `boxes`; one size, stretched. Needs the package `openvino`."""

    overlap = 0.6

    def __init__(self, path, threads=1):
        import openvino

        core = openvino.Core()
        model = core.read_model(str(path))
        self.height, self.width = (int(model.input(0).shape[i]) for i in (2, 3))
        self.model = core.compile_model(model, "CPU", {"INFERENCE_NUM_THREADS": threads})

    def detect(self, image, width, height, lowest=0.05):
        canvas = cv2.resize(image, (self.width, self.height), interpolation=cv2.INTER_AREA)
        x = np.ascontiguousarray(canvas[None].astype(np.float32).transpose(0, 3, 1, 2))
        rows = np.array(self.model([x])["boxes"], np.float32).reshape(-1, 5)
        rows = rows[rows[:, 4] > lowest]
        rows[:, [0, 2]] *= image.shape[1] / self.width
        rows[:, [1, 3]] *= image.shape[0] / self.height
        return suppress(rows, self.overlap)


class Person0200(PointDetector):
    """Intel person-detection-0200, priors as published; always 256x256, stretched."""

    overlap = 0.45
    W16, H16 = (3.945, 8.453, 11.436, 15.634), (12.884, 25.781, 40.464, 57.199)
    W32 = (20.214, 25.892, 32.781, 41.468, 55.389)
    H32 = (77.026, 100.655, 127.969, 163.483, 214.104)

    def detect(self, image, width, height, lowest=0.05):
        canvas = cv2.resize(image, (256, 256), interpolation=cv2.INTER_AREA)
        x = np.ascontiguousarray(canvas[None].astype(np.float32).transpose(0, 3, 1, 2))
        out = self.session.run(None, {self.input: x})[0][0]
        priors = []
        for s, ws, hs in ((16, self.W16, self.H16), (32, self.W32, self.H32)):
            y, x = np.mgrid[0 : 256 // s, 0 : 256 // s]
            for cx, cy in zip((x.ravel() + 0.5) * s, (y.ravel() + 0.5) * s):
                priors += [(cx, cy, w, h) for w, h in zip(ws, hs)]
        p = np.array(priors, np.float32)
        score = 1 / (1 + np.exp(out[:, 5] - out[:, 4]))
        centre = p[:, :2] + 0.1 * out[:, :2] * p[:, 2:]
        half = p[:, 2:] * np.exp(0.2 * out[:, 2:4]) / 2
        boxes = np.concatenate([centre - half, centre + half], 1)
        boxes *= np.array([image.shape[1], image.shape[0]] * 2) / 256
        keep = score > lowest
        return suppress(np.concatenate([boxes[keep], score[keep, None]], 1), self.overlap)


FORMATS = {
    "pcount": PointDetector, "rtmdet": RtmDet, "yolox": Yolox, "bytetrack": ByteTrack, "openvino": OpenVino,
    "person0200": Person0200,
}


def open_model(spec):
    """`format:path` as a detector."""
    kind, path = spec.split(":", 1)
    return FORMATS[kind](path)
