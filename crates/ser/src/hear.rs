//! A recording of any length and format through a model, in constant memory.

use std::{
    io::Read,
    ops::ControlFlow,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc::{SyncSender, sync_channel},
    },
    time::{Duration, Instant},
};

use rayon::prelude::*;
use seraudio::{AudioError, Limits, LoadOptions};
use sermodel::{Listener, Model, ModelError, Window, Windows};

use crate::answer::{Answer, Verdict};

/// Where a recording comes from.
#[derive(Debug, Clone, Copy)]
pub enum Recording<'a> {
    /// A file of any length.
    File(&'a Path),
    /// Standard input, which is held in memory.
    Stdin,
    /// Mono samples, to be answered for while somebody waits.
    Samples {
        /// At `rate`.
        samples: &'a [f32],
        /// In Hz.
        rate: u32,
        /// How long somebody waits.
        patience: &'a Patience,
    },
}

/// How long an answer is waited for.
#[derive(Debug)]
pub struct Patience {
    until: Instant,
    gone: AtomicBool,
}

/// Whoever waits for an answer; dropped when they do no longer.
#[derive(Debug)]
pub struct Waits(Arc<Patience>);

impl Patience {
    /// For so long from now on.
    pub fn new(time: Duration) -> Self {
        Self { until: Instant::now() + time, gone: AtomicBool::new(false) }
    }

    /// It is over when the value is dropped, if not before.
    pub fn ends_with_this(self: &Arc<Self>) -> Waits {
        Waits(Arc::clone(self))
    }

    /// Whether nobody waits any more.
    pub fn is_over(&self) -> bool {
        self.gone.load(Ordering::Relaxed) || Instant::now() > self.until
    }
}

impl Drop for Waits {
    fn drop(&mut self) {
        self.0.gone.store(true, Ordering::Relaxed);
    }
}

impl<'a> Recording<'a> {
    /// A file, or with `-` stdin.
    pub fn at(path: &'a Path) -> Self {
        if path.as_os_str() == "-" { Self::Stdin } else { Self::File(path) }
    }

    fn name(self) -> String {
        match self {
            Self::File(path) => path.display().to_string(),
            Self::Stdin => "stdin".to_owned(),
            Self::Samples { .. } => "the recording".to_owned(),
        }
    }

    /// Hands its samples and their rate to `sink`, block by block.
    fn stream(self, mut sink: impl FnMut(&[f32], u32) -> ControlFlow<()>) -> Result<(), HearError> {
        let limits = Limits { max_seconds: f64::INFINITY, ..Limits::default() };
        let options = LoadOptions { limits, ..LoadOptions::default() };
        match self {
            Self::File(path) => seraudio::stream(path, &options, sink)?,
            Self::Stdin => {
                let mut bytes = Vec::new();
                std::io::stdin().lock().take(STDIN + 1).read_to_end(&mut bytes)?;
                if bytes.len() as u64 > STDIN {
                    return Err(std::io::Error::other("more than 1 GiB; give a file").into());
                }
                seraudio::stream_bytes(bytes, "stdin", &options, sink)?;
            }
            Self::Samples { samples, rate, .. } => {
                for block in samples.chunks(rate as usize) {
                    self.is_waited_for()?;
                    if sink(block, rate).is_break() {
                        break;
                    }
                }
            }
        }
        Ok(())
    }

    fn is_waited_for(self) -> Result<(), HearError> {
        match self {
            Self::Samples { patience, .. } if patience.is_over() => Err(HearError::Late),
            _ => Ok(()),
        }
    }
}

