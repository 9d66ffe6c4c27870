//! Which recordings a synthetic corpus has: the original's names first, then more of the same kind.

use std::path::PathBuf;

use super::SynthOptions;
use super::voice::Voice;
use crate::corpus::Sex;
use crate::{CorpusKind, Utterance};

/// A recording to be written.
pub(super) struct Planned {
    /// Where, below the root.
    pub file: PathBuf,
    /// What reading it back must give; the label is empty where it takes no part (IEMOCAP's other emotions).
    pub utterance: Utterance,
    pub voice: Voice,
    /// IEMOCAP: the code in the EmoEvaluation file.
    pub emotion_code: &'static str,
}

pub(super) fn plan(kind: CorpusKind, options: &SynthOptions) -> Vec<Planned> {
    let speakers = speakers(kind, options);
    let mut plan = Vec::new();
    for &speaker in &speakers {
        for (class, label) in kind.labels().iter().enumerate() {
            let original = original_count(kind, class, speaker);
            let scaled = (original as f64 * options.scale).round() as usize;
            // Small corpora keep two of each kind; large ones keep the original's proportions.
            let count = if options.scale < 1.0 { scaled.max(2) } else { scaled };
            plan.extend((0..count).map(|k| match kind {
                CorpusKind::Casia => casia(label, speaker, k),
                CorpusKind::Emodb => emodb(label, speaker, k),
                CorpusKind::Emovo => emovo(label, speaker, k),
                CorpusKind::Iemocap => iemocap(label, speaker, k, count),
                CorpusKind::Ravdess => ravdess(label, speaker, k),
                CorpusKind::Savee => savee(label, speaker, k),
            }));
        }
    }
    if kind == CorpusKind::Iemocap {
        super::extras::arrange_dialogs(&mut plan);
    }
    plan
}

/// All speakers, or as many as give two utterances of each class in a small corpus.
fn speakers(kind: CorpusKind, options: &SynthOptions) -> Vec<&'static str> {
    let all = kind.speakers();
    let wanted = (kind.expected_total() as f64 * options.scale).max(options.at_least as f64);
    let needed = (wanted / (2 * kind.labels().len()) as f64).ceil() as usize;
    // An even number: IEMOCAP's sessions have two speakers, RAVDESS' actors alternate in sex.
    let count = needed.next_multiple_of(2).clamp(2, all.len());
    all[..count].to_vec()
}

/// How many recordings of a class the original has of a speaker.
fn original_count(kind: CorpusKind, class: usize, speaker: &str) -> usize {
    let place = kind.speakers().iter().position(|&s| s == speaker).unwrap_or(0);
    let of_label = kind.expected_counts()[class];
    match kind {
        CorpusKind::Emodb => emodb_names(kind.labels()[class], speaker).count(),
        // What does not divide evenly goes to the first speakers (IEMOCAP; all others divide).
        _ => of_label / kind.speakers().len() + usize::from(place < of_label % kind.speakers().len()),
    }
}

fn planned(kind: CorpusKind, file: PathBuf, utterance: Utterance, strength: f64, female: bool) -> Planned {
    let voice = Voice {
        id: utterance.id.clone(),
        corpus: kind.name(),
        speaker: utterance.speaker.clone().unwrap_or_default(),
        female,
        text: utterance.text.clone().unwrap_or_else(|| utterance.id.clone()),
        label: utterance.label.clone(),
        strength,
        silent_start: false,
    };
    Planned { file, utterance, voice, emotion_code: "" }
}

fn base(id: String, label: &str, speaker: &str, sex: Option<Sex>, text: Option<String>) -> Utterance {
    Utterance { speaker: Some(speaker.to_owned()), sex, text, ..Utterance::new(id, "", label) }
}

fn casia(label: &str, speaker: &str, k: usize) -> Planned {
    let text = (201 + k).to_string();
    let file = PathBuf::from(format!("{speaker}/{label}/{text}.wav"));
    let utterance = base(format!("{speaker}-{label}-{text}"), label, speaker, None, Some(text));
    planned(CorpusKind::Casia, file, utterance, 1.0, speaker.len().is_multiple_of(2))
}

fn emodb_letter(label: &str) -> char {
    match label {
        "angry" => 'W',
        "boredom" => 'L',
        "disgust" => 'E',
        "fear" => 'A',
        "happy" => 'F',
        "neutral" => 'N',
        _ => 'T',
    }
}

fn emodb_names(label: &str, speaker: &str) -> impl Iterator<Item = &'static str> {
    let names = include_str!("../adapters/emodb_names.txt").split_ascii_whitespace();
    names.filter(move |name| name.starts_with(speaker) && name[5..].starts_with(emodb_letter(label)))
}

