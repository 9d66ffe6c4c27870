//! SAVEE: `DC/sa01` or `DC_sa01` is speaker DC, emotion sa, sentence 01. Sadness and surprise have two letters.

use super::{Seen, all_digits, look_up};
use crate::CorpusKind;
use crate::corpus::Sex;

const EMOTIONS: &[(&str, &str)] = &[
    ("a", "angry"),
    ("d", "disgust"),
    ("f", "fear"),
    ("h", "happy"),
    ("n", "neutral"),
    ("sa", "sad"),
    ("su", "surprise"),
];

pub(super) fn recognise(folders: &[&str], stem: &str) -> Seen {
    let speaker_named =
        |name: &str| CorpusKind::Savee.speakers().iter().copied().find(|known| known.eq_ignore_ascii_case(name));
    let (speaker, rest) = match stem.split_once(['_', '-']) {
        Some((speaker, rest)) => (speaker_named(speaker), rest),
        None => (folders.iter().rev().find_map(|folder| speaker_named(folder)), stem),
    };
    let digits = rest.find(|c: char| c.is_ascii_digit()).unwrap_or(rest.len());
    let (code, number) = rest.split_at(digits);
    if code.is_empty() || !code.is_ascii() || !all_digits(number) {
        return Seen::Unknown("not named like DC_sa01, or sa01 in a folder DC");
    }
    let Some(speaker) = speaker else {
        return Seen::Unknown("neither its name nor its folders name a speaker (DC JE JK KL)");
    };
    let Some(label) = look_up(EMOTIONS, code) else {
        return Seen::Unknown("its emotion code is none of a d f h n sa su");
    };
    let sentence = format!("{}{number}", code.to_ascii_lowercase());
    Seen::utterance(format!("{speaker}_{sentence}"), label, |u| {
        u.speaker = Some(speaker.to_owned());
        u.sex = Some(Sex::Male);
        u.text = Some(sentence);
    })
}

pub(super) fn expected_ids() -> Vec<String> {
    let mut ids = Vec::with_capacity(480);
    for speaker in CorpusKind::Savee.speakers() {
        for &(code, _) in EMOTIONS {
            let sentences = if code == "n" { 30 } else { 15 };
            ids.extend((1..=sentences).map(|n| format!("{speaker}_{code}{n:02}")));
        }
    }
    ids
}
