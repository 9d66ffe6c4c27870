//! Figures against scikit-learn, NumPy and SciPy on 30 random cases (`reference.py` makes `reference.json`).
#![allow(clippy::unwrap_used)]

use serde_json::Value;
use sermetrics::{Calibration, Spread, brier_score, confusion, holm, log_loss, mcnemar, paired_difference};

fn floats(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect()
}

fn indices(value: &Value) -> Vec<usize> {
    value.as_array().unwrap().iter().map(|v| v.as_u64().unwrap() as usize).collect()
}

#[track_caller]
fn close(got: f64, expected: &Value) {
    let expected = expected.as_f64().unwrap();
    assert!((got - expected).abs() <= 1e-12 * expected.abs().max(1.0), "got {got}, reference {expected}");
}

#[test]
fn equals_scikit_learn() {
    let cases: Vec<Value> = serde_json::from_str(include_str!("reference.json")).unwrap();
    assert_eq!(cases.len(), 30);
    for case in &cases {
        let classes = case["classes"].as_u64().unwrap() as usize;
        let truth = indices(&case["truth"]);
        let confusion = confusion(&truth, &indices(&case["predicted"]), classes).unwrap();
        assert_eq!(serde_json::json!(confusion.matrix()), case["confusion"]);
        close(confusion.uar(), &case["uar"]);
        close(confusion.war(), &case["war"]);
        close(confusion.macro_f1(), &case["macro_f1"]);
        close(confusion.weighted_f1(), &case["weighted_f1"]);
        for (class, scores) in confusion.per_class().iter().enumerate() {
            close(scores.precision, &case["precision"][class]);
            close(scores.recall, &case["recall"][class]);
            close(scores.f1, &case["f1"][class]);
            assert_eq!(scores.support, case["support"][class].as_u64().unwrap());
        }
        let probabilities = floats(&case["probabilities"]);
        close(log_loss(&truth, &probabilities, classes).unwrap(), &case["log_loss"]);
        close(brier_score(&truth, &probabilities, classes).unwrap(), &case["brier"]);

        let (values, others) = (floats(&case["values"]), floats(&case["others"]));
        let spread = Spread::of(&values).unwrap();
        close(spread.mean, &case["mean"]);
        close(spread.std.unwrap(), &case["std"]);
        let close9 = |got: f64, key: &str| assert!((got - case[key].as_f64().unwrap()).abs() < 1e-9, "{got} {key}");
        let runs = paired_difference(&others, &values, 0.0, 0.95).unwrap();
        close9(runs.interval.low, "difference_low");
        close9(runs.interval.high, "difference_high");
        close9(runs.p, "difference_p");
        let folds = paired_difference(&others, &values, 1.0 / 9.0, 0.95).unwrap();
        close9(folds.interval.low, "corrected_low");
        close9(folds.interval.high, "corrected_high");
        close9(folds.p, "corrected_p");
        // the correction widens ten folds by 1.45
        assert!((folds.interval.half() / runs.interval.half() - (1.0 + 10.0 / 9.0f64).sqrt()).abs() < 1e-12);

        let predicted = indices(&case["predicted"]);
        let test = mcnemar(&truth, &predicted, &indices(&case["other_system"])).unwrap();
        assert_eq!(serde_json::json!([test.only_a, test.only_b]), case["only"]);
        close9(test.p, "mcnemar_p");
        for (got, expected) in holm(&floats(&case["family"])).unwrap().iter().zip(floats(&case["holm"])) {
            assert!((got - expected).abs() < 1e-12);
        }

        let correct: Vec<bool> = truth.iter().zip(&predicted).map(|(t, p)| t == p).collect();
        let calibration = Calibration::of(&floats(&case["confidence"]), &correct, 15).unwrap();
        let counts: Vec<usize> = calibration.bins.iter().map(|b| b.count).collect();
        assert_eq!(serde_json::json!(counts), case["bin_counts"]);
        close(calibration.ece, &case["ece"]);
        close(calibration.mce, &case["mce"]);
    }
}
