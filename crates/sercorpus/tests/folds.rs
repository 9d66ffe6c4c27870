//! Index sets equal to scikit-learn's: `fixtures/folds/make.py` writes the problems and the hashes of its answers.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::fmt::Write;

use sercorpus::split::*;
use serde::Deserialize;
use sha2::{Digest, Sha256};

#[derive(Deserialize)]
struct Case {
    kind: String,
    n: usize,
    sha256: String,
    #[serde(default)]
    k: usize,
    #[serde(default)]
    repeats: usize,
    #[serde(default)]
    seed: u32,
    #[serde(default)]
    share: f64,
    #[serde(default)]
    top: u64,
    #[serde(default)]
    start: u64,
}

impl Case {
    /// The generator of `numbers` in make.py.
    fn numbers(&self) -> Vec<u64> {
        let mut x = self.start;
        let mut next = || {
            x = (x * 1_103_515_245 + 12_345) % (1 << 31);
            (x >> 8) % self.top
        };
        (0..self.n).map(|_| next()).collect()
    }

    fn folds(&self) -> Vec<Fold> {
        match self.kind.as_str() {
            "kfold" => kfold(self.n, self.k, self.seed).unwrap(),
            "repeated_kfold" => repeated_kfold(self.n, self.k, self.repeats, self.seed).unwrap(),
            "stratified_kfold" => stratified_kfold(&self.numbers(), self.k, self.seed).unwrap(),
            "group_kfold" => group_kfold(&self.numbers(), self.k).unwrap(),
            "leave_one_group_out" => leave_one_group_out(&self.numbers()).unwrap(),
            "hold_out" => vec![hold_out(self.n, self.share, self.seed).unwrap()],
            "stratified_hold_out" => {
                vec![stratified_hold_out(&self.numbers(), self.share, self.seed).unwrap()]
            }
            other => panic!("unknown kind {other}"),
        }
    }
}

fn digest(folds: &[Fold]) -> String {
    let join = |part: &[usize]| part.iter().map(usize::to_string).collect::<Vec<_>>().join(",");
    let mut hash = Sha256::new();
    for fold in folds {
        assert!(fold.validation.is_empty());
        hash.update(format!("{}|{}\n", join(&fold.train), join(&fold.test)));
    }
    hash.finalize().iter().fold(String::new(), |mut hex, byte| {
        write!(hex, "{byte:02x}").unwrap();
        hex
    })
}

#[test]
fn equal_to_scikit_learn() {
    let cases: Vec<Case> = serde_json::from_str(include_str!("../../../fixtures/folds/folds.json")).unwrap();
    let mut checked = BTreeMap::new();
    for (number, case) in cases.iter().enumerate() {
        assert_eq!(digest(&case.folds()), case.sha256, "case {number}: {} n={}", case.kind, case.n);
        *checked.entry(case.kind.as_str()).or_insert(0) += 1;
    }
    for kind in ["kfold", "stratified_kfold", "group_kfold", "leave_one_group_out"] {
        assert!(checked[kind] >= 200, "{checked:?}");
    }
}

/// EMODB's plan: 10 speakers say 10 texts.
#[test]
fn crossed_groups_share_neither_with_what_is_trained_on() {
    let (speakers, texts): (Vec<usize>, Vec<usize>) = (0..535).map(|i| (i * 7 % 10, i / 10 * 3 % 10)).unzip();
    let folds = crossed_group_kfold(&texts, &speakers, (5, 10)).unwrap();
    assert_eq!(folds.len(), 50);
    let mut tested = vec![0; 535];
    for fold in &folds {
        let of =
            |part: &[usize], group: &[usize]| part.iter().map(|&i| group[i]).collect::<std::collections::BTreeSet<_>>();
        for group in [&speakers, &texts] {
            assert!(of(&fold.test, group).is_disjoint(&of(&fold.train, group)));
        }
        fold.test.iter().for_each(|&i| tested[i] += 1);
        // Only what shares a group with the test part is left out.
        let (s, t) = (of(&fold.test, &speakers), of(&fold.test, &texts));
        let free = (0..535).filter(|&i| !s.contains(&speakers[i]) && !t.contains(&texts[i])).count();
        assert_eq!(fold.train.len(), free);
    }
    assert!(tested.iter().all(|&n| n == 1), "every utterance is tested once");
    // Each speaker has a text of their own: most pairs have nothing in common.
    let own: Vec<usize> = (0..40).map(|i| i % 4).collect();
    assert_eq!(crossed_group_kfold(&own, &own, (4, 4)).unwrap().len(), 4);
    assert!(crossed_group_kfold(&own, &own, (5, 2)).is_err());
    // Whoever says another text speaks in the test part.
    assert!(crossed_group_kfold(&[0, 0, 1], &[0, 1, 0], (2, 2)).unwrap_err().to_string().contains("train"));
}

