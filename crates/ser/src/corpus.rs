//! `ser corpus`: a thin layer over `sercorpus`.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use clap::Subcommand;
use comfy_table::{Table, presets};
use sercorpus::{
    CorpusKind, ExportFormat, GroupStats, IemocapStyle, LabelMap, Layout, OpenOptions, OwnOptions, Stats,
    split::{self, Scheme},
    synth,
};

use crate::{
    failure::{Failure, Result},
    output::{self, Kind, Target},
};

#[derive(Debug, Subcommand)]
pub enum Corpus {
    /// Is the corpus what it should be? Exit code 1 if not.
    ///
    /// Tells recordings that are missing, surplus, unreadable, cut or resampled, Git LFS pointers, and duplicates by
    /// content.
    #[command(after_help = "Example: ser corpus check /data/emodb")]
    Check {
        #[command(flatten)]
        root: Root,
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Utterances and durations per label and speaker.
    #[command(after_help = "Example: ser corpus stats /data/emodb --plot emodb.svg")]
    Stats {
        #[command(flatten)]
        root: Root,
        /// As JSON.
        #[arg(long)]
        json: bool,
        /// Draw them too.
        #[arg(long, value_name = "FILE.svg")]
        plot: Option<PathBuf>,
    },
    /// One line an utterance: id, path, label, speaker, sex, session, text, seconds, rate, channels.
    #[command(after_help = "Example: ser corpus export /data/savee --format jsonl")]
    Export {
        #[command(flatten)]
        root: Root,
        /// csv or jsonl.
        #[arg(long, default_value = "csv")]
        format: ExportFormat,
        /// A file in place of stdout.
        #[arg(short, long)]
        output: Option<PathBuf>,
    },
    /// Divide the corpus: id, fold, part. Says on stderr what both sides of a fold share.
    #[command(after_help = "Examples:
  ser corpus split /data/emodb --scheme kfold --folds 10 --seed 46 --format csv
  ser corpus split /data/emodb --scheme loso")]
    Split {
        #[command(flatten)]
        root: Root,
        /// kfold, stratified, group (k folds of whole speakers), loso, leave-one-session-out, speaker-independent, texts, texts-and-speakers,
        /// hold-out, stratified-hold-out, train-validation-test, manifest.
        #[arg(long)]
        scheme: Scheme,
        /// Folds of kfold, stratified, group and texts; texts-and-speakers makes one for each pair of them.
        #[arg(long, default_value_t = 10)]
        folds: usize,
        /// Seed of the random schemes, as NumPy's.
        #[arg(long, default_value_t = 0)]
        seed: u32,
        /// csv.
        #[arg(long, default_value = "csv", value_parser = ["csv"])]
        format: String,
        /// A file in place of stdout.
        #[arg(short, long)]
        output: Option<PathBuf>,
    },
    /// Write a synthetic corpus in the true layout of one of the six.
    #[command(after_help = "Example: ser corpus synth ravdess -o /tmp/ravdess --scale 0.1")]
    Synth {
        /// casia, emodb, emovo, iemocap, ravdess or savee.
        name: CorpusKind,
        /// The new folder.
        #[arg(short, long, value_name = "DIR")]
        output: PathBuf,
        /// Size relative to the original.
        #[arg(long, default_value_t = 1.0, value_name = "X")]
        scale: f64,
        /// Another seed, other voices.
        #[arg(long, default_value_t = 1)]
        seed: u64,
        /// Mean duration of an utterance in seconds.
        #[arg(long, default_value_t = 2.5, value_name = "S")]
        mean_seconds: f64,
        /// Without what real copies are known for: odd chunks, hidden files, leftovers, a duplicate.
        #[arg(long)]
        clean: bool,
    },
}

/// Which corpus.
#[derive(Debug, clap::Args)]
pub struct Root {
    /// A corpus' folder, a folder with a folder a class, or a list of recordings and labels (CSV, TSV, JSONL, JSON).
    root: PathBuf,
    /// Which of the six it is; told by its files if absent.
    #[arg(long, value_name = "NAME")]
    corpus: Option<CorpusKind>,
    /// What the folders below the root are: class, speaker/class, class/speaker, split/class, corpus/class, split/speaker/class, ..;
    /// told by their names if absent.
    #[arg(long, value_name = "LEVEL/..", conflicts_with = "corpus")]
    layout: Option<Layout>,
    /// Folder that the paths of a list start from where they do not start from the list's own.
    #[arg(long = "root", value_name = "DIR")]
    paths_from: Option<PathBuf>,
    /// Column of a list that means path, label, id, speaker, sex, session, text, split, start or end; may be repeated.
    #[arg(long = "column", value_name = "label=COLUMN", value_parser = pair)]
    columns: Vec<(String, String)>,
    /// TOML file that maps the labels found to those wanted.
    #[arg(long, value_name = "FILE.toml")]
    labels: Option<PathBuf>,
    /// IEMOCAP: leave excited utterances out in place of counting them as happy.
    #[arg(long)]
    without_excited: bool,
    /// IEMOCAP: only improvised or only scripted dialogs.
    #[arg(long, value_enum)]
    style: Option<Style>,
}

/// `A=B`.
pub fn pair(text: &str) -> std::result::Result<(String, String), String> {
    let (from, to) = text.split_once('=').filter(|(a, b)| !a.is_empty() && !b.is_empty()).ok_or("A=B is wanted")?;
    Ok((from.to_owned(), to.to_owned()))
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Style {
    Improvised,
    Scripted,
}

impl Root {
    /// The files that a command with this corpus reads: the manifest or folder, and the label map.
    pub fn inputs(&self) -> impl Iterator<Item = &Path> {
        [self.root.as_path()].into_iter().chain(self.labels.as_deref())
    }

    /// What was named on the command line.
    pub fn path(&self) -> &Path {
        &self.root
    }

    /// Opens it, and says on stderr how folders were read and what is odd about a corpus of one's own.
    ///
    /// # Errors
    /// As [`sercorpus::open_any`], and a label map that can't be used.
    pub fn open(&self) -> Result<sercorpus::Corpus> {
        self.open_with(&[])
    }

    /// As [`Self::open`], with more columns chosen.
    ///
    /// # Errors
    /// As there.
    pub fn open_with(&self, more: &[(String, String)]) -> Result<sercorpus::Corpus> {
        let corpus = self.open_silently(more)?;
        // Errors are told by whoever refuses the corpus or goes on with a part of it.
        let told = |f: &&sercorpus::Finding| f.is_told() && f.severity < sercorpus::Severity::Error;
        if corpus.kind.is_none() {
            corpus.findings.iter().filter(told).for_each(|finding| eprintln!("{finding}"));
        }
        Ok(corpus)
    }

    fn open_silently(&self, more: &[(String, String)]) -> Result<sercorpus::Corpus> {
        let labels = self.labels.as_deref().map(LabelMap::read).transpose().map_err(Failure::input)?;
        let own = OwnOptions {
            labels,
            layout: self.layout.clone(),
            root: self.paths_from.clone(),
            columns: [&self.columns, more].concat(),
            ..OwnOptions::default()
        };
        let options = OpenOptions {
            excited_as_happy: !self.without_excited,
            iemocap_style: self.style.map(|style| match style {
                Style::Improvised => IemocapStyle::Improvised,
                Style::Scripted => IemocapStyle::Scripted,
            }),
        };
        sercorpus::open_any(&self.root, self.corpus, &options, &own).map_err(Failure::input)
    }
}

/// Runs a `ser corpus` command.
///
/// # Errors
/// A corpus that can't be read or is not what it should be; output that can't be written.
pub fn run(command: &Corpus) -> Result<()> {
    match command {
        Corpus::Check { root, json } => {
            let corpus = root.open_silently(&[])?;
            let report = output::with_progress(|p| sercorpus::check(&corpus, p));
            if *json { output::print_json(&report) } else { output::print(&report) }?;
            if report.is_clean() { Ok(()) } else { Err(Failure::Told) }
        }
        Corpus::Stats { root, json, plot } => {
            let target = plot.as_deref().map(|path| Target::file(path, output::SVG, root.inputs())).transpose()?;
            let corpus = root.open()?;
            let stats = output::with_progress(|p| sercorpus::stats(&corpus, p));
            if let Some(target) = target {
                target.write(stats.to_svg().map_err(Failure::Work)?.as_bytes())?;
            }
            if *json { output::print_json(&stats) } else { output::print(&text(&stats)) }
        }
        Corpus::Export { root, format, output: to } => {
            let target = Target::new(to.as_deref(), export_kind(*format), root.inputs())?;
            let corpus = root.open()?;
            let mut bytes = Vec::new();
            output::with_progress(|p| sercorpus::export(&corpus, *format, &mut bytes, p)).map_err(Failure::work)?;
            target.write(&bytes)
        }
        Corpus::Split { root, scheme, folds, seed, output: to, .. } => {
            let target = Target::new(to.as_deref(), output::FOLDS, root.inputs())?;
            let corpus = root.open()?;
            let folds = scheme.split(&corpus, *folds, *seed).map_err(Failure::input)?;
            let mut bytes = Vec::new();
            split::write_csv(&corpus, &folds, &mut bytes).map_err(Failure::work)?;
            let hashes = output::with_progress(|p| sercorpus::content_hashes(&corpus, p));
            tracing::info!("{}", split::leakage(&corpus, &folds, Some(&hashes)));
            target.write(&bytes)
        }
        Corpus::Synth { name, output, scale, seed, mean_seconds, clean } => {
            let options = synth::SynthOptions {
                scale: *scale,
                seed: *seed,
                mean_seconds: *mean_seconds,
                quirks: !clean,
                ..synth::SynthOptions::default()
            };
            let report = output::with_progress(|p| synth::write_with_progress(*name, output, &options, p))
                .map_err(Failure::work)?;
            let minutes = report.seconds / 60.0;
            tracing::info!(
                "{} synthetic utterances, {minutes:.1} min, in {}",
                report.utterances.len(),
                output.display()
            );
            Ok(())
        }
    }
}

/// How a list of that format begins.
fn export_kind(format: ExportFormat) -> Kind {
    if format == ExportFormat::Csv { output::EXPORT_CSV } else { output::EXPORT_JSONL }
}

/// The table, and the rates and channels of the recordings.
fn text(stats: &Stats) -> String {
    let counts = |counts: &BTreeMap<u32, usize>, unit: &str| {
        counts.iter().map(|(value, count)| format!("{value}{unit} x {count}")).collect::<Vec<_>>().join(", ")
    };
    let unread = stats.total.utterances - stats.channels.values().sum::<usize>();
    let unread = match unread {
        0 => String::new(),
        n => format!("\n{n} of {} recordings cannot be read; `ser corpus check` names them", stats.total.utterances),
    };
    let (rates, channels) = (counts(&stats.rates, " Hz"), counts(&stats.channels, ""));
    format!("{}\nrates: {rates}; channels: {channels}{unread}", output::table(table(stats)))
}

fn table(stats: &Stats) -> Table {
    let mut table = Table::new();
    table.load_style(presets::UTF8_HORIZONTAL_ONLY);
    table.set_header(["", "utterances", "minutes", "mean s", "shortest s", "longest s"]);
    let mut add = |kind: &str, group: &GroupStats| {
        table.add_row([
            format!("{kind}{}", group.name),
            group.utterances.to_string(),
            format!("{:.1}", group.seconds / 60.0),
            format!("{:.2}", group.mean()),
            format!("{:.2}", group.shortest),
            format!("{:.2}", group.longest),
        ]);
    };
    stats.labels.iter().for_each(|g| add("", g));
    stats.speakers.iter().for_each(|g| add("speaker ", g));
    add("", &stats.total);
    table
}
