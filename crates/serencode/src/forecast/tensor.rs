//! A tensor of which the shape is known, and the values where they are few and follow from shapes and constants.

use crate::limits;
use crate::proto::elements;

/// What is known of a tensor.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Known {
    pub dims: Vec<u64>,
    /// Whether its arithmetic is that of integers.
    pub integer: bool,
    /// Its values in row-major order, at most [`limits::VALUES`].
    pub values: Option<Vec<f64>>,
}

impl Known {
    /// A shape alone.
    pub fn shape(dims: Vec<u64>) -> Known {
        Known { dims, integer: false, values: None }
    }

    /// A tensor with values, which are dropped where they are too many or not the runtime's (it has 32 bits).
    pub fn new(dims: Vec<u64>, integer: bool, values: Option<Vec<f64>>) -> Known {
        let fits = |values: &Vec<f64>| {
            elements(&dims) == Some(values.len() as u64)
                && values.len() as u64 <= limits::VALUES
                && (!integer || values.iter().all(|value| value.abs() <= f64::from(i32::MAX)))
        };
        let values = values.filter(fits);
        let values = values.map(|values| match integer {
            true => values,
            false => values.into_iter().map(|value| f64::from(value as f32)).collect(),
        });
        Known { dims, integer, values }
    }

    pub fn integers(values: Vec<f64>) -> Known {
        Known::new(vec![values.len() as u64], true, Some(values))
    }

    /// Its values as whole numbers, saturated as the runtime does it.
    pub fn whole(&self) -> Option<Vec<i64>> {
        let whole = |&value: &f64| value.clamp(f64::from(i32::MIN), f64::from(i32::MAX)) as i64;
        self.values.as_ref().map(|values| values.iter().map(whole).collect())
    }

    /// Number of elements; 2^64 - 1 where there are more.
    pub fn count(&self) -> u64 {
        elements(&self.dims).unwrap_or(u64::MAX)
    }
}

/// The shape of tensors broadcast together; none where they do not fit.
pub(crate) fn broadcast(shapes: &[&[u64]]) -> Option<Vec<u64>> {
    let rank = shapes.iter().map(|dims| dims.len()).max()?;
    let mut out = vec![1; rank];
    for dims in shapes {
        for (out, &dim) in out[rank - dims.len()..].iter_mut().zip(*dims) {
            match (*out, dim) {
                (_, 1) => {}
                (1, dim) => *out = dim,
                (a, b) if a == b => {}
                _ => return None,
            }
        }
    }
    Some(out)
}

/// The values of a tensor in another order or number: `source` says for each place of the shape `dims` where its value stands. None where
/// a value is not known.
pub(crate) fn rearranged(known: &Known, dims: &[u64], source: impl Fn(&[u64]) -> Option<Vec<u64>>) -> Option<Vec<f64>> {
    let values = known.values.as_ref()?;
    let count = elements(dims).filter(|&count| count <= limits::VALUES)?;
    let mut place = vec![0; dims.len()];
    let value = |at: u64| {
        let mut rest = at;
        for (place, &dim) in place.iter_mut().zip(dims).rev() {
            (*place, rest) = (rest % dim, rest / dim);
        }
        let from = source(&place)?;
        let index = from.iter().zip(&known.dims).fold(0, |index, (at, dim)| index * dim + at);
        values.get(usize::try_from(index).ok()?).copied()
    };
    (0..count).map(value).collect()
}

/// The values of a tensor repeated to the shape that it is broadcast to.
pub(crate) fn spread(known: &Known, dims: &[u64]) -> Option<Vec<f64>> {
    let skip = dims.len().checked_sub(known.dims.len())?;
    rearranged(known, dims, |place| {
        Some(place[skip..].iter().zip(&known.dims).map(|(&at, &dim)| if dim == 1 { 0 } else { at }).collect())
    })
}
