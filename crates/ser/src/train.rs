//! `ser train`: from recordings with labels to a model file with honest figures.

mod card;
mod engine;
mod features;
mod folds;
mod source;
mod work;
mod workers;

use std::{
    path::PathBuf,
    sync::{Arc, atomic::AtomicBool},
};

use seraugment::Augment;
use sercorpus::split::Fold;
use serengine::{Adam, Objective, Settings, streams};
use sermfcc::FrontEnd;
use sermodel::{Card, Model, Normalise};
use timnet_core::{ModelConfig, Variant};

use crate::{
    calibrate, corpus,
    failure::{Failure, Result},
    figures::{Calibrated, Figures, Scores},
    output::{self, Target},
    parts,
};
use folds::Division;
use source::Source;
use work::Work;

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ser train calls/ -o calls.safetensors                 a folder for each class
  ser train calls.csv -o calls.safetensors --folds 5    path,label,speaker
  ser train emodb/ -o emodb.safetensors --augment gain,noise,room --licence CC0-1.0
  ser train calls/ -o calls.safetensors --system tcn --learning-rate 0.0005 --normalise utterance --trim 30
  ser train EMODB.npy -o emodb.safetensors --classes angry,boredom,disgust,fear,happy,neutral,sad

First it trains one network for each fold and scores it on recordings that it has not heard: of other speakers where
the speakers are known (a column `speaker`), else of the same ones, and the model card then says so. The last network
learns from everything and goes into the file, with those figures, a temperature for its confidences and the confidence
below which it answers \"unknown\", both fitted on what the folds' networks said. How far they can be trusted is measured
by fitting them on all folds but one and judging them on that one.

Rows of a list whose column `split` says test, and recordings in a folder test/ above class folders, are not read; `ser evaluate`
scores them.

