//! Features and labels, and the batches that are taken of them.

use crate::{
    error::EngineError,
    layout::{Layout, Site},
    numbers::first_not_finite,
};

/// Features and labels of a corpus, resident for a run. At least one utterance, and every feature is finite.
#[derive(Clone, Debug, PartialEq)]
pub struct Dataset {
    features: Vec<f32>,
    labels: Vec<usize>,
    frames: usize,
    coefficients: usize,
}

impl Dataset {
    /// `features` is [utterances, frames, coefficients], row-major; `labels` has the class of each utterance.
    ///
    /// # Errors
    /// [`EngineError::Shape`] where the lengths do not fit together or there is nothing, [`EngineError::NotFinite`] with the
    /// place of the first feature that is NaN or infinite.
    pub fn new(
        features: Vec<f32>,
        labels: Vec<usize>,
        frames: usize,
        coefficients: usize,
    ) -> Result<Self, EngineError> {
        let expected = labels.len().checked_mul(frames).and_then(|n| n.checked_mul(coefficients));
        if expected != Some(features.len()) || features.is_empty() {
            return Err(EngineError::Shape(format!(
                "{} feature values for {} utterances of {frames} frames x {coefficients} coefficients; none of the four may be 0",
                features.len(),
                labels.len()
            )));
        }
        if let Some(i) = first_not_finite(&features) {
            let (frame, coefficient) = (i / coefficients, i % coefficients);
            return Err(EngineError::NotFinite {
                place: format!("utterance {}, frame {}, coefficient {coefficient}", frame / frames, frame % frames),
                value: features[i],
                advice: "look at that recording and its features",
            });
        }
        Ok(Self { features, labels, frames, coefficients })
    }

    /// [utterances, frames, coefficients], row-major.
    pub fn features(&self) -> &[f32] {
        &self.features
    }

    /// Class of each utterance.
    pub fn labels(&self) -> &[usize] {
        &self.labels
    }

    /// Frames T of every utterance.
    pub fn frames(&self) -> usize {
        self.frames
    }

    /// Coefficients of every frame.
    pub fn coefficients(&self) -> usize {
        self.coefficients
    }

    /// Number of utterances.
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// False: there is at least one utterance.
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// [frames, coefficients] of utterance `i`.
    pub fn utterance(&self, i: usize) -> &[f32] {
        let size = self.frames * self.coefficients;
        &self.features[i * size..(i + 1) * size]
    }

    /// # Errors
    /// [`EngineError::Shape`] where the data does not fit the network.
    pub fn check(&self, layout: &Layout) -> Result<(), EngineError> {
        let frames = layout.frames().unwrap_or(self.frames);
        for (what, found, expected) in
            [("coefficients", self.coefficients, layout.coefficients()), ("frames", self.frames, frames)]
        {
            if found != expected {
                return Err(EngineError::Shape(format!("features have {found} {what}, the network takes {expected}")));
            }
        }
        match self.labels.iter().find(|&&label| label >= layout.classes()) {
            Some(label) => {
                Err(EngineError::Shape(format!("label {label} of a network of {} classes", layout.classes())))
            }
            None => Ok(()),
        }
    }
}

/// # Errors
/// [`EngineError::Shape`] for an index beyond a data set of so many utterances.
pub fn check_indices(indices: impl IntoIterator<Item = usize>, utterances: usize) -> Result<(), EngineError> {
    match indices.into_iter().find(|&i| i >= utterances) {
        Some(i) => Err(EngineError::Shape(format!("utterance {i} of a data set of {utterances}"))),
        None => Ok(()),
    }
}

/// One optimiser step's input.
#[derive(Clone, Debug, PartialEq)]
pub struct Batch {
    /// Utterances of the [`Dataset`].
    pub indices: Vec<u32>,
    /// Dropout factors, those of one site after those of the one before, [batch, site's shape] each; empty without dropout
    /// ([`crate::streams::epoch`] draws them).
    pub dropout: Vec<f32>,
}

