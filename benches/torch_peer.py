#!/usr/bin/env python3
"""TIM-Net in plain eager PyTorch, as a port would be written: a second peer for `cargo xtask bench`.

Needs `pip install torch numpy`. Options and JSON lines are those of keras_peer.py's `train` and `infer`:

    torch_peer.py train --blocks 8 --frames 188 --utterances 482 [--epochs 5]
    torch_peer.py infer --blocks 8 --frames 188 [--repeat 50]
"""

import argparse
import json
import resource
import sys
import time

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F


class SubBlock(nn.Module):
    def __init__(self, channels, dilation, dropout):
        super().__init__()
        self.dilation = dilation
        self.conv = nn.Conv1d(channels, channels, 2, dilation=dilation)
        self.norm = nn.BatchNorm1d(channels, eps=1e-3, momentum=0.01)
        self.dropout = nn.Dropout1d(dropout)

    def forward(self, x):
        return self.dropout(F.relu(self.norm(self.conv(F.pad(x, (self.dilation, 0))))))


class TimNet(nn.Module):
    """[batch, frames, channels] to logits."""

    def __init__(self, blocks, classes, channels=39, dropout=0.1):
        super().__init__()
        block = lambda j: nn.Sequential(*(SubBlock(channels, 2**j, dropout) for _ in "ab"))
        self.stems = nn.ModuleList(nn.Conv1d(channels, channels, 1) for _ in range(2))
        self.blocks = nn.ModuleList(nn.ModuleList(block(j) for j in range(blocks)) for _ in range(2))
        self.fusion = nn.Parameter(torch.empty(blocks).uniform_(-0.05, 0.05))
        self.head = nn.Linear(channels, classes)

    def forward(self, x):
        x = x.transpose(1, 2)
        scales = 0
        for stem, blocks, x in zip(self.stems, self.blocks, (x, x.flip(2))):
            f, means = stem(x), []
            for block in blocks:
                f = f * torch.sigmoid(block(f))
                means.append(f.mean(2))
            scales = scales + torch.stack(means, 2)
        return self.head(scales @ self.fusion)


def report(args, **what):
    rss = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(json.dumps({"peer": "torch", "blocks": args.blocks, "frames": args.frames, **what, "peak_rss": rss}), flush=True)


def train(args):
    rng = np.random.default_rng(1)
    x = torch.from_numpy(rng.standard_normal((args.utterances, args.frames, 39), dtype=np.float32))
    y = torch.from_numpy(rng.integers(args.classes, size=args.utterances))
    model = TimNet(args.blocks, args.classes)
    adam = torch.optim.Adam(model.parameters(), lr=1e-3, betas=(0.93, 0.98), eps=1e-8)

    def epoch():
        model.train()
        for index in torch.randperm(len(x)).split(args.batch):
            adam.zero_grad()
            F.cross_entropy(model(x[index]), y[index], label_smoothing=0.1).backward()
            adam.step()

    epoch()
    for _ in sys.stdin if args.epochs == 0 else range(args.epochs):
        wall, cpu = time.perf_counter(), time.process_time()
        epoch()
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        report(args, utterances=args.utterances, batch=args.batch, seconds_per_epoch=wall, cpu_seconds_per_epoch=cpu)


@torch.inference_mode()
def infer(args):
    model = TimNet(args.blocks, args.classes).eval()
    for batch in (1, 64):
        x = torch.randn(batch, args.frames, 39)
        model(x), model(x)
        times = []
        for _ in range(args.repeat):
            start = time.perf_counter()
            model(x)
            times.append(time.perf_counter() - start)
        report(args, batch=batch, seconds=float(np.median(times)))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("what", choices=("train", "infer"))
    parser.add_argument("--blocks", type=int, default=8)
    parser.add_argument("--classes", type=int, default=7)
    parser.add_argument("--frames", type=int, default=188)
    parser.add_argument("--utterances", type=int, default=482)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--epochs", type=int, default=5, help="0: one for each line on stdin")
    parser.add_argument("--repeat", type=int, default=50)
    parser.add_argument("--threads", type=int, default=0, help="0: PyTorch's own choice")
    args = parser.parse_args()
    if args.threads:
        torch.set_num_threads(args.threads)
    {"train": train, "infer": infer}[args.what](args)


if __name__ == "__main__":
    main()
