//! Manifests, folders per class, label maps, exports; and every failure names file and line.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::{Path, PathBuf};

use sercorpus::split::{self, Scheme};
use sercorpus::synth::{SynthOptions, write};
use sercorpus::{
    Corpus, CorpusKind, ExportFormat, FindingKind, LabelMap, OpenOptions, OwnOptions, Part, Severity, Sex, export,
    open_any, open_folder, open_manifest, stats,
};

/// A folder with four short recordings `a/1.wav` .. `b/2.wav` and a file of the given text.
fn folder_with(name: &str, text: impl AsRef<[u8]>) -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let source = dir.path().join("source");
    let options = SynthOptions { mean_seconds: 0.05, quirks: false, ..SynthOptions::small() };
    let written = write(CorpusKind::Emodb, &source, &options).unwrap().utterances;
    for (file, utterance) in ["a/1.wav", "a/2.wav", "b/1.wav", "b/2.wav"].iter().zip(&written) {
        let path = dir.path().join("data").join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::copy(&utterance.path, path).unwrap();
    }
    fs::remove_dir_all(source).unwrap();
    let path = dir.path().join("data").join(name);
    fs::write(&path, text).unwrap();
    (dir, path)
}

fn manifest(name: &str, text: impl AsRef<[u8]>) -> Result<Corpus, String> {
    let (_dir, path) = folder_with(name, text);
    open_manifest(&path, &OwnOptions::default()).map_err(|error| error.to_string())
}

#[test]
fn csv_tsv_jsonl_emobox_and_audformat() {
    let csv = "path,label,speaker,sex,split,start,end,mood\n\
               a/1.wav,calm,x,f,train,0,0.02,?\na/2.wav,\"calm\",y,male,dev,,,\nb/1.wav,upset,y,M,test,,,\n";
    let corpus = manifest("m.csv", csv).unwrap();
    assert_eq!(corpus.labels, ["calm", "upset"]);
    let first = &corpus.utterances[0];
    assert_eq!((first.id.as_str(), first.sex, first.part), ("a/1@0", Some(Sex::Female), Some(Part::Train)));
    assert_eq!((first.start, first.end), (Some(0.0), Some(0.02)));
    assert_eq!(corpus.utterances[1].id, "a/2");
    assert_eq!(corpus.utterances[2].speaker.as_deref(), Some("y"));
    let fold = &Scheme::Manifest.split(&corpus, 0, 0).unwrap()[0];
    assert_eq!((&fold.train[..], &fold.validation[..], &fold.test[..]), (&[0][..], &[1][..], &[2][..]));

    let tsv = manifest("m.tsv", "File\tEmotion\n./a/../b/1.wav\tz\nb/2.wav\ty\n").unwrap();
    assert_eq!(tsv.labels, ["y", "z"]);
    assert_eq!(tsv.utterances[1].id, "b/1");

    let emobox = r#"{"key": "k1", "dataset": "d", "wav": "a/1.wav", "sample_rate": 16000, "emo": "hap", "channel": 1}"#;
    let corpus = manifest("m.jsonl", format!("{emobox}\n\n")).unwrap();
    assert_eq!((corpus.utterances[0].id.as_str(), corpus.utterances[0].label.as_str()), ("k1", "hap"));

    let audformat =
        "file,start,end,emotion\na/1.wav,0 days 00:00:00.01,0 days 00:00:00.03,fear\na/2.wav,0 days,NaT,joy\n";
    let corpus = manifest("m.csv", audformat).unwrap();
    assert_eq!(corpus.utterances[1].start, Some(0.0));
    assert_eq!((corpus.utterances[0].start, corpus.utterances[1].end), (Some(0.01), None));
}

