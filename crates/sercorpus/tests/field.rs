//! Folders and lists as people bring them: every kind of the list of reports that this crate was tried on.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::{Path, PathBuf};

use sercorpus::{
    Corpus, Finding, FindingKind, OpenOptions, OwnOptions, Part, Severity, check, listed_recordings, open_any,
    recordings,
};
use tempfile::TempDir;

/// A WAV file of so many samples at 8 kHz, none of them silence, each file with other samples.
fn wav(path: &Path, samples: u32) {
    let seed = path.to_string_lossy().bytes().map(u32::from).sum::<u32>();
    let data: Vec<u8> = (0..samples).flat_map(|i| (((i * 37 + seed * 11) % 2000) as i16 - 999).to_le_bytes()).collect();
    let mut bytes = b"RIFF".to_vec();
    bytes.extend((36 + data.len() as u32).to_le_bytes());
    bytes.extend(b"WAVEfmt \x10\0\0\0\x01\0\x01\0");
    bytes.extend(8000u32.to_le_bytes());
    bytes.extend(16_000u32.to_le_bytes());
    bytes.extend(b"\x02\0\x10\0data");
    bytes.extend((data.len() as u32).to_le_bytes());
    bytes.extend(data);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, bytes).unwrap();
}

/// A folder with these recordings.
fn tree(paths: &[&str]) -> TempDir {
    let dir = TempDir::new().unwrap();
    paths.iter().for_each(|path| wav(&dir.path().join(path), 800));
    dir
}

fn own(layout: Option<&str>, columns: &[(&str, &str)]) -> OwnOptions {
    OwnOptions {
        layout: layout.map(|l| l.parse().unwrap()),
        columns: columns.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect(),
        ..OwnOptions::default()
    }
}

fn open(path: &Path, own: &OwnOptions) -> Result<Corpus, String> {
    open_any(path, None, &OpenOptions::default(), own).map_err(|error| error.to_string())
}

fn plain(path: &Path) -> Result<Corpus, String> {
    open(path, &OwnOptions::default())
}

fn told(corpus: &Corpus, kind: FindingKind) -> &Finding {
    corpus.findings.iter().find(|f| f.kind == kind).unwrap_or_else(|| panic!("no {kind:?}: {:#?}", corpus.findings))
}

#[test]
fn split_folders_above_class_folders_are_parts_and_not_classes() {
    let dir = tree(&[
        "train/Angry/1.wav",
        "train/sad/2.wav",
        "test/angry/1.wav",
        "dev_set/sad/3.wav",
        "test/sad/notes/4.wav",
    ]);
    let corpus = plain(dir.path()).unwrap();
    assert_eq!(corpus.labels, ["angry", "sad"]);
    let parts: Vec<_> = corpus.utterances.iter().map(|u| (u.id.as_str(), u.part)).collect();
    assert!(
        parts.contains(&("dev_set/sad/3", Some(Part::Validation)))
            && parts.contains(&("test/angry/1", Some(Part::Test)))
    );
    let ids = |c: Corpus| c.utterances.into_iter().map(|u| u.id).collect::<Vec<_>>();
    assert_eq!(ids(corpus.for_testing()), ["test/angry/1", "test/sad/notes/4"]);
    let said = told(&corpus, FindingKind::Layout);
    assert!(
        said.is_told()
            && said.message.contains("split/class: classes Angry, angry, sad; parts of a split dev_set, test, train")
    );
    assert!(told(&corpus, FindingKind::MergedLabels).message.contains("`Angry`, `angry` are one class, `angry`"));

    let class = open(dir.path(), &own(Some("class"), &[])).unwrap();
    assert_eq!(class.labels, ["dev_set", "test", "train"], "what was asked for is done");

    let dir = tree(&["train/spk1/angry/1.wav", "test/spk2/sad/2.wav", "train/spk1/sad/3.wav"]);
    let corpus = plain(dir.path()).unwrap();
    assert_eq!((corpus.labels.len(), corpus.speakers().unwrap()), (2, vec!["spk1", "spk2", "spk1"]));

    let dir = tree(&["train/angry/1.wav", "test/angry/2.wav", "extra/angry/3.wav", "train/sad/4.wav", "x.wav"]);
    let error = plain(dir.path()).unwrap_err();
    assert!(
        error.contains("--layout split/class (classes angry, sad;")
            && error.contains("or --layout class (classes extra"),
        "{error}"
    );
    let corpus = open(dir.path(), &own(Some("split/class"), &[])).unwrap();
    assert!(told(&corpus, FindingKind::UnknownValue).message.contains("the folders extra are in no part"));
    assert!(
        told(&corpus, FindingKind::Unrecognised).message.contains("1 recordings lie in no class folder (split/class)")
    );

    // Parts without class folders are no classes either.
    let error = plain(tree(&["train/1.wav", "test/2.wav"]).path()).unwrap_err();
    assert!(error.contains("`test, train` are parts of a split, with no class folders below"), "{error}");
}

