//! Several runs in one report: what is put together, what stands apart and says why.

#![allow(clippy::unwrap_used)]

mod support;

use serde_json::Value;
use support::{
    Demo,
    report::{OWN, Report},
};

/// Rows of Table 1's figures: corpus, network, protocol, seed.
fn figures(report: &Report) -> Vec<String> {
    let rows = report.rows("table1-figures", "");
    let shown = |row: &String| {
        let fields: Vec<&str> = row.split(" | ").collect();
        (fields[2] == "last-epoch").then(|| format!("{} | {} | {}", fields[0], fields[3], fields[fields.len() - 1]))
    };
    rows.iter().filter_map(shown).collect()
}

#[test]
fn runs_that_differ_in_blocks_are_two_rows_that_say_so() {
    for seeds in [&[46], &[47]] {
        let report = Report::over(&[&OWN, &Demo { blocks: 4, seeds, uar: 0.55, ..OWN }]);
        let seed = seeds[0];
        let rows = ["EMODB (blocks 4) | ", "EMODB (blocks 8) | "];
        assert_eq!(figures(&report), [format!("{}{seed} | R2", rows[0]), format!("{}46 | R1", rows[1])]);
        let table1: Vec<String> = report.rows("table1", "TIM-Net | last-epoch | ours");
        assert!(
            table1.len() == 2 && table1[0].contains("ours (R2; blocks 4)") && table1[1].contains("ours (R1; blocks 8)"),
            "{table1:?}"
        );
        // Each network is compared with the TIM-Net of its own setting.
        assert_eq!(report.rows("table3", "TCN (blocks 4) | last-epoch").len(), 1);
        assert_eq!(report.rows("table3-paired", "EMODB (blocks 8) | TCN | TIM-Net | last-epoch").len(), 1);
        assert_eq!(report.rows("calibration", "EMODB, TIM-Net, random folds (blocks 8), last-epoch").len(), 1);
        let md = report.text("report.md");
        assert!(md.contains("- EMODB, TIM-Net, last-epoch (R2): blocks 4"), "{md}");
        assert!(!md.contains("mean of 2 seeds |"), "{md}");
    }
}

#[test]
fn runs_that_differ_in_the_learning_rate_are_two_rows_and_only_one_is_judged() {
    let paper = Demo { epochs: 500, folds: 10, uar: 0.8919, ..OWN };
    let report = Report::over(&[&paper, &Demo { learning_rate: 0.1, ..paper }]);
    assert_eq!(figures(&report), ["EMODB (learning rate 0.001) | 46 | R1", "EMODB (learning rate 0.1) | 46 | R2"]);
    let verdicts = report.rows("agreement", "EMODB (learning rate 0.1), TIM-Net, last-epoch | UAR");
    assert!(verdicts[0].contains("not made as in the paper: learning rate 0.1, the paper 0.001"), "{verdicts:?}");
    let verdicts = report.rows("agreement", "EMODB (learning rate 0.001), TIM-Net, last-epoch | UAR");
    assert!(verdicts[0].contains("| 1 | - | not resolved |"), "{verdicts:?}");
}

#[test]
fn runs_that_differ_in_the_seed_are_averaged_also_when_one_is_of_several_experiments() {
    for across in [false, true] {
        let report = Report::over(&[&OWN, &Demo { seeds: &[47], across, ..OWN }]);
        assert_eq!(
            figures(&report),
            ["EMODB | 46 | R1", "EMODB | 47 | R2", "EMODB | mean of 2 seeds | R1, R2"],
            "{across}"
        );
        let calibration = report.rows("calibration", "EMODB, TIM-Net, random folds, last-epoch | 80");
        assert!(calibration.len() == 1 && calibration[0].ends_with("seeds 46, 47, R1, R2"), "{calibration:?}");
        // Standard deviations have divisor n - 1, and a single value has none.
        let table = report.table("table1-figures");
        let rows = table["rows"].as_array().unwrap();
        let last: Vec<&Value> = rows.iter().filter(|r| r["protocol"]["text"] == "last-epoch").collect();
        let mean = |row: &Value| row["UAR"]["value"].as_f64().unwrap();
        let std = last[2]["std over seeds or trainings UAR / WAR"]["value"][0].as_f64().unwrap();
        assert!((std - (mean(last[0]) - mean(last[1])).abs() / 2f64.sqrt()).abs() < 1e-9, "{std}");
        assert_eq!(last[0]["std over seeds or trainings UAR / WAR"]["text"], "-");
    }
}

#[test]
fn what_a_merged_run_has_again_is_said_and_counted_once() {
    let merged = Demo { seeds: &[46, 47], across: true, ..OWN };
    let report = Report::over(&[&OWN, &merged]);
    let rows = ["46 | R1", "47 | R2", "mean of 2 seeds | R1, R2", "46: the same as R1, not counted | R2"];
    assert_eq!(figures(&report), rows.map(|r| format!("EMODB | {r}")));
    let md = report.text("report.md");
    assert!(md.contains("R2: figures of 6 cells (corpus, network, protocol, seed) are in R1 already, with the same setting; each is counted once"), "{md}");
    assert!(md.contains("seeds 46, 47, R1, R2; again in R2, not counted"), "{md}");

    // The comparisons of one run, read twice, are one.
    let twice = Report::over(&[&OWN, &OWN]);
    let paired = twice.rows("table3-paired", "EMODB | TCN");
    assert!(paired.len() == 2 && paired.iter().all(|r| r.ends_with("| R1, R2")), "{paired:?}");
    // The same setting and seed with other figures is no duplicate, and stands there too.
    let other = Report::over(&[&OWN, &Demo { uar: 0.58, ..OWN }]);
    assert_eq!(figures(&other), ["EMODB | 46 | R1", "EMODB | 46: other figures than R1, not counted | R2"]);
    assert!(other.text("report.md").contains("6 of them have other figures"));
}

#[test]
fn a_run_with_folds_missing_stands_beside_the_whole_one() {
    let report = Report::over(&[&OWN, &Demo { missing: &[1], ..OWN }]);
    let rows = ["EMODB (missing folds 1) | 46 | R2", "EMODB (missing folds none) | 46 | R1"];
    assert_eq!(figures(&report), rows);
    let row = &report.rows("table1-figures", "EMODB (missing folds 1) | TIM-Net | last-epoch")[0];
    assert!(row.contains("| 40 | 2 | 6 |"), "{row}");
}

#[test]
fn runs_of_two_corpora_share_a_row_and_real_and_synthetic_ones_do_not() {
    let report = Report::over(&[&OWN, &Demo { corpus: "savee", uar: 0.5, ..OWN }]);
    let rows = report.rows("table1", "TIM-Net | last-epoch | ours");
    assert!(rows.len() == 1 && rows[0].starts_with("TIM-Net | last-epoch | ours (R1, R2) | "), "{rows:?}");
    assert_eq!(figures(&report), ["EMODB | 46 | R1", "SAVEE | 46 | R2"]);
    let report = Report::over(&[&OWN, &Demo { synthetic: true, ..OWN }]);
    assert_eq!(figures(&report), ["EMODB (synthetic false) | 46 | R1", "EMODB (synthetic true) | 46 | R2"]);
}
