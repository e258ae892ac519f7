"""Makes training pictures that look like what fixed cameras see.

`compose` does the geometry: one affine or perspective warp a tile, so that shrinking, cropping, tilting
and flipping cost one pass over the output; then small people are pasted in, here and there or as a crowd. `degrade` then spoils the
picture the way cheap cameras, compression and bad light do. The teacher is shown the picture before
`degrade`, the student after it.
"""

import cv2
import numpy as np

PAD = 114
SMALLEST = 6.0  # pixels; a person less tall than this is neither positive nor negative
GRIDS, GRID_SHARE = ((1, 1), (2, 1), (2, 2), (3, 2)), (0.45, 0.2, 0.25, 0.1)  # columns, rows of a mosaic
VISIBLE = 0.35  # a person of whom less than this is in the picture likewise
PASTED, MOST_PASTED = 0.2, 6  # share of pictures with people pasted in, and how many at most
PASTED_HEIGHT = (12.0, 64.0)  # pixels
CROWDED, CROWD, CROWD_HEIGHT = 0.12, (3, 9), (20.0, 80.0)  # share of pictures with a crowd pasted in, its people, pixels


def compose(rng, sample, width, height, single=False):
    """A picture of the given size from one to six samples (`single`: one), with its boxes and ignore regions.

    `sample()` gives (pyramid, boxes, ignore): the picture at full and half size, corners in full-size
    pixels. Returns bytes `[height, width, 3]` and two arrays `[N, 4]` of corners.
    """
    canvas = np.full((height, width, 3), PAD, np.uint8)
    columns, rows = GRIDS[0 if single else rng.choice(len(GRIDS), p=GRID_SHARE)]
    xs, ys = _cuts(rng, columns, width), _cuts(rng, rows, height)
    tiles = [(x0, y0, x1, y1) for y0, y1 in zip(ys, ys[1:]) for x0, x1 in zip(xs, xs[1:])]
    boxes, ignore = [], []
    for x0, y0, x1, y1 in tiles:
        picture, b, i = _tile(rng, *sample(), x1 - x0, y1 - y0)
        canvas[y0:y1, x0:x1] = picture
        boxes.append(b + [x0, y0, x0, y0])
        ignore.append(i + [x0, y0, x0, y0])
    boxes, ignore = np.concatenate(boxes), np.concatenate(ignore)
    if rng.random() < PASTED:
        for _ in range(rng.integers(1, MOST_PASTED + 1)):
            boxes, ignore = _paste(rng, canvas, boxes, ignore, *sample()[:2])
    if rng.random() < CROWDED:
        for spot in _crowd(rng, width, height):
            boxes, ignore = _paste(rng, canvas, boxes, ignore, *sample()[:2], spot)
    return canvas, boxes.astype(np.float32), ignore.astype(np.float32)


def _crowd(rng, width, height):
    """Where people stand who hide one another: height, middle and feet of each, the farthest first."""
    count, tall = rng.integers(*CROWD), np.exp(rng.uniform(*np.log(CROWD_HEIGHT)))
    middle, ground = rng.uniform(0, width), rng.uniform(min(tall, height - 1), height)
    away = np.sort(rng.uniform(-0.35, 0.35, count))
    side = rng.uniform(-1, 1, count) * 0.17 * count
    return [(tall * (1 + 0.3 * a) * rng.uniform(0.85, 1.1), middle + s * tall, ground + a * tall)
            for a, s in zip(away, side)]


