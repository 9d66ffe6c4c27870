//! Everything that is not plain WAV, through symphonia.

use std::io::{Seek, SeekFrom};

use symphonia::core::codecs::audio::AudioDecoderOptions;
use symphonia::core::errors::Error;
use symphonia::core::formats::probe::Hint;
use symphonia::core::formats::{FormatOptions, FormatReader, TrackType};
use symphonia::core::io::{MediaSource, MediaSourceStream, ReadOnlySource};
use symphonia::core::meta::MetadataOptions;

use crate::container::{self, Cut};
use crate::load::{Info, Sink};
use crate::window::Window;
use crate::{LoadOptions, Problem, sniff};

/// A container ready to be read.
struct Opened {
    format: Box<dyn FormatReader>,
    /// What the container says is missing.
    cut: Option<Cut>,
}

fn open(mut source: Box<dyn MediaSource>, head: &[u8]) -> Result<Opened, Problem> {
    let (source, cut): (Box<dyn MediaSource>, _) = match container::short(&mut source, head)? {
        Some(short) => (Box::new(Window::new(source, short.span)), short.cut),
        None => (source, None),
    };
    let mut format = demux(source, head)?;
    // Streams of MPEG frames: where no header counts the frames, symphonia estimates their number from the length of the
    // file and drops what comes after. It does not if it cannot know the length.
    if frame_length(&*format).is_some() || format.format_info().short_name == "aac" {
        format = demux(Box::new(ReadOnlySource::new(rewound(format.into_inner())?)), head)?;
    }
    Ok(Opened { format, cut })
}

fn demux(mut source: Box<dyn MediaSource>, head: &[u8]) -> Result<Box<dyn FormatReader>, Problem> {
    if source.is_seekable() {
        source.seek(SeekFrom::Start(0))?;
    }
    let stream = MediaSourceStream::new(source, Default::default());
    symphonia::default::get_probe()
        .probe(&Hint::new(), stream, FormatOptions::default(), MetadataOptions::default())
        .map_err(|error| match error {
            Error::IoError(error) if error.kind() != std::io::ErrorKind::UnexpectedEof => error.into(),
            Error::IoError(_) if sniff::is_container(head) => Cut::UNREADABLE.into(),
            Error::Unsupported(detail) if sniff::is_container(head) => Problem::Unsupported { detail: detail.into() },
            Error::Unsupported(_) | Error::IoError(_) => sniff::unknown(head),
            other => Problem::Damaged { detail: other.to_string() },
        })
}

fn rewound(mut stream: MediaSourceStream<'static>) -> Result<MediaSourceStream<'static>, Problem> {
    stream.seek(SeekFrom::Start(0))?;
    Ok(stream)
}

/// Samples of a channel in one frame of an MPEG stream; `None` for other containers.
fn frame_length(format: &dyn FormatReader) -> Option<u64> {
    let track = format.default_track(TrackType::Audio)?;
    let rate = track.codec_params.as_ref()?.audio()?.sample_rate?;
    match format.format_info().short_name {
        "mp1" => Some(384),
        // MPEG-2 has the lower rates.
        "mp3" if rate < 32_000 => Some(576),
        "mp2" | "mp3" => Some(1152),
        _ => None,
    }
}

/// Reads headers only.
pub(crate) fn probe(source: Box<dyn MediaSource>, head: &[u8]) -> Result<Info, Problem> {
    let Opened { format, cut } = open(source, head)?;
    if let Some(cut) = cut {
        return Err(cut.into());
    }
    let track = format.default_track(TrackType::Audio).ok_or_else(|| no_audio_track(head))?;
    let parameters = track.codec_params.as_ref().and_then(|p| p.audio()).ok_or_else(unknown_codec)?;
    let missing = |what: &str| Problem::Header { detail: format!("it does not say its {what}") };
    Ok(Info {
        rate: parameters.sample_rate.ok_or_else(|| missing("rate"))?,
        channels: parameters.channels.as_ref().map(|c| c.count() as u32).ok_or_else(|| missing("channels"))?,
        frames: track.num_frames,
        format: format.format_info().long_name.to_owned(),
        open_ended: false,
    })
}

/// Decodes the first audio track and mixes it down, a packet at a time.
pub(crate) fn read(
    source: Box<dyn MediaSource>,
    head: &[u8],
    options: &LoadOptions,
    sink: Sink<'_>,
) -> Result<(), Problem> {
    let Opened { mut format, cut } = open(source, head)?;
    if let Some(cut) = cut.filter(|_| !options.accept_damaged) {
        return Err(cut.into());
    }
    // Containers whose count of samples is exact, and how many may be missing all the same: some encoders count the MPEG
    // frame that holds the count.
    let slack = if format.format_info().short_name == "flac" { Some(0) } else { frame_length(&*format) };
    let track = format.default_track(TrackType::Audio).ok_or_else(|| no_audio_track(head))?;
    let (track_id, declared) = (track.id, track.num_frames);
    let parameters = track.codec_params.as_ref().and_then(|p| p.audio()).ok_or_else(unknown_codec)?;
    let mut decoder = symphonia::default::get_codecs()
        .make_audio_decoder(parameters, &AudioDecoderOptions::default())
        .map_err(|error| Problem::Unsupported { detail: sniff::codec(head).unwrap_or(&error.to_string()).into() })?;

    let header_rate = parameters.sample_rate;
    let rate_of = |spec: Option<(u32, usize)>| spec.map(|(rate, _)| rate).or(header_rate).filter(|&rate| rate > 0);
    let mut present = 0;
    let mut mono = Vec::new();
    let mut interleaved: Vec<f32> = Vec::new();
    let mut spec: Option<(u32, usize)> = None;
    loop {
        let packet = match format.next_packet() {
            Ok(Some(packet)) => packet,
            Ok(None) => break,
            Err(_) if options.accept_damaged => break,
            Err(Error::IoError(error)) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
                return Err(missing(declared, present, rate_of(spec)));
            }
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
    let complete = slack.zip(declared).is_none_or(|(slack, declared)| present.saturating_add(slack) >= declared);
    if complete || options.accept_damaged { Ok(()) } else { Err(missing(declared, present, rate_of(spec))) }
}

/// Fewer frames than declared.
fn missing(declared: Option<u64>, present: u64, rate: Option<u32>) -> Problem {
    let seconds = |frames: u64| rate.map(|rate| frames as f64 / f64::from(rate));
    Cut { declared: declared.and_then(seconds), present: seconds(present) }.into()
}

fn damaged(error: &Error, frames: u64) -> Problem {
    Problem::Damaged { detail: format!("{error}, after {frames} frames") }
}

fn no_audio_track(head: &[u8]) -> Problem {
    match sniff::codec(head) {
        Some(codec) => Problem::Unsupported { detail: codec.into() },
        None => Problem::NotAudio { found: "has no audio track".into() },
    }
}

fn unknown_codec() -> Problem {
    Problem::Unsupported { detail: "a codec that is not known".into() }
}