fn emodb(label: &str, speaker: &str, k: usize) -> Planned {
    let real = emodb_names(label, speaker).count();
    let (text, take) = match emodb_names(label, speaker).nth(k) {
        Some(name) => (name[2..5].to_owned(), name[6..].to_owned()),
        None => {
            // Texts 11 .. of both series, versions a .. z.
            let (more, version) = ((k - real) / 26, (k - real) % 26);
            let series = if more % 2 == 0 { 'a' } else { 'b' };
            (format!("{series}{:02}", 11 + more / 2), char::from(b'a' + version as u8).to_string())
        }
    };
    let id = format!("{speaker}{text}{}{take}", emodb_letter(label));
    let female = matches!(speaker, "08" | "09" | "13" | "14" | "16");
    let sex = if female { Sex::Female } else { Sex::Male };
    let file = PathBuf::from(format!("wav/{id}.wav"));
    let utterance = Utterance { take: Some(take), ..base(id, label, speaker, Some(sex), Some(text)) };
    planned(CorpusKind::Emodb, file, utterance, 1.0, female)
}

fn emovo(label: &str, speaker: &str, k: usize) -> Planned {
    const SENTENCES: [&str; 14] = ["b1", "b2", "b3", "l1", "l2", "l3", "l4", "n1", "n2", "n3", "n4", "n5", "d1", "d2"];
    let code = match label {
        "angry" => "rab",
        "disgust" => "dis",
        "fear" => "pau",
        "happy" => "gio",
        "neutral" => "neu",
        "sad" => "tri",
        _ => "sor",
    };
    let sentence = SENTENCES.get(k).map_or_else(|| format!("x{}", k - 13), |&s| s.to_owned());
    let female = speaker.starts_with('f');
    let id = format!("{code}-{speaker}-{sentence}");
    let file = PathBuf::from(format!("{speaker}/{id}.wav"));
    let sex = if female { Sex::Female } else { Sex::Male };
    planned(CorpusKind::Emovo, file, base(id, label, speaker, Some(sex), Some(sentence)), 1.0, female)
}

fn iemocap(label: &str, speaker: &str, k: usize, count: usize) -> Planned {
    // The name depends on the dialog, which `arrange_dialogs` finds.
    let female = speaker.ends_with('F');
    let sex = if female { Sex::Female } else { Sex::Male };
    let session = speaker[..1].to_owned();
    let utterance =
        Utterance { session: Some(session), ..base(format!("{speaker}-{label}-{k}"), label, speaker, Some(sex), None) };
    let code = match label {
        "angry" => "ang",
        // 595 of the original's 1,636 are happy, the others excited.
        "happy" if k * 1636 < count * 595 => "hap",
        "happy" => "exc",
        "neutral" => "neu",
        _ => "sad",
    };
    Planned { emotion_code: code, ..planned(CorpusKind::Iemocap, PathBuf::new(), utterance, 1.0, female) }
}

fn ravdess(label: &str, speaker: &str, k: usize) -> Planned {
    const ORDER: [&str; 8] = ["neutral", "calm", "happy", "sad", "angry", "fear", "disgust", "surprise"];
    let emotion = ORDER.iter().position(|&l| l == label).unwrap_or(0) + 1;
    let (strong, k) = if label == "neutral" { (false, k) } else { (k % 2 == 1, k / 2) };
    // Statements and repetitions 1 and 2 first, then statements 3 .. 99.
    let (statement, repetition) = match k {
        0..4 => (1 + k / 2, 1 + k % 2),
        _ => (3 + (k - 4) % 97, 1 + (k - 4) / 97),
    };
    let intensity = 1 + usize::from(strong);
    let id = format!("03-01-{emotion:02}-{intensity:02}-{statement:02}-{repetition:02}-{speaker}");
    let female = speaker.parse::<u32>().is_ok_and(|n| n % 2 == 0);
    let sex = if female { Sex::Female } else { Sex::Male };
    let file = PathBuf::from(format!("Actor_{speaker}/{id}.wav"));
    let utterance = Utterance {
        take: Some(format!("{repetition:02}")),
        intensity: Some(if strong { "strong" } else { "normal" }.to_owned()),
        ..base(id, label, speaker, Some(sex), Some(format!("{statement:02}")))
    };
    let mut recording = planned(CorpusKind::Ravdess, file, utterance, if strong { 1.4 } else { 0.9 }, female);
    // 449 of the original's 1,440 start with digital silence.
    recording.voice.silent_start = blake3::hash(recording.voice.id.as_bytes()).as_bytes()[0] < 80;
    recording
}

fn savee(label: &str, speaker: &str, k: usize) -> Planned {
    let code = match label {
        "sad" => "sa",
        "surprise" => "su",
        other => &other[..1],
    };
    let sentence = format!("{code}{:02}", k + 1);
    let file = PathBuf::from(format!("AudioData/{speaker}/{sentence}.wav"));
    let utterance = base(format!("{speaker}_{sentence}"), label, speaker, Some(Sex::Male), Some(sentence));
    let mut recording = planned(CorpusKind::Savee, file, utterance, 1.0, false);
    // Else the words would tell the emotion.
    recording.voice.text = k.to_string();
    recording
}