#[test]
fn speakers_and_corpora_above_class_folders() {
    let dir = tree(&["spk1/angry/1.wav", "spk1/sad/1.wav", "spk2/sad/1.wav"]);
    let corpus = plain(dir.path()).unwrap();
    assert_eq!(
        (&corpus.labels[..], corpus.speakers().unwrap()),
        (&["angry".into(), "sad".into()][..], vec!["spk1", "spk1", "spk2"])
    );
    assert!(told(&corpus, FindingKind::Layout).message.contains("speaker/class"));

    let dir = tree(&["anna/angry/1.wav", "bert/sad/1.wav"]);
    let error = plain(dir.path()).unwrap_err();
    assert!(
        error.contains("--layout speaker/class (classes angry, sad; speakers anna, bert) or --layout corpus/class"),
        "{error}"
    );
    let corpus = open(dir.path(), &own(Some("speaker/class"), &[])).unwrap();
    assert_eq!(corpus.speakers().unwrap(), ["anna", "bert"]);
    let corpus = open(dir.path(), &own(Some("corpus/class"), &[])).unwrap();
    assert!(corpus.speakers().is_err() && corpus.labels == ["angry", "sad"]);

    let error = plain(tree(&["mon/ok/1.wav", "tue/ok/2.wav", "tue/bad/3.wav"]).path()).unwrap_err();
    assert!(error.contains("--layout class (classes mon, tue) or --layout speaker/class (classes bad, ok;"), "{error}");

    let dir = tree(&["ravdess/Actor_01/03-01-05-01-01-01-01.wav", "berlin/03a01Wa.wav", "berlin/03a01Fa.wav"]);
    let error = plain(dir.path()).unwrap_err();
    assert!(
        error.contains("two corpora lie side by side: 2 recordings are named as those of emodb, 1 as those of ravdess"),
        "{error}"
    );
    assert!(error.contains("/berlin or ") && error.contains("--corpus ravdess"), "{error}");
}

#[test]
fn own_class_folders_overrule_the_names_of_known_corpora() {
    let dir = tree(&["ang/Ses01F_impro01_M000.wav", "neu/Ses01F_impro01_M005.wav", "sad/Ses02F_impro01_F016.wav"]);
    let corpus = plain(dir.path()).unwrap();
    assert_eq!((corpus.kind, &corpus.labels[..]), (None, &["ang".into(), "neu".into(), "sad".into()][..]));
    let said = told(&corpus, FindingKind::Layout);
    assert!(said.message.contains("named as those of iemocap") && said.message.contains("--corpus iemocap"), "{said}");

    // W is anger: the second folder disagrees.
    let dir = tree(&["angry/03a01Wa.wav", "happy/08a01Wa.wav", "happy/03a01Fa.wav"]);
    assert_eq!(plain(dir.path()).unwrap().kind, None);
    let agree = tree(&["anger/03a01Wa.wav", "joy/03a01Fa.wav"]);
    assert_eq!(plain(agree.path()).unwrap().kind.map(|k| k.name()), Some("emodb"));
    // Folders of classes of one's own, not of speakers.
    let valence = tree(&["low/03a01Wa.wav", "high/03a01Fa.wav", "low/08a01Wa.wav", "high/08a01Fa.wav"]);
    assert_eq!(plain(valence.path()).unwrap().labels, ["high", "low"]);
    let speakers = tree(&["x/03a01Wa.wav", "y/08a01Fa.wav", "x/03a01Fa.wav", "y/08a01Wa.wav"]);
    assert_eq!(plain(speakers.path()).unwrap().kind.map(|k| k.name()), Some("emodb"));
}

