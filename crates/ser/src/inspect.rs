//! `ser inspect`.

use std::path::PathBuf;

use comfy_table::{Table, presets};
use serde_json::json;
use sermodel::{Model, Normalise};

use crate::{failure::Result, lookup, output};

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ser inspect                       the model that comes with the program
  ser inspect model.safetensors
  ser inspect model.safetensors --json | jq .card.figures")]
pub struct Inspect {
    /// The model file, or `builtin`; else the one that SER_MODEL names, else the built-in one.
    model: Option<PathBuf>,
    /// As JSON.
    #[arg(long)]
    json: bool,
}

/// Prints what a model file says of itself.
///
/// # Errors
/// A file that is no model.
pub fn run(args: &Inspect) -> Result<()> {
    let model = args.model.as_deref().map_or_else(lookup::default, lookup::load)?;
    let (config, weights) = (model.network().config(), model.weights());
    let parameters = weights.parameters.len() + weights.statistics.len();
    if args.json {
        let hash = model.card().front_end.fingerprint();
        return output::print_json(
            &json!({ "network": config, "parameters": parameters, "front_end_hash": hash, "card": model.card() }),
        );
    }
    output::print(&output::table(table(&model, parameters)))
}

fn table(model: &Model, parameters: usize) -> Table {
    let (card, config) = (model.card(), model.network().config());
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    let mut row = |key: &str, value: String| {
        table.add_row([key.to_owned(), if value.is_empty() { "not said".to_owned() } else { value }]);
    };
    for figure in &card.figures {
        let note = if figure.note.is_empty() { String::new() } else { format!("  ({})", figure.note) };
        row(&figure.protocol, format!("UAR {:.1} %, WAR {:.1} %{note}", 100.0 * figure.uar, 100.0 * figure.war));
    }
    if card.figures.is_empty() {
        row("figures", String::new());
    }
    row("labels", card.labels.join(", "));
    row("corpus", card.corpus.clone());
    row("licence of the data", card.licence.clone());
    row("training", card.protocol.clone());
    row("notes", card.notes.clone());
    let network = format!("{} of {} blocks, {parameters} parameters", config.variant.title(), config.blocks);
    row("network", network);
    let front_end = &card.front_end;
    let preset = front_end.preset_name().unwrap_or("no preset's settings");
    row("front end", format!("{preset}, {} coefficients at {} Hz", front_end.n_mfcc, front_end.sample_rate));
    if card.normalise != Normalise::None || card.trim.is_some() {
        let trim = card
            .trim
            .map_or(String::new(), |db| format!(", silence {db} dB below the loudest frame cut off at both ends"));
        row("features", format!("normalise = {}{trim}", card.normalise.name()));
    }
    row("front end hash", front_end.fingerprint());
    row("resampler", front_end.resampler.clone());
    let seconds = card.length as f64 / f64::from(front_end.sample_rate);
    row("utterance", format!("{} samples, {seconds:.2} s: shorter ones padded, longer ones cut", card.length));
    row("temperature", card.temperature.map_or("1, not calibrated".to_owned(), |t| format!("{t:.3}")));
    row("abstains", card.threshold.map_or("never".to_owned(), |t| format!("below a confidence of {t:.3}")));
    let versions: Vec<_> = card.versions.iter().map(|(name, version)| format!("{name} {version}")).collect();
    row("made by", versions.join(", "));
    table
}