#[test]
fn impossible_splits_are_errors() {
    assert!(kfold(5, 6, 0).unwrap_err().to_string().contains("6 folds of 5 utterances"));
    assert!(kfold(5, 1, 0).is_err());
    assert!(kfold(0, 2, 0).is_err());
    assert!(stratified_kfold(&["a", "b"], 2, 0).is_err());
    assert!(group_kfold(&["a", "a"], 2).is_err());
    assert!(leave_one_group_out(&["a", "a"]).is_err());
    assert!(leave_one_group_out::<u8>(&[]).is_err());
    for share in [0.0, 1.0, -1.0, f64::NAN, 1e9] {
        assert!(hold_out(10, share, 0).is_err(), "{share}");
        assert!(stratified_hold_out(&[0, 0, 1, 1], share, 0).is_err(), "{share}");
    }
    assert!(stratified_hold_out(&[0, 0, 1], 0.5, 0).is_err());
}

#[test]
fn validation_comes_out_of_the_train_part_and_keeps_the_shares() {
    let labels: Vec<usize> = (0..535).map(|i| i % 7).collect();
    for fold in kfold(535, 10, 46).unwrap() {
        let before = fold.train.clone();
        let split = with_validation(fold.clone(), &labels, 0.1, 1).unwrap();
        assert_eq!(split.test, fold.test);
        let mut both = [split.train.as_slice(), &split.validation].concat();
        both.sort_unstable();
        assert_eq!(both, before);
        let of_class = |class| split.validation.iter().filter(|&&i| labels[i] == class).count();
        assert!((0..7).all(|class| (6..=8).contains(&of_class(class))));
    }
}

/// Shares are of all utterances, whatever part is taken first: a tenth of 300 is 30, not 31.
#[test]
fn train_validation_and_test_are_counted_from_all() {
    for (n, validation, test, counts) in [
        (300, 0.1, 0.1, (240, 30, 30)),
        (1200, 0.1, 0.1, (960, 120, 120)),
        (535, 0.1, 0.2, (374, 54, 107)),
        (1440, 0.2, 0.3, (720, 288, 432)),
        (700, 0.25, 0.25, (350, 175, 175)),
    ] {
        let labels: Vec<usize> = (0..n).map(|i| i % 7).collect();
        let fold = train_validation_test(&labels, validation, test, 3).unwrap();
        assert_eq!((fold.train.len(), fold.validation.len(), fold.test.len()), counts, "{n}");
        let mut all = [fold.train, fold.validation, fold.test].concat();
        all.sort_unstable();
        assert!(all.into_iter().eq(0..n));
    }
    // Every n at which both parts are a whole number of utterances.
    for n in (20..2000).step_by(10) {
        let fold = train_validation_test(&vec![0; n], 0.1, 0.1, 1).unwrap();
        assert_eq!((fold.validation.len(), fold.test.len()), (n / 10, n / 10));
    }
    let labels = [0; 10];
    assert!(train_validation_test(&labels, 0.5, 0.5, 0).unwrap_err().to_string().contains("0.5 and 0.5"));
    for share in [0.0, 1.0, -1.0, f64::NAN] {
        assert!(train_validation_test(&labels, share, 0.1, 0).is_err(), "{share}");
        assert!(train_validation_test(&labels, 0.1, share, 0).is_err(), "{share}");
    }
    assert!(
        stratified_hold_out(&[0, 0, 1, 1, 2, 2], 0.2, 0).unwrap_err().to_string().contains("no room for 3 classes")
    );
}
