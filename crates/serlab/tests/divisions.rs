//! Any division of a corpus: random, stratified, by speakers, by texts, by both, the corpus' own split, a file's.
#![allow(clippy::unwrap_used)]

mod common;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use common::{Lab, contents, done, json};
use sercorpus::{
    Corpus, CorpusKind,
    split::{self, Fold},
};
use serde_json::Value;

const EMODB: [&str; 4] = ["--data", "emodb=emodb", "--epochs", "1"];

fn emodb(lab: &Lab) -> Corpus {
    sercorpus::open(CorpusKind::Emodb, &lab.path("emodb"), &Default::default()).unwrap()
}

/// Runs and gives the table and metrics.json.
fn run(lab: &Lab, dir: &str, options: &[&str]) -> (String, Value) {
    let table = done(lab.command(&[&EMODB[..], &["--run-dir", dir], options].concat()));
    (table, json(&lab.path(dir).join("metrics.json")))
}

/// The ids that each fold of a training tests, from its predictions.
fn tested(training: &Path, protocol: &str) -> Vec<BTreeSet<String>> {
    let mut folds = BTreeMap::<usize, BTreeSet<String>>::new();
    let mut rows = csv::Reader::from_path(training.join(protocol).join("predictions.csv")).unwrap();
    for row in rows.records().map(Result::unwrap) {
        assert!(folds.entry(row[1].parse().unwrap()).or_default().insert(row[0].to_owned()));
    }
    folds.into_values().collect()
}

fn ids(corpus: &Corpus, part: &[usize]) -> BTreeSet<String> {
    part.iter().map(|&i| corpus.utterances[i].id.clone()).collect()
}

/// The folds that a run says it trained on, as its export has them.
fn exported(lab: &Lab, dir: &str, training: &str, corpus: &Corpus) -> Vec<Fold> {
    let out = format!("{dir}-export");
    done(lab.serlab(&["export", dir, "-o", &out]));
    split::read_csv(corpus, &lab.path(&out).join(training).join("folds.csv")).unwrap()
}

#[test]
fn every_division_is_sercorpus_own_and_is_told() {
    let lab = Lab::new();
    let corpus = emodb(&lab);
    let (speakers, texts) = (corpus.speakers().unwrap(), corpus.texts().unwrap());
    let n = corpus.utterances.len();
    let distinct = speakers.iter().collect::<BTreeSet<_>>().len();
    let k = distinct.min(5);
    for (name, more, training, title, folds) in [
        (
            "stratified",
            &["--folds", "3"][..],
            "stratified",
            "stratified folds",
            split::stratified_kfold(&corpus.label_indices(), 3, 46),
        ),
        (
            "random",
            &["--folds", "3", "--set", "repeats=2"],
            "repeated2",
            "random folds 2 times",
            split::repeated_kfold(n, 3, 2, 46),
        ),
        ("speakers", &[], "speakers", "one speaker left out", split::leave_one_group_out(&speakers)),
        ("speakers", &["--set", "groups=2"], "speakers2", "2 groups of speakers", split::group_kfold(&speakers, 2)),
        ("texts", &["--set", "groups=3"], "texts3", "3 groups of texts", split::group_kfold(&texts, 3)),
        (
            "texts-and-speakers",
            &[],
            "texts-and-speakers",
            "groups of texts and of speakers",
            split::crossed_group_kfold(&texts, &speakers, (5, k)),
        ),
        (
            "texts-and-speakers",
            &["--set", "groups=2"],
            "texts-and-speakers2",
            "2 groups of texts and of speakers",
            split::crossed_group_kfold(&texts, &speakers, (2, 2)),
        ),
    ] {
        let folds = folds.unwrap();
        let (table, metrics) = run(&lab, training, &[&["--division", name, "--protocol", "last-epoch"], more].concat());
        let folder = format!("emodb-tim-net-{training}-seed46");
        let wanted: Vec<BTreeSet<String>> = folds.iter().map(|f| ids(&corpus, &f.test)).collect();
        assert_eq!(tested(&lab.path(training).join(&folder), "last-epoch"), wanted, "{training}");
        assert_eq!(exported(&lab, training, &folder, &corpus), folds, "{training}");
        // In the table, in the files and in the report, and never as if it were the paper's.
        assert!(table.contains(&format!("last-epoch, {title} (")) && !table.contains("89.19"), "{table}");
        let cell = &metrics["cells"][0];
        assert_eq!((cell["division"].as_str(), &cell["published"]), (Some(training), &Value::Null));
        let report = fs::read_to_string(lab.path(training).join("report/report.md")).unwrap();
        assert!(report.contains(&format!("last-epoch, {title}")), "{training}: {report}");
        assert!(report.contains("No figure here has a published counterpart."), "{training}: {report}");
        // What is shared on both sides, counted here.
        let shared = |of: &[&str]| {
            let of = |part: &[usize]| part.iter().map(|&i| of[i]).collect::<BTreeSet<_>>();
            folds.iter().any(|f| !of(&f.test).is_disjoint(&of(&f.train)))
        };
        let has = |mark: &str| cell["marks"].as_array().unwrap().contains(&mark.into());
        assert_eq!(has("texts shared"), shared(&texts), "{training}: {cell}");
        assert_eq!(shared(&texts), !name.starts_with("texts"), "{training}");
        assert_eq!(shared(&speakers), !name.ends_with("speakers"), "{training}");
        let over = if shared(&speakers) {
            serde_json::json!({"unit": "utterances", "count": n})
        } else {
            serde_json::json!({"unit": "speakers", "count": distinct})
        };
        assert_eq!(cell["interval_over"], over, "{training}");
        // Without the recordings, from the run folder alone.
        assert_eq!(done(lab.serlab(&["show", training])), table);
    }
}

