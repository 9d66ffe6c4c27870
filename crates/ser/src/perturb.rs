//! `ser evaluate --perturb`: the same recordings, louder, noisier, from a room, over a telephone, cut short.

use plotters::prelude::*;
use seraugment::{AugmentError, Draw, Law};
use serde::Serialize;

use crate::{
    failure::{Failure, Result},
    figures::{Scores, Summary, optional, percent, plain, right},
    labelled::{Test, answer},
    output::{self, Target},
};

/// Ways in which a recording may differ from one of the corpus.
#[derive(Clone, Copy, Debug)]
enum Kind {
    Gain,
    White,
    Pink,
    Room,
    Mu,
    A,
    Truncate,
    Rate,
    Speed,
}

/// Each way, its name, its unit, and from mild to severe how much of it.
const KINDS: [(Kind, &str, &str, &[f64]); 9] = [
    (Kind::Gain, "gain", "dB", &[-40.0, -30.0, -20.0, -10.0, 10.0, 20.0]),
    (Kind::White, "white noise", "dB SNR", &[30.0, 20.0, 10.0, 5.0, 0.0]),
    (Kind::Pink, "pink noise", "dB SNR", &[30.0, 20.0, 10.0, 5.0, 0.0]),
    (Kind::Room, "room", "s RT60", &[0.2, 0.5, 1.0, 2.0]),
    (Kind::Mu, "G.711 mu-law", "Hz", &[16_000.0, 8000.0]),
    (Kind::A, "G.711 A-law", "Hz", &[16_000.0, 8000.0]),
    (Kind::Truncate, "beginning kept", "%", &[75.0, 50.0, 25.0]),
    (Kind::Rate, "sampling rate", "Hz", &[16_000.0, 11_025.0, 8000.0, 4000.0]),
    (Kind::Speed, "speed", "%", &[80.0, 90.0, 110.0, 125.0]),
];

/// A room's direct sound has as much energy as its tail, as some way off the speaker.
const DIRECT: f64 = 0.0;

impl Kind {
    /// The recording so changed. Noise and rooms are drawn anew for every utterance, the same in every run.
    fn apply(
        self,
        samples: &[f32],
        rate: u32,
        level: f64,
        utterance: usize,
    ) -> std::result::Result<Vec<f32>, AugmentError> {
        let draw = Draw { seed: 0, epoch: self as u32, utterance: utterance as u32 };
        let n = samples.len();
        Ok(match self {
            Self::Gain => seraugment::gain(samples, level)?,
            Self::White => seraugment::add_at_snr(samples, &seraugment::white(n, draw), level)?,
            Self::Pink => seraugment::add_at_snr(samples, &seraugment::pink(n, draw), level)?,
            Self::Room => seraugment::room(samples, &seraugment::impulse_response(level, DIRECT, rate, draw)?),
            Self::Mu => seraugment::codec(samples, rate, level as u32, Law::Mu)?,
            Self::A => seraugment::codec(samples, rate, level as u32, Law::A)?,
            Self::Truncate => seraugment::truncate(samples, level / 100.0, 0.0),
            Self::Rate => seraugment::band_limit(samples, rate, level as u32)?,
            Self::Speed => seraugment::speed(samples, level as u32)?,
        })
    }
}

/// The figures under one condition.
#[derive(Debug, Serialize)]
struct Row {
    /// Which change; `none` for the recordings as they are.
    perturbation: &'static str,
    /// How much of it.
    level: f64,
    /// Unit of the level.
    unit: &'static str,
    uar: f64,
    war: f64,
    ece: f64,
    /// How many utterances are answered at the model's threshold.
    answers: usize,
    /// Their share.
    answered: f64,
    /// Share of these answers that are right; none where there is no answer.
    answers_right: Option<f64>,
}

