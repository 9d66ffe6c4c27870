//! What an encoder and a classifier share: a file that is open, and runs over windows of a recording.

use std::ops::Range;
use std::path::Path;

use crate::EncodeError;
use crate::folder::{self, Notes};
use crate::forecast::{self, Cost, Fault, Forecast};
use crate::input::Input;
use crate::model::{File, Output, Runtime, sha256};
use crate::output::{Offer, offers};
use crate::settings::{Longer, Settings};
use crate::source::Source;

pub(crate) struct Core {
    pub file: File,
    pub notes: Notes,
    pub settings: Settings,
    pub offers: Vec<Offer>,
    pub sources: Vec<Source>,
    input: Input,
    runtime: Runtime,
    /// Samples at which the shapes of `offers` are.
    tried: usize,
}

impl Core {
    pub fn open(path: &Path, settings: &Settings) -> Result<Core, EncodeError> {
        settings.check()?;
        let path = folder::model_file(path)?;
        let notes = folder::notes(&path)?;
        let mut file = File::read(&path)?;
        let (input, mut sources) = Input::find(&file, &notes, settings)?;
        let window = format!(
            "{} s, longer recordings: {}",
            settings.window,
            match settings.longer {
                Longer::Windows => "in windows",
                Longer::Refuse => "refused",
            }
        );
        Source::noted(&mut sources, "window", window, "set or default");
        // One second shows what a network makes; where that is too short, the window.
        let second = input.rate as usize;
        let (most, only) = input.bounds();
        let window = ((settings.window * f64::from(input.rate)) as usize).min(most);
        let first = only.unwrap_or(second.min(window));
        let cost = |samples| forecast::cost(&file.proto.graph, &input.shapes(samples), settings.memory);
        let (tried, found) = match cost(first) {
            Err(Fault::Short(_)) if window > first => (window, cost(window)),
            found => (first, found),
        };
        let found = found.map_err(|fault| fault_error(&file.path, fault, tried, input.rate, settings))?;
        let names = file.proto.graph.outputs.iter().map(|port| port.name.clone());
        let offers = offers(&names.zip(found.outputs).collect::<Vec<_>>());
        let runtime = file.load(settings.threads)?;
        Ok(Core { file, notes, settings: settings.clone(), offers, sources, input, runtime, tried })
    }

    pub fn path(&self) -> &Path {
        &self.file.path
    }

    /// Samples at which the shapes of the outputs were found.
    pub fn tried(&self) -> usize {
        self.tried
    }

    pub fn rate(&self) -> u32 {
        self.input.rate
    }

    /// The error that lists the outputs.
    pub fn output_error(&self, what: impl Into<String>) -> EncodeError {
        let offered = self.offers.iter().map(Offer::to_string).collect::<Vec<_>>().join("; ");
        EncodeError::Output { path: self.path().to_owned(), what: what.into(), offered }
    }

    /// The output that the settings name; none where they name none.
    pub fn named(&self) -> Result<Option<Offer>, EncodeError> {
        let Some(name) = &self.settings.output else { return Ok(None) };
        if let Some(offer) = self.offers.iter().find(|offer| offer.name == *name) {
            return Ok(Some(offer.clone()));
        }
        Err(self.output_error(format!("there is no output `{name}`")))
    }

    /// SHA-256 of all that results depend on: the files, the output and what `part` says of it, the input, the window.
    pub fn identity(&self, output: &str, part: &str) -> String {
        let mut text = String::from("serencode 1\n");
        for (at, (name, hash)) in self.file.hashes.iter().enumerate() {
            // The model may be called anything; the names of its external data are in it.
            text += &if at == 0 { format!("file {hash}\n") } else { format!("data {hash} {name}\n") };
        }
        let Settings { window, longer, .. } = &self.settings;
        let (rate, scaling) = (self.input.rate, self.input.scaling);
        text += &format!("output {output}\n{part}\nrate {rate}\ninput {scaling}\nwindow {window} {longer:?}\n");
        sha256(text.as_bytes())
    }

    /// Windows of equal length, at most as long as the window.
    fn windows(&self, samples: usize) -> Result<Vec<Range<usize>>, EncodeError> {
        let rate = f64::from(self.input.rate);
        let (most, only) = self.input.bounds();
        let length = only.unwrap_or(((self.settings.window * rate) as usize).min(most)).max(1);
        if samples > length && self.settings.longer == Longer::Refuse {
            return Err(EncodeError::TooLong { seconds: samples as f64 / rate, window: length as f64 / rate });
        }
        let count = samples.div_ceil(length).max(1);
        let cut = |at: usize| (samples as u128 * at as u128 / count as u128) as usize;
        Ok((0..count).map(|at| cut(at)..cut(at + 1)).collect())
    }

    fn cost(&self, samples: usize) -> Result<Cost, Fault> {
        let cost = forecast::cost(&self.file.proto.graph, &self.input.shapes(samples), self.settings.memory)?;
        if cost.outputs.iter().flatten().any(|&size| size == 0) {
            return Err(Fault::Short("an output without a frame".to_owned()));
        }
        Ok(cost)
    }