impl Batch {
    /// # Errors
    /// [`EngineError::Shape`] for no utterance, one beyond a data set of `utterances`, or another number of dropout factors than the network
    /// needs; [`EngineError::NotFinite`] for a factor that is NaN or infinite.
    pub fn check(&self, layout: &Layout, utterances: usize) -> Result<(), EngineError> {
        if self.indices.is_empty() {
            return Err(EngineError::Shape("a batch without utterances".into()));
        }
        check_indices(self.indices.iter().map(|&i| i as usize), utterances)?;
        let factors = self.indices.len() * layout.sites().iter().map(Site::len).sum::<usize>();
        if !self.dropout.is_empty() && self.dropout.len() != factors {
            let found = self.dropout.len();
            return Err(EngineError::Shape(format!("{found} dropout factors where {factors} are needed")));
        }
        match first_not_finite(&self.dropout) {
            None => Ok(()),
            Some(i) => Err(EngineError::NotFinite {
                place: format!("dropout factor {i} of a batch"),
                value: self.dropout[i],
                advice: "factors are 0 or 1 / (1 - p)",
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layout::toy::TOY;

    #[test]
    fn features_that_are_no_numbers_are_named() {
        for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            let mut features = vec![0.5; 3 * 4 * 5];
            features[2 * 20 + 3 * 5 + 1] = bad;
            let text = Dataset::new(features, vec![0; 3], 4, 5).unwrap_err().to_string();
            assert!(
                text.starts_with(&format!("utterance 2, frame 3, coefficient 1 (counted from 0) is {bad}")),
                "{text}"
            );
        }
    }

    /// Nothing, or lengths whose product wraps round to the number of values.
    #[test]
    fn a_data_set_without_values_is_an_error() {
        for (labels, frames, coefficients) in [(0, 1, 1), (1, 0, 1), (1, 1, 0), (4, 1 << 62, 4), (0, 0, 0)] {
            let data = Dataset::new(Vec::new(), vec![0; labels], frames, coefficients);
            assert!(matches!(data, Err(EngineError::Shape(_))), "{labels} {frames} {coefficients}");
        }
    }

    #[test]
    fn data_that_does_not_fit_the_network_is_an_error() {
        let fine = Dataset::new(vec![0.5; 2 * 4 * 5], vec![0, 2], 4, 5).unwrap();
        let layout = TOY.made();
        fine.check(&layout).unwrap();
        fine.check(&Layout::clone(&layout).of_frames(4)).unwrap();
        let says = |data: &Dataset, layout: &Layout| data.check(layout).unwrap_err().to_string();
        let longer = Layout::clone(&layout).of_frames(5);
        assert_eq!(says(&fine, &longer), "shapes do not fit: features have 4 frames, the network takes 5");
        let narrow = Dataset::new(vec![0.5; 8], vec![0], 2, 4).unwrap();
        assert_eq!(says(&narrow, &layout), "shapes do not fit: features have 4 coefficients, the network takes 5");
        let other = Dataset::new(vec![0.5; 5], vec![3], 1, 5).unwrap();
        assert_eq!(says(&other, &layout), "shapes do not fit: label 3 of a network of 3 classes");
    }

    /// Sites of 4 and of 2 x 3 factors an utterance.
    #[test]
    fn a_batch_has_the_factors_of_every_site() {
        let layout = TOY.made();
        let batch = |n: usize| Batch { indices: vec![0, 1], dropout: vec![1.0; n] };
        batch(0).check(&layout, 2).unwrap();
        batch(20).check(&layout, 2).unwrap();
        let text = batch(19).check(&layout, 2).unwrap_err().to_string();
        assert_eq!(text, "shapes do not fit: 19 dropout factors where 20 are needed");
        assert!(batch(0).check(&layout, 1).unwrap_err().to_string().contains("utterance 1 of a data set of 1"));
    }
}
