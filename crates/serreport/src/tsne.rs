//! t-SNE (van der Maaten & Hinton 2008; Barnes-Hut, van der Maaten 2014), by the crate `bhtsne`; the same seed gives the same
//! points.
//!
//! The crate's exact mode counts each point as its own neighbour and keeps neighbourhoods worse than scikit-learn's; its Barnes-Hut mode does not, and at an angle this small it
//! is as good as exact. The neighbours are found here: the crate's own search draws random numbers that can't be seeded.

use bhtsne::Neighbor;
use rand_chacha::{
    ChaCha8Rng,
    rand_core::{Rng, SeedableRng},
};

/// Points in fewer than this many rows say nothing.
pub const FEWEST: usize = 10;

/// The angle below which a far group of points counts as one (0: exact; 0.5: usual).
const ANGLE: f64 = 0.2;

/// Settings of [`tsne`].
#[derive(Debug, Clone, Copy)]
pub struct Settings {
    /// About how many neighbours count; at most a third of the points.
    pub perplexity: f64,
    /// Steps of gradient descent, 250 of them with early exaggeration 12.
    pub steps: usize,
    /// Of the first positions.
    pub seed: u64,
}

impl Default for Settings {
    /// scikit-learn's perplexity and number of steps.
    fn default() -> Self {
        Self { perplexity: 30.0, steps: 1000, seed: 0 }
    }
}

impl Settings {
    /// The perplexity that `points` points are drawn with.
    #[must_use]
    pub fn perplexity_of(&self, points: usize) -> f64 {
        self.perplexity.min((points.saturating_sub(1) / 3) as f64)
    }
}

/// Positions in the plane, `[points][2]`, of `rows`, `[points][dimensions]`; None for fewer than [`FEWEST`] rows, rows of
/// different lengths, or a number that is not finite.
#[must_use]
pub fn tsne(rows: &[&[f64]], settings: Settings) -> Option<Vec<[f64; 2]>> {
    let dimensions = rows.first()?.len();
    if rows.len() < FEWEST || rows.iter().any(|r| r.len() != dimensions || !r.iter().all(|v| v.is_finite())) {
        return None;
    }
    let mut random = ChaCha8Rng::seed_from_u64(settings.seed);
    let mut start = || 2e-4 * (random.next_u64() as f64 / u64::MAX as f64 - 0.5);
    let start: Vec<f64> = (0..2 * rows.len()).map(|_| start()).collect();
    // Sums over several threads are added in an order that changes from run to run.
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().ok()?;
    let perplexity = settings.perplexity_of(rows.len());
    let neighbours: Vec<Vec<Neighbor<f64>>> =
        (0..rows.len()).map(|i| nearest(rows, i, 3 * perplexity as usize)).collect();
    let points = pool.install(|| {
        bhtsne::tSNE::<f64, &[f64], 2>::new(rows)
            .perplexity(perplexity)
            .epochs(settings.steps)
            .initial_embedding(start)
            .barnes_hut_with_neighbors(ANGLE, &neighbours)
            .embedding()
    });
    Some(points.chunks_exact(2).map(|p| [p[0], p[1]]).collect())
}

/// The `count` others nearest to row `i`, nearest first, by Euclidean distance.
fn nearest(rows: &[&[f64]], i: usize, count: usize) -> Vec<Neighbor<f64>> {
    let distance = |j: usize| rows[i].iter().zip(rows[j]).map(|(a, b)| (a - b).powi(2)).sum::<f64>().sqrt();
    let mut others: Vec<Neighbor<f64>> =
        (0..rows.len()).filter(|j| *j != i).map(|index| Neighbor { index, distance: distance(index) }).collect();
    others.sort_by(|a, b| a.distance.total_cmp(&b.distance));
    others.truncate(count);
    others
}
