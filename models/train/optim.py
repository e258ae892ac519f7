"""The optimiser: Muon for the convolutions, AdamW for everything else, as one object.

Muon (Jordan et al., 2024, kellerjordan.github.io/posts/muon) replaces each weight matrix's momentum by the
nearest orthogonal matrix, found by a few Newton-Schulz steps. Scaled as in Liu et al., "Muon is Scalable for
LLM Training" (2025), it takes AdamW's rate and decay. Where passes over the data are few, as on two CPU
cores, it gets further with each.
"""

import torch

NEWTON_SCHULZ = (3.4445, -4.7750, 2.0315)  # Jordan's coefficients: steep at zero, near one within five steps


def orthogonal(matrix, kind=torch.bfloat16, steps=5):
    """About the nearest matrix whose singular values are all one, worked out in numbers of `kind`."""
    a, b, c = NEWTON_SCHULZ
    x = matrix.to(kind)
    tall = x.shape[0] > x.shape[1]
    x = x.T if tall else x
    x = x / (x.norm() + 1e-7)
    for _ in range(steps):
        s = x @ x.T
        x = a * x + (b * s + c * (s @ s)) @ x
    return (x.T if tall else x).float()


class Mixed(torch.optim.Optimizer):
    """Groups with `muon` true are stepped by Muon, the others by AdamW.

    `kind` is what Muon calculates in: the numbers that the processor is quick with.
    """

    def __init__(self, model, rate, decay, kind=torch.bfloat16):
        spread = [p for n, p in model.named_parameters() if p.ndim == 4 and "convs." in n]
        known = {id(p) for p in spread}
        rest = [p for p in model.parameters() if id(p) not in known]
        groups = [
            {"params": spread, "muon": True, "decay": decay},
            {"params": [p for p in rest if p.ndim > 1], "muon": False, "decay": decay},
            {"params": [p for p in rest if p.ndim <= 1], "muon": False, "decay": 0.0},
        ]
        super().__init__(groups, {"lr": rate})
        self.kind = kind

    @torch.no_grad()
    def step(self, closure=None):
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is None:
                    continue
                p.mul_(1 - group["lr"] * group["decay"])
                (self._muon if group["muon"] else self._adam)(p, group["lr"])

    def _muon(self, p, rate, keep=0.95):
        state = self.state[p]
        if "mean" not in state:
            state["mean"] = torch.zeros_like(p)
        state["mean"].lerp_(p.grad, 1 - keep)
        ahead = p.grad.lerp(state["mean"], keep)
        update = orthogonal(ahead.flatten(1), self.kind)
        p.add_(update.reshape(p.shape), alpha=-rate * 0.2 * max(update.shape) ** 0.5)

    def _adam(self, p, rate, keep=(0.9, 0.999), tiny=1e-8):
        state = self.state[p]
        if "step" not in state:
            state.update(step=torch.zeros(()), mean=torch.zeros_like(p), square=torch.zeros_like(p))
        state["step"] += 1
        state["mean"].lerp_(p.grad, 1 - keep[0])
        state["square"].lerp_(p.grad.square(), 1 - keep[1])
        first = state["mean"] / (1 - keep[0] ** state["step"])
        second = state["square"] / (1 - keep[1] ** state["step"])
        p.sub_(rate * first / (second.sqrt() + tiny))
