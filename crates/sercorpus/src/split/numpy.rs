//! NumPy's legacy generator, as far as scikit-learn's splitters use it.

use rand_mt::Mt;

/// `numpy.random.RandomState(seed)`.
pub(crate) struct RandomState(Mt);

impl RandomState {
    pub(crate) fn new(seed: u32) -> Self {
        Self(Mt::new(seed))
    }

    /// `shuffle`: Fisher-Yates from the end.
    pub(crate) fn shuffle<T>(&mut self, items: &mut [T]) {
        for i in (1..items.len()).rev() {
            items.swap(i, self.interval(i));
        }
    }

    /// `permutation(n)`.
    pub(crate) fn permutation(&mut self, n: usize) -> Vec<usize> {
        let mut indices: Vec<usize> = (0..n).collect();
        self.shuffle(&mut indices);
        indices
    }

    /// Uniform in `0..=max`: draws masked to the bits of `max`, those above it rejected. NumPy draws 64 bits for
    /// 2^32 items and more, which no corpus has.
    fn interval(&mut self, max: usize) -> usize {
        let mask = u32::MAX.checked_shr((max as u32).leading_zeros()).unwrap_or(0);
        loop {
            let draw = (self.0.next_u32() & mask) as usize;
            if draw <= max {
                return draw;
            }
        }
    }
}
