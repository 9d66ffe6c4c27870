"""Makes fixtures/peers from ../shared/data/peers and ../shared/data/keras: what the official models of the compared systems
computed, small enough for every checkout.

    python scripts/peers_fixtures.py                 # needs numpy and safetensors; a quarter of an hour

The initial weights are not copied: every kernel is the draw of one seed (stateless Philox, as Keras' Glorot initialiser makes it), so a
seed stands for it. The seeds are found by trying all from 1 to 10^9, and every kernel that a seed makes is compared with the recorded
one, bit for bit. Biases are 0, gammas 1, betas 0, the attention's scale 1. Seeds in fixtures that are there already are not sought again.
"""

import pathlib

import numpy as np
from safetensors.numpy import load_file, save_file

ROOT = pathlib.Path(__file__).resolve().parents[1]
DATA = ROOT / "../shared/data"
OUT = ROOT / "fixtures/peers"
CONSTANTS = {"bias": 0, "gamma": 1, "beta": 0, "moving_mean": 0, "moving_variance": 1, "scale": 1}


def philox(counter, key):
    """Philox 4x32-10 of arrays of uint32; counter is a list of four, key of two."""
    c = [np.asarray(x, np.uint64) for x in counter]
    k = [np.asarray(x, np.uint64) for x in key]
    low = np.uint64(0xFFFFFFFF)
    for _ in range(10):
        p0, p1 = c[0] * np.uint64(0xD2511F53), c[2] * np.uint64(0xCD9E8D57)
        c = [(p1 >> np.uint64(32)) ^ c[1] ^ k[0], p1 & low, (p0 >> np.uint64(32)) ^ c[3] ^ k[1], p0 & low]
        k = [(k[0] + np.uint64(0x9E3779B9)) & low, (k[1] + np.uint64(0xBB67AE85)) & low]
    return c


def bits(seeds, blocks):
    """The first 23 bits of the draws of each seed, [seeds, 4 * blocks]."""
    seeds = np.asarray(seeds, np.uint64)[:, None]
    zero = np.zeros_like(seeds)
    mixed = philox([seeds, zero, zero, zero], [zero + np.uint64(0x3EC8F720), zero + np.uint64(0x02461E29)])
    block = np.arange(blocks, dtype=np.uint64)[None]
    words = philox([block, block * np.uint64(0), mixed[2] + block * np.uint64(0), mixed[3] + block * np.uint64(0)], mixed[:2])
    return (np.stack(words, -1) & np.uint64(0x7FFFFF)).reshape(len(seeds), -1)


def limit(shape):
    taps = int(np.prod(shape[:-2]))
    return np.float32(np.sqrt(6 / (taps * (shape[-2] + shape[-1]))))


def kernel(seed, shape):
    size = int(np.prod(shape))
    unit = bits([seed], -(-size // 4))[0, :size].astype(np.float32) * np.float32(2**-23)
    a = limit(shape)
    return (unit * (a - -a) + -a).reshape(shape)


def search(kernels):
    """The seed of each kernel of {name: array}."""
    wanted = {}
    for name, k in kernels.items():
        a = float(limit(k.shape))
        wanted[name] = np.rint((k.ravel()[:4].astype(float) + a) / (2 * a) * 2**23).astype(int)
    near = np.zeros(1 << 23, bool)
    for w in wanted.values():
        near[np.clip(w[0] + np.arange(-3, 4), 0, (1 << 23) - 1)] = True
    found, step = {}, 1 << 18
    for start in range(1, 10**9 + 1, step):
        draws = bits(np.arange(start, start + step), 1).astype(int)
        for i in np.flatnonzero(near[draws[:, 0]]):
            for name, w in wanted.items():
                if np.abs(draws[i] - w).max() < 4 and np.array_equal(kernel(start + i, kernels[name].shape), kernels[name]):
                    found[name] = start + i
    missing = kernels.keys() - found.keys()
    assert not missing, f"no seed for {missing}"
    return found


def main():
    OUT.mkdir(exist_ok=True)
    systems = ["gmtcn", "cpac", "caam", "lightsernet"]
    recorded = {name: np.load(DATA / f"peers/{name}.npz") for name in systems}
    seeds, unknown = {}, {}
    for name, file in recorded.items():
        path = OUT / f"{name}.safetensors"
        old = load_file(path) if path.exists() else {}
        for key in (k for k in file.files if k.startswith("init/")):
            values, role = file[key], key.split(".")[-1]
            if role != "kernel":
                assert (values == CONSTANTS[role]).all(), key
            elif f"seed/{key[5:]}" in old:
                seeds[name, key] = int(old[f"seed/{key[5:]}"][0])
            else:
                unknown[name, key] = values
    seeds |= search(unknown) if unknown else {}
    for (name, key), seed in seeds.items():
        assert np.array_equal(kernel(seed, recorded[name][key].shape), recorded[name][key]), (name, key)

    mfcc = np.load(DATA / "keras/timnet_n8.npz")["features"]
    used = []

    def rows(features):
        """The places of recordings in mfcc.safetensors."""
        places = []
        for x in features:
            at = next(i for i, row in enumerate(mfcc) if np.array_equal(row, x))
            if at not in used:
                used.append(at)
            places.append(used.index(at))
        return np.array(places)

    for name, file in recorded.items():
        out = {f"seed/{key[5:]}": np.array([seed]) for (n, key), seed in seeds.items() if n == name}
        for key in file.files:
            values, last = file[key], key.split("/")[-1]
            if key.startswith("init/") or values.dtype.kind == "U" or last.endswith(("_utt0", "capsules")):
                continue
            if last in ("features", "source_features", "target_features") and name != "lightsernet":
                out[last.replace("features", "rows")] = rows(values)
            elif last in ("grad_norm_step1", "weight_norm", "encoder_grad_norm_step1"):
                order = file["encoder_weight_order" if last.startswith("encoder") else "weight_order"]
                norm = last.removeprefix("encoder_")
                out |= {f"{key.removesuffix(last)}{norm}/{tensor}": v[None] for tensor, v in zip(order, values)}
            else:
                out[key] = np.atleast_1d(values)
        save_file(out, OUT / f"{name}.safetensors")
    save_file({"features": mfcc[used]}, OUT / "mfcc.safetensors")


main()