#[test]
fn what_is_wrong_with_a_manifest_is_named_by_file_and_line() {
    let cases: &[(&str, &[u8], &str)] = &[
        ("m.csv", b"path,mood\na/1.wav,x\n", "m.csv:1: no column `label`"),
        ("m.csv", b"path,label\na/1.wav,x\na/2.wav\n", "m.csv:3: 1 fields where the header has 2"),
        ("m.csv", b"path,label\na/1.wav,\n", "m.csv:2: a/1.wav has no label"),
        ("m.csv", b"path,label\n,x\n", "m.csv:2: no path"),
        ("m.csv", b"id,path,label\n1,a/1.wav,x\n2,a/2.wav,x\n1,b/1.wav,x\n", "m.csv:4: the id `1` is that of line 2"),
        (
            "m.csv",
            b"path,label\n../x.wav,x\n",
            "m.csv: none of its 1 recordings is there; the first was looked for at /",
        ),
        ("m.csv", b"path,label\n/no/where.wav,x\n", "looked for at /no/where.wav; the paths are of another machine"),
        ("m.csv", b"path,label,start,end\na/1.wav,x,2,1\n", "m.csv:2: a/1.wav ends at 1 s, before it starts at 2 s"),
        ("m.csv", b"path,label,end\na/1.wav,x,soon\n", "m.csv:2: the end `soon` is no time"),
        ("m.csv", b"path,label\na/1.wav,\xff\n", "m.csv:2: is not UTF-8"),
        ("m.csv", b"path,label\n", "has no utterances"),
        ("m.csv", b"", "m.csv:1: no column `path`"),
        ("m.jsonl", b"{\"path\":\"a/1.wav\",\"label\":\"x\"}\n{oops\n", "m.jsonl:2: is no JSON object"),
        ("m.jsonl", b"[1]\n", "m.jsonl:1: is no JSON object"),
        ("m.jsonl", b"{\"path\":[],\"label\":\"x\"}\n", "m.jsonl:1: `path` is neither text nor a number"),
        ("m.jsonl", b"{\"path\":\"a\xff\"}\n", "m.jsonl:1: is not UTF-8"),
        ("m.xlsx", b"", "is no manifest"),
    ];
    for (name, text, expected) in cases {
        let error = manifest(name, text).unwrap_err();
        assert!(error.contains(expected), "wanted `{expected}`, got `{error}`");
    }
    // A recording that is not there leaves a partial corpus, which says so.
    let corpus = manifest("m.csv", "path,label\na/1.wav,x\na/9.wav,x\nb/1.wav,y\n").unwrap();
    assert_eq!(corpus.utterances.len(), 2);
    let finding = &corpus.findings[0];
    assert_eq!((finding.kind, finding.line), (FindingKind::Missing, Some(3)));
}

#[test]
fn unknown_values_of_optional_columns_are_told_and_kept() {
    let csv = "path,label,sex,split\na/1.wav,x,other,later\na/2.wav,x,other,train\nb/1.wav,y,f,test\n";
    let corpus = manifest("m.csv", csv).unwrap();
    let first = &corpus.utterances[0];
    assert_eq!((first.sex, first.split.as_deref(), first.part), (None, Some("later"), None));
    let told: Vec<(Option<u64>, String)> = corpus.findings.iter().map(|f| (f.line, f.message.clone())).collect();
    assert_eq!(told[0].0, Some(2));
    assert!(told[0].1.contains("2 rows have the sex `other`"), "{told:?}");
    assert!(told[1].1.contains("1 rows have the split `later`: they are in no part"), "{told:?}");
    assert!(corpus.findings.iter().all(|f| f.kind == FindingKind::UnknownValue && f.severity < Severity::Error));
}

#[test]
fn a_split_column_divides_the_corpus() {
    let ids = |corpus: &Corpus| corpus.utterances.iter().map(|u| u.id.clone()).collect::<Vec<_>>();
    let rows = "path,label,SET\na/1.wav,x,Train\na/2.wav,x,development\nb/1.wav,y,test\nb/2.wav,y,?\n";
    for (name, text) in [("m.csv", rows.to_owned()), ("m.tsv", rows.replace(',', "\t").replace("SET", "partition"))] {
        let corpus = manifest(name, text).unwrap();
        assert!(corpus.is_split());
        let parts: Vec<_> = corpus.utterances.iter().map(|u| u.part).collect();
        assert_eq!(parts, [Some(Part::Train), Some(Part::Validation), Some(Part::Test), None]);
        assert_eq!(corpus.utterances[1].split.as_deref(), Some("development"));
        let (training, testing) = (corpus.for_training(), corpus.for_testing());
        assert_eq!((ids(&training), ids(&testing)), (vec!["a/1".into(), "a/2".into()], vec!["b/1".into()]));
        assert_eq!((&training.labels, &testing.labels), (&corpus.labels, &corpus.labels));
    }
    // Without a split, or with a column that means something else, everything is for both.
    for text in ["path,label\na/1.wav,x\nb/1.wav,y\n", "path,label,set\na/1.wav,x,A\nb/1.wav,y,B\n"] {
        let corpus = manifest("m.csv", text).unwrap();
        assert!(!corpus.is_split());
        assert_eq!((ids(&corpus.for_training()).len(), ids(&corpus.for_testing()).len()), (2, 2));
    }
}

