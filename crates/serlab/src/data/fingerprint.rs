//! What the code makes of fixed recordings, one of each class of format: a feature cache made by code that computes otherwise
//! is not used.

use super::extract::{Extract, bytes};
use crate::error::{LabError, Result};

/// Stereo, 16 kHz, at most a fifth of a second; made by `fingerprint/make.py`.
const RECORDINGS: [(&str, &[u8]); 8] = [
    ("pcm16.wav", include_bytes!("fingerprint/pcm16.wav")),
    ("pcm24.wav", include_bytes!("fingerprint/pcm24.wav")),
    ("float.wav", include_bytes!("fingerprint/float.wav")),
    ("a-law.wav", include_bytes!("fingerprint/a-law.wav")),
    ("pcm16.aiff", include_bytes!("fingerprint/pcm16.aiff")),
    ("pcm16.flac", include_bytes!("fingerprint/pcm16.flac")),
    ("layer3.mp3", include_bytes!("fingerprint/layer3.mp3")),
    ("vorbis.ogg", include_bytes!("fingerprint/vorbis.ogg")),
];

/// Hash of the recordings' samples, decoded, mixed down, resampled and cropped, and of their features.
///
/// # Errors
/// A front end that has no features for them.
pub fn of(extract: &Extract) -> Result<String> {
    of_all(extract, &RECORDINGS)
}

fn of_all(extract: &Extract, recordings: &[(&str, &[u8])]) -> Result<String> {
    let mut hash = blake3::Hasher::new();
    for (name, recording) in recordings {
        let failed = |e: &dyn std::fmt::Display| LabError::Work(format!("the built-in recording {name}: {e}"));
        let audio = seraudio::load_bytes(recording.to_vec(), name, &extract.options).map_err(|e| failed(&e))?;
        let cropped = seraudio::fit_length(&audio.samples, audio.samples.len() / 2 + 1);
        let features = extract.mfcc(&audio.samples).map_err(|e| failed(&e))?;
        for values in [&audio.samples[..], &cropped[..], &features[..]] {
            hash.update(&(values.len() as u64).to_le_bytes());
            hash.update(&bytes(values));
        }
    }
    Ok(hash.finalize().to_hex().to_string())
}

#[cfg(test)]
mod tests {
    use seraudio::{Downmix, Resampler};
    use sermfcc::FrontEnd;

    use super::*;

    /// Each stage of the front end moves the hash: decoding (of every recording), mix-down, resampling and length.
    #[test]
    fn decoding_mix_down_resampling_and_length_are_all_in_it() {
        let front_end = FrontEnd::preset("timnet-0.8.1").unwrap();
        let extract = || Extract::new(&front_end, Some(4000), None, None).unwrap();
        let whole = of(&extract()).unwrap();
        assert_eq!(of(&extract()).unwrap(), whole);

        let mut all = vec![of(&Extract::new(&front_end, Some(5000), None, None).unwrap()).unwrap()];
        let mut left = extract();
        left.options.downmix = Downmix::Channel(0);
        all.push(of(&left).unwrap());
        let mut sinc = extract();
        sinc.options.resampler = Resampler::Sinc;
        all.push(of(&sinc).unwrap());
        // Another recording is what a decoder that reads it otherwise would give.
        for i in 0..RECORDINGS.len() {
            let mut others = RECORDINGS;
            others[i].1 = if i == RECORDINGS.len() - 1 { RECORDINGS[0].1 } else { RECORDINGS[RECORDINGS.len() - 1].1 };
            all.push(of_all(&extract(), &others).unwrap());
        }
        all.push(whole);
        let n = all.len();
        all.sort();
        all.dedup();
        assert_eq!(all.len(), n, "two of these have one fingerprint");
    }

    /// The mix-down of the chirp on the left and the tone on the right, decoded without loss, is one and the same.
    #[test]
    fn recordings_without_loss_agree() {
        let options = seraudio::LoadOptions::default();
        let samples = |name: &str| {
            let (_, bytes) = RECORDINGS.iter().find(|(n, _)| *n == name).unwrap();
            seraudio::load_bytes(bytes.to_vec(), name, &options).unwrap().samples
        };
        let wav = samples("pcm16.wav");
        for name in ["pcm16.flac", "pcm16.aiff", "pcm24.wav", "float.wav"] {
            let other = samples(name);
            assert!(other.len() >= 800 && other[..] == wav[..other.len()], "{name}");
        }
    }
}
