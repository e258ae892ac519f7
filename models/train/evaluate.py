"""Average precision, recall and precision of several detectors on the same pictures, source by source.

    python evaluate.py --data DIR --labels labels.jsonl [--clips FOOTAGE] \\
        --model pcount:../person.onnx@0.4 --model rtmdet:FILE@0.4 [--width 320]

Models must have symbolic sizes (`export.py --dynamic`). Pictures are letterboxed into the given width and
the height that keeps their aspect, in multiples of 32. People less than 10 px tall in the input do not
count, for or against; nor do ignore regions. Recall and precision are at the threshold after `@`.
"""

import argparse
import json
from collections import defaultdict
from pathlib import Path

import cv2
import numpy as np

from data import corners
from detectors import fit_size, iou, open_model

SHORTEST = 10.0  # pixels in the network input
OVERLAP = 0.5  # IoU from which a detection counts as found
CLIPS = {"pets09_s2l1": 13, "tud_campus": 5, "tud_stadtmitte": 5, "mot20_01_station": 30}  # every n-th frame


def labelled(folder, labels, split):
    """Pictures of a split as source -> [(picture, boxes, ignore)], one at a time."""
    for line in open(labels):
        record = json.loads(line)
        if record["split"] == split:
            image = cv2.imread(str(Path(folder) / record["image"]))
            yield record["source"], image, corners(record["boxes"]), corners(record["ignore"])


def clips(folder):
    """Every n-th frame of the clips that have published tracks (MOT format)."""
    for name, step in CLIPS.items():
        truth = defaultdict(list)
        for line in open(Path(folder) / name / "gt" / "gt.txt"):
            frame, _, *box = line.split(",")[:6]
            truth[int(frame)].append([float(v) for v in box])
        video = cv2.VideoCapture(str(Path(folder) / name / "video.mp4"))
        number = 0
        while (read := video.read())[0]:
            number += 1
            if (number - 1) % step == 0:
                boxes = corners(truth[number])
                size = [read[1].shape[1], read[1].shape[0]] * 2
                yield name, read[1], np.clip(boxes, 0, size), corners([])


def match(found, boxes, ignore):
    """For each detection, best first: True found, False wrong, None left out of account."""
    verdicts, free = [], np.ones(len(boxes), bool)
    overlaps = iou(found, boxes) if len(boxes) else np.zeros((len(found), 0))
    for row, over in zip(found, overlaps):
        over = np.where(free, over, 0)
        if len(over) and over.max() >= OVERLAP:
            free[over.argmax()] = False
            verdicts.append(True)
            continue
        left_out = False
        if len(ignore):
            lt, rb = np.maximum(row[:2], ignore[:, :2]), np.minimum(row[2:4], ignore[:, 2:4])
            area = max(1e-9, (row[2] - row[0]) * (row[3] - row[1]))
            left_out = (np.clip(rb - lt, 0, None).prod(1) / area).max() >= OVERLAP
        verdicts.append(None if left_out else False)
    return verdicts


def average_precision(scores, right, people):
    """Area under the precision envelope at every recall (all points)."""
    order = np.argsort(-scores, kind="stable")
    hits = np.cumsum(right[order])
    recall = np.concatenate([[0], hits / max(people, 1), [1]])
    precision = np.concatenate([[1], hits / np.arange(1, len(hits) + 1), [0]])
    precision = np.maximum.accumulate(precision[::-1])[::-1]
    return float(np.sum(np.diff(recall) * precision[1:]))


def measure(model, pictures, width, threshold):
    """source -> (AP50, recall, precision, best F1, its threshold, people)."""
    scores, right, people = defaultdict(list), defaultdict(list), defaultdict(int)
    for source, image, boxes, ignore in pictures:
        size = fit_size(image.shape, width)
        scale = min(size[0] / image.shape[1], size[1] / image.shape[0])
        small = (boxes[:, 3] - boxes[:, 1]) * scale < SHORTEST
        ignore, boxes = np.concatenate([ignore, boxes[small]]), boxes[~small]
        found = model.detect(image, *size)
        found = found[(found[:, 3] - found[:, 1]) * scale >= SHORTEST * 0.8]
        people[source] += len(boxes)
        for verdict, row in zip(match(found, boxes, ignore), found):
            if verdict is not None:
                scores[source].append(row[4])
                right[source].append(verdict)
    table = {}
    for source in people:
        s, r, n = np.array(scores[source]), np.array(right[source], float), people[source]
        above = s >= threshold
        hits = r[above].sum()
        cuts = np.arange(0.1, 0.8, 0.02)
        f1 = [2 * r[s >= c].sum() / max(1, (s >= c).sum() + n) for c in cuts]
        best = int(np.argmax(f1))
        ap = average_precision(s, r, n) if len(s) else 0.0
        table[source] = (ap, hits / max(n, 1), hits / max(above.sum(), 1), f1[best], cuts[best], n)
    return table


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data")
    parser.add_argument("--labels")
    parser.add_argument("--split", default="val")
    parser.add_argument("--clips", help="folder of clips with MOT tracks")
    parser.add_argument("--model", action="append", required=True, help="format:file@threshold")
    parser.add_argument("--width", type=int, default=320)
    parser.add_argument("--only", help="sources, by comma")
    args = parser.parse_args()
    pictures = []
    if args.data:
        pictures += labelled(args.data, args.labels, args.split)
    if args.clips:
        pictures += clips(args.clips)
    if args.only:
        pictures = [p for p in pictures if p[0] in args.only.split(",")]
    for spec in args.model:
        spec, _, threshold = spec.partition("@")
        threshold = float(threshold or 0.4)
        print(f"\n{Path(spec).name}, {args.width} wide, threshold {threshold}")
        print("| source | people | AP50 | recall | precision | best F1 | at |\n| --- | --- | --- | --- | --- | --- | --- |")
        for source, (ap, r, p, f, at, n) in sorted(measure(open_model(spec), pictures, args.width, threshold).items()):
            print(f"| {source} | {n} | {ap:.3f} | {r:.3f} | {p:.3f} | {f:.3f} | {at:.2f} |", flush=True)


if __name__ == "__main__":
    main()