#[test]
fn folder_per_class_and_label_maps() {
    let (dir, map) = folder_with("map.toml", "order = [\"up\", \"down\"]\n[map]\na = \"down\"\nb = \"up\"\n");
    let root = dir.path().join("data");
    let plain = open_any(&root, None, &OpenOptions::default(), &OwnOptions::default()).unwrap();
    assert_eq!(plain.labels, ["a", "b"]);
    assert_eq!(plain.utterances.iter().map(|u| u.id.as_str()).collect::<Vec<_>>(), ["a/1", "a/2", "b/1", "b/2"]);

    let labels = Some(LabelMap::read(&map).unwrap());
    let mapped = open_folder(&root, &OwnOptions { labels, ..Default::default() }).unwrap();
    assert_eq!(mapped.labels, ["up", "down"]);
    assert_eq!(mapped.utterances[0].id, "b/1");
    assert_eq!(mapped.label_indices(), [0, 0, 1, 1]);

    let with = |text: &str| {
        fs::write(&map, text).unwrap();
        LabelMap::read(&map)
            .map(|labels| OwnOptions { labels: Some(labels), ..Default::default() })
            .and_then(|own| open_any(&root, None, &OpenOptions::default(), &own))
            .map_err(|error| error.to_string())
    };
    assert!(with("[map]\na = \"x\"\n").unwrap_err().contains("b/1.wav: unknown label `b`: list it"));
    assert_eq!(with("unlisted = \"keep\"\n[map]\na = \"x\"\n").unwrap().labels, ["b", "x"]);
    assert!(with("drop = [\"b\"]\n[map]\na = \"x\"\n").unwrap_err().contains("none of casia"));
    assert!(with("[mop]\na = \"x\"\n").unwrap_err().contains("map.toml:1: unknown field `mop`"));
    assert!(with("drop = []\n[map\na = \"x\"\n").unwrap_err().contains("map.toml:2:"));
    assert!(with("order = [\"y\"]\n[map]\na = \"x\"\n").unwrap_err().contains("`a` becomes `x`, which `order`"));

    fs::write(&map, "unlisted = \"error\"\n[map]\nx = \"X\"\n").unwrap();
    let labels = Some(LabelMap::read(&map).unwrap());
    let manifest = root.join("m.csv");
    fs::write(&manifest, "path,label\na/1.wav,x\nb/1.wav,odd\n").unwrap();
    let error = open_manifest(&manifest, &OwnOptions { labels, ..Default::default() }).unwrap_err().to_string();
    assert!(error.contains("m.csv:3: unknown label `odd`"), "{error}");
}

#[test]
fn export_is_a_manifest_again() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("ravdess");
    write(CorpusKind::Ravdess, &root, &SynthOptions { mean_seconds: 0.05, ..SynthOptions::small() }).unwrap();
    let corpus = open_any(&root, None, &OpenOptions::default(), &OwnOptions::default()).unwrap();
    for (name, format) in [("e.csv", ExportFormat::Csv), ("e.jsonl", ExportFormat::Jsonl)] {
        let mut out = Vec::new();
        export(&corpus, format, &mut out, &|_, _| {}).unwrap();
        let path = dir.path().join(name);
        fs::write(&path, &out).unwrap();
        let text = String::from_utf8(out).unwrap();
        if format == ExportFormat::Csv {
            assert!(text.starts_with("id,path,label,speaker,sex,session,text,seconds,rate,channels\n"), "{text}");
        }
        let again = open_manifest(&path, &OwnOptions::default()).unwrap();
        let key = |c: &Corpus| {
            c.utterances.iter().map(|u| (u.id.clone(), u.label.clone(), u.speaker.clone())).collect::<Vec<_>>()
        };
        assert_eq!(key(&again), key(&corpus));
        assert_eq!(again.labels, corpus.labels);
    }
    let stats = stats(&corpus, &|_, _| {});
    assert_eq!(stats.total.utterances, corpus.utterances.len());
    assert_eq!(stats.rates.keys().collect::<Vec<_>>(), [&48_000]);
    assert_eq!(stats.histogram.iter().sum::<usize>(), corpus.utterances.len());
    assert_eq!(stats.labels.iter().map(|l| l.utterances).collect::<Vec<_>>(), corpus.label_counts());
    let svg = stats.to_svg().unwrap();
    assert!(svg.starts_with("<svg") && svg.contains("surprise") && svg.matches("<rect").count() > 12);
}