    /// The cost of a window, or the error that says why it cannot be run.
    fn checked_cost(&self, samples: usize) -> Result<Cost, EncodeError> {
        let path = self.path().to_owned();
        if let (_, Some(only)) = self.input.bounds()
            && samples != only
        {
            let what = format!(
                "it was exported for {only} samples exactly and {samples} were given: export it with a dynamic axis"
            );
            return Err(EncodeError::Graph { path, what });
        }
        let fault = match self.cost(samples) {
            // Whisper pads whatever there is, but nothing to something.
            Ok(_) if samples == 0 => return Err(EncodeError::TooShort { path, samples, least: 1, rate: self.rate() }),
            Ok(cost) => return Ok(cost),
            Err(fault) => fault,
        };
        if samples < self.tried && !matches!(fault, Fault::Memory(_)) {
            let (mut short, mut least) = (samples, self.tried);
            while least - short > 1 {
                let middle = short + (least - short) / 2;
                match self.cost(middle) {
                    Ok(_) => least = middle,
                    Err(_) => short = middle,
                }
            }
            return Err(EncodeError::TooShort { path, samples, least, rate: self.rate() });
        }
        Err(fault_error(self.path(), fault, samples, self.rate(), &self.settings))
    }

    /// What a recording of a number of samples costs.
    pub fn forecast(&self, samples: usize) -> Result<Forecast, EncodeError> {
        let windows = self.windows(samples)?;
        let longest = windows.iter().map(Range::len).max().unwrap_or(0);
        let cost = self.checked_cost(longest)?;
        let beside = 4 * longest as u64 * 3 + BESIDE;
        Ok(Forecast {
            samples: longest,
            runs: windows.len(),
            bytes: cost.bytes.saturating_add(beside),
            operations: cost.operations,
        })
    }

    /// Runs over the windows of a recording; `each` gets the outputs and the function that says how many frames are speech.
    pub fn run<T>(
        &self,
        samples: &[f32],
        offer: &Offer,
        mut each: impl FnMut(&[Output], &dyn Fn(usize) -> usize) -> Option<T>,
    ) -> Result<Vec<T>, EncodeError> {
        if let Some(index) = samples.iter().position(|sample| !sample.is_finite()) {
            return Err(EncodeError::Sample { index, value: samples[index] });
        }
        let windows = self.windows(samples.len())?;
        let scaled = self.input.scale(samples);
        let mut pieces = Vec::with_capacity(windows.len());
        for window in windows {
            let piece = &scaled[window];
            let cost = self.checked_cost(piece.len())?;
            let outputs = self.input.feed(piece, |feeds| self.runtime.run(feeds, &offer.members))?;
            self.check(offer, &cost, &outputs)?;
            let keep = |found: usize| self.input.speech(found, piece.len());
            let made = each(&outputs, &keep);
            pieces.push(made.ok_or_else(|| {
                self.output_error(format!("output `{}` has not the shape of a second ago", offer.name))
            })?);
        }
        Ok(pieces)
    }

    /// The outputs are what the forecast said, and finite.
    fn check(&self, offer: &Offer, cost: &Cost, outputs: &[Output]) -> Result<(), EncodeError> {
        for (name, output) in offer.members.iter().zip(outputs) {
            let at = self.file.proto.graph.outputs.iter().position(|port| port.name == *name);
            let foreseen = at.and_then(|at| cost.outputs.get(at));
            if !foreseen.is_some_and(|dims| {
                dims.iter().eq(output.dims.iter().map(|&dim| dim as u64).collect::<Vec<_>>().iter())
            }) {
                let what = format!("output `{name}` has the shape {:?}; foreseen was {foreseen:?}", output.dims);
                return Err(EncodeError::Runtime { path: self.path().to_owned(), what });
            }
            if output.values.iter().any(|value| !value.is_finite()) {
                return Err(EncodeError::NotFinite { path: self.path().to_owned(), output: name.clone() });
            }
        }
        Ok(())
    }
}

/// Bytes beside the tensors: packed blocks of matrices and stacks of threads.
const BESIDE: u64 = 32 << 20;

fn fault_error(path: &Path, fault: Fault, samples: usize, rate: u32, settings: &Settings) -> EncodeError {
    let (path, seconds) = (path.to_owned(), samples as f64 / f64::from(rate));
    match fault {
        Fault::Memory(at) => EncodeError::Memory { path, seconds, limit: settings.memory, at },
        Fault::Short(at) => {
            EncodeError::Graph { path, what: format!("{samples} samples are too few for operator {at}") }
        }
        Fault::Graph(what) => EncodeError::Graph { path, what },
    }
}

/// Labels of a classifier: set, in `config.json`, or in the file's own metadata.
pub(crate) fn labels(core: &Core) -> Result<Option<(Vec<String>, &'static str)>, EncodeError> {
    if let Some(labels) = &core.settings.labels {
        let wrong = |what| EncodeError::Needed {
            path: core.path().to_owned(),
            what: format!("the labels that were set: {what}"),
        };
        return Ok(Some((folder::checked(labels.clone()).map_err(wrong)?, "set")));
    }
    if let Some(labels) = &core.notes.labels {
        return Ok(Some((labels.clone(), "config.json")));
    }
    let wrong = |what| EncodeError::Damaged { path: core.path().to_owned(), what };
    let labels = folder::metadata_labels(&core.file.proto.metadata).map_err(wrong)?;
    Ok(labels.map(|labels| (labels, "metadata of the ONNX file")))
}
