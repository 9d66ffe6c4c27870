//! What the page draws: a wave and a mel picture of a fixed number of columns.

use serde::Serialize;
use sermfcc::{Extractor, FrontEnd, Output};
use sermodel::ModelError;

/// Columns at most.
const COLUMNS: usize = 800;
/// Decibels below the loudest that are drawn darkest.
const RANGE: f32 = 80.0;

/// A recording to be drawn.
#[derive(Debug, Serialize)]
pub struct Picture {
    /// Lowest sample of each column.
    low: Vec<f32>,
    /// Highest sample of each column.
    high: Vec<f32>,
    /// [bands, columns], lowest band first; 255 is the loudest, 0 is 80 dB below it and less.
    mel: Vec<Vec<u8>>,
}

impl Picture {
    /// Of samples at the front end's rate.
    ///
    /// # Errors
    /// Too few samples for a frame.
    pub fn of(front_end: &FrontEnd, samples: &[f32]) -> Result<Self, ModelError> {
        let columns = COLUMNS.min(samples.len()).max(1);
        let pieces = (0..columns).map(|c| &samples[c * samples.len() / columns..(c + 1) * samples.len() / columns]);
        let (low, high) = pieces
            .map(|piece| piece.iter().fold((0.0f32, 0.0f32), |(low, high), &s| (low.min(s), high.max(s))))
            .unzip();
        let wrong = |e: sermfcc::FrontEndError| ModelError::Card { key: "front_end", reason: e.to_string() };
        let log_mel = Extractor::<f32>::new(front_end).map_err(wrong)?.compute(Output::LogMel, samples)?;
        let (frames, bands) = log_mel.dim();
        let columns = COLUMNS.min(frames);
        let loudest = log_mel.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let level = |band: usize, column: usize| {
            let (from, to) = (column * frames / columns, (column + 1) * frames / columns);
            let mean = (from..to).map(|frame| log_mel[[frame, band]]).sum::<f32>() / (to - from) as f32;
            // The cast saturates: what is below the range is 0.
            (255.0 * (1.0 + (mean - loudest) / RANGE)).round() as u8
        };
        let mel = (0..bands).map(|band| (0..columns).map(|column| level(band, column)).collect());
        Ok(Self { low, high, mel: mel.collect() })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    /// Silence, then a tone: nothing on the left, a bright band on the right, the higher the higher the tone.
    #[test]
    fn a_picture_shows_where_and_how_high_it_sounds() {
        let front_end = FrontEnd::preset("timnet-0.10").unwrap();
        let brightest = [440.0, 2000.0].map(|hertz: f32| {
            let tone = |i: usize| 0.5 * (i as f32 * std::f32::consts::TAU * hertz / front_end.sample_rate as f32).sin();
            let samples: Vec<f32> = (0..44_100).map(|i| if i < 22_050 { 0.0 } else { tone(i) }).collect();
            let picture = Picture::of(&front_end, &samples).unwrap();
            assert_eq!((picture.low.len(), picture.high.len()), (COLUMNS, COLUMNS));
            assert!(picture.high[..395].iter().all(|&h| h == 0.0) && picture.high[405..].iter().all(|&h| h > 0.4));
            let columns = picture.mel[0].len();
            assert!(picture.mel.iter().all(|band| band.len() == columns && band[columns / 4] == 0));
            let level = |band: &usize| picture.mel[*band][3 * columns / 4];
            let brightest = (0..picture.mel.len()).max_by_key(level).unwrap();
            assert!(level(&brightest) > 250 && level(&0) < 200);
            brightest
        });
        assert!(brightest[0] > 0 && brightest[0] < brightest[1], "{brightest:?}");
    }

    #[test]
    fn the_shortest_recordings_can_be_drawn() {
        let front_end = FrontEnd::preset("timnet-0.8.1").unwrap();
        let picture = Picture::of(&front_end, &vec![0.1; front_end.shortest()]).unwrap();
        assert!(!picture.mel.is_empty() && picture.low.iter().all(|&l| l == 0.0));
    }
}
