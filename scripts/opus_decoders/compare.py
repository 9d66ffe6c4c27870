"""Every Opus decoder in Rust against libopus (ffmpeg -c:a libopus, float output), sample by sample.

    (cd scripts/opus_decoders && cargo build --release)
    python scripts/opus_decoders/compare.py EMODB_WAV RAVDESS [--each 6]

Encodes recordings with libopus at 16, 24, 32 and 64 kbit/s, mono and stereo, for speech (SILK, hybrid), for music (hybrid, CELT) and
for low delay (CELT only), 2.5 to 60 ms a frame, decodes them with each decoder, and prints a table in Markdown. Needs ffmpeg and NumPy.
"""

import argparse
import collections
import glob
import json
import os
import subprocess
import tempfile

import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))


def ffmpeg(*arguments):
    return subprocess.run(["ffmpeg", "-v", "error", "-y", *arguments], check=True, capture_output=True).stdout


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("emodb")
    parser.add_argument("ravdess")
    parser.add_argument("--each", type=int, default=6, help="recordings of each corpus")
    parser.add_argument("--program", default=os.path.join(HERE, "target/release/opus-decoders"))
    arguments = parser.parse_args()
    found = [
        sorted(glob.glob(os.path.join(folder, "**/*.wav"), recursive=True) + glob.glob(os.path.join(folder, "**/*.flac"), recursive=True))
        for folder in (arguments.emodb, arguments.ravdess)
    ]
    files = [f for all_files in found for f in all_files[:: max(1, len(all_files) // arguments.each)][: arguments.each]]
    rows = collections.defaultdict(lambda: collections.defaultdict(list))
    totals = collections.defaultdict(lambda: collections.defaultdict(list))
    with tempfile.TemporaryDirectory() as folder:
        for number, source in enumerate(files):
            encoded = []
            for application, frame in (("voip", "20"), ("voip", "60"), ("audio", "20"), ("audio", "10"), ("lowdelay", "2.5"), ("lowdelay", "20")):
                for rate in ("16k", "24k", "32k", "64k"):
                    for channels in ("mono", "stereo"):
                        # The right channel is the left one, weaker and 7 ms later.
                        mix = "pan=mono|c0=c0" if channels == "mono" else "pan=stereo|c0=c0|c1=0.6*c0,adelay=0|7"
                        path = os.path.join(folder, f"{number}-{application}-{frame}-{rate}-{channels}.opus")
                        ffmpeg("-i", source, "-af", mix, "-c:a", "libopus", "-b:a", rate, "-application", application,
                               "-frame_duration", frame, path)
                        encoded.append(path)
            told = subprocess.run([arguments.program, folder, *encoded], check=True, capture_output=True, text=True).stdout
            references = {}
            for line in told.splitlines():
                answer = json.loads(line)
                path = os.path.join(folder, answer["file"])
                if path not in references:
                    raw = ffmpeg("-request_sample_fmt", "flt", "-c:a", "libopus", "-i", path, "-f", "f32le", "-")
                    references[path] = np.frombuffer(raw, "<f4").reshape(-1, answer["channels"]).astype(np.float64)
                reference = references[path]
                out = f"{path}.{answer['decoder']}.f32"
                samples = np.fromfile(out, "<f4").reshape(-1, answer["channels"]).astype(np.float64)
                os.remove(out)
                samples = samples[answer["skip"]:][: len(reference)]
                _, application, frame, rate, channels = answer["file"].removesuffix(".opus").split("-")
                silk, hybrid, celt = answer["modes"]
                mode = "SILK" if hybrid == celt == 0 else "CELT" if silk == hybrid == 0 else "hybrid" if silk == celt == 0 else "changing"
                case = dict(seconds=answer["seconds"], length=len(reference) / 48000, error=answer["error"])
                if answer["error"] or len(samples) != len(reference):
                    case["error"] = answer["error"] or f"{len(samples)} of {len(reference)} frames"
                else:
                    # Decoders with 16-bit output clip at full scale.
                    case["beyond"] = np.abs(samples - reference).max()
                    difference = np.clip(samples, -1, 1) - np.clip(reference, -1, 1)
                    case["worst"] = np.abs(difference).max()
                    case["snr"] = min(10 * np.log10((reference**2).sum() / max((difference**2).sum(), 1e-30)), 300)
                    case["silent"] = bool(np.abs(samples).max() < 1e-3)
                if case["error"] or case["snr"] < 30:
                    case["file"] = f"{os.path.basename(source)} {answer['file']}"
                rows[(mode, channels)][answer["decoder"]].append(case)
                totals["all"][answer["decoder"]].append(case)
            for path in encoded:
                os.remove(path)
    for decoder, cases in totals["all"].items():
        bad = [c for c in cases if "file" in c]
        for case in bad[:3]:
            print(f"{decoder}: {case['file']}: {case['error'] or case['snr']}")
    print(f"\n{len(files)} recordings, {len(next(iter(totals['all'].values())))} files each decoder\n")
    print("| mode | channels | files | decoder | errors | silent | SNR, lowest | SNR, median | largest difference | and beyond full scale | times real time |")
    print("|---|---|--:|---|--:|--:|--:|--:|--:|--:|--:|")
    for (mode, channels), decoders in [*sorted(rows.items()), (("all", ""), totals["all"])]:
        for decoder, cases in decoders.items():
            good = [c for c in cases if not c["error"]]
            figures = ("-",) * 4
            if good:
                snr = [c["snr"] for c in good]
                worst = [f"{max(c[key] for c in good):.1e}" for key in ("worst", "beyond")]
                figures = f"{min(snr):.1f} dB", f"{np.median(snr):.1f} dB", *worst
            speed = sum(c["length"] for c in cases) / sum(c["seconds"] for c in cases)
            print(f"| {mode} | {channels} | {len(cases)} | {decoder} | {len(cases) - len(good)} | {sum(c['silent'] for c in good)} "
                  f"| {' | '.join(figures)} | {speed:.0f} |")


if __name__ == "__main__":
    main()