/// A recording that gives no answer.
#[derive(Debug, thiserror::Error)]
pub enum HearError {
    /// It can't be read.
    #[error(transparent)]
    Audio(#[from] AudioError),
    /// Stdin can't be read.
    #[error("stdin cannot be read: {0}")]
    Stdin(#[from] std::io::Error),
    /// Not all of it was answered for in time.
    #[error("not all of it could be answered for in time; send a shorter recording, or ask for fewer windows")]
    Late,
    /// The model refuses it.
    #[error("{name}: {source}")]
    Model {
        /// The recording.
        name: String,
        /// Why.
        source: ModelError,
    },
}

/// Bytes taken from stdin at most: containers need to be searched, so stdin is held in memory.
const STDIN: u64 = 1 << 30;
/// Windows on their way from reading to answering, at most two batches of which wait.
const BATCH: usize = 32;

/// One answer a window, or where `windows` is None one for the whole: the mean of the probabilities of half-overlapping
/// windows of the training length, which for a recording up to that length is the network's own answer.
///
/// # Errors
/// A recording that can't be read, windows that the model can't answer for.
pub fn hear(
    model: &Model,
    recording: Recording<'_>,
    windows: Option<Windows>,
    voice: bool,
) -> Result<Vec<Answer>, HearError> {
    let cut = windows.unwrap_or_else(|| Windows::of(model));
    let (to, batches) = sync_channel::<Vec<Window>>(2);
    let answers = std::thread::scope(|scope| {
        let reader = scope.spawn(move || read(model, recording, cut, voice, &to));
        let mut answers = Vec::new();
        for batch in batches {
            let batch: Result<Vec<Answer>, HearError> = batch
                .par_iter()
                .map(|window| {
                    recording.is_waited_for()?;
                    answer(model, window).map_err(|source| in_recording(recording, source))
                })
                .collect();
            answers.extend(batch?);
        }
        reader.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
        Ok::<_, HearError>(answers)
    })?;
    Ok(if windows.is_some() { answers } else { vec![whole(model, &answers)] })
}

fn in_recording(recording: Recording<'_>, source: ModelError) -> HearError {
    HearError::Model { name: recording.name(), source }
}

/// Reads the recording and sends its windows; a receiver that has gone knows why.
fn read(
    model: &Model,
    recording: Recording<'_>,
    cut: Windows,
    voice: bool,
    to: &SyncSender<Vec<Window>>,
) -> Result<(), HearError> {
    let mut listener = None;
    let mut refused = None;
    let mut pending = Vec::new();
    recording.stream(|samples, rate| {
        let listener = match &mut listener {
            Some(listener) => listener,
            None => match Listener::new(model, rate, cut, voice) {
                Ok(new) => listener.insert(new),
                Err(e) => {
                    refused = Some(e);
                    return ControlFlow::Break(());
                }
            },
        };
        // A block can be an hour at a low rate, so it is handed on in pieces, of no more than a batch of windows.
        let piece = ((cut.hop * f64::from(rate)) as usize).saturating_mul(BATCH).clamp(1, 16_384);
        for piece in samples.chunks(piece) {
            pending.extend(listener.push(piece));
            if pending.len() >= BATCH && to.send(std::mem::take(&mut pending)).is_err() {
                return ControlFlow::Break(());
            }
        }
        ControlFlow::Continue(())
    })?;
    if let Some(source) = refused {
        return Err(in_recording(recording, source));
    }
    pending.extend(listener.map(Listener::finish).unwrap_or_default());
    // Nobody listens any more where an answer failed, which is then what is reported.
    let _ = to.send(pending);
    Ok(())
}

fn answer(model: &Model, window: &Window) -> Result<Answer, ModelError> {
    let verdict = if window.is_speech() {
        let prediction = model.predict(&window.samples, model.card().front_end.sample_rate)?;
        let (label, unknown) = (prediction.label, prediction.abstained);
        Some(Verdict { probabilities: prediction.probabilities, label, unknown })
    } else {
        None
    };
    Ok(Answer { start: window.start, end: window.end, verdict })
}

fn whole(model: &Model, answers: &[Answer]) -> Answer {
    let mut probabilities = vec![0.0; model.labels().len()];
    let mut heard = 0.0;
    for verdict in answers.iter().filter_map(|a| a.verdict.as_ref()) {
        heard += 1.0;
        probabilities.iter_mut().zip(&verdict.probabilities).for_each(|(sum, p)| *sum += p);
    }
    probabilities.iter_mut().for_each(|p| *p /= heard);
    let verdict = (heard > 0.0).then(|| {
        let label = serengine::argmax(&probabilities);
        Verdict { label, unknown: model.abstains(probabilities[label]), probabilities }
    });
    Answer { start: 0.0, end: answers.last().map_or(0.0, |a| a.end), verdict }
}

#[cfg(test)]
#[path = "../../sermodel/tests/support/mod.rs"]
mod sound;

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    /// 6,000 windows, which take seconds: the time is looked at for each.
    #[test]
    fn nobody_is_answered_after_they_stopped_waiting() {
        let model = sound::model();
        let rate = model.card().front_end.sample_rate;
        let samples = sound::voice(rate, 60.0);
        let windows = Windows { length: 0.2, hop: 0.01 };
        let late = |patience: &Patience| {
            let recording = Recording::Samples { samples: &samples, rate, patience };
            let start = Instant::now();
            let result = hear(&model, recording, Some(windows), false);
            assert!(matches!(result, Err(HearError::Late)), "{result:?}");
            start.elapsed()
        };
        assert!(late(&Patience::new(Duration::from_millis(50))) < Duration::from_secs(1));
        let patience = Arc::new(Patience::new(Duration::from_secs(3600)));
        drop(patience.ends_with_this());
        assert!(late(&patience) < Duration::from_secs(1));
    }
}
