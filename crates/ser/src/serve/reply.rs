//! What is asked about a recording, and the answer.

use std::ops::ControlFlow;

use axum::{
    Json,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use seraudio::{LoadOptions, ResampleStream};
use serde::{Deserialize, Serialize};
use sermodel::{Model, Windows};

use super::{Limits, picture::Picture, refusal::Refusal};
use crate::{
    answer::Line,
    hear::{HearError, Patience, Recording, hear},
};

/// Shortest window and hop, in seconds: about the hop of the front end's frames.
const SHORTEST: f64 = 0.01;
/// Most windows of a recording: an answer of about 2.5 MB.
const WINDOWS: f64 = 10_000.0;

/// What may follow the `?` of a request.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Asked {
    /// Length of windows in seconds; without it there is one answer for the whole.
    window: Option<f64>,
    /// From one window's start to the next one's, in seconds.
    hop: f64,
    /// Whether to look for voice first.
    vad: bool,
    /// Whether to send what the page draws.
    picture: bool,
}

impl Default for Asked {
    fn default() -> Self {
        Self { window: None, hop: 0.5, vad: true, picture: false }
    }
}

impl Asked {
    /// # Errors
    /// Windows or hops that are too short.
    pub fn check(self) -> Result<(), Refusal> {
        for (name, seconds) in [("window", self.window.unwrap_or(SHORTEST)), ("hop", self.hop)] {
            if seconds.is_nan() || seconds < SHORTEST {
                let error = format!("{name}={seconds}: it must be at least {SHORTEST} s");
                return Err(Refusal::new(StatusCode::BAD_REQUEST, error));
            }
        }
        Ok(())
    }

    /// How a recording of so many seconds is cut.
    fn windows(self, seconds: f64) -> Result<Option<Windows>, Refusal> {
        let Some(length) = self.window else { return Ok(None) };
        let hop = self.hop.min(length);
        let number = ((seconds - length) / hop).ceil() + 1.0;
        if number > WINDOWS {
            let error = format!(
                "{seconds:.1} s with a hop of {hop} s are {number} windows, at most {WINDOWS} are answered for; use a hop \
                 and a window of {:.3} s or more",
                (seconds / WINDOWS * 1e3).ceil() / 1e3
            );
            return Err(Refusal::new(StatusCode::BAD_REQUEST, error));
        }
        Ok(Some(Windows { length, hop }))
    }
}

#[derive(Serialize)]
struct Told<'a> {
    seconds: f64,
    answer: Line<'a>,
    windows: Vec<Line<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    picture: Option<Picture>,
}

/// The answer for a recording, while it is waited for.
///
/// # Errors
/// A recording that can't be read or is too long, too many windows, an answer that comes too late.
pub fn reply(
    model: &Model,
    limits: Limits,
    asked: Asked,
    bytes: Vec<u8>,
    patience: &Patience,
) -> Result<Response, Refusal> {
    let samples = read(model, limits, bytes, patience)?;
    let front_end = &model.card().front_end;
    let rate = front_end.sample_rate;
    let seconds = samples.len() as f64 / f64::from(rate);
    let recording = Recording::Samples { samples: &samples, rate, patience };
    let windows = match asked.windows(seconds)? {
        None => Vec::new(),
        windows => hear(model, recording, windows, asked.vad)?,
    };
    let whole = hear(model, recording, None, asked.vad)?;
    let picture = asked.picture.then(|| Picture::of(front_end, &samples)).transpose();
    let picture = picture.map_err(|e| Refusal::new(StatusCode::UNPROCESSABLE_ENTITY, e.to_string()))?;
    let [whole] = &whole[..] else {
        return Err(Refusal::new(StatusCode::UNPROCESSABLE_ENTITY, "the recording has no sound"));
    };
    let told = Told {
        seconds,
        answer: whole.line(None, model.labels()),
        windows: windows.iter().map(|a| a.line(None, model.labels())).collect(),
        picture,
    };
    Ok(Json(told).into_response())
}

/// Mono samples at the model's rate: memory is bounded by the longest recording, whatever its own rate.
fn read(model: &Model, limits: Limits, bytes: Vec<u8>, patience: &Patience) -> Result<Vec<f32>, HearError> {
    let within = seraudio::Limits { max_seconds: limits.max_length.into(), ..Default::default() };
    let options = LoadOptions { limits: within, ..Default::default() };
    let (mut stream, mut samples) = (None, Vec::new());
    let mut stopped: Option<HearError> = None;
    seraudio::stream_bytes(bytes, "the recording", &options, |block, rate| {
        if patience.is_over() {
            stopped = Some(HearError::Late);
            return ControlFlow::Break(());
        }
        let stream = match &mut stream {
            Some(stream) => stream,
            None => match ResampleStream::new(rate, model.card().front_end.sample_rate, model.resampler()) {
                Ok(new) => stream.insert(new),
                Err(e) => {
                    stopped = Some(e.into());
                    return ControlFlow::Break(());
                }
            },
        };
        stream.push(block, &mut samples);
        ControlFlow::Continue(())
    })?;
    if let Some(stopped) = stopped {
        return Err(stopped);
    }
    if let Some(stream) = stream {
        stream.finish(&mut samples);
    }
    Ok(samples)
}
