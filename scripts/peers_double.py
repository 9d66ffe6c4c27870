"""Makes fixtures/peers/lightsernet_double.safetensors: Light-SERNet's five steps in double precision, written out in PyTorch operations
from ../shared/spec/peers.md, from the recorded initial weights and features of ../shared/data/peers/lightsernet.npz.

    python scripts/peers_double.py                   # needs numpy, safetensors and torch; a minute

The official run is in single precision. At its first step one ReLU's argument is 5e-6 and lies on the other side there, so its later
values say less than they seem to; these say all.
"""

import pathlib

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.numpy import save_file

ROOT = pathlib.Path(__file__).resolve().parents[1]
STAGES = [("conv64", 3, (2, 2)), ("conv96", 3, (2, 2)), ("conv128", 3, (2, 1)), ("conv160", 3, (2, 1)), ("conv320", 1, None)]


def forward(p, x, running):
    """Logits; with `running` not None inference with those statistics, otherwise also the batch's (mean, unbiased variance)."""
    seen = {}

    def norm(name, x):
        mean, var = x.mean((0, 2, 3)), x.var((0, 2, 3), correction=0)
        n = x.numel() / x.shape[1]
        seen[name] = (mean.detach(), var.detach() * n / (n - 1))
        if running is not None:
            mean, var = running[name]
        scale = p[name + ".bn.gamma"] / torch.sqrt(var + 1e-3)
        return torch.relu((x - mean[:, None, None]) * scale[:, None, None] + p[name + ".bn.beta"][:, None, None])

    pool = lambda x, size: F.avg_pool2d(x, size, ceil_mode=True, count_include_pad=False)
    paths = [("path_11x1", (5, 0)), ("path_1x9", (0, 4)), ("path_3x3", (1, 1))]
    x = torch.cat([pool(norm(n, F.conv2d(x, p[n + ".kernel"], p[n + ".bias"], padding=pad)), 2) for n, pad in paths], 1)
    for name, side, size in STAGES:
        x = norm(name, F.conv2d(x, p[name + ".kernel"], padding=side // 2))
        x = pool(x, size) if size else x
    return x.mean((2, 3)) @ p["head.kernel"].T + p["head.bias"], seen


def main():
    d = np.load(ROOT / "../shared/data/peers/lightsernet.npz")
    x, y = torch.tensor(d["features"], dtype=torch.double)[:, None], torch.tensor(d["labels"])
    out = {}
    for run in ["cross_entropy", "focal"]:
        p, running = {}, {}
        for key in (k for k in d.files if k.startswith("init/")):
            name, v = key[5:], d[key]
            if "moving_" not in name:
                v = v.transpose(3, 2, 0, 1) if v.ndim == 4 else v.T
                p[name] = torch.tensor(np.ascontiguousarray(v), dtype=torch.double, requires_grad=True)
            elif name.endswith("mean"):
                running[name[:-15]] = (torch.zeros(len(v), dtype=torch.double), torch.ones(len(v), dtype=torch.double))
        m = {k: torch.zeros_like(v) for k, v in p.items()}
        s = {k: torch.zeros_like(v) for k, v in p.items()}
        losses = []
        for t in range(1, 6):
            logits, seen = forward(p, x, None)
            log = torch.log_softmax(logits, 1).gather(1, y[:, None])[:, 0]
            each = -log if run == "cross_entropy" else -((1 - log.exp()) ** 2) * log
            loss = each.mean() + 1e-6 * sum((p[n + ".kernel"] ** 2).sum() for n, _, _ in STAGES)
            losses.append(loss.item())
            gradients = dict(zip(p, torch.autograd.grad(loss, p.values())))
            if t == 1:
                out |= {f"{run}/grad_norm_step1/{k}": g.norm()[None].numpy() for k, g in gradients.items()}
            with torch.no_grad():
                rate = 1e-4 * np.sqrt(1 - 0.999**t) / (1 - 0.9**t)
                for k, g in gradients.items():
                    m[k] = 0.9 * m[k] + 0.1 * g
                    s[k] = 0.999 * s[k] + 0.001 * g * g
                    p[k] -= rate * m[k] / (s[k].sqrt() + 1e-7)
                running = {n: tuple(0.99 * a + 0.01 * b for a, b in zip(running[n], seen[n])) for n in running}
        out[f"{run}/losses"] = np.array(losses)
        out[f"{run}/logits"] = forward(p, x, running)[0].detach().numpy()
    save_file(out, ROOT / "fixtures/peers/lightsernet_double.safetensors")


main()