#[test]
fn a_folder_deeper_is_named() {
    let dir = tree(&["Mine/v2/angry/1.wav", "Mine/v2/sad/2.wav"]);
    let error = plain(dir.path()).unwrap_err();
    assert!(error.contains(&format!("one folder deeper, give {}", dir.path().join("Mine/v2").display())), "{error}");
    let error = plain(tree(&["only/1.wav"]).path()).unwrap_err();
    assert!(error.contains("at least two class folders") && error.contains("there is only"), "{error}");
}

#[cfg(unix)]
#[test]
fn links_are_followed_and_circles_told() {
    use std::os::unix::fs::symlink;
    let (dir, elsewhere) = (tree(&["angry/1.wav"]), tree(&["x/2.wav"]));
    symlink(elsewhere.path().join("x"), dir.path().join("sad")).unwrap();
    symlink(elsewhere.path().join("x/2.wav"), dir.path().join("angry/3.wav")).unwrap();
    symlink(dir.path(), dir.path().join("angry/round")).unwrap();
    let corpus = plain(dir.path()).unwrap();
    assert_eq!(corpus.utterances.iter().map(|u| u.id.as_str()).collect::<Vec<_>>(), ["angry/1", "angry/3", "sad/2"]);
    assert!(told(&corpus, FindingKind::SymlinkLoop).is_told());
    let (paths, findings) = recordings(dir.path()).unwrap();
    assert_eq!(paths, ["angry/1.wav", "angry/3.wav", "sad/2.wav"].map(|path| dir.path().join(path)));
    assert_eq!(findings[0].kind, FindingKind::SymlinkLoop);
}

#[test]
fn kinds_that_are_not_read_are_counted_and_films_give_way_to_their_sound() {
    let dir = tree(&["angry/1.wav", "sad/2.wav", "sad/3.wav"]);
    for name in ["angry/a.wma", "angry/b.WMA", "sad/c.amr", "sad/notes.txt", "sad/2.mp4"] {
        fs::write(dir.path().join(name), "x").unwrap();
    }
    let corpus = plain(dir.path()).unwrap();
    assert_eq!(corpus.utterances.len(), 3);
    let said = told(&corpus, FindingKind::NotRead);
    assert!(
        said.is_told() && said.message.starts_with("3 files of kinds that are not read: .wma 2, .amr 1; convert"),
        "{said}"
    );
    assert!(
        told(&corpus, FindingKind::Skipped).message.contains("1 films left out: their sound lies beside them: sad/2")
    );
}

#[test]
fn check_finds_segments_behind_the_end() {
    let dir = tree(&["1.wav", "2.wav"]);
    let list = dir.path().join("l.csv");
    fs::write(&list, "file,start,end,emotion\n1.wav,0,0.1,a\n1.wav,0.05,0.4,a\n2.wav,0.2,,b\n2.wav,0.01,0.105,b\n")
        .unwrap();
    let report = check(&plain(&list).unwrap(), &|_, _| {});
    let finding = report.findings.iter().find(|f| f.kind == FindingKind::BeyondEnd).unwrap();
    assert_eq!(finding.items, ["1@0.05 (0.4 s of 0.100 s)", "2@0.2 (0.2 s of 0.100 s)"]);
    assert_eq!(finding.severity, Severity::Error);
}

/// Four recordings `c/1.wav` .. `c/4.wav` and a list.
fn listed(name: &str, text: impl AsRef<[u8]>) -> (TempDir, PathBuf) {
    let dir = tree(&["c/1.wav", "c/2.wav", "c/3.wav", "c/4.wav"]);
    let path = dir.path().join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, text).unwrap();
    (dir, path)
}

fn read(name: &str, text: impl AsRef<[u8]>) -> Result<Corpus, String> {
    let (_dir, path) = listed(name, text);
    plain(&path)
}

#[test]
fn columns_go_by_many_names() {
    for header in [
        "Path,Label",
        "file,emotion",
        "file_name,Emotions",
        "FileName,EmoClass",
        "file path,class",
        "wav,category",
        "audio,gt_emotion",
        "\u{feff}wav_file,EMO",
    ] {
        let corpus =
            read("l.csv", format!("{header},SpkrID,Split_Set\nc/1.wav,x,s1,Train\nc/2.wav,y,s2,Test1\n")).unwrap();
        assert_eq!((corpus.labels.len(), corpus.speakers().unwrap()), (2, vec!["s1", "s2"]), "{header}");
        assert_eq!(corpus.utterances[1].part, Some(Part::Test), "{header}");
    }
    // What was said is no id; a number of each dialog neither; ids are.
    let meld = "Sr No.,Utterance,Utterance_ID,Speaker,Emotion,path\n0,Ok.,0,a,x,c/1.wav\n1,Ok.,0,b,y,c/2.wav\n";
    assert_eq!(read("l.csv", meld).unwrap().utterances[0].id, "c/1");
    assert_eq!(read("l.csv", "utterance,path,label\nu7,c/1.wav,x\nu8,c/2.wav,y\n").unwrap().utterances[0].id, "u7");
}

