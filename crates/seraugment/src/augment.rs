//! The steps by name, and the chain of them.

use std::{collections::BTreeMap, fmt, path::Path, str::FromStr};

use crate::{
    AugmentError, Draw, Law, NoiseBank,
    draw::{between, unit},
    error::parameter,
    room::RATE,
};

/// One way in which recordings differ. The order is that of the way from a mouth to a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Step {
    /// Tempo and pitch.
    Speed,
    /// A part of the recording is missing.
    Truncate,
    /// Reverberation.
    Room,
    /// Noise.
    Noise,
    /// Level.
    Gain,
    /// Telephony: bandwidth and eight bits of G.711.
    Codec,
    /// Masks over the features. The only step that works on features.
    SpecAugment,
}

/// A closed range; a fixed value where both ends are equal.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Range {
    /// Least.
    pub low: f64,
    /// Most.
    pub high: f64,
}

struct Facts {
    name: &'static str,
    unit: &'static str,
    /// What is taken where no range is given.
    default: Range,
    allowed: Range,
}

const fn facts(name: &'static str, unit: &'static str, default: (f64, f64), allowed: (f64, f64)) -> Facts {
    Facts {
        name,
        unit,
        default: Range { low: default.0, high: default.1 },
        allowed: Range { low: allowed.0, high: allowed.1 },
    }
}

impl Step {
    /// All steps, in the order of the chain.
    pub const ALL: [Self; 7] =
        [Self::Speed, Self::Truncate, Self::Room, Self::Noise, Self::Gain, Self::Codec, Self::SpecAugment];

    const fn facts(self) -> Facts {
        match self {
            Self::Speed => facts("speed", "percent", (90.0, 110.0), (50.0, 200.0)),
            Self::Truncate => facts("truncate", "of the recording", (0.6, 1.0), (0.05, 1.0)),
            Self::Room => facts("room", "s (RT60)", (0.1, 0.8), (0.02, 5.0)),
            Self::Noise => facts("noise", "dB (SNR)", (5.0, 30.0), (-20.0, 80.0)),
            Self::Gain => facts("gain", "dB", (-20.0, 6.0), (-80.0, 40.0)),
            Self::Codec => facts("codec", "Hz", (8000.0, 16_000.0), (4000.0, 48_000.0)),
            Self::SpecAugment => facts("specaugment", "of the axis", (0.0, 0.15), (0.0, 0.5)),
        }
    }

    /// The name on the command line.
    pub fn name(self) -> &'static str {
        self.facts().name
    }
}

/// Which steps, each with its range: `gain,noise=5..30`. Nothing, by default.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Augment {
    steps: BTreeMap<Step, Range>,
}

impl Augment {
    /// Whether no step is on.
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// The range of a step that is on.
    pub fn range(&self, step: Step) -> Option<Range> {
        self.steps.get(&step).copied()
    }

    /// Whether any step works on samples, which needs recordings and not features.
    pub fn needs_samples(&self) -> bool {
        self.steps.keys().any(|&step| step != Step::SpecAugment)
    }
}

impl fmt::Display for Augment {
    /// Every range written out; parses to the same.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, (step, Range { low, high })) in self.steps.iter().enumerate() {
            let comma = if i == 0 { "" } else { "," };
            write!(f, "{comma}{}={low}..{high}", step.name())?;
        }
        Ok(())
    }
}

impl FromStr for Augment {
    type Err = AugmentError;

