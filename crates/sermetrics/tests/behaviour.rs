//! Errors, invariants and intervals.
#![allow(clippy::unwrap_used)]

use proptest::prelude::*;
use sermetrics::*;

#[test]
fn bad_input_is_an_error_that_says_where() {
    let message = |r: Result<Confusion, MetricError>| r.unwrap_err().to_string();
    assert_eq!(
        message(confusion(&[0, 1], &[0], 2)),
        "truth has 2 entries but predicted has 1: they must have the same number"
    );
    assert_eq!(message(confusion(&[0, 1], &[0, 7], 2)), "predicted[1] is class 7, but there are only 2 classes (0..2)");
    assert_eq!(message(confusion(&[], &[], 2)), "no utterances to score: at least 1 wanted");
    assert!(confusion(&[0], &[0], 0).is_err());
    assert!(Spread::of(&[]).is_err());
    assert!(Spread::of(&[1.0, f64::NAN]).unwrap_err().to_string().contains("values[1]"));
    assert!(paired_difference(&[1.0], &[1.0], 0.0, 0.95).is_err());
    assert!(paired_difference(&[1.0, 2.0], &[1.0, 3.0], 0.0, 1.0).is_err());
    assert!(Calibration::of(&[0.5, 1.5], &[true, false], 10).is_err());
    assert!(Calibration::of(&[0.5], &[true], 0).is_err());
    assert!(brier_score(&[0], &[0.5], 2).is_err());
    assert!(log_loss(&[2], &[0.5, 0.5], 2).is_err());
    assert!(paired_difference(&[1.0, 2.0], &[1.0, 3.0], f64::NAN, 0.95).is_err());
    let none = Bootstrap { resamples: 0, ..Bootstrap::default() };
    assert!(none.interval(&[0], &[0], 1, Confusion::war).is_err());
    assert!(Bootstrap::default().interval(&[0], &[3], 1, Confusion::war).is_err());
    assert!(Bootstrap::default().grouped_interval(&[0], &[0], &[], 1, Confusion::war).is_err());
    assert!(holm(&[0.1, 1.5]).is_err());
    assert!(mcnemar(&[], &[], &[]).is_err());
    assert!(equivalence(&[vec![80.0], vec![]], 80.0, 2.0).is_err());
    assert!(equivalence(&[vec![80.0]], 80.0, 0.0).is_err());
    assert!(equivalence(&[vec![f64::NAN]], 80.0, 2.0).is_err());
}

/// For WAR the bootstrap is a binomial proportion: p ± 1.96 sqrt(p (1 - p) / n) is its known limit.
#[test]
fn bootstrap_of_war_is_the_binomial_interval() {
    let n = 1000;
    let truth = vec![0; n];
    let predicted: Vec<usize> = (0..n).map(|i| usize::from(i % 5 == 0)).collect();
    let bootstrap = Bootstrap { resamples: 1500, level: 0.95, seed: 3 };
    let interval = bootstrap.interval(&truth, &predicted, 2, Confusion::war).unwrap();
    let half = 1.959964 * (0.8f64 * 0.2 / n as f64).sqrt();
    assert_eq!(interval.estimate, 0.8);
    assert!((interval.low - (0.8 - half)).abs() < 0.003, "{interval:?}");
    assert!((interval.high - (0.8 + half)).abs() < 0.003, "{interval:?}");
    assert_eq!(interval, bootstrap.interval(&truth, &predicted, 2, Confusion::war).unwrap());
}

/// Ten speakers, each all right or all wrong: utterances only look independent.
#[test]
fn grouped_bootstrap_is_wider_where_speakers_differ() {
    let truth = vec![0; 500];
    let groups: Vec<usize> = (0..500).map(|i| i / 50).collect();
    let predicted: Vec<usize> = groups.iter().map(|g| usize::from(g % 3 == 0)).collect();
    let bootstrap = Bootstrap::default();
    let plain = bootstrap.interval(&truth, &predicted, 2, Confusion::war).unwrap();
    let grouped = bootstrap.grouped_interval(&truth, &predicted, &groups, 2, Confusion::war).unwrap().unwrap();
    assert!(grouped.half() > 3.0 * plain.half(), "{plain:?} {grouped:?}");
}