def _paste(rng, canvas, boxes, ignore, pyramid, people, spot=None):
    """One whole, upright person of another picture, shrunk and set into the canvas with a soft edge.

    Returns boxes and ignore regions; who is hidden by the newcomer moves from the first to the second. `spot` says
    how tall he is and where he stands, else chance does.
    """
    h, w = pyramid[0].shape[:2]
    sizes = people[:, 2:] - people[:, :2]
    shape = sizes[:, 1] / np.maximum(sizes[:, 0], 1)
    whole = (people[:, :2] > 3).all(1) & (people[:, 2] < w - 3) & (people[:, 3] < h - 3)
    whole &= (sizes[:, 1] > 36) & (shape > 1.6) & (shape < 4.5)
    for i in np.flatnonzero(whole):
        whole[i] = (_covered(people[i], np.delete(people, i, 0)) < 0.1).all()
    if not whole.any():
        return boxes, ignore
    x0, y0, x1, y1 = people[rng.choice(np.flatnonzero(whole))]
    low, high = np.log(PASTED_HEIGHT[0]), np.log(min(PASTED_HEIGHT[1], y1 - y0))
    if spot and spot[0] > 1.2 * (y1 - y0):
        return boxes, ignore
    scale = (spot[0] if spot else float(np.exp(rng.uniform(low, high)))) / (y1 - y0)
    margin = 0.06 * (y1 - y0)
    u0, v0, u1, v1 = (int(v) for v in (max(x0 - margin, 0), max(y0 - margin, 0), x1 + margin, y1 + margin))
    cut = pyramid[0][v0:v1, u0:u1]
    cut = cv2.resize(cut, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    high, wide = cut.shape[:2]
    if high >= canvas.shape[0] or wide >= canvas.shape[1]:
        return boxes, ignore
    left, top = rng.integers(canvas.shape[1] - wide), rng.integers(canvas.shape[0] - high)
    if spot:
        left = int(np.clip(spot[1] - wide / 2, 0, canvas.shape[1] - wide))
        top = int(np.clip(spot[2] - high, 0, canvas.shape[0] - high))
    if rng.random() < 0.5:
        cut, x0, x1 = cut[:, ::-1], u0 + u1 - x1, u0 + u1 - x0
    y, x = np.mgrid[-1 : 1 : high * 1j, -1 : 1 : wide * 1j]
    alpha = np.clip((1.15 - np.abs(x) ** 2.5 - np.abs(y) ** 5) * 3, 0, 1)[..., None]
    place = canvas[top : top + high, left : left + wide]
    place[:] = place * (1 - alpha) + cut * alpha
    box = np.array([x0 - u0, y0 - v0, x1 - u0, y1 - v0]) * scale + [left, top, left, top]
    hidden = _covered(box, boxes) > 1 - VISIBLE
    return np.concatenate([boxes[~hidden], box[None]]), np.concatenate([ignore, boxes[hidden]])


def _covered(box, others):
    """The part of each of the others that lies under the box."""
    lt, rb = np.maximum(box[:2], others[:, :2]), np.minimum(box[2:], others[:, 2:])
    area = (others[:, 2:] - others[:, :2]).prod(1)
    return np.clip(rb - lt, 0, None).prod(1) / np.maximum(area, 1e-6)


def _cuts(rng, parts, size):
    """Where to cut `size` pixels into so many unequal parts."""
    inner = (np.arange(1, parts) + rng.uniform(-0.2, 0.2, parts - 1)) / parts
    return [0, *(int(v * size) for v in inner), size]


def _tile(rng, pyramid, boxes, ignore, width, height):
    h, w = pyramid[0].shape[:2]
    fit, cover = min(width / w, height / h), max(width / w, height / h)
    chance = rng.random()
    if chance < 0.25:  # as the product will see it
        zoom = fit
    elif chance < 0.35:  # far away
        zoom = fit * rng.uniform(0.5, 1.0)
    else:
        zoom = cover * np.exp(rng.uniform(np.log(0.85), np.log(2.0)))
    stretch = np.exp(rng.normal(0, 0.08))
    sx, sy = zoom * stretch, zoom / stretch
    ceiling = rng.random() < 0.15
    if ceiling:  # seen steeply from above, people are short
        sy *= rng.uniform(0.6, 0.9)
    angle = rng.normal(0, 4) if rng.random() < 0.4 else 0.0
    # Where to look: at a person if there is one, so that large zooms do not show walls only.
    if len(boxes) and rng.random() < 0.75:
        box = boxes[rng.integers(len(boxes))]
        fx, fy = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    else:
        fx, fy = rng.uniform(0, w), rng.uniform(0, h)
    # The focus goes anywhere in the output that leaves no more grey than the zoom demands.
    def place(focus, size, scale, out):
        low, high = sorted((out - size * scale, 0.0))
        offset = rng.uniform(0, out) - focus * scale
        return float(np.clip(offset, low, high))
    tx, ty = place(fx, w, sx, width), place(fy, h, sy, height)
    flip = rng.random() < 0.5
    m = np.array([[sx, 0, tx], [0, sy, ty], [0, 0, 1.0]])
    if flip:
        m = np.array([[-1, 0, width], [0, 1, 0], [0, 0, 1.0]]) @ m
    if angle:
        c, s = np.cos(np.radians(angle)), np.sin(np.radians(angle))
        cx, cy = width / 2, height / 2
        m = np.array([[c, -s, cx - c * cx + s * cy], [s, c, cy - s * cx - c * cy], [0, 0, 1]]) @ m
    perspective = ceiling or rng.random() < 0.25
    if perspective:  # a camera looking down: the lower part shrinks or grows against the upper
        # Under a ceiling heads are nearer than feet, so they are much the larger.
        k = (rng.uniform(0.3, 0.8) if ceiling else rng.uniform(-0.35, 0.35)) / height
        c = np.array([[1, 0, -width / 2], [0, 1, -height / 2], [0, 0, 1.0]])
        m = np.linalg.inv(c) @ np.array([[1, 0, 0], [0, 1, 0], [0, k, 1]]) @ c @ m
    level = 1 if min(sx, sy) < 0.6 else 0
    to_level = np.diag([2.0**level, 2.0**level, 1.0])
    interpolation = cv2.INTER_LINEAR
    if perspective:
        picture = cv2.warpPerspective(
            pyramid[level], m @ to_level, (width, height), flags=interpolation, borderValue=(PAD,) * 3
        )
    else:
        picture = cv2.warpAffine(
            pyramid[level], (m @ to_level)[:2], (width, height), flags=interpolation, borderValue=(PAD,) * 3
        )
    kept, dropped = _move(boxes, m, width, height)
    ignored, _ = _move(ignore, m, width, height, everything=True)
    return picture, kept, np.concatenate([ignored, dropped])


def _move(boxes, m, width, height, everything=False):
    """Boxes after the warp, cut to the picture: those to learn, and those to leave out."""
    empty = np.zeros((0, 4), np.float32)
    if not len(boxes):
        return empty, empty
    # The middles of the four sides: their hull stays tight under tilt, where that of the corners grows.
    cx, cy = (boxes[:, 0] + boxes[:, 2]) / 2, (boxes[:, 1] + boxes[:, 3]) / 2
    xs = np.stack([cx, cx, boxes[:, 0], boxes[:, 2]], 1)
    ys = np.stack([boxes[:, 1], boxes[:, 3], cy, cy], 1)
    p = np.stack([xs, ys, np.ones_like(xs)], -1) @ m.T
    p = p[..., :2] / np.maximum(p[..., 2:], 1e-3)
    moved = np.concatenate([p.min(1), p.max(1)], 1)
    cut = np.clip(moved, 0, [width, height, width, height])
    area = lambda b: np.clip(b[:, 2:] - b[:, :2], 0, None).prod(1)
    part = area(cut) / np.maximum(area(moved), 1e-6)
    seen = area(cut) > 4
    if everything:
        return cut[seen], empty
    good = seen & (part >= VISIBLE) & (cut[:, 3] - cut[:, 1] >= SMALLEST)
    return cut[good], cut[seen & ~good]


def degrade(rng, picture):
    """The picture through a bad camera: colour, light, blur, low resolution, noise, compression."""
    chance = lambda p: rng.random() < p
    height, width = picture.shape[:2]
    dark = False
    if chance(0.15):
        picture = cv2.cvtColor(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR)
    elif chance(0.3):
        grey = cv2.cvtColor(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR)
        amount = rng.uniform(0.4, 1.5)
        picture = cv2.addWeighted(picture, amount, grey, 1 - amount, 0)
    if chance(0.7):  # contrast, brightness, gamma and white balance in one table a channel
        ramp = np.arange(256) / 255.0
        gamma = np.exp(rng.uniform(-0.5, 0.5))
        gain, lift = rng.uniform(0.6, 1.3), rng.uniform(-0.12, 0.12)
        dark = chance(0.2)
        if dark:  # dusk, or a room with the lights out: dim, flat
            gain, lift, gamma = rng.uniform(0.12, 0.5), rng.uniform(0, 0.1), rng.uniform(1.0, 1.6)
        table = np.stack([ramp**gamma * gain * t + lift for t in rng.uniform(0.9, 1.1, 3)], -1)
        picture = cv2.LUT(picture, np.clip(table * 255, 0, 255).astype(np.uint8)[:, None])
    if chance(0.25):
        kind = rng.integers(3)
        if kind == 0:
            picture = cv2.GaussianBlur(picture, (0, 0), rng.uniform(0.4, 1.8))
        elif kind == 1:  # motion
            n = int(rng.integers(2, 7))
            picture = cv2.blur(picture, (n, 1) if chance(0.8) else (1, n))
        else:  # a stream of lower resolution, enlarged
            f = rng.uniform(0.35, 0.8)
            small = cv2.resize(picture, (int(width * f), int(height * f)), interpolation=cv2.INTER_AREA)
            picture = cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR)
    if chance(0.6 if dark else 0.2):
        coarse = 2 if chance(0.3) else 1  # cameras smooth their noise into blotches
        shape = (-(-height // coarse), -(-width // coarse), 3)
        noise = np.empty(shape if chance(0.5) else shape[:2], np.int16)
        cv2.randn(noise, 0, float(rng.uniform(2, 20)))
        noise = noise if noise.ndim == 3 else noise[..., None]
        noise = noise.repeat(coarse, 0).repeat(coarse, 1)[:height, :width]
        picture = np.clip(picture + noise, 0, 255).astype(np.uint8)
    if chance(0.25):
        quality = [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(15, 65))]
        picture = cv2.imdecode(cv2.imencode(".jpg", picture, quality)[1], cv2.IMREAD_COLOR)
    return picture
