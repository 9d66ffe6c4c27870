//! The report as a whole: what is in it, what is marked, what is said of what is not there.

#![allow(clippy::unwrap_used)]

mod support;

use std::{
    fs,
    path::{Path, PathBuf},
};

use serde_json::Value;
use serreport::{ReportError, Written, write};
use support::{Demo, check_tags, put};

struct Report {
    dir: tempfile::TempDir,
    written: Written,
}

impl Report {
    fn of(demo: &Demo) -> Self {
        let dir = tempfile::tempdir().unwrap();
        demo.write(&dir.path().join("run"));
        let written = write(&[&dir.path().join("run")], &dir.path().join("out")).unwrap();
        Self { dir, written }
    }

    fn text(&self, name: &str) -> String {
        fs::read_to_string(self.dir.path().join("out").join(name)).unwrap()
    }

    fn table(&self, name: &str) -> Value {
        serde_json::from_str(&self.text(&format!("tables/{name}.json"))).unwrap()
    }

    fn tables(&self) -> Vec<String> {
        let stem = |p: &PathBuf| {
            let inside = p.parent()?.file_name()? == "tables" && p.extension()? == "json";
            inside.then(|| p.file_stem().unwrap().to_string_lossy().into_owned())
        };
        self.written.files.iter().filter_map(stem).collect()
    }
}

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
        "table1",
        "table1-figures",
        "table2",
        "table2-figures",
        "table3",
        "table3-paired",
        "table3-figures",
        "calibration",
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
    let written = write(&[&report.dir.path().join("run")], &again).unwrap();
    assert_eq!(written.files.len(), report.written.files.len());
    for (a, b) in report.written.files.iter().zip(&written.files) {
        assert_eq!(fs::read(a).unwrap(), fs::read(b).unwrap(), "{}", a.display());
    }
}

/// Columns that count or name things and so need no mark.
const UNMARKED: [&str; 6] = ["utterances", "folds", "epochs", "n", "speakers", "seeds"];

#[test]
fn marks_stand_at_every_number_in_every_format() {
    for synthetic in [true, false] {
        let report = Report::of(&Demo { synthetic, ..Demo::default() });
        let (html, md) = (report.text("report.html"), report.text("report.md"));
        let (mut total, mut optimistic) = (0, 0);
        for name in report.tables().iter().filter(|n| *n != "agreement") {
            let table = report.table(name);
            for row in table["rows"].as_array().unwrap() {
                let row = row.as_object().unwrap();
                let text = |key: &str| row.get(key).and_then(|e| e["text"].as_str()).unwrap_or("");
                let ours = !["paper", "official README, re-run"].contains(&text("from"));
                let best = text("protocol") == "best-epoch" || text("figure").ends_with("best-epoch");
                for (column, entry) in
                    row.iter().filter(|(c, e)| e["value"] != Value::Null && !UNMARKED.contains(&c.as_str()))
                {
                    if name == "table2" && ["pairs", "runs"].contains(&column.as_str()) || column == "paper, UAR" {
                        continue;
                    }
                    let has = |mark: &str| entry["marks"].as_array().is_some_and(|m| m.iter().any(|m| m == mark));
                    assert_eq!(has("synthetic"), synthetic && ours, "{name}, {column}: {entry}");
                    assert_eq!(has("optimistic"), best, "{name}, {column}: {entry}");
                    optimistic += usize::from(best);
                }
            }
            // As many marked entries in the other formats.
            let entries = || table["rows"].as_array().unwrap().iter().flat_map(|r| r.as_object().unwrap().values());
            let marks: usize = entries().map(|e| e["marks"].as_array().map_or(0, Vec::len)).sum();
            let marked = entries().filter(|e| e["marks"] != Value::Null).count();
            let csv = report.text(&format!("tables/{name}.csv"));
            assert_eq!(csv.matches("optimistic").count() + csv.matches("synthetic").count(), marks, "{name}.csv");
            let tex = report.text(&format!("tables/{name}.tex"));
            assert_eq!(tex.matches("\\textsuperscript{").count(), marked, "{name}.tex");
            let part = html.split(&format!("<h3 id=\"{name}\">")).nth(1).unwrap().split("</table>").next().unwrap();
            assert_eq!(part.matches("class=\"mark\"").count(), marks, "{name} in HTML");
            let title = table["title"].as_str().unwrap().replace('*', "\\*");
            let part = md.split(&format!("### {title}\n")).nth(1).unwrap().split("\n\n").next().unwrap();
            let shorts = ["(opt)", "(syn)", "(opt, syn)"].map(|s| part.matches(s).count());
            assert_eq!(shorts.iter().sum::<usize>(), marked, "{name} in Markdown");
            total += marks;
        }
        assert!(total > 0 && optimistic > 0);
        assert_eq!(html.contains("Synthetic data."), synthetic);
        assert!(html.contains("Optimistic figures."));
    }
}

