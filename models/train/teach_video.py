"""Labels pictures out of unlabelled clips of fixed cameras, by what the teacher sees and by time.

The teacher looks at five frames a second, enlarged and flipped, in tiles where people are small. Its boxes are linked
from look to look: who is seen often enough is a person, also where he is missed for a moment; what flickers, or moves
and is no known person, becomes a region that is neither person nor background.

    python teach_video.py --clips DIR --rtmdet FILE --pictures DIR --out video.jsonl [--skip NAME,NAME]
        [--other bytetrack:FILE@0.45 --other openvino:FILE@0.25] [--seconds 6] [--only NAME,NAME]

Stops and goes on: a clip that `--out` has is done. A clip whose name ends in `_neg` has nobody in it. Detectors given
with `--other` look beside RTMDet instead of its largest views; after `@` the score that they give where it says 0.4.
"""

import argparse
import json
from pathlib import Path

import cv2
import numpy as np

from detectors import RtmDet, equal, fit_size, iou, open_model, suppress
from teach import inside, join

LOOKS = 5.0  # a second
PICTURES = 8, 16  # kept of a clip, about one a second
SEEN, STARTS = 0.12, 0.2  # score from which a box goes on with a track, and begins one
LINKED = 0.2  # overlap of a box with where its track should be
BRIDGED, KEPT = 5, 3  # looks that a track may be missed, and those of them in which its box is still a label
HITS, SHARE = 4, 0.6  # looks that confirm a track, and the share of its life that they must be
MEAN, BEST = 0.28, 0.45  # score of a confirmed track over its looks, and in its best one
STILL, STILL_MEAN = 0.15, 0.45  # what never moves by more than this part of its height must score higher
WITHIN, PART = 0.8, 0.45  # a box so far inside another, and at least so high or less sure than that, is a part of it
HIDDEN = 0.6  # a missed person of whom more is behind others is not labelled
OTHER_WIDTH = 1088  # of the other detectors' views
SAME_HEAD, WHOLE = 0.15, (0.25, 0.55)  # of the height, and overlaps, for the seen and the whole box of one person
CHANGED, SPECK = 28, 0.0004  # grey levels and share of the picture from which something moves


def read(path, seconds):
    """The frames of a clip that are looked at."""
    video = cv2.VideoCapture(str(path))
    step, frames, number = max(1.0, (video.get(cv2.CAP_PROP_FPS) or LOOKS) / LOOKS), [], 0
    while len(frames) < seconds * LOOKS and (got := video.read())[0]:
        if number >= round(len(frames) * step):
            frames.append(got[1])
        number += 1
    return frames


def view(model, image, width, flip):
    boxes = model.detect(image[:, ::-1] if flip else image, *fit_size(image.shape, width), lowest=0.08)
    if flip:
        boxes[:, [0, 2]] = image.shape[1] - boxes[:, [2, 0]]
    return boxes


def tiles(model, image, flip):
    """The picture in two by two overlapping parts, as one view; what a cut goes through is left to other parts."""
    height, width = image.shape[:2]
    h, w = round(height * 0.6), round(width * 0.6)
    found = [np.zeros((0, 5), np.float32)]
    for y in (0, height - h):
        for x in (0, width - w):
            boxes = view(model, np.ascontiguousarray(image[y : y + h, x : x + w]), 832, flip)
            cut = (boxes[:, 0] < 3) & (x > 0) | (boxes[:, 1] < 3) & (y > 0)
            cut |= (boxes[:, 2] > w - 3) & (x == 0) | (boxes[:, 3] > h - 3) & (y == 0)
            found.append(boxes[~cut] + np.array([x, y, x, y, 0], np.float32))
    return suppress(np.concatenate(found), 0.55)


def visible(whole, seen):
    """The boxes of a detector that guesses whole people, cut to the visible part where `seen` has that."""
    if not len(whole) or not len(seen):
        return whole
    whole, over = whole.copy(), iou(whole, seen)
    height = whole[:, 3] - whole[:, 1]
    heads = abs(whole[:, None, 1] - seen[None, :, 1]) < SAME_HEAD * height[:, None]
    over = np.where(heads & (over > WHOLE[0]), over, 0)
    best = over.argmax(1)
    cut = (over.max(1) > WHOLE[0]) & (over.max(1) < WHOLE[1])
    whole[cut, :4] = seen[best[cut], :4]
    return whole


