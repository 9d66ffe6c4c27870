//! `ser explain`.

mod picture;
mod svg;

use std::path::PathBuf;

use ndarray::Array2;
use seraudio::LoadOptions;
use sermfcc::{Extractor, Output};
use sermodel::{Model, Span};
use timnet_core::ModelConfig;

use crate::{
    failure::{Failure, Result},
    lookup,
    output::{self, Target},
};

#[derive(Debug, clap::Args)]
#[command(after_help = "Example:
  ser explain me.wav -o why.svg

From top to bottom, over one time axis: the wave; its log-mel picture; how open each block's gate is (its attention); how far
the winning probability falls with silence in place of each stretch. Below: what each time scale adds to the winning logit,
which with the bias is the logit itself. A recording longer than the model's training utterances is explained in its middle.")]
pub struct Explain {
    /// A recording.
    file: PathBuf,
    #[command(flatten)]
    model: lookup::Choice,
    /// Length of the stretches put to silence.
    #[arg(long, default_value = "200ms", value_name = "TIME")]
    stretch: sercli::Seconds,
    /// The picture.
    #[arg(short, long, value_name = "OUT.svg")]
    output: PathBuf,
}

/// What the picture shows.
struct Explanation {
    title: String,
    /// Label and probability of every class.
    classes: Vec<(String, f32)>,
    label: usize,
    /// Of the fitted utterance, in seconds.
    length: f64,
    /// Where in it there is recording and not padding, in seconds.
    heard: (f64, f64),
    /// Where in it the recording begins, in seconds; negative where its beginning is cut off.
    offset: f64,
    samples: Vec<f32>,
    /// [frames, bands], decibels.
    log_mel: Array2<f32>,
    /// [blocks, frames]; no rows for a network without gates.
    attention: Array2<f32>,
    occlusion: Vec<Span>,
    /// Name and share of each block, then the bias.
    contributions: Vec<(String, f64)>,
}

/// Draws why the model decides as it does.
///
/// # Errors
/// A recording or a model that can't be used; a picture that can't be written.
pub fn run(args: &Explain) -> Result<()> {
    let inputs = args.model.file().into_iter().chain([args.file.clone()]).collect::<Vec<_>>();
    let target = Target::file(&args.output, output::SVG, inputs.iter().map(PathBuf::as_path))?;
    let model = args.model.load()?;
    let audio = seraudio::load(&args.file, &LoadOptions::default()).map_err(Failure::input)?;
    let name = args.file.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let in_file = |e: &dyn std::fmt::Display| Failure::Input(format!("{}: {e}", args.file.display()));
    let explanation = explain(&model, &audio, args.stretch.get(), name).map_err(|e| in_file(&e))?;
    target.write(picture::draw(&explanation).as_bytes())?;
    let (label, probability) = &explanation.classes[explanation.label];
    tracing::info!("{label} {probability:.2}, {}", args.output.display());
    Ok(())
}

fn explain(
    model: &Model,
    audio: &seraudio::Audio,
    stretch: f64,
    name: String,
) -> std::result::Result<Explanation, Box<dyn std::error::Error>> {
    let front_end = &model.card().front_end;
    let samples = model.fitted(&audio.samples, audio.rate)?;
    let prediction = model.predict(&samples, front_end.sample_rate)?;
    let label = prediction.label;
    let log_mel = Extractor::<f32>::new(front_end)?.compute(Output::LogMel, &samples)?;
    let blocks = model.network().config().blocks;
    let attention = &prediction.output.attention;
    let rows = if attention.is_empty() { 0 } else { blocks };
    let frames = log_mel.nrows();
    let seconds = |frames: usize| (frames * front_end.hop_length) as f64 / f64::from(front_end.sample_rate);
    let parts = model.contributions(&prediction.output, label);
    let scale = |(j, &part): (usize, &f64)| {
        let through = ModelConfig { blocks: j + 1, ..model.network().config().clone() };
        (format!("block {}, sees {:.2} s", j + 1, seconds(through.receptive_field())), part)
    };
    let mut contributions: Vec<_> = parts.blocks.iter().enumerate().map(scale).collect();
    contributions.push(("bias".to_owned(), parts.bias));
    let length = samples.len() as f64 / f64::from(front_end.sample_rate);
    let heard = audio.seconds().min(length);
    let start = (length - heard) / 2.0;
    let cut = if audio.seconds() > length {
        format!(", the middle {length:.2} s of {:.2} s", audio.seconds())
    } else {
        String::new()
    };
    Ok(Explanation {
        title: format!("{name}{cut}"),
        classes: model.labels().iter().cloned().zip(prediction.probabilities).collect(),
        label,
        length,
        heard: (start, start + heard),
        offset: (length - audio.seconds()) / 2.0,
        attention: Array2::from_shape_vec((rows, frames), attention.clone())?,
        occlusion: model.occlusion(&samples, front_end.sample_rate, label, stretch)?,
        samples,
        log_mel,
        contributions,
    })
}
