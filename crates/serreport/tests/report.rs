//! The report as a whole: what is in it, what is marked, what is said of what is not there.

#![allow(clippy::unwrap_used)]

mod support;

use std::{fs, path::Path};

use serde_json::Value;
use serreport::{Options, ReportError};
use serrun::RunError;
use support::{
    Demo, check_tags, put,
    report::{OWN, Report, write},
};

#[test]
fn everything_a_run_has_is_in_the_report() {
    let report = Report::of(&Demo::default());
    assert_eq!(report.written.absent, [""; 0]);
    let html = report.text("report.html");
    check_tags("report.html", &html);
    let sections: Vec<&str> = html.split("<section id=\"").skip(1).map(|s| s.split('"').next().unwrap()).collect();
    let expected = [
        "runs",
        "agreement",
        "table-1",
        "table-2",
        "table-3",
        "figure-2",
        "figure-3",
        "confusion",
        "network",
        "calibration",
        "speakers",
        "reading",
    ];
    assert_eq!(sections, expected);
    let tables = [
        "provenance",
        "table1",
        "table1-figures",
        "table2",
        "table2-figures",
        "table3",
        "table3-paired",
        "table3-figures",
        "classes",
        "calibration",
        "calibration-bins",
        "speakers",
    ];
    assert_eq!(report.tables(), tables);
    for figure in [
        "figure2-emodb-tim-net-random-accuracy",
        "figure2-emodb-tim-net-random-loss",
        "figure3-emodb-tim-net-random-seed46",
        "table2-tim-net-last-epoch",
        "table3-emodb-best-epoch",
        "confusion-emodb-tim-net-best-epoch",
        "fusion-emodb-tim-net-random",
        "attention-emodb-tim-net-random-seed46",
        "calibration-emodb-tim-net-random-best-epoch",
        "speakers-emodb-tim-net-random-last-epoch",
    ] {
        assert!(report.text("report.md").contains(&format!("(figures/{figure}.svg)")), "{figure}");
        assert!(html.contains(&format!("<figure id=\"{figure}\">")), "{figure}");
        let svg = report.text(&format!("figures/{figure}.svg"));
        check_tags(figure, &svg);
        assert!(svg.contains("SYNTHETIC"), "{figure}");
        assert_eq!(svg.contains("OPTIMISTIC"), figure.contains("best-epoch"), "{figure}");
    }
    assert!(!html.contains("http:") && !html.contains("https:") && !html.contains("<script"), "needs the network");
    assert!(html.contains("serlab reproduce table1 --only &#39;it&#39;\\&#39;&#39;s&#39;"), "the command, quoted");
    for said in ["commit 0123abc", "A &amp; B &lt;CPU&gt;", "1.5 min, CPU 1.0 min, in 1 call", "seeds", "engine"] {
        assert!(html.contains(said), "{said}");
    }
}

#[test]
fn the_same_runs_give_the_same_bytes() {
    let report = Report::of(&Demo::default());
    let again = report.dir.path().join("again");
    let written = write(&[&report.dir.path().join("run0")], &again).unwrap();
    assert_eq!(written.files.len(), report.written.files.len());
    for (a, b) in report.written.files.iter().zip(&written.files) {
        assert_eq!(fs::read(a).unwrap(), fs::read(b).unwrap(), "{}", a.display());
    }
}

/// Columns that count or name things and so need no mark.
const UNMARKED: [&str; 9] =
    ["utterances", "folds", "epochs", "n", "speakers", "seeds", "trainings", "support", "predicted"];

