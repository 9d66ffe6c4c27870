//! How often intervals hold the true figure, and how often the equivalence rule is right, by simulation:
//! `cargo test --release -p sermetrics --test coverage -- --nocapture` prints the shares.
#![allow(clippy::unwrap_used, clippy::print_stdout)]
#![cfg(not(debug_assertions))] // ten times slower in a debug build, and no other code

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use sermetrics::{Bootstrap, Confusion, Verdict, equivalence, paired_difference};

const DRAWS: u64 = 1000;
const CLASSES: usize = 7;
/// Recall of each class: a UAR of 85 %.
const RECALL: [f64; CLASSES] = [0.95, 0.92, 0.88, 0.85, 0.82, 0.79, 0.74];

struct Random(ChaCha8Rng);

impl Random {
    fn uniform(&mut self) -> f64 {
        (self.0.next_u64() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// Box and Muller.
    fn normal(&mut self) -> f64 {
        let radius = (-2.0 * (1.0 - self.uniform()).ln()).sqrt();
        radius * (std::f64::consts::TAU * self.uniform()).cos()
    }
}

fn share(what: &str, hits: u64) -> f64 {
    let share = hits as f64 / DRAWS as f64;
    println!("{what}: {:.1} %", 100.0 * share);
    share
}

/// 535 utterances of seven classes in EMODB's proportions, true UAR 85 %.
#[test]
fn over_utterances() {
    let support = [127, 81, 46, 69, 71, 79, 62];
    let truth: Vec<usize> = support.iter().enumerate().flat_map(|(class, &n)| vec![class; n]).collect();
    let bootstrap = Bootstrap { resamples: 500, ..Bootstrap::default() };
    let mut held = 0;
    for draw in 0..DRAWS {
        let mut random = Random(ChaCha8Rng::seed_from_u64(draw));
        let predicted: Vec<usize> =
            truth.iter().map(|&t| if random.uniform() < RECALL[t] { t } else { (t + 1) % CLASSES }).collect();
        let interval = bootstrap.interval(&truth, &predicted, CLASSES, Confusion::uar).unwrap();
        held += u64::from(interval.contains(RECALL.iter().sum::<f64>() / CLASSES as f64));
    }
    let coverage = share("95 % interval over 535 utterances, UAR 85 %", held);
    assert!((0.93..=0.97).contains(&coverage));
}

/// Speakers of 56 utterances (eight a class) who differ in how well they are understood: logit of the recall + N(0, 0.6^2). The true
/// UAR is that of the population of speakers.
fn over_speakers(speakers: usize) -> [f64; 2] {
    const SPREAD: f64 = 0.6;
    let recall = |class: usize, shift: f64| {
        let logit = (RECALL[class] / (1.0 - RECALL[class])).ln() - 0.3 + shift;
        1.0 / (1.0 + (-logit).exp())
    };
    let mut random = Random(ChaCha8Rng::seed_from_u64(1));
    let population: Vec<f64> = (0..200_000).map(|_| SPREAD * random.normal()).collect();
    let uar = |shift: &f64| (0..CLASSES).map(|class| recall(class, *shift)).sum::<f64>() / CLASSES as f64;
    let expected = population.iter().map(uar).sum::<f64>() / population.len() as f64;

    let truth: Vec<usize> = (0..speakers * 56).map(|i| i % CLASSES).collect();
    let groups: Vec<usize> = (0..speakers * 56).map(|i| i / 56).collect();
    let bootstrap = Bootstrap { resamples: 500, ..Bootstrap::default() };
    let mut held = [0, 0];
    for draw in 0..DRAWS {
        let mut random = Random(ChaCha8Rng::seed_from_u64(draw));
        let shifts: Vec<f64> = (0..speakers).map(|_| SPREAD * random.normal()).collect();
        let said =
            |(&t, &g): (&usize, &usize)| if random.uniform() < recall(t, shifts[g]) { t } else { (t + 1) % CLASSES };
        let predicted: Vec<usize> = truth.iter().zip(&groups).map(said).collect();
        let grouped =
            bootstrap.grouped_interval(&truth, &predicted, &groups, CLASSES, Confusion::uar).unwrap().unwrap();
        let plain = bootstrap.interval(&truth, &predicted, CLASSES, Confusion::uar).unwrap();
        held[0] += u64::from(grouped.contains(expected));
        held[1] += u64::from(plain.contains(expected));
    }
    let what = |unit: &str| format!("95 % interval over {unit}, {speakers} speakers, UAR {:.0} %", 100.0 * expected);
    [share(&what("speakers"), held[0]), share(&what("utterances (too short here)"), held[1])]
}

#[test]
fn over_ten_speakers() {
    let [grouped, plain] = over_speakers(10);
    assert!(grouped >= 0.92 && plain < grouped);
}

#[test]
fn over_five_and_over_24_speakers() {
    assert!(over_speakers(5)[0] >= 0.92);
    assert!(over_speakers(24)[0] >= 0.92);
}

/// Two equal systems on ten folds whose differences share the correlation 1 / k that training data in common is said to give: the
/// corrected test says "different" in at most 5 % (+ noise), the plain one far more often.
#[test]
fn paired_differences_of_equal_systems() {
    let correlation = 0.1f64;
    let (mut corrected, mut plain) = (0, 0);
    for draw in 0..DRAWS {
        let mut random = Random(ChaCha8Rng::seed_from_u64(draw));
        let common = correlation.sqrt() * random.normal();
        let a: Vec<f64> = (0..10).map(|_| 80.0 + common + (1.0 - correlation).sqrt() * random.normal()).collect();
        let b = [80.0; 10];
        corrected += u64::from(paired_difference(&a, &b, 1.0 / 9.0, 0.95).unwrap().p < 0.05);
        plain += u64::from(paired_difference(&a, &b, 0.0, 0.95).unwrap().p < 0.05);
    }
    let corrected = share("equal systems called different, corrected", corrected);
    let plain = share("equal systems called different, not corrected", plain);
    assert!(corrected <= 0.07 && plain > 0.1);
}

/// Shares of agree / differ / not resolved over 1,000 comparisons with a published figure that is one training itself.
fn verdicts(true_difference: f64, std_of_a_fold: f64, trainings: usize) -> [f64; 3] {
    let mut counts = [0; 3];
    for draw in 0..DRAWS {
        let mut random = Random(ChaCha8Rng::seed_from_u64(draw));
        let folds: Vec<f64> = (0..10).map(|_| 88.0 + 4.0 * random.normal()).collect();
        let mut training = |fold: &f64| fold + std_of_a_fold * random.normal();
        let published = folds.iter().map(&mut training).sum::<f64>() / 10.0 - true_difference;
        let ours: Vec<Vec<f64>> = folds.iter().map(|f| (0..trainings).map(|_| training(f)).collect()).collect();
        let place = match equivalence(&ours, published, 2.0).unwrap().verdict {
            Verdict::Agrees => 0,
            Verdict::Differs => 1,
            Verdict::NotResolved => 2,
        };
        counts[place] += 1;
    }
    let shares = counts.map(|c| c as f64 / DRAWS as f64);
    let [agrees, differs, open] = shares.map(|s| 100.0 * s);
    println!(
        "true difference {true_difference}, std of a training of a fold {std_of_a_fold}, {trainings} trainings, margin 2: \
         agrees {agrees:.1} %, differs {differs:.1} %, not resolved {open:.1} %"
    );
    shares
}

#[test]
fn equivalence_of_agreeing_differing_and_noisy_runs() {
    let [agrees, differs, _] = verdicts(0.0, 2.0, 3);
    assert!(agrees > 0.9 && differs < 0.05);
    let [agrees, differs, _] = verdicts(8.0, 2.0, 3);
    assert!(agrees == 0.0 && differs > 0.95);
    // the same truth with more noise agrees less often, never more
    let calm = verdicts(0.0, 1.0, 3)[0];
    let noisy = verdicts(0.0, 6.0, 3)[0];
    let wild = verdicts(0.0, 15.0, 3)[0];
    assert!(calm >= noisy && noisy > wild && wild < 0.05);
    // at the margin itself "agrees" is said by mistake in at most 5 %, plus what the published figure's own noise adds
    assert!(verdicts(3.0, 2.0, 3)[0] < 0.1);
    // two trainings resolve nothing
    assert_eq!(verdicts(0.0, 0.1, 2), [0.0, 0.0, 1.0]);
}
