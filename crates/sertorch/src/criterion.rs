//! The objective on libtorch.

use serengine::{EngineError, Layout, Loss, Objective, Range};
use tch::{Device, Kind, Reduction, TchError, Tensor};

use crate::network::backend;

/// An objective with its tensors on a device.
#[derive(Debug)]
pub(crate) struct Criterion {
    pub objective: Objective,
    /// `[classes]`; None where all are 1.
    class_weights: Option<Tensor>,
    /// Label smoothing of each utterance; None where all have the objective's.
    smoothing: Option<Tensor>,
    /// Weight and place of each tensor with an L2 penalty.
    penalties: Vec<(f64, Range)>,
}

impl Criterion {
    /// Of an objective that was checked, for a data set of so many utterances.
    pub fn new(
        objective: Objective,
        layout: &Layout,
        utterances: usize,
        device: Device,
        kind: Kind,
    ) -> Result<Self, EngineError> {
        let tensor = |values: &[f64]| -> Result<Option<Tensor>, EngineError> {
            if values.is_empty() {
                return Ok(None);
            }
            let tensor = Tensor::f_from_slice(values).and_then(|t| t.f_to_kind(kind)).and_then(|t| t.f_to(device));
            Ok(Some(tensor.map_err(backend)?))
        };
        let rounds = if objective.smoothing_rounds.is_empty() { 0 } else { utterances };
        let smoothing: Vec<f64> = (0..rounds).map(|i| objective.smoothing(i)).collect();
        let mut penalties = Vec::new();
        if let Some(l2) = &objective.l2 {
            penalties.extend(l2.places(layout)?.into_iter().map(|place| (l2.weight, place)));
        }
        Ok(Self {
            class_weights: tensor(&objective.class_weights)?,
            smoothing: tensor(&smoothing)?,
            penalties,
            objective,
        })
    }

    /// The weighted loss of each utterance, `[utterances]`; `logits` is [utterances, classes], `indices` are numbers in the data set.
    pub fn losses(&self, logits: &Tensor, labels: &Tensor, indices: &Tensor) -> Result<Tensor, TchError> {
        let smoothing = self.objective.label_smoothing;
        let losses = match (self.objective.loss, &self.smoothing) {
            (Loss::CrossEntropy, None) => {
                logits.f_cross_entropy_loss::<Tensor>(labels, None, Reduction::None, -100, smoothing)?
            }
            (loss, all) => {
                let classes = logits.size().last().copied().unwrap_or(1);
                let one_hot = labels.f_one_hot(classes)?.f_to_kind(logits.f_kind()?)?;
                let targets = match all {
                    None => one_hot.f_mul_scalar(1.0 - smoothing)?.f_add_scalar(smoothing / classes as f64)?,
                    Some(all) => {
                        let s = all.f_index_select(0, indices)?.f_unsqueeze(1)?;
                        one_hot.f_sub(&one_hot.f_mul(&s)?)?.f_add(&s.f_div_scalar(classes)?)?
                    }
                };
                of_classes(loss, logits, &targets)?.f_sum_dim_intlist([1i64].as_slice(), false, None)?
            }
        };
        match &self.class_weights {
            None => Ok(losses),
            Some(weights) => losses.f_mul(&weights.f_index_select(0, labels)?),
        }
    }

    /// Adds the L2 penalty to each copy's loss, [copies], and its slope to the gradient, [copies, parameters].
    pub fn penalise(
        &self,
        mut losses: Tensor,
        gradient: Tensor,
        parameters: &Tensor,
    ) -> Result<(Tensor, Tensor), TchError> {
        for &(weight, place) in &self.penalties {
            let of = |flat: &Tensor| flat.f_narrow(1, place.start as i64, place.len as i64);
            let values = of(parameters)?;
            let squares = values.f_square()?.f_sum_dim_intlist([1i64].as_slice(), false, None)?;
            losses = losses.f_add(&squares.f_mul_scalar(weight)?)?;
            let slopes = values.f_mul_scalar(2.0 * weight)?;
            let _ = of(&gradient)?.f_add_(&slopes)?;
        }
        Ok((losses, gradient))
    }
}

/// What each class adds to the loss of an utterance, [utterances, classes]: [`Loss::of`] for autograd.
fn of_classes(loss: Loss, logits: &Tensor, targets: &Tensor) -> Result<Tensor, TchError> {
    let log = || logits.f_log_softmax(1, None);
    let losses = match loss {
        Loss::CrossEntropy => log()?.f_mul(targets)?.f_neg()?,
        Loss::ClippedCrossEntropy { clip } => {
            logits.f_softmax(1, None)?.f_clamp(clip, 1.0 - clip)?.f_log()?.f_mul(targets)?.f_neg()?
        }
        Loss::Focal { gamma } => {
            let log = log()?;
            let easy = log.f_exp()?.f_neg()?.f_add_scalar(1.0)?.f_pow_tensor_scalar(gamma)?;
            log.f_mul(&easy)?.f_mul(targets)?.f_neg()?
        }
        Loss::Margin { present, absent, weight } => {
            let p = logits.f_softmax(1, None)?;
            let low = p.f_neg()?.f_add_scalar(present)?.f_relu()?.f_square()?;
            let high = p.f_sub_scalar(absent)?.f_relu()?.f_square()?;
            let others = targets.f_neg()?.f_add_scalar(1.0)?.f_mul_scalar(weight)?;
            low.f_mul(targets)?.f_add(&high.f_mul(&others)?)?
        }
        other => return Err(TchError::Torch(format!("the loss {other:?} is not computed here"))),
    };
    Ok(losses)
}