/// Today's folders keep their names, files and columns.
#[test]
fn the_papers_division_is_written_as_ever() {
    let lab = Lab::new();
    run(&lab, "plain", &["--folds", "2"]);
    run(&lab, "said", &["--folds", "2", "--division", "random", "--set", "repeats=1"]);
    assert_eq!(contents(&lab.path("plain")), contents(&lab.path("said")));
    let config = fs::read_to_string(lab.path("plain/config.toml")).unwrap();
    assert!(["division", "groups", "repeats", "texts"].iter().all(|key| !config.contains(key)), "{config}");
    let roster = fs::read_to_string(lab.path("plain/corpora/emodb.csv")).unwrap();
    assert!(roster.starts_with("id,label,speaker,session\n"), "{roster}");
    run(&lab, "texts", &["--division", "texts", "--set", "groups=2"]);
    let roster = fs::read_to_string(lab.path("texts/corpora/emodb.csv")).unwrap();
    assert!(roster.starts_with("id,label,speaker,session,text,part\n"), "{roster}");
}

#[test]
fn speakers_are_left_out_in_groups_and_with_a_validation_part() {
    let lab = Lab::new();
    let corpus = emodb(&lab);
    let folds = split::group_kfold(&corpus.speakers().unwrap(), 3).unwrap();
    let words = ["--set", "groups=3", "--protocol", "speaker-independent"];
    let (table, metrics) = run(&lab, "run", &words);
    assert!(table.contains("speaker-independent, 3 groups of speakers ("), "{table}");
    assert_eq!(metrics["cells"][0]["division"], "speakers3");
    let wanted: Vec<BTreeSet<String>> = folds.iter().map(|f| ids(&corpus, &f.test)).collect();
    let training = "emodb-tim-net-speakers3-seed46";
    assert_eq!(tested(&lab.path("run").join(training), "speaker-independent"), wanted);
    let words = ["--division", "speakers", "--set", "groups=3", "--protocol", "validated"];
    run(&lab, "validated", &[&words[..], &["--set", "training.validation_share=0.3"]].concat());
    let training = "emodb-tim-net-speakers3-validated-seed46";
    let labels = corpus.label_indices();
    let validated: Vec<Fold> =
        folds.into_iter().map(|f| split::with_validation(f, &labels, 0.3, 46).unwrap()).collect();
    assert_eq!(exported(&lab, "validated", training, &corpus), validated);
}

/// Two networks on the same folds are paired fold by fold, whatever the folds.
#[test]
fn networks_are_paired_on_other_folds_without_a_verdict() {
    let lab = Lab::new();
    let words =
        ["--system", "tim-net,no-bd", "--division", "speakers", "--set", "groups=2", "--protocol", "best-epoch"];
    let (table, metrics) = run(&lab, "run", &words);
    let paired = &metrics["paired"][0];
    assert_eq!((paired["n"].as_u64(), paired["division"].as_str()), (Some(2), Some("speakers2")));
    assert!(table.contains("best-epoch, 2 groups of speakers (opt"), "{table}");
    let report = fs::read_to_string(lab.path("run/report/report.md")).unwrap();
    assert!(report.contains("over 2 folds, 2 groups of speakers, seed 46"), "{report}");
    assert!(!report.contains("figures with a published counterpart, 1"), "{report}");
}