#[test]
fn marks_stand_at_every_number_in_every_format() {
    for (synthetic, utterances) in [(true, 535), (false, 535), (false, 300)] {
        let demo = Demo { synthetic, utterances, ..Demo::default() };
        let report = Report::of(&demo);
        let (html, md) = (report.text("report.html"), report.text("report.md"));
        let (mut total, mut optimistic) = (0, 0);
        for name in report.tables().iter().filter(|n| !["agreement", "provenance"].contains(&n.as_str())) {
            let table = report.table(name);
            for row in table["rows"].as_array().unwrap() {
                let row = row.as_object().unwrap();
                let text = |key: &str| row.get(key).and_then(|e| e["text"].as_str()).unwrap_or("");
                let best = text("protocol") == "best-epoch" || text("figure").ends_with("best-epoch");
                let across = name.starts_with("table2") || text("figure").contains("across");
                let protocol = if best { "best-epoch" } else { "last-epoch" };
                let published = ["paper", "official README, re-run"].contains(&text("from"));
                for (column, entry) in
                    row.iter().filter(|(c, e)| e["value"] != Value::Null && !UNMARKED.contains(&c.as_str()))
                {
                    let expected = match text("protocol") {
                        "other" => Vec::new(),
                        _ if published || column == "paper UAR / WAR" => {
                            let all = ["optimistic", "texts shared"].map(str::to_owned);
                            all[usize::from(!best)..].to_vec()
                        }
                        _ => demo.marks(protocol, across),
                    };
                    let found: Vec<String> = serde_json::from_value(entry["marks"].clone()).unwrap_or_default();
                    assert_eq!(found, expected, "{name}, {column}: {entry}");
                    optimistic += usize::from(best);
                }
            }
            // As many marked entries in the other formats.
            let entries = || table["rows"].as_array().unwrap().iter().flat_map(|r| r.as_object().unwrap().values());
            let of = |e: &Value| serde_json::from_value::<Vec<serrun::Mark>>(e["marks"].clone()).unwrap_or_default();
            let marks: usize = entries().map(|e| of(e).len()).sum();
            let marked = entries().filter(|e| e["marks"] != Value::Null).count();
            let csv = report.text(&format!("tables/{name}.csv"));
            let words = ["optimistic", "partial corpus", "synthetic", "preview: 6 of 500 epochs", "texts shared"];
            assert_eq!(words.map(|w| csv.matches(w).count()).iter().sum::<usize>(), marks, "{name}.csv");
            let tex = report.text(&format!("tables/{name}.tex"));
            assert_eq!(tex.matches("\\rlap{\\textsuperscript{").count(), marked, "{name}.tex");
            let part = html.split(&format!("<h3 id=\"{name}\">")).nth(1).unwrap().split("</table>").next().unwrap();
            assert_eq!(part.matches("class=\"mark\"").count(), marks, "{name} in HTML");
            let title = table["title"].as_str().unwrap().replace('*', "\\*");
            let part = md.split(&format!("### {title}\n")).nth(1).unwrap().split("\n\n").next().unwrap();
            let fields = || part.split('|').map(str::trim);
            for entry in entries().filter(|e| e["marks"] != Value::Null) {
                let shorts = serrun::Mark::shorts(&of(entry));
                assert!(fields().any(|f| f.ends_with(&format!("({shorts})"))), "{name} in Markdown: {entry}");
            }
            total += marks;
        }
        assert!(total > 0 && optimistic > 0);
        assert_eq!(html.contains("Synthetic data."), synthetic);
        assert_eq!(html.contains("Partial corpora."), utterances < 535);
        assert_eq!(html.contains("EMODB (300 of 535 utterances)"), utterances < 535, "{html}");
        assert!(html.contains("Optimistic figures."));
    }
}