#[test]
fn columns_that_mean_the_same_are_chosen_between() {
    let text = "path,emotion,label\nc/1.wav,angry,0\nc/2.wav,sad,1\n";
    let (_dir, path) = listed("l.csv", text);
    let error = plain(&path).unwrap_err();
    assert!(
        error.contains("l.csv:1: the columns `emotion` and `label` both mean the label")
            && error.contains("--column label=emotion or --column label=label"),
        "{error}"
    );
    assert_eq!(open(&path, &own(None, &[("label", "Emotion")])).unwrap().labels, ["angry", "sad"]);
    for (choice, part) in [
        (
            ("label", "emotoin"),
            "there is no column `emotoin` (did you mean `emotion`?); the header has path, emotion, label",
        ),
        (("lable", "emotion"), "`lable` is not known (did you mean `label`?)"),
    ] {
        let error = open(&path, &own(None, &[choice])).unwrap_err();
        assert!(error.contains(part), "{error}");
    }
    assert!(read("l.csv", "path,emotion,label\nc/1.wav,x,x\nc/2.wav,y,y\n").is_ok(), "equal columns are one");
    let error = read("l.csv", "sound,mood\nc/1.wav,x\n").unwrap_err();
    assert!(
        error.contains("no column `path` in the header (sound, mood)") && error.contains("file, filename, filepath"),
        "{error}"
    );
    let (_dir, path) = listed("l.csv", "sound,mood\nc/1.wav,x\nc/2.wav,y\n");
    assert_eq!(open(&path, &own(None, &[("path", "sound"), ("label", "mood")])).unwrap().labels, ["x", "y"]);
}

#[test]
fn forms_of_text() {
    let plain_text = "path,label,speaker\nc/1.wav,x,\"a, or\nb\"\nc\\2.wav,y,c\n";
    let check = |name: &str, bytes: &[u8]| {
        let corpus =
            read(name, bytes).unwrap_or_else(|error| panic!("{name} {:?}: {error}", String::from_utf8_lossy(bytes)));
        assert_eq!(corpus.labels, ["x", "y"], "{name}");
        assert_eq!(corpus.utterances.iter().map(|u| u.id.as_str()).collect::<Vec<_>>(), ["c/1", "c/2"], "{name}");
        assert_eq!(corpus.utterances[0].speaker.as_deref(), Some("a, or\nb"));
    };
    let crlf = plain_text.replace('\n', "\r\n").replace("or\r\n", "or\n");
    let wide: Vec<u8> = [0xfeff].into_iter().chain(plain_text.encode_utf16()).flat_map(u16::to_le_bytes).collect();
    for text in [plain_text, &format!("\u{feff}{plain_text}"), &crlf] {
        check("l.csv", text.as_bytes());
    }
    check("l.csv", &wide);
    check(
        "l.txt",
        plain_text
            .replace("label,speaker", "label;speaker")
            .replace("path,", "path;")
            .replace(".wav,", ".wav;")
            .replace("x,", "x;")
            .replace("y,", "y;")
            .as_bytes(),
    );
    check("l.tsv", "path\tlabel\tspeaker\nc/1.wav\tx\t\"a, or\nb\"\nc\\2.wav\ty\tc\n".as_bytes());
    for (bytes, part) in [
        (&b"PK\x03\x04"[..], "save the sheet as CSV"),
        (b"path,label\nc/1.wav,\xfc\n", "l.csv:2: is not UTF-8; convert the list, as with `iconv"),
    ] {
        let error = read("l.csv", bytes).unwrap_err();
        assert!(error.contains(part), "{error}");
    }
}

