//! Everything that is not plain WAV, through symphonia.

use std::io::{Seek, SeekFrom};

use symphonia::core::codecs::audio::AudioDecoderOptions;
use symphonia::core::errors::Error;
use symphonia::core::formats::probe::Hint;
use symphonia::core::formats::{FormatOptions, FormatReader, TrackType};
use symphonia::core::io::{MediaSource, MediaSourceStream};
use symphonia::core::meta::MetadataOptions;

use crate::load::{Info, Sink};
use crate::{LoadOptions, Problem, sniff};

fn open(mut source: Box<dyn MediaSource>, head: &[u8]) -> Result<Box<dyn FormatReader>, Problem> {
    source.seek(SeekFrom::Start(0))?;
    let stream = MediaSourceStream::new(source, Default::default());
    symphonia::default::get_probe()
        .probe(&Hint::new(), stream, FormatOptions::default(), MetadataOptions::default())
        .map_err(|error| match error {
            Error::Unsupported(_) | Error::IoError(_) => sniff::unknown(head),
            other => Problem::Damaged { detail: other.to_string() },
        })
}

/// Reads headers only.
pub(crate) fn probe(source: Box<dyn MediaSource>, head: &[u8]) -> Result<Info, Problem> {
    let format = open(source, head)?;
    let track = format.default_track(TrackType::Audio).ok_or_else(no_audio_track)?;
    let parameters = track.codec_params.as_ref().and_then(|p| p.audio()).ok_or_else(unknown_codec)?;
    let missing = |what: &str| Problem::Header { detail: format!("it does not say its {what}") };
    Ok(Info {
        rate: parameters.sample_rate.ok_or_else(|| missing("rate"))?,
        channels: parameters.channels.as_ref().map(|c| c.count() as u32).ok_or_else(|| missing("channels"))?,
        frames: track.num_frames,
        format: format.format_info().long_name.to_owned(),
    })
}

/// Decodes the first audio track and mixes it down, a packet at a time.
pub(crate) fn read(
    source: Box<dyn MediaSource>,
    head: &[u8],
    options: &LoadOptions,
    sink: Sink<'_>,
) -> Result<(), Problem> {
    let mut format = open(source, head)?;
    let exact_count = format.format_info().short_name == "flac";
    let track = format.default_track(TrackType::Audio).ok_or_else(no_audio_track)?;
    let (track_id, declared) = (track.id, track.num_frames);
    let parameters = track.codec_params.as_ref().and_then(|p| p.audio()).ok_or_else(unknown_codec)?;
    let mut decoder = symphonia::default::get_codecs()
        .make_audio_decoder(parameters, &AudioDecoderOptions::default())
        .map_err(|error| Problem::Unsupported { detail: error.to_string() })?;

    let mut present = 0;
    let mut mono = Vec::new();
    let mut interleaved: Vec<f32> = Vec::new();
    let mut spec: Option<(u32, usize)> = None;
    loop {
        let packet = match format.next_packet() {
            Ok(Some(packet)) => packet,
            Ok(None) => break,
            Err(_) if options.accept_damaged => break,
            Err(error) => return Err(damaged(&error, present)),
        };
        if packet.track_id != track_id {
            continue;
        }
        let buffer = match decoder.decode(&packet) {
            Ok(buffer) => buffer,
            Err(_) if options.accept_damaged => continue,
            Err(error) => return Err(damaged(&error, present)),
        };
        if buffer.frames() == 0 {
            continue;
        }
        let found = (buffer.spec().rate(), buffer.spec().channels().count());
        if *spec.get_or_insert(found) != found {
            let detail = "the rate or the number of channels changes within the file".into();
            return Err(Problem::Unsupported { detail });
        }
        let (rate, channels) = found;
        options.limits.check(rate, channels as u32)?;
        options.downmix.check(channels as u32)?;
        present += buffer.frames() as u64;
        if present > options.limits.max_frames(rate) {
            return Err(Problem::TooLong { limit: options.limits.max_seconds });
        }
        buffer.copy_to_vec_interleaved(&mut interleaved);
        mono.clear();
        options.downmix.mix(&interleaved, channels, &mut mono);
        if sink(&mono, rate)?.is_break() {
            return Ok(());
        }
    }
    if let Some(declared) = declared.filter(|&declared| exact_count && present < declared && !options.accept_damaged) {
        return Err(Problem::MissingFrames { declared, present });
    }
    Ok(())
}

fn damaged(error: &Error, frames: u64) -> Problem {
    Problem::Damaged { detail: format!("{error}, after {frames} frames") }
}

fn no_audio_track() -> Problem {
    Problem::NotAudio { found: "has no audio track".into() }
}

fn unknown_codec() -> Problem {
    Problem::Unsupported { detail: "a codec that is not known".into() }
}