/// Measures every condition, prints the table, draws it.
///
/// # Errors
/// As those of an evaluation; a picture that can't be written.
pub fn run(test: &Test, json: bool, plot: Option<&Target>) -> Result<()> {
    let rate = test.model.card().front_end.sample_rate;
    let conditions: Vec<_> = KINDS
        .iter()
        .flat_map(|&(kind, name, unit, levels)| levels.iter().map(move |&level| (kind, name, unit, level)))
        .collect();
    // One pass over the recordings, every condition of each: a recording is read once.
    let answers = test.each(|samples, i, u| {
        let mut all = vec![answer(test.model, samples)?];
        for &(kind, _, _, level) in &conditions {
            let changed = kind.apply(samples, rate, level, i);
            let changed = changed.map_err(|e| Failure::Input(format!("{}: {e}", u.path.display())))?;
            all.push(answer(test.model, &changed)?);
        }
        Ok(all)
    })?;
    let of = |condition: usize| {
        let answers: Vec<_> = answers.iter().map(|all| all[condition]).collect();
        let scores = Scores { truth: &test.truth, answers: &answers, speakers: None };
        Summary::of(&scores, test.model.labels().len()).map_err(Failure::work)
    };
    let mut rows = vec![row("none", 0.0, "", &of(0)?)];
    for (condition, (_, name, unit, level)) in conditions.into_iter().enumerate() {
        rows.push(row(name, level, unit, &of(condition + 1)?));
    }
    if let Some(plot) = plot {
        let mut svg = String::new();
        draw(&rows, &mut svg).map_err(|e| Failure::Work(e.to_string()))?;
        plot.write(svg.as_bytes())?;
    }
    if json { output::print_json(&rows) } else { output::print(&output::table(table(&rows))) }
}

fn row(perturbation: &'static str, level: f64, unit: &'static str, summary: &Summary) -> Row {
    let (answers, right) = (summary.answered, summary.right);
    Row {
        perturbation,
        level,
        unit,
        uar: summary.confusion.uar(),
        war: summary.confusion.war(),
        ece: summary.calibration.ece,
        answers,
        answered: answers as f64 / summary.confusion.total() as f64,
        answers_right: (answers > 0).then(|| right as f64 / answers as f64),
    }
}

fn table(rows: &[Row]) -> comfy_table::Table {
    let mut table = plain();
    table.set_header(["", "", "UAR %", "WAR %", "lost", "ECE %", "answers", "answered %", "of which right %"]);
    for row in rows {
        let level = if row.unit.is_empty() { String::new() } else { format!("{} {}", row.level, row.unit) };
        table.add_row([
            row.perturbation.to_owned(),
            level,
            percent(row.uar),
            percent(row.war),
            percent(rows[0].uar - row.uar),
            percent(row.ece),
            row.answers.to_string(),
            percent(row.answered),
            optional(row.answers_right),
        ]);
    }
    right(table)
}

type Drawing = std::result::Result<(), Box<dyn std::error::Error>>;

/// A panel for each way; UAR and WAR against the level, the recordings as they are as a line.
fn draw(rows: &[Row], svg: &mut String) -> Drawing {
    let root = SVGBackend::with_string(svg, (1000, 720)).into_drawing_area();
    root.fill(&WHITE)?;
    let root =
        root.titled("UAR (blue) and WAR (red), %; grey: UAR of the recordings as they are", ("sans-serif", 18))?;
    let panels = root.split_evenly((KINDS.len().div_ceil(3), 3));
    for (panel, (_, name, unit, levels)) in panels.iter().zip(KINDS) {
        let of: Vec<&Row> = rows.iter().filter(|r| r.perturbation == name).collect();
        let low = levels.iter().copied().fold(f64::INFINITY, f64::min);
        let high = levels.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let mut chart = ChartBuilder::on(panel)
            .margin(8)
            .margin_right(24)
            .x_label_area_size(34)
            .y_label_area_size(38)
            .build_cartesian_2d(low..high, 0.0..100.0)?;
        chart
            .configure_mesh()
            .light_line_style(TRANSPARENT)
            .x_labels(6)
            .y_labels(6)
            .x_label_formatter(&|x| format!("{}", (x * 100.0).round() / 100.0))
            .y_label_formatter(&|y| format!("{y:.0}"))
            .x_desc(format!("{name}, {unit}"))
            .draw()?;
        let plain = 100.0 * rows[0].uar;
        chart.draw_series(LineSeries::new([(low, plain), (high, plain)], &BLACK.mix(0.4)))?;
        for (colour, value) in [(BLUE, (|r| r.uar) as fn(&Row) -> f64), (RED, |r| r.war)] {
            let points = of.iter().map(|r| (r.level, 100.0 * value(r)));
            chart.draw_series(LineSeries::new(points.clone(), &colour))?;
            chart.draw_series(points.map(|p| Circle::new(p, 3, colour.filled())))?;
        }
    }
    root.present()?;
    Ok(())
}