#[test]
fn lists_of_other_programs() {
    let labels = |name: &str, text: &str| {
        let corpus = read(name, text).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(corpus.labels, ["x", "y"], "{text}");
        corpus
    };
    // audformat
    let corpus = labels(
        "l.csv",
        "file,start,end,emotion\nc/1.wav,0 days,0 days 00:00:00.05,x\nc/2.wav,0 days 00:00:00.02,NaT,y\n",
    );
    assert_eq!(
        (corpus.utterances[0].end, corpus.utterances[1].start, corpus.utterances[1].end),
        (Some(0.05), Some(0.02), None)
    );
    // Hugging Face
    labels(
        "metadata.jsonl",
        "{\"file_name\": \"c/1.wav\", \"label\": \"x\"}\n{\"file_name\": \"c/2.wav\", \"label\": \"y\"}\n",
    );
    labels(
        "l.json",
        "[{\"audio\": {\"path\": \"c/1.wav\", \"bytes\": null}, \"emotion\": \"x\"}, {\"audio\": {\"path\": \"c/2.wav\"}, \"emotion\": \"y\"}]",
    );
    // EmoBox
    let corpus = labels(
        "l.jsonl",
        "{\"key\": \"own-1\", \"dataset\": \"own\", \"wav\": \"c/1.wav\", \"length\": 0.45, \"emo\": \"x\"}\n\
         {\"key\": \"own-2\", \"dataset\": \"own\", \"wav\": \"c/2.wav\", \"length\": 0.45, \"emo\": \"y\"}\n",
    );
    assert_eq!((corpus.utterances[0].id.as_str(), corpus.utterances[0].end), ("own-1", None));
    // SpeechBrain: JSON of objects by id, with a variable for the root; CSV with start and stop in samples.
    let corpus = labels(
        "l.json",
        "{\"u1\": {\"wav\": \"{data_root}/c/1.wav\", \"length\": 1.2, \"emo\": \"x\", \"spk\": \"a\"},\n \"u2\": {\"wav\": \"$data_root/c/2.wav\", \"emo\": \"y\"}}",
    );
    assert_eq!((corpus.utterances[0].id.as_str(), corpus.utterances[0].speaker.as_deref()), ("u1", Some("a")));
    let corpus = labels(
        "l.csv",
        "ID,duration,wav,start,stop,spk_id,emo\nu1,0.05,c/1.wav,80,480,a,x\nu2,0.05,c/2.wav,0,400,b,y\n",
    );
    assert_eq!((corpus.utterances[0].start, corpus.utterances[0].end), (Some(0.01), Some(0.06)));
    // nkululeko
    labels(
        "l.csv",
        "file,emotion,speaker,gender,language,country\nc/1.wav,x,a,male,english,none\nc/2.wav,y,b,female,english,none\n",
    );
    // NeMo: offset and duration
    let corpus = labels(
        "l.jsonl",
        "{\"audio_filepath\": \"c/1.wav\", \"offset\": 0.01, \"duration\": 0.04, \"label\": \"x\"}\n{\"audio_filepath\": \"c/2.wav\", \"offset\": 0, \"duration\": 0.04, \"label\": \"y\"}\n",
    );
    assert!((corpus.utterances[0].end.unwrap() - 0.05).abs() < 1e-9);
    // pandas' to_json
    labels("l.json", "{\"path\":{\"0\":\"c/1.wav\",\"1\":\"c/2.wav\"},\"label\":{\"0\":\"x\",\"1\":\"y\"}}");
    for (text, part) in [
        ("[{\"path\": \"c/1.wav\",\n\"label\": \"x\"},\n{\"path\": \"c/2.wav\"}]", "l.json:3: c/2.wav has no label"),
        ("[{\"path\": \"c/1.wav\"}, {]", "l.json:1: is no JSON object"),
        ("[]", "no column `path` in the header"),
        ("{\"path\": [\"c/1.wav\"], \"label\": [[1]]}", "`label` is neither text nor a number"),
    ] {
        let error = read("l.json", text).unwrap_err();
        assert!(error.contains(part), "{error}");
    }
}

