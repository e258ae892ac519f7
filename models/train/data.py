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
from detectors import Teacher

# How often a picture of a source is drawn, against its share. Fixed cameras are few in the data and are
# what the detector is for; the loosely labelled ones are drawn with care, and the many of one place seldom.
WEIGHT = {
    "person1": 2.5, "lab_cctv": 2.0, "pennfudan": 2.0, "shop_cctv": 1.5, "coco_mini_background": 0.6,
    "coco_train_crowd": 2.0, "corridor_cctv": 2.5, "lab_fixed": 1.5, "busstop_metro": 2.0, "lobby_backlit": 1.2,
    "lowlight_indoor": 0.35, "hituav_thermal": 0.25, "drone_topdown": 0.4, "video": 1.2, "video_empty": 0.6,
}
# Input sizes (width, height) of batches and how often; each batch has about PIXELS pixels.
SIZES = {(320, 192): 0.35, (320, 256): 0.1, (384, 224): 0.15, (416, 256): 0.2, (416, 320): 0.1, (256, 256): 0.1}
PIXELS = 8 * 320 * 192
MOST = 96  # people in one training picture; those beyond would be learnt as background
KINDS = np.float32, np.float32, np.float16  # of the teacher's scores, boxes and features
KEPT = 4000  # composed pictures that a loader keeps to show again, about 0.5 MB each with the teacher's answer


class Pictures:
    """All pictures of one split, decoded, at full and half size."""

    def __init__(self, folder, labels, split="train"):
        cv2.setNumThreads(1)  # threads do not outlive the fork: a loader would wait for them for ever
        self.items, weights = [], []
        for line in open(labels):
            record = json.loads(line)
            if record["split"] != split:
                continue
            image = cv2.imread(str(Path(folder) / record["image"]))
            if image is None:
                raise SystemExit(f"'{record['image']}' is not in '{folder}' or is no picture")
            half = cv2.resize(image, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
            self.items.append(((image, half), corners(record["boxes"]), corners(record["ignore"])))
            weights.append(WEIGHT.get(record["source"], 1.0))
        self.share = np.cumsum(weights) / np.sum(weights)

    def draw(self, rng):
        return self.items[int(np.searchsorted(self.share, rng.random()))]


def corners(rows):
    """`[x, y, w, h]` rows as an array of left, top, right, bottom."""
    rows = np.array(rows, np.float32).reshape(-1, 4)
    rows[:, 2:] += rows[:, :2]
    return rows


class Composer:
    """Makes batches. A composed picture with the teacher's answer is dear, spoiling it anew is cheap: so
    each is kept for a while and shown again, through another bad camera."""

    def __init__(self, seed, pictures, teacher, fresh):
        self.rng = np.random.default_rng(seed)
        cv2.setRNGSeed(seed)
        self.pictures, self.teacher, self.fresh = pictures, teacher, fresh
        self.kept = {size: deque(maxlen=int(KEPT * share)) for size, share in SIZES.items()}

    def compose(self, width, height):
        picture, boxes, ignore = compose(self.rng, lambda: self.pictures.draw(self.rng), width, height)
        answer = [v.astype(kind) for v, kind in zip(self.teacher.answer(picture), KINDS)] if self.teacher else []
        return picture, boxes[:MOST], ignore[:MOST], answer

    def batch(self, clean=0.15):
        """Bytes, padded boxes, padded ignore regions, and the teacher's scores, boxes and features or None."""
        sizes = list(SIZES)
        width, height = sizes[self.rng.choice(len(sizes), p=list(SIZES.values()))]
        count, kept = max(4, PIXELS // (width * height)), self.kept[width, height]
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


def _serve(queue, pictures, teacher_path, fresh, seed):
    cv2.setNumThreads(1)
    composer = Composer(seed, pictures, Teacher(teacher_path) if teacher_path else None, fresh)
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


def start(pictures, teacher_path, processes, fresh, seed):
    """A queue that `processes` processes keep filled. They end with the process that called."""
    context = multiprocessing.get_context("fork")  # the pictures are shared, not copied
    queue = context.Queue(maxsize=4 * processes)
    for i in range(processes):
        args = (queue, pictures, teacher_path, fresh, seed * 1000 + i)
        context.Process(target=_serve, args=args, daemon=True).start()
    return queue
