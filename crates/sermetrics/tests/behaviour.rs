//! Errors, invariants and intervals.
#![allow(clippy::unwrap_used)]

use proptest::prelude::*;
use sermetrics::*;

#[test]
fn bad_input_is_an_error_that_says_where() {
    let message = |r: Result<Confusion, MetricError>| r.unwrap_err().to_string();
    assert_eq!(
        message(confusion(&[0, 1], &[0], 2)),
        "truth has 2 entries but predicted has 1: they must have one for each utterance"
    );
    assert_eq!(message(confusion(&[0, 1], &[0, 7], 2)), "predicted[1] is class 7, but there are only 2 classes (0..2)");
    assert_eq!(message(confusion(&[], &[], 2)), "no utterances to score: at least 1 wanted");
    assert!(confusion(&[0], &[0], 0).is_err());
    assert!(Spread::of(&[]).is_err());
    assert!(Spread::of(&[1.0, f64::NAN]).unwrap_err().to_string().contains("values[1]"));
    assert!(paired_difference(&[1.0], &[1.0], 0.95).is_err());
    assert!(paired_difference(&[1.0, 2.0], &[1.0, 3.0], 1.0).is_err());
    assert!(Calibration::of(&[0.5, 1.5], &[true, false], 10).is_err());
    assert!(Calibration::of(&[0.5], &[true], 0).is_err());
    assert!(brier_score(&[0], &[0.5], 2).is_err());
    assert!(log_loss(&[2], &[0.5, 0.5], 2).is_err());
    assert!(bootstrap_interval(&[0], &[0], 1, Confusion::war, 0, 0.95, 1).is_err());
    assert!(grouped_bootstrap_interval(&[0], &[0], &[], 1, Confusion::war, 9, 0.95, 1).is_err());
}

/// For WAR the bootstrap is a binomial proportion: p ± 1.96 sqrt(p (1 - p) / n) is its known limit.
#[test]
fn bootstrap_of_war_is_the_binomial_interval() {
    let n = 1000;
    let truth = vec![0; n];
    let predicted: Vec<usize> = (0..n).map(|i| usize::from(i % 5 == 0)).collect();
    let interval = bootstrap_interval(&truth, &predicted, 2, Confusion::war, 1500, 0.95, 3).unwrap();
    let half = 1.959964 * (0.8f64 * 0.2 / n as f64).sqrt();
    assert_eq!(interval.estimate, 0.8);
    assert!((interval.low - (0.8 - half)).abs() < 0.003, "{interval:?}");
    assert!((interval.high - (0.8 + half)).abs() < 0.003, "{interval:?}");
    let again = bootstrap_interval(&truth, &predicted, 2, Confusion::war, 1500, 0.95, 3).unwrap();
    assert_eq!(interval, again);
}

/// Ten speakers, each all right or all wrong: utterances only look independent.
#[test]
fn grouped_bootstrap_is_wider_where_speakers_differ() {
    let truth = vec![0; 500];
    let groups: Vec<usize> = (0..500).map(|i| i / 50).collect();
    let predicted: Vec<usize> = groups.iter().map(|g| usize::from(g % 3 == 0)).collect();
    let plain = bootstrap_interval(&truth, &predicted, 2, Confusion::war, 1000, 0.95, 3).unwrap();
    let grouped = grouped_bootstrap_interval(&truth, &predicted, &groups, 2, Confusion::war, 1000, 0.95, 3).unwrap();
    assert!(grouped.high - grouped.low > 3.0 * (plain.high - plain.low), "{plain:?} {grouped:?}");
}

#[test]
fn paired_bootstrap_of_equal_systems_is_zero() {
    let truth = [0, 1, 2, 0, 1, 2];
    let predicted = [0, 1, 1, 0, 2, 2];
    let interval = paired_bootstrap(&truth, &predicted, &predicted, 3, Confusion::uar, 200, 0.9, 1).unwrap();
    assert_eq!((interval.estimate, interval.low, interval.high), (0.0, 0.0, 0.0));
}

#[test]
fn calibration_by_hand() {
    let calibration = Calibration::of(&[0.95, 0.85, 0.8, 0.3], &[true, true, false, false], 10).unwrap();
    // (0.2,0.3]: 0.3 vs 0; (0.7,0.8]: 0.8 vs 0; (0.8,0.9]: 0.85 vs 1; (0.9,1]: 0.95 vs 1
    assert!((calibration.ece - (0.3 + 0.8 + 0.15 + 0.05) / 4.0).abs() < 1e-12);
    assert!((calibration.mce - 0.8).abs() < 1e-12);
    assert_eq!(calibration.bins.iter().map(|b| b.count).sum::<usize>(), 4);
}

proptest! {
    #[test]
    fn order_of_utterances_and_pooling_do_not_matter(
        pairs in prop::collection::vec((0usize..5, 0usize..5), 2..80),
        cut in 1usize..79,
    ) {
        let split = |pairs: &[(usize, usize)]| -> (Vec<usize>, Vec<usize>) { pairs.iter().copied().unzip() };
        let (truth, predicted) = split(&pairs);
        let whole = confusion(&truth, &predicted, 5).unwrap();
        let reversed: Vec<_> = pairs.iter().rev().copied().collect();
        let (truth, predicted) = split(&reversed);
        prop_assert_eq!(&whole, &confusion(&truth, &predicted, 5).unwrap());
        let cut = cut.min(pairs.len() - 1);
        let (t1, p1) = split(&pairs[..cut]);
        let (t2, p2) = split(&pairs[cut..]);
        let mut pooled = confusion(&t1, &p1, 5).unwrap();
        pooled.merge(&confusion(&t2, &p2, 5).unwrap()).unwrap();
        prop_assert_eq!(&whole, &pooled);
        prop_assert!((0.0..=1.0).contains(&whole.uar()) && (0.0..=1.0).contains(&whole.war()));
    }
}