    fn from_str(text: &str) -> Result<Self, AugmentError> {
        let mut steps = BTreeMap::new();
        for part in text.split(',').map(str::trim).filter(|p| !p.is_empty()) {
            let (name, range) = part.split_once('=').map_or((part, None), |(name, range)| (name, Some(range)));
            let step = Step::ALL.into_iter().find(|s| s.name() == name).ok_or_else(|| AugmentError::UnknownStep {
                name: name.to_owned(),
                known: Step::ALL.map(Step::name).join(", "),
            })?;
            let Facts { name, unit, default, allowed } = step.facts();
            let parsed = range.map_or(Some(default), parse_range);
            let inside = |r: &Range| allowed.low <= r.low && r.low <= r.high && r.high <= allowed.high;
            let range = parsed.filter(inside).ok_or_else(|| AugmentError::Range {
                step: name,
                given: range.unwrap_or_default().to_owned(),
                low: allowed.low,
                high: allowed.high,
                unit,
            })?;
            if steps.insert(step, range).is_some() {
                return Err(AugmentError::Twice(name));
            }
        }
        Ok(Self { steps })
    }
}

fn parse_range(text: &str) -> Option<Range> {
    let (low, high) = text.split_once("..").unwrap_or((text, text));
    Some(Range { low: low.trim().parse().ok()?, high: high.trim().parse().ok()? })
}

/// Every step on samples is taken for half of the recordings, so that a network sees plain ones too.
const CHANCE: f64 = 0.5;
/// A room's direct sound has this much more energy than its tail, in dB.
const DIRECT: Range = Range { low: 0.0, high: 12.0 };

/// The chain of steps, made ready.
#[derive(Clone, Debug)]
pub struct Augmenter {
    augment: Augment,
    rate: u32,
    noises: NoiseBank,
}

impl Augmenter {
    /// For samples at `rate` Hz, with noise from `noise_folder` where there is one.
    ///
    /// # Errors
    /// As [`NoiseBank::open`]; a rate that is not in 1 to 768,000 Hz.
    pub fn new(augment: Augment, rate: u32, noise_folder: Option<&Path>) -> Result<Self, AugmentError> {
        parameter(RATE.0, rate.into(), RATE.1, RATE.2)?;
        let noises = noise_folder.map(|f| NoiseBank::open(f, rate)).transpose()?.unwrap_or_default();
        Ok(Self { augment, rate, noises })
    }

    /// Where its noise comes from.
    pub fn noises(&self) -> &NoiseBank {
        &self.noises
    }

    /// The recording as `draw` has it: each step on samples that is on is taken or not, with values drawn from its range.
    ///
    /// # Errors
    /// [`AugmentError::NotFinite`] where a step meets a sample that is not finite.
    pub fn samples(&self, samples: &[f32], draw: Draw) -> Result<Vec<f32>, AugmentError> {
        let mut out = samples.to_vec();
        for (&step, &range) in &self.augment.steps {
            let mut rng = draw.stream(step as u8 + 1);
            if unit(&mut rng) >= CHANCE {
                continue;
            }
            let value = between(&mut rng, range.low, range.high);
            out = match step {
                Step::Speed => crate::speed(&out, value.round() as u32)?,
                Step::Truncate => crate::truncate(&out, value, unit(&mut rng)),
                Step::Room => {
                    let direct = between(&mut rng, DIRECT.low, DIRECT.high);
                    crate::room(&out, &crate::impulse_response(value, direct, self.rate, draw)?)
                }
                Step::Noise => crate::add_at_snr(&out, &self.noises.stretch(out.len(), &mut rng), value)?,
                Step::Gain => crate::gain(&out, value)?,
                Step::Codec => {
                    let law = if unit(&mut rng) < 0.5 { Law::Mu } else { Law::A };
                    // Whole kilohertz keep the resampling filters few and small.
                    crate::codec(&out, self.rate, (value / 1000.0).round() as u32 * 1000, law)?
                }
                Step::SpecAugment => out,
            };
        }
        Ok(out)
    }

    /// Masks features, row-major [frames, coefficients], where SpecAugment is on.
    pub fn features(&self, features: &mut [f32], coefficients: usize, draw: Draw) {
        let Some(share) = self.augment.range(Step::SpecAugment) else { return };
        let frames = features.len() / coefficients.max(1);
        for mask in crate::masks(draw, frames, coefficients, share) {
            mask.apply(features, coefficients);
        }
    }
}
