//! A change of rate for a signal that arrives in pieces.

use std::fmt;

use audioadapter_buffers::direct::InterleavedSlice;
use rubato::{Async, Indexing, Resampler as _};

use super::polyphase::Run;
use super::{Converter, Filter, Resampler, unchecked_length};
use crate::AudioError;

/// Resamples a signal that arrives in pieces of any size, in constant memory: the samples of [`Converter::convert`], to
/// the last bit.
pub struct ResampleStream {
    converter: Converter,
    received: usize,
    sent: usize,
    state: State,
}

enum State {
    None,
    Polyphase(Run),
    Rubato { inner: Box<Async<f32>>, pending: Vec<f32>, trim: usize },
}

impl fmt::Debug for ResampleStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResampleStream").field("converter", &self.converter).finish_non_exhaustive()
    }
}

impl ResampleStream {
    /// A stream at its beginning.
    ///
    /// # Errors
    /// As [`Converter::new`].
    pub fn new(from: u32, to: u32, resampler: Resampler) -> Result<Self, AudioError> {
        Converter::new(from, to, resampler)?.stream()
    }

    pub(super) fn of(converter: &Converter) -> Result<Self, AudioError> {
        let state = match &converter.filter {
            Filter::None => State::None,
            Filter::Polyphase(filter) => State::Polyphase(Run::new(filter.clone())),
            Filter::Rubato => {
                let inner = Box::new(converter.rubato()?);
                State::Rubato { trim: inner.output_delay(), inner, pending: Vec::new() }
            }
        };
        Ok(Self { converter: converter.clone(), received: 0, sent: 0, state })
    }

    /// Takes samples and appends to `out` what does not depend on later ones.
    pub fn push(&mut self, samples: &[f32], out: &mut Vec<f32>) {
        let before = out.len();
        self.received += samples.len();
        match &mut self.state {
            State::None => out.extend_from_slice(samples),
            State::Polyphase(run) => run.push(samples, out),
            State::Rubato { inner, pending, trim } => {
                pending.extend_from_slice(samples);
                let mut used = 0;
                // The last piece, even a whole one, is left to `finish`.
                while pending.len() - used > inner.input_frames_next() {
                    let next = inner.input_frames_next();
                    process(inner, &pending[used..used + next], next, trim, out);
                    used += next;
                }
                pending.drain(..used);
            }
        }
        self.sent += out.len() - before;
    }

    /// Ends the signal and appends the rest of its `ceil(n * to / from)` samples.
    pub fn finish(self, out: &mut Vec<f32>) {
        let Self { converter, received, sent, state } = self;
        let start = out.len();
        let length = unchecked_length(received, converter.from, converter.to);
        match state {
            State::None => {}
            State::Polyphase(mut run) => run.finish(length, out),
            State::Rubato { mut inner, mut pending, mut trim } => {
                while sent + out.len() - start < length {
                    let valid = pending.len();
                    pending.resize(inner.input_frames_next(), 0.0);
                    if !process(&mut inner, &pending, valid, &mut trim, out) {
                        break;
                    }
                    pending.clear();
                }
            }
        }
        // resampy and soxr compute fewer samples than `ceil`, and librosa fills the rest with zeros.
        let computed = converter.computed_length(received).saturating_sub(sent);
        out.truncate(start + computed);
        out.resize(start + length.saturating_sub(sent), 0.0);
    }
}

/// One step of rubato: `valid` of the samples count, the delay is taken off the front. Says whether the step was made;
/// both buffers have the lengths that rubato asks for, so it is.
fn process(inner: &mut Async<f32>, samples: &[f32], valid: usize, trim: &mut usize, out: &mut Vec<f32>) -> bool {
    let mut buffer = vec![0.0; inner.output_frames_next()];
    let frames = buffer.len();
    let indexing = Indexing { input_offset: 0, output_offset: 0, active_channels_mask: None, partial_len: Some(valid) };
    let Ok(input) = InterleavedSlice::new(samples, 1, samples.len()) else { return false };
    let Ok(mut output) = InterleavedSlice::new_mut(&mut buffer, 1, frames) else { return false };
    let Ok((_, made)) = inner.process_into_buffer(&input, &mut output, Some(&indexing)) else { return false };
    let skip = (*trim).min(made);
    *trim -= skip;
    out.extend_from_slice(&buffer[skip..made]);
    true
}