#[test]
fn exported_folds_are_read_back_and_give_the_same_predictions() {
    let lab = Lab::new();
    let random = "emodb-tim-net-random-seed46";
    run(&lab, "run", &["--folds", "3", "--protocol", "last-epoch"]);
    let corpus = emodb(&lab);
    assert_eq!(exported(&lab, "run", random, &corpus), split::kfold(corpus.utterances.len(), 3, 46).unwrap());
    let folds = fs::read(lab.path("run-export").join(random).join("folds.csv")).unwrap();
    let file = format!("emodb-tim-net-file-{}-seed46", &blake3::hash(&folds).to_hex()[..8]);
    let set = format!("corpora.emodb.folds=run-export/{random}/folds.csv");
    // The corpus' file takes the place of random folds, too.
    for (dir, division) in [("file", "file"), ("random", "random")] {
        let words = ["--division", division, "--set", &set, "--protocol", "last-epoch", "--run-dir", dir];
        let output = lab.run(&[&EMODB[..], &words].concat());
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && said.contains("emodb: 3 folds of run-export/"), "{said}");
        let table = String::from_utf8(output.stdout).unwrap();
        assert!(table.contains("last-epoch, folds of a file (") && !table.contains("89.19"), "{table}");
        let predictions = |run: &str, training: &str| {
            fs::read(lab.path(run).join(training).join("last-epoch/predictions.csv")).unwrap()
        };
        assert_eq!(predictions(dir, &file), predictions("run", random));
        // Speakers are on both sides, though the file could say otherwise.
        let cell = &json(&lab.path(dir).join("metrics.json"))["cells"][0];
        assert_eq!(cell["interval_over"]["unit"], "utterances");
        fs::rename(lab.path("run-export"), lab.path("away")).unwrap();
        assert_eq!(done(lab.serlab(&["show", dir])), table);
        fs::rename(lab.path("away"), lab.path("run-export")).unwrap();
    }
    // The same bytes again, into a new folder alone.
    done(lab.serlab(&["export", "run", "-o", "again"]));
    assert_eq!(common::everything(&lab.path("again")), common::everything(&lab.path("run-export")));
    let output = lab.serlab(&["export", "run", "-o", "again"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let names: Vec<&str> = vec!["CITATION.cff", "README.md", "config.toml", "metrics.json", "provenance.json"];
    let readme = fs::read_to_string(lab.path("again/README.md")).unwrap();
    for name in names {
        assert!(lab.path("again").join(name).is_file(), "{name}");
        assert!(name == "README.md" || readme.contains(name), "{name} in {readme}");
    }
    assert!(readme.contains(&format!("- `{random}`: random folds, 3 folds; last-epoch\n")), "{readme}");
    // A file of folds that was changed is another run's.
    lab.edit("file/corpora/emodb.folds.csv", ",0,test", ",0,train");
    let output = lab.serlab(&["show", "file"]).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.code() == Some(2) && said.contains("emodb.folds.csv"), "{said}");
    fs::remove_file(lab.path("run/metrics.json")).unwrap();
    let output = lab.serlab(&["export", "run", "-o", "more"]).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.code() == Some(2) && said.contains("not finished: metrics.json"), "{said}");
    assert!(!lab.path("more").exists());
}

/// A file whose folds leave speakers out has intervals over speakers; its validation part is what `validated` chooses on, and belongs to
/// no part otherwise.
#[test]
fn a_files_speakers_and_validation_parts_are_looked_at() {
    let lab = Lab::new();
    let corpus = emodb(&lab);
    let speakers = corpus.speakers().unwrap();
    let distinct: Vec<&str> = speakers.iter().copied().collect::<BTreeSet<_>>().into_iter().collect();
    let mut text = "id,fold,part\n".to_owned();
    for (fold, tested) in distinct.iter().enumerate() {
        for (u, speaker) in corpus.utterances.iter().zip(&speakers) {
            let next = distinct[(fold + 1) % distinct.len()];
            let part = if speaker == tested {
                "test"
            } else if *speaker == next {
                "dev"
            } else {
                "train"
            };
            text += &format!("{},{fold},{part}\n", u.id);
        }
    }
    fs::write(lab.path("folds.csv"), &text).unwrap();
    let folds = split::read_csv(&corpus, &lab.path("folds.csv")).unwrap();
    let words = ["--set", "corpora.emodb.folds=folds.csv", "--protocol", "last-epoch,validated"];
    let (_, metrics) = run(&lab, "run", &words);
    let cells = metrics["cells"].as_array().unwrap();
    assert_eq!(cells.len(), 2);
    for cell in cells {
        assert_eq!(cell["interval_over"], serde_json::json!({"unit": "speakers", "count": distinct.len()}), "{cell}");
        assert!(cell["marks"].as_array().unwrap().contains(&"texts shared".into()), "{cell}");
    }
    let mut csv = Vec::new();
    split::write_csv(&corpus, &folds, &mut csv).unwrap();
    let hash = blake3::hash(&csv).to_hex()[..8].to_owned();
    let training = |end: &str| format!("emodb-tim-net-file-{hash}{end}-seed46");
    assert_eq!(exported(&lab, "run", &training("-validated"), &corpus), folds);
    let without: Vec<Fold> = folds.into_iter().map(|f| Fold { validation: Vec::new(), ..f }).collect();
    assert_eq!(
        split::read_csv(&corpus, &lab.path("run-export").join(training("")).join("folds.csv")).unwrap(),
        without
    );
    let config = fs::read_to_string(lab.path("run/config.toml")).unwrap();
    assert!(config.contains(&format!("folds = \"{}\"", blake3::hash(&csv).to_hex())), "{config}");
}

