//! EMODB: `03a01Fa` is speaker 03, text a01, emotion F (from the German word), version a.

use super::{Seen, all_digits, look_up};
use crate::corpus::Sex;

const EMOTIONS: &[(&str, &str)] = &[
    ("W", "angry"),
    ("L", "boredom"),
    ("E", "disgust"),
    ("A", "fear"),
    ("F", "happy"),
    ("N", "neutral"),
    ("T", "sad"),
];

pub(super) fn recognise(stem: &str) -> Seen {
    let parts = (stem.get(..2), stem.get(2..5), stem.get(5..6), stem.get(6..));
    let (Some(speaker), Some(text), Some(emotion), Some(version)) = parts else {
        return Seen::Unknown("not named like 03a01Fa");
    };
    let text = text.to_ascii_lowercase();
    let text_fits = text.starts_with(['a', 'b']) && all_digits(&text[1..]);
    let version_fits = version.len() <= 1 && version.bytes().all(|b| b.is_ascii_alphabetic());
    if !all_digits(speaker) || !text_fits || !version_fits {
        return Seen::Unknown("not named like 03a01Fa");
    }
    let Some(label) = look_up(EMOTIONS, emotion) else {
        return Seen::Unknown("its emotion letter is none of W L E A F T N");
    };
    let sex = match speaker {
        "03" | "10" | "11" | "12" | "15" => Sex::Male,
        "08" | "09" | "13" | "14" | "16" => Sex::Female,
        _ => return Seen::Unknown("its speaker is not one of the ten"),
    };
    let version = version.to_ascii_lowercase();
    let id = format!("{speaker}{text}{}{version}", emotion.to_ascii_uppercase());
    Seen::utterance(id, label, |u| {
        u.speaker = Some(speaker.to_owned());
        u.sex = Some(sex);
        u.text = Some(text);
        u.take = Some(version).filter(|v| !v.is_empty());
    })
}

pub(super) fn expected_ids() -> Vec<String> {
    include_str!("emodb_names.txt").split_ascii_whitespace().map(str::to_owned).collect()
}