#[test]
fn split_files_are_read_back_and_their_errors_named() {
    let (dir, path) = folder_with("m.csv", "path,label\na/1.wav,x\na/2.wav,y\nb/1.wav,x\nb/2.wav,y\n");
    let corpus = open_manifest(&path, &OwnOptions::default()).unwrap();
    let folds = split::kfold(4, 2, 1).unwrap();
    let mut out = Vec::new();
    split::write_csv(&corpus, &folds, &mut out).unwrap();
    let file = dir.path().join("split.csv");
    fs::write(&file, &out).unwrap();
    assert_eq!(split::read_csv(&corpus, &file).unwrap(), folds);
    let json: Vec<split::Fold> = serde_json::from_str(&serde_json::to_string(&folds).unwrap()).unwrap();
    assert_eq!(json, folds);
    for (text, expected) in [
        ("id,fold,part\nnobody,0,train\n", "split.csv:2: m has no utterance `nobody`"),
        ("id,fold,part\na/1,0,train\na/1,0,test\n", "split.csv:3: fold 0 has `a/1` twice"),
        ("id,fold,part\na/1,one,train\n", "split.csv:2:"),
        ("id,fold,part\na/1,0,trial\n", "split.csv:2: unknown part `trial`"),
        ("id,part\na/1,train\n", "split.csv:2:"),
        ("id,fold,part\na/1,0,train\n", "fold 0 has no train or no test part"),
    ] {
        fs::write(&file, text).unwrap();
        let error = split::read_csv(&corpus, &file).unwrap_err().to_string();
        assert!(error.contains(expected), "wanted `{expected}`, got `{error}`");
    }
    assert!(
        "kfold".parse::<Scheme>().is_ok() && "LOSO".parse::<Scheme>().is_ok() && "holdout".parse::<Scheme>().is_ok()
    );
    assert!("k-means".parse::<Scheme>().unwrap_err().contains("one of kfold, stratified, loso"));
    let error = Scheme::LeaveOneSpeakerOut.split(&corpus, 0, 0).unwrap_err().to_string();
    assert!(error.contains("4 of 4 utterances have no speaker (a/1 is the first)"), "{error}");
}

#[test]
fn emobox_folds_of_savee() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("savee");
    write(CorpusKind::Savee, &root, &SynthOptions { mean_seconds: 0.03, ..SynthOptions::small() }).unwrap();
    let corpus = open_any(&root, None, &OpenOptions::default(), &OwnOptions::default()).unwrap();
    let line =
        |id: &str| format!("{{\"key\": \"savee-{id}\", \"wav\": \"downloads/savee/{id}.wav\", \"emo\": \"n\"}}\n");
    let emobox = dir.path().join("emobox");
    for (number, speaker) in ["JE", "DC", "JK", "KL"].iter().enumerate() {
        let fold = emobox.join(format!("fold_{}", number + 1));
        fs::create_dir_all(&fold).unwrap();
        for (part, is_test) in [("train", false), ("test", true)] {
            let lines: String = corpus
                .utterances
                .iter()
                .filter(|u| u.id.starts_with(speaker) == is_test)
                .map(|u| line(&u.id))
                .collect();
            fs::write(fold.join(format!("savee_{part}_fold_{}.jsonl", number + 1)), lines).unwrap();
        }
    }
    let folds = split::read_emobox(&corpus, &emobox).unwrap();
    assert_eq!(folds.len(), 4);
    assert!(folds[0].test.iter().all(|&i| corpus.utterances[i].speaker.as_deref() == Some("JE")));
    assert_eq!(split::leakage(&corpus, &folds, None).leaking_speakers, 0);
    fs::write(emobox.join("fold_2/savee_test_fold_2.jsonl"), line("DC_a99")).unwrap();
    let error = split::read_emobox(&corpus, &emobox).unwrap_err().to_string();
    assert!(error.contains("savee_test_fold_2.jsonl:1: the corpus has no recording downloads/savee/DC_a99.wav"));
    assert!(split::read_emobox(&corpus, Path::new("nowhere")).is_err());
}