/// One tabular with as many fields in each row as it has columns, the three rules of booktabs, and a note for each mark.
fn latex_is_whole(name: &str, tex: &str, table: &Value) {
    assert!(tex.starts_with("% Needs \\usepackage{booktabs,threeparttable}\n"), "{name}: {tex}");
    let lines: Vec<&str> = tex.lines().filter(|l| !l.starts_with('%')).collect();
    let columns = table["columns"].as_array().unwrap().len();
    assert_eq!(lines[0], "\\begin{threeparttable}");
    let places = lines[1].strip_prefix("\\begin{tabular}{").and_then(|l| l.strip_suffix('}')).unwrap();
    assert!(places.len() == columns && places.chars().all(|c| "lr".contains(c)), "{name}: {places}");
    let rows = table["rows"].as_array().unwrap().len();
    assert_eq!(
        [lines[2], lines[4], lines[5 + rows], lines[6 + rows]],
        ["\\toprule", "\\midrule", "\\bottomrule", "\\end{tabular}"]
    );
    for row in std::iter::once(&lines[3]).chain(&lines[5..5 + rows]) {
        let fields = row.strip_suffix(" \\\\").unwrap().replace("\\&", "");
        assert_eq!(fields.split('&').count(), columns, "{name}: {row}");
        let bare = |c: char| row.replace(&format!("\\{c}"), "").contains(c);
        assert!(!['%', '_', '#'].into_iter().any(bare), "{name}: {row}");
        let level = row.replace("\\{", "").replace("\\}", "");
        assert_eq!(level.matches('{').count(), level.matches('}').count(), "{name}: {row}");
    }
    let notes: Vec<&&str> = lines[7 + rows..].iter().filter(|l| l.starts_with("\\item[")).collect();
    let marked = tex.contains("\\rlap{\\textsuperscript{");
    assert_eq!(!notes.is_empty(), marked, "{name}");
    assert_eq!(tex.contains("\\begin{tablenotes}"), marked, "{name}");
    assert_eq!(lines.last(), Some(&"\\end{threeparttable}"));
}

#[test]
fn names_are_text_in_every_format() {
    let labels = ["x<y>", "a_b & c%", "c|d", "[e]", "g\\h$"];
    let report = Report::of(&Demo { rival: "em_o<d>&|%", labels: &labels, ..Demo::default() });
    let html = report.text("report.html");
    check_tags("report.html", &html);
    assert!(html.contains("em_o&lt;d&gt;&amp;|%") && html.contains("x&lt;y&gt;") && !html.contains("x<y>"));
    for file in report.written.files.iter().filter(|f| f.extension().is_some_and(|e| e == "svg")) {
        check_tags(&file.display().to_string(), &fs::read_to_string(file).unwrap());
    }
    let md = report.text("report.md");
    assert!(md.contains("em\\_o&lt;d&gt;&amp;\\|%"));
    for table in md.split("\n\n").filter(|part| part.starts_with("| ")) {
        let columns = |line: &str| line.replace("\\|", "").matches('|').count();
        let first = columns(table.lines().next().unwrap());
        assert!(table.lines().all(|line| columns(line) == first), "{table}");
    }
    let tex = report.text("tables/table1.tex");
    assert!(tex.contains("em\\_o\\textless{}d\\textgreater{}\\&\\textbar{}\\%"), "{tex}");
    assert!(report.text("tables/classes.tex").contains(" & a\\_b \\& c\\% & "));
    assert!(report.text("tables/classes.tex").contains(" & {[}e] & "));
    for name in report.tables() {
        latex_is_whole(&name, &report.text(&format!("tables/{name}.tex")), &report.table(&name));
    }
    let csv = report.text("tables/table1.csv");
    assert!(csv.contains("\nem_o<d>&|%,"), "{csv}");
}

