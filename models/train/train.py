"""Trains the detector; stops and goes on where it stopped.

    python train.py --data DIR --labels taught.jsonl --teacher rtmdet.onnx --run DIR --minutes 100

`--minutes` is training time over all starts: the learning rate follows it, so a busy machine ends on time
with fewer passes. With a GPU give `--device cuda --loaders 14`. `--init ../person.onnx --rate 1e-3` goes on
from an exported file in a new run.
"""

import argparse
import math
import time
from dataclasses import asdict
from pathlib import Path

import torch
from torch import nn

import data
from loss import detection_loss, imitation_loss, teaching_loss
from net import STRIDES, Detector, Shape, points
from optim import Mixed
from restore import restore

WEIGHTS = 1.0, 2.0, 1.0, 1.5, 3.0  # scores and boxes by label, by teacher, and the teacher's features
TAUGHT = 64  # channels of the teacher's features
DECAY, WARM_UP = 0.03, 100
MEASURED = 12  # batches that the statistics of an exported file are measured with
SAVE_EVERY = 180  # seconds


class Average:
    """Exponential moving average of the weights, which is what gets exported."""

    def __init__(self, model, keep=0.999):
        self.keep = keep
        self.state = {k: v.detach().clone() for k, v in model.state_dict().items()}

    @torch.no_grad()
    def update(self, model, step):
        keep = min(self.keep, (1 + step) / (20 + step))
        for k, v in model.state_dict().items():
            if v.dtype.is_floating_point:
                self.state[k].lerp_(v, 1 - keep)
            else:
                self.state[k].copy_(v)


def rate(peak, step, progress):
    """Linear warm-up, then half a cosine down to 1 %."""
    warm = min(1.0, (step + 1) / WARM_UP)
    return peak * warm * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * min(1.0, progress))))


