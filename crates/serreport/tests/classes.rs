//! Tables of classes, shared speakers and texts, and trained models side by side.

#![allow(clippy::unwrap_used)]

mod support;

use std::fs;

use serde_json::Value;
use support::{
    put,
    report::{OWN, Report, write},
};

/// scikit-learn: `precision_recall_fscore_support(truth, predicted, labels=range(5), zero_division=np.nan)` of these counts gives
/// precision [0.6, 0.666667, 1, nan, nan], recall [0.75, 1, 1, nan, 0]; F1 of classes 0 to 2 [0.666667, 0.8, 1].
#[test]
fn a_class_that_nothing_was_taken_for_has_no_precision() {
    let dir = tempfile::tempdir().unwrap();
    let (run, out) = (dir.path().join("run"), dir.path().join("out"));
    OWN.write(&run);
    let mut metrics: Value = serde_json::from_str(&fs::read_to_string(run.join("metrics.json")).unwrap()).unwrap();
    for cell in metrics["cells"].as_array_mut().unwrap() {
        let counts = [[3, 1, 0, 0, 0], [0, 2, 0, 0, 0], [0, 0, 5, 0, 0], [0; 5], [2, 0, 0, 0, 0]];
        cell["confusion"]["matrix"] = serde_json::json!(counts);
    }
    put(&run.join("metrics.json"), &metrics.to_string());
    let written = write(&[&run], &out).unwrap();
    let report = Report { dir, written };
    let rows = report.rows("classes", "EMODB, TIM-Net, last-epoch | ");
    let expected = [
        "angry | 4 | 5 | 60.00 | 75.00 | 66.67",
        "fear | 2 | 3 | 66.67 | 100.00 | 80.00",
        "happy | 5 | 5 | 100.00 | 100.00 | 100.00",
        "neutral | 0 | 0 | - | - | -",
        "sad | 2 | 0 | - | 0.00 | -",
    ];
    assert_eq!(rows, expected.map(|r| format!("EMODB, TIM-Net, last-epoch | {r} | R1")));
    // TIM-Net and TCN under three protocols.
    assert_eq!(report.rows("classes", "").len(), 30);
}

/// A `predictions.csv` of two classes: fold, and whether the prediction is right, of each utterance, which is angry.
fn predicted(rows: impl Iterator<Item = (usize, bool)>) -> String {
    let row = |(i, (fold, right)): (usize, (usize, bool))| {
        let (label, shares) = if right { ("angry", "1,0") } else { ("fear", "0,1") };
        format!("\"{}\",{fold},angry,{label},{shares}\n", support::id(i))
    };
    rows.enumerate().map(row).fold("id,fold,truth,predicted,angry,fear\n".to_owned(), |all, row| all + &row)
}

/// Utterance i is of speaker i % 4.
#[test]
fn speakers_on_both_sides_of_a_fold_are_counted() {
    let dir = tempfile::tempdir().unwrap();
    let (run, out) = (dir.path().join("run"), dir.path().join("out"));
    OWN.write(&run);
    let place = run.join("emodb-tim-net-speaker-out-seed46/speaker-independent/predictions.csv");
    let said = |folds: &dyn Fn(usize) -> usize| {
        put(&place, &predicted((0..40).map(|i| (folds(i), true))));
        write(&[&run], &out).unwrap();
        fs::read_to_string(out.join("report.md")).unwrap()
    };
    let md = said(&|i| i % 4);
    assert!(md.contains("- EMODB, random folds: 12 of 12 speakers are shared in 3 folds; texts are shared;"), "{md}");
    assert!(
        md.contains("- EMODB, one speaker left out: 0 of 4 speakers are shared in 4 folds; texts are shared;"),
        "{md}"
    );
    // Utterance 0 in the fold of speaker 1: speaker 0 is tested in folds 0 and 1, and trained on in both.
    let md = said(&|i| if i == 0 { 1 } else { i % 4 });
    assert!(md.contains("- EMODB, one speaker left out: 2 of 5 speakers are shared in 4 folds;"), "{md}");
    // Utterance i says text i % 5, which every speaker says.
    let without = fs::read_to_string(run.join("corpora/emodb.csv")).unwrap();
    let mut i = 0;
    let with: String = without
        .lines()
        .map(|row| {
            let more = if row.starts_with("id,") {
                ",text".to_owned()
            } else {
                i += 1;
                format!(",t{}", (i - 1) % 5)
            };
            format!("{row}{more}\n")
        })
        .collect();
    put(&run.join("corpora/emodb.csv"), &with);
    let md = said(&|i| i % 4);
    assert!(md.contains("0 of 4 speakers are shared in 4 folds; 20 of 20 texts are shared in 4 folds."), "{md}");
    let md = said(&|i| i % 5);
    assert!(md.contains("20 of 20 speakers are shared in 5 folds; 0 of 5 texts are shared in 5 folds."), "{md}");
    put(&run.join("corpora/emodb.csv"), &without);
    // Without the roster of one utterance nothing is counted.
    let roster = fs::read_to_string(run.join("corpora/emodb.csv")).unwrap();
    put(&run.join("corpora/emodb.csv"), &roster.replacen(",s3", ",", 1));
    let md = said(&|i| i % 4);
    assert!(md.contains("- EMODB, one speaker left out: the speaker of some utterance is not known"), "{md}");
}

/// SciPy: `binomtest(1, 9).pvalue` is 0.0390625, `binomtest(2, 9).pvalue` 0.1796875.
#[test]
fn trained_models_are_compared_by_mcnemars_exact_test() {
    // Of nine utterances only one network is right, of three both.
    let models = |protocol: &str, only_tcn: usize, shift: usize| {
        let dir = tempfile::tempdir().unwrap();
        let (run, out) = (dir.path().join("run"), dir.path().join("out"));
        OWN.write(&run);
        let division = if protocol == "last-epoch" { "random" } else { "speaker-out" };
        for (network, shift) in [("tcn", shift), ("tim-net", 0)] {
            let right = |i: usize| i >= 9 || (i < only_tcn) == (network == "tcn");
            let text = predicted((0..12).map(|i| ((i + shift) % 3, right(i))));
            put(&run.join(format!("emodb-{network}-{division}-seed46/{protocol}/predictions.csv")), &text);
        }
        let written = write(&[&run], &out).unwrap();
        Report { dir, written }
    };
    let report = models("last-epoch", 1, 0);
    let over_folds =
        "TCN against TIM-Net: this run cannot tell (it would have found 5.60 points four times in five) | R1";
    assert_eq!(
        report.rows("models", ""),
        [format!(
            "EMODB | last-epoch | TCN and TIM-Net | 46 | 12 | 1 | 8 | 0.0391 (0.0391) | TIM-Net is right more often | {over_folds}"
        )]
    );
    assert!(report.written.absent.iter().any(|a| a.contains("EMODB, TCN, best-epoch and TIM-Net")));
    let rows = models("last-epoch", 2, 0).rows("models", "");
    assert!(rows[0].contains("| 2 | 7 | 0.1797 (0.1797) | cannot tell | TCN against"), "{rows:?}");
    let rows = models("speaker-independent", 8, 0).rows("models", "");
    assert!(rows[0].contains("| TCN is right more often | not compared over folds in any run"), "{rows:?}");
    // Other folds are no comparison.
    assert!(!models("last-epoch", 1, 1).tables().contains(&"models".to_owned()));
}