#[test]
fn what_a_run_does_not_have_is_said() {
    let dir = tempfile::tempdir().unwrap();
    let (run, out) = (dir.path().join("run"), dir.path().join("out"));
    Demo::default().write_bare(&run);
    fs::remove_file(run.join("published.json")).unwrap();
    let mut metrics: Value = serde_json::from_str(&fs::read_to_string(run.join("metrics.json")).unwrap()).unwrap();
    metrics["missing"] = serde_json::json!({"emodb-tcn-random-seed46": [2, 3]});
    metrics["cells"].as_array_mut().unwrap().retain(|c| c["target"] == Value::Null);
    put(&run.join("metrics.json"), &metrics.to_string());
    let absent = write(&[&run], &out).unwrap().absent.join("\n");
    for said in [
        "no run has published.json",
        "no environment.json",
        "no config.toml",
        "Table 2: no run",
        "Figure 2: no training folder has epochs.csv",
        "Figure 3: no training folder has embeddings.csv",
        "no training folder has fusion.csv",
        "no training folder has attention.json",
        "no training folder has PROTOCOL/predictions.csv",
        "no run has corpora/NAME.csv",
        "R1: emodb-tcn-random-seed46 lacks the folds 2, 3",
    ] {
        assert!(absent.contains(said), "{said} in\n{absent}");
    }
    let html = fs::read_to_string(out.join("report.html")).unwrap();
    assert!(html.contains("What is not here") && html.contains("no run has corpora/NAME.csv"));
    assert!(!html.contains("<section id=\"figure-2\">"));
}

#[test]
fn a_broken_file_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let run = dir.path().join("run");
    let training = "emodb-tim-net-random-seed46";
    let good = || {
        let _ = fs::remove_dir_all(&run);
        Demo::default().write(&run);
    };
    good();
    let metrics = fs::read_to_string(run.join("metrics.json")).unwrap();
    let config = fs::read_to_string(run.join("config.toml")).unwrap();
    // Version 1 had other keys: it is refused for its version, not for a key that is not there.
    let first = r#"{"version": 1, "cells": [{"uar": {"population_std": 0.1}}]}"#.to_owned();
    let cases: [(&str, String, &str); 15] = [
        ("metrics.json", first, "version 1, this program reads 2; start the run's own command"),
        (
            "metrics.json",
            metrics.replacen(
                "\"fold\": 2",
                "\"fold\": 2, \"trained_on\": 9, \"uar\": 0.5, \"utterances\": 9, \"war\": 0.5}, {\"epoch\": 1, \"fold\": 3",
                1,
            ),
            "of the same folds",
        ),
        (
            "metrics.json",
            metrics.replacen("texts shared", "texts stolen", 1).replacen("\"synthetic\"\n", "\"sham\"\n", 1),
            "unknown mark",
        ),
        ("metrics.json", metrics.replace("\"p\": 0.001", "\"p\": 1.5"), "p value"),
        ("metrics.json", metrics[..300].to_owned(), "line"),
        ("metrics.json", metrics.replace("\"seed\": 47", "\"seed\": 46"), "a second cell"),
        ("metrics.json", metrics.replacen("1,\n", "", 1), "confusion"),
        ("config.toml", "a = ".to_owned(), "line 1"),
        ("provenance.json", "{}".to_owned(), "line 1"),
        ("metrics.json", metrics.replacen("\"corpus\": \"emodb\"", "\"corpus\": \"../emodb\"", 1), "cannot name a corpus"),
        ("metrics.json", metrics.replacen("\"variant\": \"tcn\"", "\"variant\": \"t/cn\"", 1), "cannot name a system"),
        ("corpora/emodb.csv", "id,speaker\nx,y\n".to_owned(), "label"),
        (
            &format!("{training}/last-epoch/predictions.csv"),
            "id,fold,truth,predicted,a\nu,0,a,b,1\n".to_owned(),
            "line 2",
        ),
        (&format!("{training}/fusion.csv"), "fold,w_1\n0,x\n".to_owned(), "`x` is no number"),
        (&format!("{training}/attention.json"), "{\"id\": 1}".to_owned(), "line 1"),
    ];
    for (file, text, what) in cases {
        good();
        put(&run.join(file), &text);
        let error = write(&[&run], &dir.path().join("out")).unwrap_err();
        let said = error.to_string();
        assert!(said.contains(file) && said.contains(what), "{file}: {said}");
        assert_eq!(error.code(), 2, "{said}");
    }
    assert!(!dir.path().join("out").exists(), "nothing is written before all is read");
    good();
    put(&run.join("config.toml"), &config.replace("\"tcn\"", "\"tim-net\""));
    let error = write(&[&run], &dir.path().join("out")).unwrap_err();
    assert!(error.to_string().contains("no part of config.toml"), "{error}");
    for margin in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        let error = serreport::write(&[&run], &dir.path().join("out"), &Options { margin }).unwrap_err();
        assert!(error.to_string().starts_with("margin"), "{error}");
    }
    fs::remove_file(run.join("metrics.json")).unwrap();
    assert!(matches!(write(&[&run], dir.path()), Err(ReportError::Unfinished(_))));
    assert!(matches!(write(&[Path::new("no-such-run")], dir.path()), Err(ReportError::File(RunError::Read { .. }))));
    assert!(matches!(write(&[], dir.path()), Err(ReportError::NoRuns)));
}