Stop it with Ctrl-C, or let it be killed: the same command goes on where it was. What it needs for that lies in the
folder MODEL.training until the model is written; a folder of that name that it did not make is refused. The same seed gives the
same bytes on the same machine.")]
pub struct Train {
    #[command(flatten)]
    root: corpus::Root,
    #[command(flatten)]
    split: parts::Split,
    /// The model file.
    #[arg(short, long, value_name = "MODEL.safetensors")]
    output: PathBuf,
    /// Passes over the recordings.
    #[arg(long, default_value_t = 300, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    epochs: u32,
    /// Recordings an optimiser step.
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u32).range(2..=65_536))]
    batch_size: u32,
    /// Temporal blocks: each doubles the span that one frame sees (8: 6 s at the default front end; 10: 24 s).
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u32).range(1..=16))]
    blocks: u32,
    /// Network: tim-net, its ablations no-bd, no-ms and no-df, or tcn.
    #[arg(long, default_value = "tim-net", value_name = "NAME")]
    system: Variant,
    /// Learning rate of Adam.
    #[arg(long, default_value_t = Adam::default().learning_rate, value_name = "RATE")]
    learning_rate: f64,
    /// Probability that spatial dropout drops a channel.
    #[arg(long, default_value_t = ModelConfig::timnet(8, 2).dropout, value_name = "SHARE")]
    dropout: f64,
    /// Share of each target that is spread over all classes.
    #[arg(long, default_value_t = Objective::default().label_smoothing, value_name = "SHARE")]
    label_smoothing: f64,
    /// Seed of initialisation, order, dropout, folds and augmentation.
    #[arg(long, default_value_t = 0)]
    seed: u32,
    /// Front end: timnet-0.8.1, timnet-0.9, timnet-0.10, timnet-paper, librosa-0.8.1, librosa-0.9 or librosa-0.10.
    #[arg(long, default_value = "timnet-0.8.1", value_name = "PRESET")]
    front_end: String,
    /// `utterance` brings each coefficient to mean 0 and variance 1 over the frames of the recording; `none` is the paper's.
    #[arg(long, default_value = "none", value_name = "none|utterance")]
    normalise: Normalise,
    /// Cut off silence at both ends that is this many decibels softer than the loudest frame (1 to 200), as librosa does.
    #[arg(long, value_name = "DB")]
    trim: Option<f64>,
    /// Samples (at 22,050 Hz) that every recording is padded or cut to; `auto` holds 95 of 100 recordings whole.
    #[arg(long, default_value = "auto", value_name = "auto|SAMPLES")]
    length: source::Length,
    /// Choose the number of epochs on this share of the training part (other speakers where they are known), in place of
    /// taking the last epoch.
    #[arg(long, value_name = "SHARE", value_parser = share)]
    validation: Option<f64>,
    /// Folds of the evaluation; leave-one-speaker-out where there are no more speakers than that [default: 10].
    #[arg(long, value_parser = clap::value_parser!(u32).range(2..))]
    folds: Option<u32>,
    /// Train the model only; its card then has no figures, and it never abstains.
    #[arg(long, conflicts_with_all = ["folds", "validation"])]
    no_evaluation: bool,
    /// Networks trained at once, a thread each [default: all cores].
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=1024))]
    jobs: Option<u32>,
    /// Variations of the recordings to learn from: speed, truncate, room, noise, gain, codec, specaugment, each with a
    /// range if wanted (noise=5..30).
    #[arg(long, default_value = "", value_name = "STEP[=LOW..HIGH],..", hide_default_value = true)]
    augment: Augment,
    /// Recordings to take the noise from, in place of white and pink noise.
    #[arg(long, value_name = "FOLDER")]
    noise_folder: Option<PathBuf>,
    /// Varied copies of each recording, of which every epoch takes one.
    #[arg(long, default_value_t = 16, value_parser = clap::value_parser!(u32).range(1..=1024))]
    copies: u32,
    /// Choose the lowest confidence for an answer so that this share of the held-out answers at or above it is right.
    #[arg(long, default_value_t = 0.9, value_name = "SHARE", value_parser = share)]
    answer_at: f64,
    /// Names of the classes of a feature file, in the order of its one-hot columns.
    #[arg(long, value_name = "A,B,..", value_delimiter = ',')]
    classes: Vec<String>,
    /// Licence of the recordings, for the model card.
    #[arg(long, default_value = "", hide_default_value = true)]
    licence: String,
}

fn share(text: &str) -> std::result::Result<f64, String> {
    let value = text.parse().map_err(|_| "a number between 0 and 1 is wanted".to_owned())?;
    if 0.0 < value && value < 1.0 { Ok(value) } else { Err(format!("{value} does not lie between 0 and 1")) }
}

/// After so many steps BatchNorm's running averages, which keep 99 parts of 100 at each, hold less than 1 % of their start.
const STEPS: usize = 500;

/// Set by Ctrl-C.
static STOP: AtomicBool = AtomicBool::new(false);

