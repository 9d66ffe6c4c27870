"""Makes the recordings beside it: pip install numpy soundfile (libsndfile 1.2).

A chirp of a fifth of a second at 16 kHz, on two channels that differ, so that decoding, mix-down and resampling all show in
its features. The files are fixtures: made once and never made again, since another encoder writes other bytes.
"""
from pathlib import Path

import numpy as np
import soundfile as sf

RATE = 16_000
t = np.arange(RATE // 5) / RATE
left = 0.5 * np.sin(2 * np.pi * (200 + 3000 * t) * t)
right = 0.25 * np.sin(2 * np.pi * 440 * t)
# Whole numbers, so that the lossless files hold the same samples.
stereo = np.round(32767 * np.stack([left, right], axis=1)).astype(np.int16)
here = Path(__file__).parent

sf.write(here / "a-law.wav", stereo, RATE, format="WAV", subtype="ALAW")
sf.write(here / "float.wav", stereo[: RATE // 20].astype(np.float32) / 32768, RATE, format="WAV", subtype="FLOAT")
sf.write(here / "pcm16.wav", stereo, RATE, format="WAV", subtype="PCM_16")
sf.write(here / "pcm24.wav", stereo[: RATE // 20], RATE, format="WAV", subtype="PCM_24")
sf.write(here / "pcm16.aiff", stereo[: RATE // 20], RATE, format="AIFF", subtype="PCM_16")
sf.write(here / "pcm16.flac", stereo, RATE, format="FLAC", subtype="PCM_16")
sf.write(here / "layer3.mp3", stereo, RATE, format="MP3", subtype="MPEG_LAYER_III")
sf.write(here / "vorbis.ogg", stereo, RATE, format="OGG", subtype="VORBIS")
