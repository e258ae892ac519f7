"""Lets the teachers look at every training picture once and writes what they see.

Two detectors, enlarged pictures, flipped and not. What both see but nobody labelled becomes a label, also within a
region marked as a crowd; what only one sees, or weakly, becomes a region that is neither person nor background.

    python teach.py --data DIR --labels labels.jsonl --rtmdet FILE --second openvino:FILE@0.25 --out taught.jsonl

After `@` stands the score that the second detector gives where RTMDet says 0.4.
"""

import argparse
import json
from pathlib import Path

import cv2
import numpy as np

from detectors import RtmDet, equal, fit_size, iou, open_model, suppress

WIDTHS = (416, 640)  # of the longer side
SURE, LIKELY, POSSIBLE = 0.55, 0.40, 0.20
SECONDED = 0.28  # score from which what the other is likely to see, too, is a person
CROWD = 2.0  # a region marked as people is a crowd to one of them from this many times his size
SAME = 0.45  # overlap from which two boxes are one person


def look(model, image, sizes):
    """Boxes of all views, enlarged and flipped, joined."""
    views = []
    for size in sizes:
        width = round(size * image.shape[1] / max(image.shape[:2]) / 32) * 32
        w, h = fit_size(image.shape, max(width, 64))
        for flip in (False, True):
            boxes = model.detect(image[:, ::-1] if flip else image, w, h, lowest=0.1)
            if flip:
                boxes[:, [0, 2]] = image.shape[1] - boxes[:, [2, 0]]
            views.append(boxes)
    return join(views)


def join(views, best=None):
    """One box for each person of several views; its score is the mean over all views, or over the best ones."""
    every = np.concatenate(views)
    merged = []
    for leader in suppress(every, 0.55):
        group = every[iou(leader[None], every)[0] > 0.55]
        mean = (group * group[:, 4:]).sum(0) / group[:, 4].sum()
        scores = sorted(max([0.0, *v[iou(leader[None], v)[0] > 0.55][:, 4]]) for v in views)
        merged.append([*mean[:4], np.mean(scores[-(best or len(views)) :])])
    return np.array(merged, np.float32).reshape(-1, 5)


def merge(record, first, second):
    """The record's boxes and ignore regions, completed by what the two teachers saw."""
    to_corners = lambda rows: np.array([[x, y, x + w, y + h] for x, y, w, h in rows], np.float32).reshape(-1, 4)
    boxes, ignore = to_corners(record["boxes"]), to_corners(record["ignore"])
    if record["source"] == "shop_cctv":  # its boxes are loose: take the teacher's where they agree
        for i, box in enumerate(boxes):
            overlap = iou(box[None], first)[0] if len(first) else np.zeros(0)
            if len(overlap) and overlap.max() > 0.3 and first[overlap.argmax(), 4] > 0.3:
                boxes[i] = first[overlap.argmax(), :4]
    new, maybe = [], []
    for row in first:
        if len(boxes) and iou(row[None], boxes)[0].max() > SAME:
            continue
        seconded = max([0.0, *second[iou(row[None], second)[0] > SAME][:, 4]]) if len(second) else 0.0
        if len(ignore) and inside(row, ignore) > 0.5:
            crowds = ignore[(ignore[:, 2:] - ignore[:, :2]).prod(1) > CROWD * (row[2:4] - row[:2]).prod()]
            if len(crowds) and inside(row, crowds) > 0.5 and row[4] > SECONDED and seconded > LIKELY:
                new.append(row[:4])
            continue
        if row[4] > SURE or (row[4] > SECONDED and seconded > LIKELY):
            new.append(row[:4])
        elif row[4] > POSSIBLE:
            maybe.append(row[:4])
    for row in second:
        known = np.concatenate([boxes, first[:, :4]])
        if row[4] > LIKELY and (not len(known) or iou(row[None], known)[0].max() < SAME):
            maybe.append(row[:4])
    to_list = lambda rows: [[round(float(v), 1) for v in (a, b, c - a, d - b)] for a, b, c, d in rows]
    return to_list([*boxes, *new]), to_list([*ignore, *maybe]), len(new)


def inside(row, regions):
    """Largest part of the box that lies in one of the regions."""
    lt, rb = np.maximum(row[:2], regions[:, :2]), np.minimum(row[2:4], regions[:, 2:4])
    area = max(1e-9, (row[2] - row[0]) * (row[3] - row[1]))
    return (np.clip(rb - lt, 0, None).prod(1) / area).max()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name in ("data", "labels", "rtmdet", "second", "out"):
        parser.add_argument(f"--{name}", required=True)
    args = parser.parse_args()
    spec, _, reference = args.second.partition("@")
    first, second, reference = RtmDet(args.rtmdet), open_model(spec), float(reference or 0.4)
    added = 0
    with open(args.labels) as lines, open(args.out, "w", buffering=1) as out:
        for line in lines:
            record = json.loads(line)
            if record["split"] != "train":
                continue
            image = cv2.imread(str(Path(args.data) / record["image"]))
            seconded = look(second, image, WIDTHS[1:])
            seconded[:, 4] = equal(seconded[:, 4], reference)
            boxes, ignore, new = merge(record, look(first, image, WIDTHS), seconded)
            added += new
            out.write(json.dumps({**record, "boxes": boxes, "ignore": ignore}) + "\n")
    print(f"{added} people added")


if __name__ == "__main__":
    main()
