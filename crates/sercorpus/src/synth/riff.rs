//! WAV files as real corpora have them: 16-bit PCM, with chunks before and after the audio.

/// How the channels of a recording relate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Channels {
    Mono,
    /// Two channels, equal.
    DualMono,
    /// Two microphones: the second hears it later, and fainter.
    Stereo,
}

impl Channels {
    fn count(self) -> u16 {
        if self == Self::Mono { 1 } else { 2 }
    }

    /// Interleave.
    pub(super) fn spread(self, mono: &[i16]) -> Vec<i16> {
        match self {
            Self::Mono => mono.to_vec(),
            Self::DualMono => mono.iter().flat_map(|&s| [s, s]).collect(),
            Self::Stereo => (0..mono.len())
                .flat_map(|i| {
                    let late = i.checked_sub(9).map_or(0, |j| i32::from(mono[j]));
                    [mono[i], ((late * 4 + i32::from(mono[i])) / 6) as i16]
                })
                .collect(),
        }
    }
}

/// What surrounds the audio.
pub(super) struct Format {
    pub channels: Channels,
    /// A chunk before `fmt `.
    pub first: Option<[u8; 4]>,
    /// A filler chunk after `fmt ` that puts the audio at this byte.
    pub data_at: Option<usize>,
    /// Chunks after the audio: name and size.
    pub after: Vec<([u8; 4], usize)>,
}

pub(super) fn encode(samples: &[i16], rate: u32, format: &Format) -> Vec<u8> {
    let channels = format.channels.count();
    let mut out = b"RIFF\0\0\0\0WAVE".to_vec();
    if let Some(name) = format.first {
        chunk(&mut out, name, &[0; 12]);
    }
    let mut fmt = Vec::with_capacity(16);
    fmt.extend(1u16.to_le_bytes()); // PCM
    fmt.extend(channels.to_le_bytes());
    fmt.extend(rate.to_le_bytes());
    fmt.extend((rate * u32::from(channels) * 2).to_le_bytes());
    fmt.extend((channels * 2).to_le_bytes());
    fmt.extend(16u16.to_le_bytes());
    chunk(&mut out, *b"fmt ", &fmt);
    if let Some(position) = format.data_at {
        // Two chunk headers, the filler's and the audio's, are still to come.
        let filler = vec![0; position.saturating_sub(out.len() + 16)];
        chunk(&mut out, *b"FLLR", &filler);
    }
    let audio: Vec<u8> = samples.iter().flat_map(|s| s.to_le_bytes()).collect();
    chunk(&mut out, *b"data", &audio);
    for &(name, size) in &format.after {
        // Not zeros: read as audio, they would be heard.
        let body: Vec<u8> = (0..size).map(|i| (i * 37 % 251) as u8).collect();
        chunk(&mut out, name, &body);
    }
    let size = (out.len() - 8) as u32;
    out[4..8].copy_from_slice(&size.to_le_bytes());
    out
}

fn chunk(out: &mut Vec<u8>, name: [u8; 4], body: &[u8]) {
    out.extend(name);
    out.extend((body.len() as u32).to_le_bytes());
    out.extend(body);
    if body.len() % 2 == 1 {
        out.push(0);
    }
}
