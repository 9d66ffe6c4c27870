//! EMOVO: `dis-f1-b1` is emotion dis (from the Italian word), speaker f1, sentence b1.

use super::{Seen, all_digits, look_up};
use crate::CorpusKind;
use crate::corpus::Sex;

const EMOTIONS: &[(&str, &str)] = &[
    ("rab", "angry"),
    ("dis", "disgust"),
    ("pau", "fear"),
    ("gio", "happy"),
    ("neu", "neutral"),
    ("tri", "sad"),
    ("sor", "surprise"),
];

const SENTENCES: [&str; 14] = ["b1", "b2", "b3", "d1", "d2", "l1", "l2", "l3", "l4", "n1", "n2", "n3", "n4", "n5"];

pub(super) fn recognise(stem: &str) -> Seen {
    const SHAPE: Seen = Seen::Unknown("not named like dis-f1-b1");
    let lower = stem.to_ascii_lowercase();
    let parts: Vec<&str> = lower.split(['-', '_', ' ']).collect();
    let [emotion, speaker, sentence] = parts[..] else {
        return SHAPE;
    };
    let sentence_fits = sentence.is_char_boundary(1)
        && sentence.starts_with(|c: char| c.is_ascii_alphabetic())
        && all_digits(&sentence[1..]);
    if !sentence_fits {
        return SHAPE;
    }
    let Some(label) = look_up(EMOTIONS, emotion) else {
        return Seen::Unknown("its emotion is none of dis gio neu pau rab sor tri");
    };
    if !CorpusKind::Emovo.speakers().contains(&speaker) {
        return Seen::Unknown("its speaker is none of f1 f2 f3 m1 m2 m3");
    }
    Seen::utterance(format!("{emotion}-{speaker}-{sentence}"), label, |u| {
        u.speaker = Some(speaker.to_owned());
        u.sex = Some(if speaker.starts_with('f') { Sex::Female } else { Sex::Male });
        u.text = Some(sentence.to_owned());
    })
}

pub(super) fn expected_ids() -> Vec<String> {
    let mut ids = Vec::with_capacity(588);
    for (emotion, _) in EMOTIONS {
        for speaker in CorpusKind::Emovo.speakers() {
            ids.extend(SENTENCES.iter().map(|sentence| format!("{emotion}-{speaker}-{sentence}")));
        }
    }
    ids
}