@torch.no_grad()
def fit(adapters, model, batches):
    """Sets the adapters to the best linear guess of the teacher's features, which new ones would first pull astray."""
    model.eval()
    sums = [0.0] * len(STRIDES), [0.0] * len(STRIDES)
    for images, _, _, soft in batches:
        features = model(torch.from_numpy(images).permute(0, 3, 1, 2).float())[2]
        taught = torch.from_numpy(soft[2]).double().split([f.shape[2] * f.shape[3] for f in features], 1)
        for level, (f, t) in enumerate(zip(features, taught)):
            rows = f.double().flatten(2).transpose(1, 2).flatten(0, 1)
            rows = torch.cat([rows, torch.ones(len(rows), 1, dtype=torch.double)], 1)
            sums[0][level] = sums[0][level] + rows.T @ rows
            sums[1][level] = sums[1][level] + rows.T @ t.flatten(0, 1)
    for adapter, squares, products in zip(adapters, *sums):
        ridge = 1e-4 * squares.diagonal().mean() * torch.eye(len(squares), dtype=torch.double)
        best = torch.linalg.solve(squares + ridge, products).T.float()
        adapter.weight.copy_(best[:, :-1, None, None])
        adapter.bias.copy_(best[:, -1])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True, help="folder of the pictures")
    parser.add_argument("--labels", required=True, help="labels.jsonl, or what teach.py made of it")
    parser.add_argument("--run", required=True, help="folder of the checkpoints")
    parser.add_argument("--teacher", help="RTMDet, ONNX with symbolic sizes; none: labels only")
    parser.add_argument("--second", help="ByteTrack's YOLOX likewise, asked too where several people are")
    parser.add_argument("--minutes", type=float, default=100)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--loaders", type=int, default=2)
    parser.add_argument("--fresh", type=float, default=1.0, help="share of pictures not shown before")
    parser.add_argument("--init", help="weights to begin with: an exported .onnx, or last.pt of another run")
    parser.add_argument("--rate", type=float, default=2e-3, help="highest learning rate")
    parser.add_argument("--float32", action="store_true", help="for processors without AVX-512: ten times faster there")
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()

    run = Path(args.run)
    run.mkdir(parents=True, exist_ok=True)
    last = run / "last.pt"
    state = torch.load(last, map_location="cpu", weights_only=True) if last.exists() else None
    seed = args.seed + (state["step"] if state else 0)
    queue = data.start(data.Pictures(args.data, args.labels), (args.teacher, args.second), args.loaders, args.fresh, seed)
    torch.set_num_threads(args.threads)
    torch.manual_seed(seed)

    model, first = Detector(Shape(**state["shape"]) if state else Shape()), None
    if args.init and not state:
        if args.init.endswith(".onnx"):
            first = [queue.get() for _ in range(MEASURED)]
            restore(model, args.init, (torch.from_numpy(s[0]).permute(0, 3, 1, 2).float() for s in first))
        else:
            model.load_state_dict(torch.load(args.init, weights_only=True)["ema"])
    adapters = nn.ModuleList(nn.Conv2d(model.shape.neck, TAUGHT, 1) for _ in STRIDES)
    if args.teacher and args.init and not state:
        fit(adapters, model, first or [queue.get() for _ in range(MEASURED)])
    model.to(args.device, memory_format=torch.channels_last)
    adapters.to(args.device)
    kind = torch.float32 if args.float32 else torch.bfloat16
    steps = Mixed(nn.ModuleList([model, adapters]), args.rate, DECAY, kind)
    average, step, spent = Average(model), 0, 0.0
    if state:
        model.load_state_dict(state["model"])
        adapters.load_state_dict(state["adapters"])
        steps.load_state_dict(state["optimizer"])
        average.state = {k: v.to(args.device) for k, v in state["ema"].items()}
        step, spent = state["step"], state["seconds"]

    def save():
        content = {
            "model": model.state_dict(), "ema": average.state, "optimizer": steps.state_dict(),
            "adapters": adapters.state_dict(), "shape": asdict(model.shape), "step": step, "seconds": spent,
        }
        torch.save(content, run / "saving.pt")
        (run / "saving.pt").replace(last)

    model.train()
    clock, saved, shown, pictures = time.monotonic(), time.monotonic(), time.monotonic(), 0
    sums, waited, since = torch.zeros(len(WEIGHTS)), 0.0, 0
    while spent < args.minutes * 60:
        before = time.monotonic()
        images, people, ignore, soft = queue.get()
        waited += time.monotonic() - before
        people, ignore = (torch.from_numpy(v).to(args.device) for v in (people, ignore))
        people = people[:, : max(1, int((people[..., 2] > people[..., 0]).sum(1).max()))]
        ignore = ignore[:, : max(1, int((ignore[..., 2] > ignore[..., 0]).sum(1).max()))]
        # 0..255 is exact in bfloat16, and the bytes lie in channels-last order already.
        x = torch.from_numpy(images).to(args.device).permute(0, 3, 1, 2).to(kind)
        for group in steps.param_groups:
            group["lr"] = rate(args.rate, step, spent / (args.minutes * 60))
        with torch.autocast(args.device.split(":")[0], torch.bfloat16, enabled=not args.float32):
            logits, sides, features = model(x)
            soft = soft and [torch.from_numpy(v).to(args.device) for v in soft]
            gap = [imitation_loss(features, adapters, soft[2].float())] if soft else []
        grid, _ = points(x.shape[2], x.shape[3], args.device)
        *parts, labelled = detection_loss(logits, sides, grid, people, ignore)
        if soft is not None:
            parts += [*teaching_loss(logits, sides, grid, *soft[:2], labelled), *gap]
        loss = sum(w * p for w, p in zip(WEIGHTS, parts))
        steps.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 10.0)
        if torch.isfinite(loss):
            steps.step()
            average.update(model, step)
        step, since, pictures = step + 1, since + 1, pictures + len(images)
        sums[: len(parts)] += torch.stack([p.detach().cpu() for p in parts])
        now = time.monotonic()
        spent, clock = spent + now - clock, now
        if now - shown > 30:
            means = " ".join(f"{v:.3f}" for v in (sums / since).tolist())
            speed = pictures / (now - shown)
            print(f"{spent / 60:6.1f} min step {step} loss {means} {speed:.0f} pictures/s "
                  f"waited {waited / (now - shown):.0%} lr {steps.param_groups[0]['lr']:.2e}", flush=True)
            shown, pictures, waited, since = now, 0, 0.0, 0
            sums.zero_()
        if now - saved > SAVE_EVERY:
            save()
            saved = now
    save()


if __name__ == "__main__":
    main()