/// Trains, evaluates and writes the model.
///
/// # Errors
/// Recordings or settings that can't be used; a file that can't be written; Ctrl-C.
pub fn run(args: &Train) -> Result<()> {
    let target = Target::file(&args.output, output::MODEL, args.root.inputs())?;
    work::check(&args.output)?;
    let jobs = args.jobs.map_or_else(|| std::thread::available_parallelism().map_or(1, usize::from), |j| j as usize);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(jobs).build().map_err(Failure::work)?;

    let source = pool.install(|| Source::open(args))?;
    let config = ModelConfig {
        variant: args.system,
        coefficients: source.front_end.n_mfcc,
        filters: source.front_end.n_mfcc,
        dropout: args.dropout,
        ..ModelConfig::timnet(args.blocks as usize, source.labels.len())
    };
    let layout = Arc::new(config.layout().map_err(Failure::input)?);
    args.objective().check(&layout, source.classes.len()).map_err(Failure::input)?;
    let (division, folds) =
        if args.no_evaluation { (Division::None, Vec::new()) } else { folds::divide(args, &source)? };
    tracing::info!("{}", source.summary(division, &folds));
    let steps = args.epochs as usize * source.classes.len().div_ceil(args.batch_size as usize);
    if steps < STEPS {
        tracing::warn!(
            "{steps} steps are few: the averages that the network normalises with need {STEPS} to settle; raise \
             --epochs or lower --batch-size"
        );
    }

    let augmenter = features::augmenter(args, &source)?;
    let work = Work::open(args, &source, &folds, augmenter.as_ref())?;
    let key = streams::Key { seed: u64::from(args.seed), fold: 0 };
    let untrained = Model::new(streams::initial(&layout, key), source.card()).map_err(Failure::input)?;
    let data = pool.install(|| features::make(args, &source, &untrained, augmenter, &work))?;
    workers::stop_on_ctrl_c(&STOP);
    let trainings = workers::Trainings { args, layout: &layout, data: &data, folds: &folds, work: &work, stop: &STOP };
    let (held_out, weights) = trainings.run(jobs)?;

    let mut card = source.card();
    card::describe(&mut card, args, &source, division, &folds);
    if let Some(held_out) = held_out {
        let figures = judge(args, &source, &mut card, division, &folds, held_out)?;
        card::figures(&mut card, division, &figures, args);
        output::print(&figures.table(&card.labels))?;
    }
    let model = Model::new(weights, card).map_err(Failure::work)?;
    target.write(&model.to_bytes().map_err(Failure::work)?)?;
    tracing::info!("wrote {}; look at it with `ser inspect {0}`", args.output.display());
    work.remove();
    Ok(())
}

/// Temperature, threshold and figures from what the folds' networks said of recordings they had not heard. The card gets
/// those fitted on all folds; the figures judge those fitted on the other folds.
fn judge(
    args: &Train,
    source: &Source,
    card: &mut Card,
    division: Division,
    folds: &[Fold],
    held_out: Vec<Vec<f32>>,
) -> Result<Figures> {
    if let Some(i) = held_out.iter().position(|row| row.iter().any(|p| !p.is_finite())) {
        let name = source.utterance(i).map_or_else(|| i.to_string(), |u| u.id.clone());
        return Err(Failure::Work(format!(
            "the network that was tested on utterance {name} gave {:?} for it",
            held_out[i]
        )));
    }
    let logits: Vec<Vec<f64>> =
        held_out.iter().map(|row| row.iter().map(|&p| f64::from(p.max(f32::MIN_POSITIVE)).ln()).collect()).collect();
    let fit = calibrate::fit(&logits, &source.classes, args.answer_at);
    card.temperature = Some(fit.temperature);
    card.threshold = fit.threshold;
    let answers = calibrate::cross_fit(&logits, &source.classes, folds, args.answer_at);
    let scores = Scores { truth: &source.classes, answers: &answers, speakers: source.speakers.as_deref() };
    let data = format!("{} ({})", source.name, division.describe(folds.len()));
    Figures::of(&scores, source.labels.len(), data, Calibrated::CrossFitted).map_err(Failure::work)
}

impl Train {
    fn objective(&self) -> Objective {
        let mut objective = Objective::default();
        (objective.label_smoothing, objective.adam.learning_rate) = (self.label_smoothing, self.learning_rate);
        objective
    }

    /// What differs from the defaults in how the network is made and learns, for the card: `, learning rate 0.01`.
    fn unusual(&self) -> String {
        let (usual, dropout) = (Objective::default(), ModelConfig::timnet(8, 2).dropout);
        let parts = [
            ("learning rate", self.learning_rate, usual.adam.learning_rate),
            ("dropout", self.dropout, dropout),
            ("label smoothing", self.label_smoothing, usual.label_smoothing),
        ];
        parts
            .iter()
            .filter(|(_, value, usual)| value != usual)
            .map(|(name, value, _)| format!(", {name} {value}"))
            .collect()
    }
}

/// The front end's preset, with its name in errors.
fn front_end(args: &Train) -> Result<FrontEnd> {
    FrontEnd::preset(&args.front_end).map_err(Failure::input)
}