#[test]
fn names_are_text_in_every_format() {
    let labels = ["x<y>", "a&b", "c|d", "e_f%", "g\\h$"];
    let report = Report::of(&Demo { corpus: "em_o<d>&|%", labels: &labels, ..Demo::default() });
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
    let tex = report.text("tables/table1-figures.tex");
    assert!(tex.contains("em\\_o\\textless{}d\\textgreater{}\\&\\textbar{}\\%"), "{tex}");
    let ends = |line: &str| line.ends_with("\\\\") || line.starts_with('%') || line == "\\hline";
    assert!(tex.lines().all(ends), "{tex}");
    let csv = report.text("tables/table1-figures.csv");
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
    let cases: [(&str, String, &str); 9] = [
        ("metrics.json", metrics[..300].to_owned(), "line"),
        ("metrics.json", metrics.replace("\"version\": 1", "\"version\": 9"), "version 9, this program reads 1"),
        ("metrics.json", metrics.replace("\"seed\": 47", "\"seed\": 46"), "a second cell"),
        ("metrics.json", metrics.replacen("1,\n", "", 1), "confusion"),
        ("config.toml", "a = ".to_owned(), "line 1"),
        ("corpora/emodb.csv", "id,label\nx,y\n".to_owned(), "speaker"),
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
    fs::remove_file(run.join("metrics.json")).unwrap();
    assert!(matches!(write(&[&run], dir.path()), Err(ReportError::Unfinished(_))));
    assert!(matches!(write(&[Path::new("no-such-run")], dir.path()), Err(ReportError::Read { .. })));
    assert!(matches!(write(&[], dir.path()), Err(ReportError::NoRuns)));
}

fn verdicts(demo: &Demo) -> Vec<String> {
    let report = Report::of(demo);
    let rows = report.table("agreement")["rows"].as_array().unwrap().clone();
    rows.iter().map(|r| format!("{}: {}", r["figure"]["text"], r["verdict"]["text"]).replace('"', "")).collect()
}

#[test]
fn agreement_follows_from_the_figures() {
    let paper = Demo { synthetic: false, epochs: 500, folds: 10, uar: 0.8919, ..Demo::default() };
    let same = verdicts(&paper);
    assert!(same.contains(&"EMODB, TIM-Net, last-epoch: agrees".to_owned()), "{same:?}");
    let lower = verdicts(&Demo { uar: 0.80, ..paper });
    assert!(lower.contains(&"EMODB, TIM-Net, last-epoch: lower than the paper".to_owned()), "{lower:?}");
    let short = verdicts(&Demo { epochs: 20, ..paper });
    assert!(
        short.contains(&"EMODB, TIM-Net, last-epoch: not judged: 20 epochs, the paper 500".to_owned()),
        "{short:?}"
    );
    assert!(
        lower.contains(&"Across corpora, TIM-Net, last-epoch: not judged: 2 pairs, the paper 20".to_owned()),
        "{lower:?}"
    );
    assert!(lower.iter().any(|v| v == "Table 3, TCN, best-epoch: not judged: 1 of the paper's 6 corpora"), "{lower:?}");

    let report = Report::of(&paper);
    let md = report.text("report.md");
    for said in [
        "TCN minus TIM-Net, last-epoch: points of UAR: EMODB -8.00 \\[-12.00, -4.00\\] over 6 pairs. The paper, over six \
         corpora: -8.31 (optimistic). In 1 of 1 the interval excludes 0 and the sign is the paper's",
        "best-epoch is +6.00 points of UAR from last-epoch (optimistic); in the paper +5.98.",
        "speaker-independent is -20.00 points of UAR from last-epoch; the paper has no such figure.",
    ] {
        assert!(md.contains(said), "{said} in\n{md}");
    }
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
    serreport::write(&[&run], &out).unwrap();
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
fn two_runs_are_one_report() {
    let dir = tempfile::tempdir().unwrap();
    let (a, b, c) = (dir.path().join("a"), dir.path().join("b"), dir.path().join("c"));
    Demo { seeds: &[46], ..Demo::default() }.write(&a);
    Demo { seeds: &[46, 47], ..Demo::default() }.write(&b);
    Demo { seeds: &[46], synthetic: false, ..Demo::default() }.write(&c);
    let read = |runs: &[&Path]| {
        let out = dir.path().join("out");
        write(runs, &out).unwrap();
        fs::read_to_string(out.join("tables/table1-figures.csv")).unwrap()
    };
    let merged = read(&[&a, &b]);
    assert_eq!(merged.matches("EMODB,TIM-Net,last-epoch,46").count(), 1, "a cell that both have counts once\n{merged}");
    assert!(merged.contains("EMODB,TIM-Net,last-epoch,mean of 2"), "{merged}");
    let apart = read(&[&a, &c]);
    assert_eq!(apart.matches("EMODB,TIM-Net,last-epoch,46").count(), 2, "real and synthetic never mix\n{apart}");
    assert!(!apart.contains("mean of 2"), "{apart}");
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
