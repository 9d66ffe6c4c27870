//! Where each parameter lies in the flat vectors, and what else an engine must know of a network.

use std::fmt::Display;

use serde::{Serialize, de::DeserializeOwned};

/// Settings of one family of networks: plain data (numbers, words, lists) that a [`Layout`] is made of. Weight files hold them.
///
/// Networks of equal text are taken for the same, in checkpoints too, so the texts of two families must differ.
pub trait Settings: Serialize + DeserializeOwned {
    /// Name of the family, and key of the settings in the metadata of weight files.
    const FAMILY: &'static str;
    /// Why settings can't be used.
    type Error: Display;

    /// The layout of a network with these settings.
    ///
    /// # Errors
    /// A setting that can't be used.
    fn layout(&self) -> Result<Layout, Self::Error>;
}

/// Initial values of a tensor.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Init {
    /// Uniform in [-a, a].
    Uniform(f32),
    /// One value.
    Constant(f32),
}

impl Init {
    /// Glorot's uniform kernel: a = sqrt(6 / (fan_in + fan_out)); a convolution's fans are taps * channels.
    pub fn glorot(fan_in: usize, fan_out: usize) -> Self {
        Self::Uniform((6.0 / (fan_in + fan_out) as f64).sqrt() as f32)
    }
}

/// A place in a flat vector.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Range {
    /// First element.
    pub start: usize,
    /// Number of elements.
    pub len: usize,
}

impl Range {
    /// As an index range.
    pub fn all(self) -> std::ops::Range<usize> {
        self.start..self.start + self.len
    }
}

/// One named tensor of the network.
#[derive(Clone, Debug, PartialEq)]
pub struct Tensor {
    /// Name in weight files. The name of a variance ends in `running_var`: it must not be negative.
    pub name: String,
    /// Shape, libtorch's order: kernels are [out, in, taps].
    pub shape: Vec<usize>,
    /// Place in its vector.
    pub range: Range,
    /// Initial values.
    pub init: Init,
}

/// A place in the network where dropout multiplies by random factors: 0 with probability `rate`, otherwise 1 / (1 - rate).
#[derive(Clone, Debug, PartialEq)]
pub struct Site {
    /// Shape of the factors of one utterance: `[channels]` in spatial dropout, the whole shape of the values in element-wise dropout.
    pub shape: Vec<usize>,
    /// At least 0 and below 1.
    pub rate: f64,
}

impl Site {
    /// Factors of one utterance.
    pub fn len(&self) -> usize {
        self.shape.iter().product()
    }

    /// Whether there is no factor.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// What engines, weight files and random streams know of a network: its settings, the size of its input and output, its trainable
/// parameters in one flat vector, its running statistics in another, its dropout sites.
#[derive(Clone, Debug, PartialEq)]
pub struct Layout {
    family: &'static str,
    settings: String,
    coefficients: usize,
    frames: Option<usize>,
    classes: usize,
    tensors: Vec<Tensor>,
    running: Vec<Tensor>,
    sites: Vec<Site>,
}

impl Layout {
    /// A layout without tensors of a network that reads [frames, coefficients] and answers with `classes` logits.
    pub fn new<S: Settings>(settings: &S, coefficients: usize, classes: usize) -> Self {
        // JSON holds all plain data; where it does not, the empty text cannot be read back.
        let settings = serde_json::to_string(settings).unwrap_or_default();
        Self {
            family: S::FAMILY,
            settings,
            coefficients,
            frames: None,
            classes,
            tensors: Vec::new(),
            running: Vec::new(),
            sites: Vec::new(),
        }
    }

    /// The layout of a network that takes utterances of `frames` frames only, for instance because the shape of a dropout site
    /// depends on them.
    pub fn of_frames(self, frames: usize) -> Self {
        Self { frames: Some(frames), ..self }
    }

    /// Appends a trainable tensor.
    pub fn parameter(&mut self, name: impl Into<String>, shape: &[usize], init: Init) -> Range {
        push(&mut self.tensors, name.into(), shape, init)
    }

    /// Appends a running statistic: training moves it, without a gradient.
    pub fn statistic(&mut self, name: impl Into<String>, shape: &[usize], init: Init) -> Range {
        push(&mut self.running, name.into(), shape, init)
    }