#[test]
fn paths_start_from_the_list_or_from_the_root() {
    let text = "file,emotion\nc/1.wav,x\nc/2.wav,y\n";
    let (dir, path) = listed("lists/deep/l.csv", text);
    let error = plain(&path).unwrap_err();
    let (first, root) = (dir.path().join("lists/deep/c/1.wav"), dir.path().display());
    assert!(
        error.contains(&format!("none of its 2 recordings is there; the first was looked for at {}", first.display())),
        "{error}"
    );
    assert!(error.contains(&format!("it is there below {root}: --root {root}")), "{error}");
    let with_root = OwnOptions { root: Some(dir.path().to_owned()), ..OwnOptions::default() };
    let corpus = open(&path, &with_root).unwrap();
    assert_eq!((corpus.utterances[0].id.as_str(), &corpus.utterances[0].path), ("c/1", &dir.path().join("c/1.wav")));
    let wrong = OwnOptions { root: Some("/no".into()), ..OwnOptions::default() };
    let error = open(&path, &wrong).unwrap_err();
    assert!(error.contains(" and /no/c/1.wav"), "{error}");
    // Beside the list first.
    wav(&first, 800);
    assert_eq!(open(&path, &with_root).unwrap().utterances[0].path, first);

    let absolute = format!("file,emotion\n{0}/c/1.wav,x\n{0}/lists/../c/2.wav,y\n", dir.path().display());
    let list = dir.path().join("absolute.csv");
    fs::write(&list, absolute).unwrap();
    assert_eq!(plain(&list).unwrap().utterances.len(), 2);
    assert_eq!(listed_recordings(&list, &OwnOptions::default()).unwrap().len(), 2);
}

#[test]
fn lists_in_a_folder_are_read_where_there_are_no_class_folders() {
    let parts = tree(&["clips/1.wav", "clips/2.wav", "clips/3.wav"]);
    fs::write(parts.path().join("own_train.csv"), "file,emotion\nclips/1.wav,x\nclips/2.wav,y\n").unwrap();
    fs::write(parts.path().join("own_test.csv"), "file,emotion\nclips/3.wav,y\n").unwrap();
    let corpus = plain(parts.path()).unwrap();
    assert_eq!((corpus.for_training().utterances.len(), corpus.for_testing().utterances.len()), (2, 1));
    assert!(told(&corpus, FindingKind::Layout).message.contains("own_test.csv, own_train.csv, each a part"));

    let hugging = tree(&["train/1.wav", "train/2.wav", "test/1.wav"]);
    for part in ["train", "test"] {
        fs::write(hugging.path().join(part).join("metadata.csv"), "file_name,label\n1.wav,x\n").unwrap();
    }
    fs::write(hugging.path().join("train/metadata.csv"), "file_name,label\n1.wav,x\n2.wav,y\n").unwrap();
    let corpus = plain(hugging.path()).unwrap();
    assert_eq!((corpus.labels.len(), corpus.for_testing().utterances[0].id.as_str()), (2, "test/1"));

    let flat = tree(&["1.wav", "2.wav"]);
    fs::write(flat.path().join("a.csv"), "file_name,label\n1.wav,x\n2.wav,y\n").unwrap();
    assert_eq!(plain(flat.path()).unwrap().labels, ["x", "y"]);
    fs::write(flat.path().join("b.csv"), "").unwrap();
    let error = plain(flat.path()).unwrap_err();
    assert!(error.contains("several lists") && error.contains("a.csv or "), "{error}");
}

#[test]
fn odd_values_do_not_refuse_a_list() {
    let corpus = read(
        "l.csv",
        "path,label,speaker,gender,split,session\nc/1.wav,Angry,a,other,train,nan\nc/2.wav,angry,,diverse,develop,s\nc/3.wav,ANGRY ,b,f,test,s\nc/4.wav,sad,b,f,test,s\n",
    )
    .unwrap();
    assert_eq!(corpus.labels, ["angry", "sad"]);
    let merged = told(&corpus, FindingKind::MergedLabels);
    assert!(
        merged.is_told() && merged.message.contains("`ANGRY`, `Angry`, `angry` are one class, `angry`"),
        "{merged}"
    );
    let unknown: Vec<&str> =
        corpus.findings.iter().filter(|f| f.kind == FindingKind::UnknownValue).map(|f| f.message.as_str()).collect();
    assert_eq!(unknown.len(), 2, "one a column: {unknown:?}");
    assert!(unknown[0].starts_with("2 rows have the sex `diverse`, `other`"), "{unknown:?}");
    assert_eq!(corpus.utterances[0].session, None);
    let speaker = told(&corpus, FindingKind::MissingValue);
    assert!(
        speaker.message.contains("1 of 4 rows have no speaker, so folds that share no speaker cannot be made"),
        "{speaker}"
    );
    assert_eq!(speaker.items, ["3"]);
    assert!(corpus.findings.iter().all(|f| f.severity < Severity::Error));
}
