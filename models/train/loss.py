"""Which cell answers for which person, and how far off the answers are.

Assignment by task alignment (Feng et al., "TOOD", ICCV 2021): cells whose score and box already suit a
person best learn it, with the quality of their box as the score to reach. The score loss is quality focal
loss (Li et al., "Generalized Focal Loss", NeurIPS 2020), the box loss GIoU (Rezatofighi et al., CVPR 2019).
"""

import torch
import torch.nn.functional as F

TOP = 10  # cells that may learn one person
SCORE_POWER, IOU_POWER = 1.0, 6.0
HIDING = 0.2  # the part of a labelled person under other boxes from which labels know better than the teacher
NARROW = 12.0  # pixels; a person narrower than this may use cells as far as half of it from the centre


def overlap(a, b, generalised=False):
    """IoU (or GIoU) of boxes of equal leading shape, corners."""
    lt, rb = torch.maximum(a[..., :2], b[..., :2]), torch.minimum(a[..., 2:], b[..., 2:])
    inter = (rb - lt).clamp(min=0).prod(-1)
    area_a = (a[..., 2:] - a[..., :2]).clamp(min=0).prod(-1)
    area_b = (b[..., 2:] - b[..., :2]).clamp(min=0).prod(-1)
    union = (area_a + area_b - inter).clamp(min=1e-6)
    iou = inter / union
    if not generalised:
        return iou
    hull_lt, hull_rb = torch.minimum(a[..., :2], b[..., :2]), torch.maximum(a[..., 2:], b[..., 2:])
    hull = (hull_rb - hull_lt).clamp(min=0).prod(-1).clamp(min=1e-6)
    return iou - (hull - union) / hull


@torch.no_grad()
def assign(scores, boxes, points, people):
    """For `[N, A]` scores, `[N, A, 4]` boxes and padded `[N, G, 4]` people (all zero: none):
    the score each cell should reach (0 for background), the person it should box, and his number."""
    real = people[..., 2] > people[..., 0]
    centre = (people[..., :2] + people[..., 2:]) / 2
    half = ((people[..., 2:] - people[..., :2]) / 2).clamp(min=NARROW / 2)
    away = (points[None, None] - centre[:, :, None]).abs()
    inside = (away < half[:, :, None]).all(-1) & real[..., None]
    iou = overlap(people[:, :, None], boxes[:, None])
    metric = scores[:, None] ** SCORE_POWER * iou**IOU_POWER * inside
    # While boxes are still poor everywhere, nearness to the centre decides.
    metric = metric + 1e-9 * inside / (1 + away.sum(-1))
    top = metric.topk(min(TOP, metric.shape[-1]), -1)
    chosen = torch.zeros_like(metric).scatter_(-1, top.indices, 1.0) * (metric > 0)
    # A cell wanted by several people goes to the one it overlaps most.
    best = torch.where(chosen > 0, iou + 1e-6, -1.0).max(1)
    positive, person = best.values > 0, best.indices
    mine = F.one_hot(person, people.shape[1]).transpose(1, 2) * chosen * positive[:, None]
    metric, mine_iou = metric * mine, iou * mine
    scale = mine_iou.amax(-1, keepdim=True) / metric.amax(-1, keepdim=True).clamp(min=1e-12)
    target = (metric * scale).amax(1)
    wanted = people.gather(1, person[..., None].expand(-1, -1, 4))
    return target, wanted, positive, person


def quality_focal(logits, target):
    """Cross entropy against a soft target, weighed by the squared distance to it."""
    entropy = F.binary_cross_entropy_with_logits(logits, target, reduction="none")
    return entropy * (logits.sigmoid() - target).abs().square()


def detection_loss(logits, sides, points, people, ignore):
    """The loss against labels: (score part, box part), and the cells of labelled people in a crowd with their scores."""
    boxes = torch.cat([points - sides[..., :2], points + sides[..., 2:]], -1)
    target, wanted, positive, person = assign(logits.detach().sigmoid(), boxes.detach(), points, people)
    away = (points[None, None] >= ignore[:, :, None, :2]) & (points[None, None] <= ignore[:, :, None, 2:])
    real = ignore[..., 2] > ignore[..., 0]
    left_out = (away.all(-1) & real[..., None]).any(1) & ~positive
    total = target.sum().clamp(min=1.0)
    score = (quality_focal(logits, target) * ~left_out).sum() / total
    box = ((1 - overlap(boxes, wanted, True)) * target)[positive].sum() / total
    crowded = hidden(people).gather(1, person) & positive
    return score, box, target * crowded


def hidden(people):
    """Which of the padded `[N, G, 4]` people share much of their boxes with one other."""
    lt = torch.maximum(people[:, :, None, :2], people[:, None, :, :2])
    rb = torch.minimum(people[:, :, None, 2:], people[:, None, :, 2:])
    inter = (rb - lt).clamp(min=0).prod(-1)
    area = (people[..., 2:] - people[..., :2]).prod(-1)
    inter.diagonal(dim1=1, dim2=2).zero_()
    return inter.amax(-1) > HIDING * area.clamp(min=1e-6)


def imitation_loss(features, adapters, taught):
    """One less the correlation of each channel with the teacher's, over all cells of a batch, mean of all.

    After Cao et al., "PKD", NeurIPS 2022: correlation leaves out scale and offset, which differ between two
    networks. `features` are the pyramid's `[N, C, H, W]`, `taught` the teacher's `[N, A, C]`.
    """
    split = taught.split([f.shape[2] * f.shape[3] for f in features], 1)
    gaps = []
    for f, adapter, t in zip(features, adapters, split):
        mine = standard(adapter(f).float().flatten(2).transpose(1, 2).flatten(0, 1))
        gaps.append(1 - (mine * standard(t.flatten(0, 1))).mean())
    return torch.stack(gaps).mean()


def standard(rows):
    """Columns of mean zero and variance one."""
    rows = rows - rows.mean(0)
    return rows / rows.square().mean(0).clamp(min=1e-6).sqrt()


def teaching_loss(logits, sides, points, soft_scores, soft_boxes, labelled):
    """The loss against the teacher's answer in every cell: (score part, box part).

    `labelled` are scores of cells by labels of people in a crowd, who are hard for the teacher: where its own score
    is lower, it is not asked.
    """
    asked = labelled <= soft_scores
    total = (soft_scores * (soft_scores > 0.05)).sum().clamp(min=1.0)
    score = (quality_focal(logits, soft_scores) * asked).sum() / total
    sure = (soft_scores > 0.15) & asked
    boxes = torch.cat([points - sides[..., :2], points + sides[..., 2:]], -1)
    weight = soft_scores[sure]
    gap = 1 - overlap(boxes[sure], soft_boxes[sure], True)
    return score, (gap * weight).sum() / weight.sum().clamp(min=1.0)