    /// Appends a dropout site; sites draw their factors in this order.
    pub fn site(&mut self, shape: &[usize], rate: f64) {
        self.sites.push(Site { shape: shape.to_vec(), rate });
    }

    /// [`Settings::FAMILY`] of the network.
    pub fn family(&self) -> &'static str {
        self.family
    }

    /// The settings as JSON: the canonical text of the network.
    pub fn settings(&self) -> &str {
        &self.settings
    }

    /// Coefficients of an input frame.
    pub fn coefficients(&self) -> usize {
        self.coefficients
    }

    /// Frames that every utterance must have; None for a network that takes any number.
    pub fn frames(&self) -> Option<usize> {
        self.frames
    }

    /// Number of classes.
    pub fn classes(&self) -> usize {
        self.classes
    }

    /// Trainable tensors. They tile the parameter vector in this order.
    pub fn tensors(&self) -> &[Tensor] {
        &self.tensors
    }

    /// Running statistics. They tile the statistics vector in this order.
    pub fn running(&self) -> &[Tensor] {
        &self.running
    }

    /// Dropout sites.
    pub fn sites(&self) -> &[Site] {
        &self.sites
    }

    /// Length of the parameter vector.
    pub fn trainable(&self) -> usize {
        end(&self.tensors)
    }

    /// Length of the statistics vector.
    pub fn statistics(&self) -> usize {
        end(&self.running)
    }
}

fn end(tensors: &[Tensor]) -> usize {
    tensors.last().map_or(0, |t| t.range.start + t.range.len)
}

fn push(into: &mut Vec<Tensor>, name: String, shape: &[usize], init: Init) -> Range {
    let range = Range { start: end(into), len: shape.iter().product() };
    into.push(Tensor { name, shape: shape.to_vec(), range, init });
    range
}

/// A small network of no use, for the tests of this crate.
#[cfg(test)]
pub(crate) mod toy {
    use std::convert::Infallible;

    use serde::{Deserialize, Serialize};

    use super::{Init, Layout, Settings};

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    #[serde(deny_unknown_fields)]
    pub struct Toy {
        pub coefficients: usize,
        pub classes: usize,
        pub rates: [f64; 2],
    }

    pub const TOY: Toy = Toy { coefficients: 5, classes: 3, rates: [0.1, 0.5] };

    impl Settings for Toy {
        const FAMILY: &'static str = "toy";
        type Error = Infallible;

        fn layout(&self) -> Result<Layout, Infallible> {
            let mut layout = Layout::new(self, self.coefficients, self.classes);
            layout.parameter("weight", &[self.classes, self.coefficients, 2], Init::glorot(10, 3));
            layout.parameter("scale", &[self.classes], Init::Constant(1.0));
            layout.statistic("running_mean", &[self.classes], Init::Constant(0.0));
            layout.statistic("running_var", &[self.classes], Init::Constant(1.0));
            layout.site(&[4], self.rates[0]);
            layout.site(&[2, 3], self.rates[1]);
            Ok(layout)
        }
    }

    impl Toy {
        pub fn made(&self) -> std::sync::Arc<Layout> {
            let Ok(layout) = self.layout();
            std::sync::Arc::new(layout)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Init, Range, toy::TOY};

    #[test]
    fn tensors_tile_the_vectors() {
        let layout = TOY.made();
        let ranges: Vec<Range> = layout.tensors().iter().map(|t| t.range).collect();
        assert_eq!(ranges, [Range { start: 0, len: 30 }, Range { start: 30, len: 3 }]);
        assert_eq!((layout.trainable(), layout.statistics()), (33, 6));
        assert_eq!(layout.running()[1].range.all(), 3..6);
        assert_eq!(layout.tensors()[0].init, Init::Uniform((6.0f64 / 13.0).sqrt() as f32));
        assert_eq!(layout.sites().iter().map(|s| s.len()).collect::<Vec<_>>(), [4, 6]);
        assert_eq!(layout.settings(), r#"{"coefficients":5,"classes":3,"rates":[0.1,0.5]}"#);
    }
}