#[test]
fn the_column_split_of_a_manifest_is_a_division() {
    let lab = Lab::new();
    let corpus = emodb(&lab);
    let mut text = "path,label,speaker,split\n".to_owned();
    for (i, u) in corpus.utterances.iter().enumerate() {
        let path = format!("emodb/wav/{}", u.path.file_name().unwrap().to_str().unwrap());
        text += &format!(
            "{path},{},{},{}\n",
            u.label,
            u.speaker.as_ref().unwrap(),
            if i % 4 == 1 { "test" } else { "train" }
        );
    }
    fs::write(lab.path("mine.csv"), &text).unwrap();
    let words = ["reproduce", "table1", "--data", "mine=mine.csv", "--epochs", "1", "--protocol", "last-epoch"];
    let small = ["--division", "split", "--set", "corpora.mine.blocks=2", "--run-dir", "run"];
    let command = || lab.serlab(&[&words[..], &small].concat());
    let table = done(command());
    assert!(table.contains("last-epoch, the corpus' own split"), "{table}");
    let mine = sercorpus::open_any(&lab.path("mine.csv"), None, &Default::default(), &Default::default()).unwrap();
    let wanted: BTreeSet<String> = mine.for_testing().utterances.iter().map(|u| u.id.clone()).collect();
    assert_eq!(tested(&lab.path("run/mine-tim-net-split-seed46"), "last-epoch"), [wanted]);
    let metrics = json(&lab.path("run/metrics.json"));
    assert_eq!(metrics["cells"][0]["interval_over"]["unit"], "utterances", "speakers are on both sides");
    fs::rename(lab.path("mine.csv"), lab.path("away.csv")).unwrap();
    assert_eq!(done(lab.serlab(&["show", "run"])), table);
    // Another split of the same recordings is another run.
    fs::write(lab.path("mine.csv"), text.replacen(",test", ",train", 1)).unwrap();
    let output = command().output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.code() == Some(2) && said.contains("it has corpora.mine.texts ="), "{said}");
}

#[test]
fn wrong_divisions_are_told_with_what_to_do() {
    let lab = Lab::new();
    let refused = |options: &[&str], parts: &[&str]| lab.refused(2, &[&EMODB[..], options].concat(), parts);
    refused(
        &["--division", "speakrs"],
        &["--division", "invalid value 'speakrs'", "similar value exists: 'speakers'", "texts"],
    );
    refused(&["--set", "division=textes"], &["--set division=textes", "did you mean `texts`?"]);
    refused(&["--set", "groups=3"], &["`groups`", "texts-and-speakers"]);
    refused(&["--division", "speakers", "--set", "groups=1"], &["`groups` must be at least 2"]);
    refused(
        &["--division", "speakers", "--set", "groups=99"],
        &["emodb: 99 groups of speakers: cannot make 99 folds of"],
    );
    refused(&["--division", "texts", "--set", "repeats=2"], &["`repeats`", "random"]);
    refused(&["--division", "texts", "--folds", "3"], &["--folds 3", "--set groups=3"]);
    refused(&["--division", "texts", "--protocol", "speaker-independent"], &["division", "speaker-independent"]);
    refused(&["--division", "split"], &["emodb", "split"]);
    refused(&["--division", "file"], &["corpora.emodb.folds=PATH"]);
    refused(&["--set", "corpora.emodb.folds=nowhere.csv"], &["nowhere.csv"]);
    let corpus = emodb(&lab);
    fs::write(lab.path("folds.csv"), format!("id,fold,part\n{},0,test\nnobody,0,train\n", corpus.utterances[0].id))
        .unwrap();
    let file = ["--set", "corpora.emodb.folds=folds.csv"];
    refused(&file, &["folds.csv:3: emodb has no utterance `nobody`"]);
    refused(&[&file[..], &["--set", "repeats=2"]].concat(), &["`repeats`", "folds.csv"]);
    fs::write(lab.path("folds.csv"), "id,fold,part\n").unwrap();
    refused(&file, &["folds.csv: it has no folds"]);
    // Not an experiment that has folds.
    let output = lab.serlab(&["reproduce", "fig3", "--data", "emodb=emodb", "--division", "texts"]).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.code() == Some(2) && said.contains("division/groups/repeats"), "{said}");
}
