//! CASIA: `liuchanhg/angry/201`. Speaker, emotion and number are looked for in folders and stem alike, so that
//! flattened copies (`liuchanhg-angry-201`) and other folder orders are read too.

use super::{Seen, all_digits, look_up};
use crate::CorpusKind;

const EMOTIONS: &[(&str, &str)] = &[
    ("angry", "angry"),
    ("anger", "angry"),
    ("fear", "fear"),
    ("happy", "happy"),
    ("happiness", "happy"),
    ("neutral", "neutral"),
    ("sad", "sad"),
    ("sadness", "sad"),
    ("surprise", "surprise"),
    ("surprised", "surprise"),
];

pub(super) fn recognise(folders: &[&str], stem: &str) -> Seen {
    let tokens = |name: &'_ str| -> Vec<String> { name.split(['-', '_', ' ', '.']).map(str::to_owned).collect() };
    let of_stem = tokens(stem);
    // The nearest folder wins over those further out, the stem over all.
    let nearest_first: Vec<String> =
        of_stem.iter().cloned().chain(folders.iter().rev().flat_map(|folder| tokens(folder))).collect();
    let speakers = CorpusKind::Casia.speakers();
    let speaker =
        nearest_first.iter().find_map(|token| speakers.iter().copied().find(|known| known.eq_ignore_ascii_case(token)));
    let label = nearest_first.iter().find_map(|token| look_up(EMOTIONS, token));
    let number = of_stem.iter().find(|token| all_digits(token));
    match (speaker, label, number) {
        (Some(speaker), Some(label), Some(number)) => {
            Seen::utterance(format!("{speaker}-{label}-{number}"), label, |u| {
                u.speaker = Some(speaker.to_owned());
                u.text = Some(number.clone());
            })
        }
        (None, ..) => Seen::Unknown("neither its name nor its folders name a speaker"),
        (_, None, _) => Seen::Unknown("neither its name nor its folders name an emotion"),
        (.., None) => Seen::Unknown("its name has no number like 201"),
    }
}

pub(super) fn expected_ids() -> Vec<String> {
    let mut ids = Vec::with_capacity(1200);
    for speaker in CorpusKind::Casia.speakers() {
        for label in CorpusKind::Casia.labels() {
            ids.extend((201..=250).map(|number| format!("{speaker}-{label}-{number}")));
        }
    }
    ids
}