def look(model, others, image, flip):
    """Boxes of one frame; without other detectors: the smaller the people, the larger the views."""
    views = [view(model, image, 832, False), view(model, image, 832, True), view(model, image, 416, flip)]
    every = np.concatenate(views)
    if others:
        edges = [image.shape[1], image.shape[0]] * 2
        seen = suppress(every[every[:, 4] > STARTS], 0.6)
        for number, (other, reference) in enumerate(others):
            rows = view(other, image, OTHER_WIDTH, flip ^ number % 2 > 0)
            rows[:, 4] = equal(rows[:, 4], reference)
            rows[:, :4] = np.clip(rows[:, :4], 0, edges)
            views.append(visible(rows, seen))
        return join(views, best=2)
    sure = every[every[:, 4] > STARTS]
    height = np.median(sure[:, 3] - sure[:, 1]) / image.shape[0] if len(sure) else 0.2
    if height < 1 / 5:
        views.append(view(model, image, 1280, flip))
    if height < 1 / 12:
        views.append(tiles(model, image, not flip))
    return join(views, best=2)


class Track:
    def __init__(self, at, row):
        self.rows = {at: row}  # look -> box and score
        self.speed = np.zeros(4, np.float32)

    def expected(self, at):
        last = max(self.rows)
        return self.rows[last][:4] + self.speed * (at - last)

    def add(self, at, row):
        last = max(self.rows)
        step = (row[:4] - self.rows[last][:4]) / (at - last)
        step = (step[:2] + step[2:]) / 2
        self.speed = 0.5 * self.speed + 0.5 * np.concatenate([step, step])
        self.rows[at] = row

    def mean(self):
        """Its score over the looks in which it was seen."""
        return float(np.mean([row[4] for row in self.rows.values()]))

    def confirmed(self):
        rows = np.array(list(self.rows.values()))
        life = max(self.rows) - min(self.rows) + 1
        centres = (rows[:, :2] + rows[:, 2:4]) / 2
        moved = np.ptp(centres, 0).max() / max(1.0, np.median(rows[:, 3] - rows[:, 1]))
        return (
            len(rows) >= HITS and len(rows) >= SHARE * life and rows[:, 4].max() >= BEST
            and self.mean() >= (MEAN if moved > STILL else STILL_MEAN)
        )

    def box(self, at):
        """The box at a look, interpolated where it was missed; and for how many looks it was missed there."""
        before = max((t for t in self.rows if t <= at), default=None)
        after = min((t for t in self.rows if t >= at), default=None)
        if before is None or after is None:
            return None, 0
        part = (at - before) / max(1, after - before)
        return self.rows[before][:4] * (1 - part) + self.rows[after][:4] * part, max(0, after - before - 1)


def link(looks):
    """Tracks through the boxes of all looks, the nearest first."""
    alive, ended = [], []
    for at, rows in enumerate(looks):
        ended += [t for t in alive if at - max(t.rows) > BRIDGED]
        alive = [t for t in alive if at - max(t.rows) <= BRIDGED]
        rows = rows[rows[:, 4] > SEEN]
        free = np.ones(len(rows), bool)
        if alive and len(rows):
            over = iou(np.array([t.expected(at) for t in alive]), rows)
            over *= 0.5 + 0.5 * np.minimum(1, rows[:, 4] / BEST)  # of two that fit, the surer
            for _ in range(min(over.shape)):
                t, r = np.unravel_index(over.argmax(), over.shape)
                if over[t, r] < LINKED:
                    break
                alive[t].add(at, rows[r])
                free[r] = False
                over[t], over[:, r] = 0, 0
        alive += [Track(at, row) for row in rows[free] if row[4] > STARTS]
    return ended + alive


def moving(image, still, known):
    """Regions that differ from the scene at rest and are not covered by boxes."""
    grey = cv2.resize(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), still.shape[::-1], interpolation=cv2.INTER_AREA)
    changed = (cv2.absdiff(grey, still) > CHANGED).astype(np.uint8)
    changed = cv2.morphologyEx(changed, cv2.MORPH_CLOSE, np.ones((5, 5), np.uint8))
    scale = image.shape[1] / still.shape[1]
    for x0, y0, x1, y1 in known:
        dx, dy = 0.1 * (x1 - x0), 0.1 * (y1 - y0)
        u0, v0, u1, v1 = (max(0, int(v / scale)) for v in (x0 - dx, y0 - dy, x1 + dx + scale, y1 + dy + scale))
        changed[v0:v1, u0:u1] = 0
    _, _, parts, _ = cv2.connectedComponentsWithStats(changed)
    parts = parts[1:][parts[1:, cv2.CC_STAT_AREA] > SPECK * still.size]
    return [np.array([x, y, x + w, y + h]) * scale for x, y, w, h, _ in parts]


