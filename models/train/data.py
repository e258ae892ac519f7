"""Reads the labelled pictures once into memory and serves batches from processes of their own."""

import json
import multiprocessing
import os
from collections import deque
from pathlib import Path
from queue import Full

import cv2
import numpy as np

from augment import compose, degrade
from detectors import ByteTrack, Teacher, cells, equal

# How often a picture of a source is drawn, against its share. Fixed cameras are few in the data and are
# what the detector is for; the loosely labelled ones are drawn with care, and the many of one place seldom.
WEIGHT = {
    "person1": 2.5, "lab_cctv": 2.0, "pennfudan": 2.0, "shop_cctv": 1.5, "coco_mini_background": 0.6,
    "coco_train_crowd": 2.5, "corridor_cctv": 2.5, "lab_fixed": 1.5, "busstop_metro": 2.0, "lobby_backlit": 1.2,
    "lowlight_indoor": 0.35, "hituav_thermal": 0.25, "drone_topdown": 0.4, "video": 1.6, "video_empty": 0.6,
}
# Pictures of fixed cameras with several people: composed among themselves this often, with the second teacher's answer.
CROWDS, CROWD_SHARE, CROWD_LEAST = ("video", "pennfudan", "busstop_metro"), 0.5, 3
SECOND = 0.45  # the second teacher's score that is worth 0.4 of the first's
MANY, MANY_WEIGHT = 8, 1.5  # people from which a picture is drawn so much more often
# Input sizes (width, height) of batches and how often; each batch has about PIXELS pixels.
SIZES = {
    (320, 192): 0.2, (320, 256): 0.1, (384, 224): 0.1, (416, 256): 0.25, (416, 320): 0.1, (512, 288): 0.15,
    (640, 384): 0.1,
}
PIXELS = 8 * 320 * 192
MOST = 96  # people in one training picture; those beyond would be learnt as background
KINDS = np.float32, np.float32, np.float16  # of the teacher's scores, boxes and features
KEPT = 3000  # composed pictures that a loader keeps to show again, about 0.8 MB each with the teacher's answer


class Pictures:
    """All pictures of one split, decoded, at full and half size."""

    def __init__(self, folder, labels, split="train"):
        cv2.setNumThreads(1)  # threads do not outlive the fork: a loader would wait for them for ever
        self.items, weights, crowds = [], [], []
        for line in open(labels):
            record = json.loads(line)
            if record["split"] != split:
                continue
            image = cv2.imread(str(Path(folder) / record["image"]))
            if image is None:
                raise SystemExit(f"'{record['image']}' is not in '{folder}' or is no picture")
            half = cv2.resize(image, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
            self.items.append(((image, half), corners(record["boxes"]), corners(record["ignore"])))
            many = MANY_WEIGHT if len(record["boxes"]) >= MANY else 1.0
            weights.append(WEIGHT.get(record["source"], 1.0) * many)
            crowds.append(record["source"] in CROWDS and len(record["boxes"]) >= CROWD_LEAST)
        shares = lambda weights: np.cumsum(weights) / max(1e-9, np.sum(weights))
        self.share, self.crowd_share = shares(weights), shares(np.multiply(weights, crowds))

    def draw(self, rng, crowd=False):
        share = self.crowd_share if crowd else self.share
        return self.items[min(len(share) - 1, int(np.searchsorted(share, rng.random())))]


def corners(rows):
    """`[x, y, w, h]` rows as an array of left, top, right, bottom."""
    rows = np.array(rows, np.float32).reshape(-1, 4)
    rows[:, 2:] += rows[:, :2]
    return rows


class Composer:
    """Makes batches. A composed picture with the teacher's answer is dear, spoiling it anew is cheap: so
    each is kept for a while and shown again, through another bad camera."""

    def __init__(self, seed, pictures, teacher, fresh, second=None):
        self.rng = np.random.default_rng(seed)
        cv2.setRNGSeed(seed)
        self.pictures, self.teacher, self.second, self.fresh = pictures, teacher, second, fresh
        self.kept = {size: deque(maxlen=int(KEPT * share)) for size, share in SIZES.items()}

    def compose(self, width, height):
        crowd = self.second is not None and self.rng.random() < CROWD_SHARE
        # ByteTrack sees whole people, which go on behind the edge of a tile: one tile for it.
        draw = lambda: self.pictures.draw(self.rng, crowd)
        picture, boxes, ignore = compose(self.rng, draw, width, height, crowd)
        answer = self.teacher.answer(picture) if self.teacher else []
        if crowd and self.teacher:
            answer = *surer(answer[:2], self.second.dense(picture), width, height), answer[2]
        answer = [v.astype(kind) for v, kind in zip(answer, KINDS)]
        return picture, boxes[:MOST], ignore[:MOST], answer

    def batch(self, clean=0.15):
        """Bytes, padded boxes, padded ignore regions, and the teacher's scores, boxes and features or None."""
        sizes = list(SIZES)
        width, height = sizes[self.rng.choice(len(sizes), p=list(SIZES.values()))]
        count, kept = max(3, PIXELS // (width * height)), self.kept[width, height]
        again = int(count * (1 - self.fresh)) if len(kept) > 8 * count else 0
        samples = [kept[i] for i in self.rng.integers(len(kept), size=again)] if again else []
        new = [self.compose(width, height) for _ in range(count - again)]
        kept.extend(new)
        samples += new
        boxes, ignore = np.zeros((2, count, MOST, 4), np.float32)
        shown = []
        for i, (picture, b, g, _) in enumerate(samples):
            shown.append(picture if self.rng.random() < clean else degrade(self.rng, picture))
            boxes[i, : len(b)], ignore[i, : len(g)] = b, g
        soft = [np.stack(v) for v in zip(*(s[3] for s in samples))] or None
        return np.stack(shown), boxes, ignore, soft


def surer(first, second, width, height):
    """Scores and boxes of each cell from the teacher that is surer of it."""
    grid = cells(height, width)
    points = grid[:, :2] * grid[:, 2:]
    scores = equal(second[0], SECOND)
    boxes = np.clip(second[1], 0, [width, height, width, height])
    better = (scores > first[0]) & (boxes[:, :2] < points).all(1) & (boxes[:, 2:] > points).all(1)
    return np.where(better, scores, first[0]), np.where(better[:, None], boxes, first[1])


def _serve(queue, pictures, teachers, fresh, seed):
    cv2.setNumThreads(1)
    first, second = teachers
    second = ByteTrack(second) if second else None
    composer = Composer(seed, pictures, Teacher(first) if first else None, fresh, second)
    parent = os.getppid()
    while True:
        made = composer.batch()
        while True:
            if os.getppid() != parent:
                os._exit(0)
            try:
                queue.put(made, timeout=10)
                break
            except Full:
                continue


def start(pictures, teachers, processes, fresh, seed):
    """A queue that `processes` processes keep filled; `teachers` are two paths, each may be None. The processes end
    with the one that called."""
    context = multiprocessing.get_context("fork")  # the pictures are shared, not copied
    queue = context.Queue(maxsize=4 * processes)
    for i in range(processes):
        args = (queue, pictures, teachers, fresh, seed * 1000 + i)
        context.Process(target=_serve, args=args, daemon=True).start()
    return queue
