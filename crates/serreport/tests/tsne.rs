//! t-SNE against scikit-learn; `fixtures/make.py` makes what is expected.

#![allow(clippy::unwrap_used)]

use std::{fs, path::Path};

use serde::Deserialize;
use serreport::{Settings, tsne};

fn fixture(name: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)).unwrap()
}

#[derive(Deserialize)]
struct Expected {
    labels: Vec<usize>,
    rows: Vec<Vec<f64>>,
    sklearn_points: Vec<[f64; 2]>,
    sklearn_trustworthiness: f64,
}

fn distance(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum()
}

/// The others of each point, nearest first.
fn neighbours(rows: &[&[f64]]) -> Vec<Vec<usize>> {
    let order = |i: usize| {
        let mut others: Vec<usize> = (0..rows.len()).filter(|j| *j != i).collect();
        others.sort_by(|a, b| distance(rows[i], rows[*a]).total_cmp(&distance(rows[i], rows[*b])));
        others
    };
    (0..rows.len()).map(order).collect()
}

/// scikit-learn's `trustworthiness`: 1 where no point has a neighbour in the plane that is far in the space (Venna & Kaski 2001).
fn trustworthiness(rows: &[&[f64]], points: &[[f64; 2]], k: usize) -> f64 {
    let n = rows.len();
    let space = neighbours(rows);
    let plane = neighbours(&points.iter().map(|p| p.as_slice()).collect::<Vec<_>>());
    let rank = |i: usize, j: usize| space[i].iter().position(|s| *s == j).unwrap() + 1;
    let penalty: usize =
        (0..n).map(|i| plane[i][..k].iter().map(|j| rank(i, *j).saturating_sub(k)).sum::<usize>()).sum();
    1.0 - penalty as f64 * 2.0 / (n * k * (2 * n - 3 * k - 1)) as f64
}

/// The part of the points whose nearest neighbour in the plane is of their class.
fn purity(labels: &[usize], points: &[[f64; 2]]) -> f64 {
    let near = neighbours(&points.iter().map(|p| p.as_slice()).collect::<Vec<_>>());
    (0..labels.len()).filter(|i| labels[near[*i][0]] == labels[*i]).count() as f64 / labels.len() as f64
}

#[test]
fn tsne_keeps_neighbours_as_scikit_learn_does() {
    let e: Expected = serde_json::from_str(&fixture("tsne.json")).unwrap();
    let rows: Vec<&[f64]> = e.rows.iter().map(Vec::as_slice).collect();
    let theirs = trustworthiness(&rows, &e.sklearn_points, 10);
    assert!((theirs - e.sklearn_trustworthiness).abs() < 1e-12, "the measure itself: {theirs}");
    for seed in 0..8 {
        let points = tsne(&rows, Settings { seed, ..Settings::default() }).unwrap();
        let ours = trustworthiness(&rows, &points, 10);
        assert!((ours - theirs).abs() < 0.02, "seed {seed}: trustworthiness {ours}, scikit-learn {theirs}");
        let (ours, theirs) = (purity(&e.labels, &points), purity(&e.labels, &e.sklearn_points));
        assert!((ours - theirs).abs() < 0.1, "seed {seed}: purity {ours}, scikit-learn {theirs}");
    }
}

#[test]
fn tsne_of_one_seed_is_one_drawing() {
    let e: Expected = serde_json::from_str(&fixture("tsne.json")).unwrap();
    let rows: Vec<&[f64]> = e.rows.iter().map(Vec::as_slice).collect();
    let draw = |seed| tsne(&rows, Settings { seed, steps: 300, ..Settings::default() }).unwrap();
    assert_eq!(draw(3), draw(3));
    assert_ne!(draw(3), draw(4));
    assert!(tsne(&rows[..serreport::FEWEST - 1], Settings::default()).is_none());
    assert!(tsne(&[&[1.0], &[f64::NAN]].map(|r| r.as_slice()).repeat(9), Settings::default()).is_none());
    assert!(tsne(&[&[1.0][..]; 20], Settings::default()).is_some_and(|p| p.iter().flatten().all(|v| v.is_finite())));
}