def label(tracks, at, image, still):
    """Boxes and ignore regions of one look."""
    height, width = image.shape[:2]
    sure, missed, ignore = [], [], []
    for track in tracks:
        box, gap = track.box(at)
        if box is None:
            continue
        box = np.clip(box, 0, [width, height, width, height])
        if not track.confirmed() or gap > KEPT:
            ignore.append(box)
        else:
            sure.append(np.array([*box, track.mean()]))
            missed.append(at not in track.rows)
    rows, people = np.array(sure, np.float32).reshape(-1, 5), []
    areas, heights = (rows[:, 2:4] - rows[:, :2]).prod(1), rows[:, 3] - rows[:, 1]
    for i, row in enumerate(rows):
        around = rows[[o for o in range(len(rows)) if areas[o] > areas[i] and inside(row, rows[o : o + 1]) > WITHIN]]
        part = (heights[i] > PART * (around[:, 3] - around[:, 1])) | (row[4] < around[:, 4])
        nearer = rows[rows[:, 3] > row[3]]
        hidden = missed[i] and len(nearer) and inside(row, nearer) > HIDDEN
        if part.any() or hidden:
            ignore.append(row[:4])
        else:
            people.append(row)
    people = suppress(np.array(people, np.float32).reshape(-1, 5), 0.7)[:, :4]
    # A weak box in a known person is a part of him: no reason to leave the cells there out.
    ignore = [b for b in ignore if not len(people) or inside(b, people) < WITHIN]
    return people, ignore + moving(image, still, [*people, *ignore])


def teach(model, others, path, folder, seconds):
    """The lines of one clip."""
    frames, empty = read(path, seconds), path.stem.endswith("_neg")
    count = min(len(frames), max(PICTURES[0], min(PICTURES[1], round(len(frames) / LOOKS))))
    chosen = np.unique(np.linspace(0, len(frames) - 1, count + 2)[1:-1].round().astype(int))
    tracks, still = [], None
    if not empty:
        tracks = link([look(model, others, frame, i % 2 == 0) for i, frame in enumerate(frames)])
        small = [cv2.cvtColor(f, cv2.COLOR_BGR2GRAY) for f in frames[:: max(1, len(frames) // 31)]]
        size = max(1, frames[0].shape[1] // 4), max(1, frames[0].shape[0] // 4)
        still = np.median([cv2.resize(g, size, interpolation=cv2.INTER_AREA) for g in small], 0).astype(np.uint8)
    to_list = lambda rows: [[round(float(v), 1) for v in (a, b, c - a, d - b)] for a, b, c, d in rows]
    for at in chosen:
        boxes, ignore = ([], []) if empty else label(tracks, at, frames[at], still)
        name = f"{path.stem}_{at:05}.jpg"
        cv2.imwrite(str(folder / name), frames[at], [cv2.IMWRITE_JPEG_QUALITY, 92])
        yield {
            "image": name, "split": "train", "width": frames[at].shape[1], "height": frames[at].shape[0],
            "boxes": to_list(boxes), "ignore": to_list(ignore),
            "source": "video_empty" if empty else "video", "scene": path.stem,
        }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name in ("clips", "rtmdet", "pictures", "out"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--skip", default="", help="names without ending, by comma")
    parser.add_argument("--only", help="names likewise; none: all")
    parser.add_argument("--other", action="append", default=[], help="format:file@score")
    parser.add_argument("--seconds", type=float, default=1e9, help="of a clip, at most")
    args = parser.parse_args()
    others = []
    for spec in args.other:
        spec, _, reference = spec.partition("@")
        others.append((open_model(spec), float(reference or 0.4)))
    model, folder, out = RtmDet(args.rtmdet), Path(args.pictures), Path(args.out)
    folder.mkdir(parents=True, exist_ok=True)
    done = {json.loads(line)["scene"] for line in open(out)} if out.exists() else set()
    done |= set(args.skip.split(","))
    for path in sorted(Path(args.clips).glob("*.mp4")):
        if path.stem in done or args.only and path.stem not in args.only.split(","):
            continue
        records = list(teach(model, others, path, folder, args.seconds))
        with open(out, "a") as lines:  # a clip at once, or not at all
            lines.write("".join(json.dumps(record) + "\n" for record in records))
        print(f"{path.stem}: {len(records)} pictures, {sum(len(r['boxes']) for r in records)} people", flush=True)


if __name__ == "__main__":
    main()
