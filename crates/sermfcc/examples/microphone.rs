//! MFCCs as a microphone would give them: `microphone RECORDING` feeds a recording in pieces of 10 ms and prints c0 of each
//! frame with the time it stands for and the time at which it was known.

use std::error::Error;

use sermfcc::{Extractor, Floor, FrontEnd, Output};

#[allow(clippy::print_stdout)]
fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::args().nth(1).ok_or("usage: microphone RECORDING")?;
    // The usual floor hangs on the loudest moment of the utterance, which a stream has not heard yet.
    let front_end = FrontEnd::librosa_0_10().with(|f| f.top_db = Floor::Fixed(-80.0));
    let options = seraudio::LoadOptions { rate: Some(front_end.sample_rate), ..Default::default() };
    let audio = seraudio::load(path.as_ref(), &options)?;

    let rate = f64::from(front_end.sample_rate);
    let mut stream = Extractor::<f32>::new(&front_end)?.stream(Output::Mfcc)?;
    let (mut frame, mut heard) = (0, 0);
    let mut show = |heard: usize, coefficients: &[f32]| {
        let time = (frame * front_end.hop_length) as f64 / rate;
        println!("frame {frame:4} at {time:6.3} s, known at {:6.3} s: c0 {:8.2}", heard as f64 / rate, coefficients[0]);
        frame += 1;
    };
    for piece in audio.samples.chunks(front_end.sample_rate as usize / 100) {
        heard += piece.len();
        stream.push(piece, |coefficients| show(heard, coefficients))?;
    }
    stream.finish(|coefficients| show(heard, coefficients))?;
    Ok(())
}