/// The mean of one figure a speaker: the bootstrap's standard error times sqrt(G / (G - 1)) is s / sqrt(G), so the interval is
/// Student's own: mean ± t(9) s / sqrt(10) (`scipy.stats.t.interval(0.95, 9, x.mean(), x.std(ddof=1) / 10 ** 0.5)` = 2.3341, 6.6659 for x = 0 .. 9).
#[test]
fn grouped_interval_of_a_mean_is_students() {
    let x: Vec<f64> = (0..10).map(f64::from).collect();
    let mean = |indices: &[usize]| indices.iter().map(|&i| x[i]).sum::<f64>() / indices.len() as f64;
    let bootstrap = Bootstrap { resamples: 20_000, ..Bootstrap::default() };
    let groups: Vec<usize> = (0..10).collect();
    let interval = bootstrap.grouped_statistic(&groups, mean).unwrap().unwrap();
    assert!((interval.low - 2.3341).abs() < 0.03 && (interval.high - 6.6659).abs() < 0.03, "{interval:?}");
}

#[test]
fn fewer_than_five_speakers_give_no_interval() {
    let truth = [0, 1, 0, 1, 0, 1, 0, 1, 0, 1];
    let predicted = [0, 1, 0, 0, 0, 1, 1, 1, 0, 1];
    let of = |groups: &[usize]| {
        Bootstrap::default().grouped_interval(&truth, &predicted, groups, 2, Confusion::uar).unwrap()
    };
    assert_eq!(of(&[0, 0, 1, 1, 2, 2, 3, 3, 3, 3]), None);
    assert!(of(&[0, 0, 1, 1, 2, 2, 3, 3, 4, 4]).is_some());
}

#[test]
fn a_share_of_nothing_is_left_out_of_the_resamples() {
    // the share of answers that are right where only unit 0 is answered: resamples without it have none
    let share = |indices: &[usize]| {
        let answered = indices.iter().filter(|&&i| i == 0).count() as f64;
        answered / answered
    };
    let interval = Bootstrap::default().statistic(6, share).unwrap();
    assert_eq!((interval.low, interval.high), (1.0, 1.0));
    assert!(Bootstrap::default().statistic(3, |_| f64::NAN).is_err());
}

#[test]
fn paired_bootstrap_of_equal_systems_is_zero() {
    let truth = [0, 1, 2, 0, 1, 2];
    let predicted = [0, 1, 1, 0, 2, 2];
    let bootstrap = Bootstrap { level: 0.9, ..Bootstrap::default() };
    let interval = bootstrap.paired_interval(&truth, &predicted, &predicted, 3, Confusion::uar).unwrap();
    assert_eq!((interval.estimate, interval.low, interval.high), (0.0, 0.0, 0.0));
    let groups = [0, 1, 2, 3, 4, 5];
    let grouped =
        bootstrap.paired_grouped_interval(&truth, &predicted, &[0; 6], &groups, 3, Confusion::war).unwrap().unwrap();
    assert!(grouped.low >= -1.0 && grouped.high <= 1.0);
}

#[test]
fn a_single_value_has_no_spread() {
    assert_eq!(Spread::of(&[3.0]).unwrap().std, None);
    assert_eq!(Spread::of(&[3.0, 5.0]).unwrap().std, Some(2.0f64.sqrt()));
}

#[test]
fn differences_without_spread() {
    let same = paired_difference(&[1.0, 2.0], &[1.0, 2.0], 0.1, 0.95).unwrap();
    assert_eq!((same.p, same.interval.half()), (1.0, 0.0));
    let shifted = paired_difference(&[2.0, 3.0], &[1.0, 2.0], 0.1, 0.95).unwrap();
    assert_eq!((shifted.p, shifted.interval.estimate), (0.0, 1.0));
}

/// 7, 14, 28, 55 and 56 of 100 once fell into the bin above: 0.07 * 100 is 7.000000000000001.
#[test]
fn a_confidence_on_an_edge_is_in_the_bin_below() {
    for bins in [10, 15, 100] {
        for k in 1..=bins {
            let calibration = Calibration::of(&[k as f64 / bins as f64], &[true], bins).unwrap();
            let bin = calibration.bins.iter().position(|b| b.count == 1);
            assert_eq!(bin, Some(k - 1), "{k} of {bins}");
        }
    }
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