/// "FIGURE: VERDICT" of every figure with a published counterpart.
fn verdicts(demo: &Demo) -> Vec<String> {
    let rows = Report::of(demo).table("agreement")["rows"].as_array().unwrap().clone();
    rows.iter().map(|r| format!("{}: {}", r["figure"]["text"], r["verdict"]["text"]).replace('"', "")).collect()
}

#[test]
fn only_what_was_made_as_in_the_paper_is_judged_and_one_training_resolves_nothing() {
    let paper = Demo { synthetic: false, epochs: 500, folds: 10, uar: 0.8919, seeds: &[46], ..Demo::default() };
    for (demo, verdict) in [
        (Demo { ..paper }, "not resolved"),
        (Demo { uar: 0.5, ..paper }, "not resolved"),
        (Demo { learning_rate: 0.1, ..paper }, "not made as in the paper: learning rate 0.1, the paper 0.001"),
        (Demo { utterances: 300, ..paper }, "not made as in the paper: utterances 300, the paper 535"),
        (Demo { epochs: 20, ..paper }, "not made as in the paper: epochs 20, the paper 500"),
        (Demo { blocks: 4, ..paper }, "not made as in the paper: blocks 4, the paper 8"),
        (Demo { folds: 5, ..paper }, "not made as in the paper: folds 5, the paper 10"),
        (Demo { missing: &[3], ..paper }, "not made as in the paper: the folds 3 are missing"),
        (Demo { seeds: &[47, 48], ..paper }, "not made as in the paper: seed of the folds 47, 48, the paper 46"),
        // Other seeds are other folds: they do not make three trainings of the paper's.
        (Demo { seeds: &[46, 47, 48], ..paper }, "not resolved"),
    ] {
        let found = verdicts(&demo);
        assert!(found.contains(&format!("EMODB, TIM-Net, last-epoch: {verdict}")), "{verdict}: {found:?}");
        assert_eq!(
            found.len(),
            4,
            "UAR and WAR of two protocols; nothing over a part of the paper's corpora: {found:?}"
        );
    }

    let report = Report::of(&paper);
    let md = report.text("report.md");
    for said in [
        "Of 4 figures with a published counterpart, 0 agree, 0 differ, 4 are not resolved and 0 were not made as in the paper",
        "EMODB, TIM-Net, last-epoch: UAR 89.",
        "1 training on the paper's folds; at least 3 are needed",
        "EMODB, TCN against TIM-Net, last-epoch (texts shared), over 10 random folds, seed 46: UAR -8.00 points \\[-12.00, -4.00\\], p 0.0010, \
         adjusted 0.0010: worse; WAR -1.00 points \\[-5.00, +3.00\\], p 0.6000, adjusted 0.6000: this run cannot tell (it would have \
         found 5.60 points four times in five). Intervals are not adjusted; p values are, by Holm over 1 comparison (R1).",
        "best-epoch is +6.00 points of UAR from last-epoch (optimistic, texts shared), mean of 1 seed; in the paper +5.98 (optimistic, texts shared).",
        "speaker-independent is -20.00 points of UAR from last-epoch (texts shared), mean of 1 seed; the paper has no such figure.",
        "The paper's means over 20 pairs are not shown: none of ours covers them.",
        "within 2.00 points",
    ] {
        assert!(md.contains(said), "{said} in\n{md}");
    }
    assert!(!md.contains("88.76") && !md.contains("34.49"), "a published mean over more than ours covers");
    let synthetic = Report::of(&Demo::default());
    assert!(synthetic.text("report.md").contains("all recordings are synthetic"));
}

