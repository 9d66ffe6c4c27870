//! `ser predict`.

mod format;
mod segments;

use std::{io::Write, path::PathBuf};

use rayon::prelude::*;
use sercli::Seconds;
use sermodel::Windows;

use crate::{
    failure::{Failure, Result},
    hear::{Recording, hear},
    inputs, lookup,
    output::{self, Target},
};
use format::{Format, Writer};

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ser predict me.wav                                     one line: emotion, confidence
  ser predict recordings/ --format csv -o all.csv        a folder, at any depth
  ser predict talk.mp3 --window 3s --hop 0.5s            emotion over time
  ser predict talk.mp3 --window 3s --format srt -o talk.srt
  ffmpeg -i film.mkv -f wav - | ser predict - --format jsonl
  ser predict me.wav --format jsonl | jq -r .label

Without --window a recording gets one answer: the mean over windows of the model's training length in which somebody
speaks. 'no-speech' means that nobody does (--no-vad answers all the same), 'unknown' that the model is less sure than it
must be to name an emotion. Audio may be WAV, FLAC, MP3, OGG, M4A, AIFF, CAF or MKV, recognised by content.

Exit codes: 0 all answered, 1 some recordings could not be read (each is named on stderr, the others are answered),
2 wrong use, or the only recording could not be read.")]
pub struct Predict {
    /// Recordings, folders of them, or - for stdin.
    #[arg(required = true, value_name = "FILE|FOLDER|-")]
    paths: Vec<PathBuf>,
    #[command(flatten)]
    model: lookup::Choice,
    /// Answer for sliding windows of this length, such as 3s or 500ms.
    #[arg(long, value_name = "TIME", value_parser = time)]
    window: Option<f64>,
    /// From one window's start to the next one's.
    #[arg(long, value_name = "TIME", default_value = "0.5s", value_parser = time, requires = "window")]
    hop: f64,
    /// table, jsonl, csv; or, of one recording, audacity (labels), textgrid (Praat), srt (subtitles).
    #[arg(long, default_value = "table")]
    format: Format,
    /// Answer even where no voice is found.
    #[arg(long)]
    no_vad: bool,
    /// A file in place of stdout.
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// Above 0.
fn time(text: &str) -> std::result::Result<f64, String> {
    let seconds = text.parse::<Seconds>()?.get();
    if seconds > 0.0 { Ok(seconds) } else { Err("expected a time above 0, such as 3, 3s or 500ms".to_owned()) }
}

/// Recordings answered side by side before they are written in order.
const SIDE_BY_SIDE: usize = 64;

/// Answers for every recording.
///
/// # Errors
/// No usable model; recordings that can't be read, after all others were answered; output that can't be written.
pub fn run(args: &Predict) -> Result<()> {
    let model = args.model.load()?;
    let windows = args.window.map(|length| Windows { length, hop: args.hop.min(length) });
    let paths = inputs::expand(&args.paths)?;
    if args.format.is_of_one() && paths.len() != 1 {
        return Err(Failure::Input(format!(
            "--format {} describes one recording, these are {}; use csv or jsonl, or one call for each",
            args.format.name(),
            paths.len()
        )));
    }
    let inputs: Vec<PathBuf> = args.model.file().into_iter().chain(paths.iter().cloned()).collect();
    let target = Target::new(args.output.as_deref(), args.format.kind(), inputs.iter().map(PathBuf::as_path))?;
    let mut writer = Writer::new(args.format, model.labels(), args.output.is_none());
    let mut file = Vec::new();
    let mut put = |text: String| match &args.output {
        Some(_) => file.write_all(text.as_bytes()).map_err(Failure::work),
        None => output::print_bytes(text.as_bytes()),
    };
    let mut failed = Vec::new();
    put(writer.begin())?;
    for paths in paths.chunks(SIDE_BY_SIDE) {
        let answers: Vec<_> = paths
            .par_iter()
            .map(|path| hear(&model, Recording::at(path), windows, !args.no_vad).map_err(|e| e.to_string()))
            .collect();
        for (path, answers) in paths.iter().zip(answers) {
            match answers {
                Ok(answers) => put(writer.recording(path, &answers))?,
                Err(e) => failed.push(e),
            }
        }
    }
    if let [only] = &failed[..]
        && paths.len() == 1
    {
        return Err(Failure::Input(only.clone()));
    }
    put(writer.end())?;
    if args.output.is_some() {
        target.write(&file)?;
    }
    if failed.is_empty() {
        return Ok(());
    }
    failed.iter().for_each(|e| tracing::error!("{e}"));
    Err(Failure::Work(format!("{} of {} recordings could not be answered for", failed.len(), paths.len())))
}
