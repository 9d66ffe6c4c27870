"""The peer of `cargo run --release -p sermfcc --example bench_features`: the same work by librosa, one JSON object a line,
{"name": .., "seconds": the median of some repetitions}. Needs Python with librosa 0.11, soxr, resampy and soundfile.

    python features_peer.py [--emodb FOLDER] [--repeat N] [--only SUBSTRING]

One thread for everything but "all cores", which uses one process per core: set before NumPy is imported.
"""

import os

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ[variable] = "1"

import argparse
import glob
import json
import multiprocessing
import statistics
import sys
import time

import librosa
import numpy as np

RATE, LENGTH = 22050, 96000
PRESETS = {
    "timnet-0.8.1": dict(res_type="kaiser_best", pad_mode="reflect"),
    "timnet-0.9": dict(res_type="kaiser_best", pad_mode="constant"),
    "timnet-0.10": dict(res_type="soxr_hq", pad_mode="constant"),
}


def signal(samples):
    n = np.arange(samples)
    noise = ((n * 2654435761) >> 7) % 1000 / 1e5
    return (np.sin(n * 0.03) * 0.3 + noise).astype(np.float32)


def mfcc(samples, pad_mode="constant"):
    return librosa.feature.mfcc(y=samples, sr=RATE, n_mfcc=39, pad_mode=pad_mode)


def one_file(job):
    path, preset = job
    samples, _ = librosa.load(path, sr=RATE, res_type=PRESETS[preset]["res_type"])
    pad = LENGTH - len(samples)
    if pad >= 0:
        samples = np.pad(samples, (pad // 2, pad - pad // 2))
    else:
        samples = samples[-pad // 2 :][:LENGTH]
    return mfcc(samples, PRESETS[preset]["pad_mode"]).shape[1]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--emodb")
    parser.add_argument("--repeat", type=int, default=50)
    parser.add_argument("--only", default="")
    arguments = parser.parse_args()

    def bench(name, repeat, work):
        if arguments.only not in name:
            return
        work()
        seconds = []
        for _ in range(min(repeat, arguments.repeat)):
            start = time.perf_counter()
            work()
            seconds.append(time.perf_counter() - start)
        print(json.dumps({"name": name, "seconds": statistics.median(seconds)}), flush=True)

    samples = signal(LENGTH)
    # librosa has one precision for float32 samples, so both of ours are measured against it.
    for precision in ("f32", "f64"):
        bench("mel " + precision, 10**9, lambda: librosa.feature.melspectrogram(y=samples, sr=RATE))
        bench("mfcc " + precision, 10**9, lambda: mfcc(samples))
    for seconds in (1, 10, 60, 600, 3600):
        long = signal(seconds * RATE)
        bench("growth %d s" % seconds, 3, lambda: mfcc(long))
    if not arguments.emodb:
        print("skipped: from files (no --emodb)", file=sys.stderr)
        return
    files = sorted(glob.glob(os.path.join(arguments.emodb, "wav", "*.wav")))
    if not files:
        sys.exit("no recordings in %s/wav" % arguments.emodb)
    with multiprocessing.Pool() as pool:
        for preset in PRESETS:
            jobs = [(path, preset) for path in files]
            bench("files %s one thread" % preset, 1, lambda: [one_file(job) for job in jobs])
            bench("files %s all cores" % preset, 1, lambda: pool.map(one_file, jobs, chunksize=8))


if __name__ == "__main__":
    main()