/// `fixtures/make.py` makes what is expected.
#[test]
fn calibration_is_numpys() {
    let dir = tempfile::tempdir().unwrap();
    let (run, out) = (dir.path().join("run"), dir.path().join("out"));
    Demo::default().write_bare(&run);
    put(&run.join("emodb-tim-net-random-seed46/last-epoch/predictions.csv"), include_str!("fixtures/predictions.csv"));
    write(&[&run], &out).unwrap();
    let read = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
    let table = read(&fs::read_to_string(out.join("tables/calibration.json")).unwrap());
    let expected = read(include_str!("fixtures/calibration.json"));
    let row = &table["rows"][0];
    for (column, key, factor) in [
        ("n", "n", 1.0),
        ("accuracy", "accuracy", 100.0),
        ("mean confidence", "mean_confidence", 100.0),
        ("ECE", "ece", 100.0),
        ("MCE", "mce", 100.0),
        ("Brier score", "brier", 1.0),
        ("log loss", "log_loss", 1.0),
    ] {
        let (ours, numpys) = (row[column]["value"].as_f64().unwrap(), factor * expected[key].as_f64().unwrap());
        assert!((ours - numpys).abs() < 1e-10, "{column}: {ours}, NumPy {numpys}");
    }
}

#[test]
fn intervals_say_what_they_are_over_and_every_provenance_is_shown() {
    let report = Report::of(&OWN);
    let rows = report.rows("table1-figures", "EMODB | TIM-Net");
    assert!(rows[0].ends_with("| 40 utterances | R1") && rows[2].ends_with("| 10 speakers | R1"), "{rows:?}");
    let rows = report.rows("provenance", "R1");
    assert_eq!(
        rows[0],
        "R1 | 2 | 0.1.0 | 0123abc | native | 1 | cpu | avx512 | A | 2026-01-01T00:00:00Z | 2026-01-01T01:00:00Z"
    );
    assert_eq!(rows[1], "R1 | 1 | 0.1.0 | 4567def | libtorch | 1 | cuda:0 | - | B | 2026-01-01T00:00:00Z | -");
    let dir = tempfile::tempdir().unwrap();
    OWN.write(&dir.path().join("run"));
    let part = |commit: &str| {
        serde_json::json!({
            "version": 1, "program": "serlab", "program_version": "0.1.0", "built_at_commit": commit, "libtorch": "2.11.0",
            "engine": "native", "device": "cpu", "corpora": {}, "os": "linux", "architecture": "x86_64", "cpu": "C", "cores": 2, "jobs": 1,
            "command": ["serlab"],
        })
    };
    let merged = serde_json::json!({"version": 1, "merged_from": [part("0123abc"), part("4567def")]});
    put(&dir.path().join("run/environment.json"), &merged.to_string());
    write(&[&dir.path().join("run")], &dir.path().join("out")).unwrap();
    let md = fs::read_to_string(dir.path().join("out/report.md")).unwrap();
    assert!(
        md.contains(
            "- **merged from, 2**: native; serlab 0.1.0, commit 4567def; C, 2 cores, 1 fold at a time, linux, x86\\_64"
        ),
        "{md}"
    );
}

/// 15 bins of equal width: the drawing has the count of each, the table those that are not empty.
#[test]
fn calibration_says_how_many_bins_and_how_many_predictions_in_each() {
    let report = Report::of(&OWN);
    let bins = report.rows("calibration-bins", "EMODB, TIM-Net, random folds, last-epoch");
    assert_eq!(bins.len(), 15, "{bins:?}");
    assert!(
        bins[8].contains("| 0.5333 to 0.6000 | 40 |") && bins[0].ends_with("| 0.0000 to 0.0667 | 0 | - | -"),
        "{bins:?}"
    );
}

#[test]
fn the_program_says_what_it_did_and_how_it_ended() {
    let dir = tempfile::tempdir().unwrap();
    let run = dir.path().join("run");
    Demo::default().write(&run);
    let program = |run: &Path, out: &Path| {
        let mut command = assert_cmd::Command::cargo_bin("serreport").unwrap();
        command.arg(run).arg("-o").arg(out).env("NO_COLOR", "1").assert()
    };
    let done = program(&run, &dir.path().join("out")).code(0);
    assert!(String::from_utf8_lossy(&done.get_output().stderr).contains("report.html"));
    let wrong = program(&dir.path().join("none"), &dir.path().join("out")).code(2);
    assert!(String::from_utf8_lossy(&wrong.get_output().stderr).contains("none"));
    put(&dir.path().join("file"), "");
    let failed = program(&run, &dir.path().join("file")).code(1);
    assert!(String::from_utf8_lossy(&failed.get_output().stderr).contains("cannot write"));
    assert_cmd::Command::cargo_bin("serreport").unwrap().assert().code(2);
}

/// Three trainings of the published folds are judged; and over what the spread is stands in the row.
#[test]
fn trainings_of_the_same_folds_are_told_from_folds_of_other_seeds() {
    let paper = Demo { epochs: 500, folds: 10, uar: 0.8919, training_seeds: &[46, 1, 2], ..OWN };
    let report = Report::of(&paper);
    let rows = report.rows("table1-figures", "EMODB | TIM-Net | last-epoch");
    let seeds: Vec<&str> = rows.iter().map(|r| r.split(" | ").nth(3).unwrap()).collect();
    assert_eq!(seeds, ["46", "46, training 1", "46, training 2", "mean of 3 trainings of the same folds"]);
    // Standard deviation of 0, -0.1 and -0.2 points.
    let std: Vec<&str> = rows.iter().map(|r| r.split(" | ").nth(10).unwrap()).collect();
    assert!(std[3].starts_with("0.10 / 0.00") && std[0] == "-", "{std:?}");
    let verdict = &report.rows("agreement", "EMODB, TIM-Net, last-epoch | UAR")[0];
    assert!(verdict.contains("| 3 |") && verdict.contains("agrees within 2.00 points"), "{verdict}");
    // The same as three seeds of the folds: other folds, so one training of the paper's.
    let report = Report::of(&Demo { seeds: &[46, 47, 48], training_seeds: &[], ..paper });
    let rows = report.rows("table1-figures", "EMODB | TIM-Net | last-epoch");
    assert!(rows[3].contains("| mean of 3 seeds |"), "{rows:?}");
    let report = Report::of(&Demo { seeds: &[46, 47], training_seeds: &[1, 2, 3], ..paper });
    let rows = report.rows("table1-figures", "EMODB | TIM-Net | last-epoch");
    assert!(rows[6].contains("| mean of 2 seeds of 3 trainings each |"), "{rows:?}");
}

/// Folders of version 2 call the systems variants.
#[test]
fn a_run_of_the_version_before_is_reported() {
    let dir = tempfile::tempdir().unwrap();
    let (run, out) = (dir.path().join("run"), dir.path().join("out"));
    OWN.write(&run);
    let config = fs::read_to_string(run.join("config.toml")).unwrap();
    put(&run.join("config.toml"), &config.replace("systems = ", "variants = "));
    assert_eq!(write(&[&run], &out).unwrap().absent.iter().filter(|a| a.contains("config")).count(), 0);
}
