//! RAVDESS: `03-01-06-01-02-01-12` is modality, channel, emotion, intensity, statement, repetition, actor.

use super::{Seen, all_digits};
use crate::corpus::Sex;

const EMOTIONS: [&str; 8] = ["neutral", "calm", "happy", "sad", "angry", "fear", "disgust", "surprise"];

pub(super) fn recognise(stem: &str) -> Seen {
    let parts: Vec<&str> = stem.split(['-', '_']).collect();
    let [modality, channel, emotion, intensity, statement, repetition, actor] = parts[..] else {
        return Seen::Unknown("not named like 03-01-06-01-02-01-12");
    };
    if !parts.iter().all(|part| all_digits(part)) {
        return Seen::Unknown("not named like 03-01-06-01-02-01-12");
    }
    match (modality, channel) {
        ("03", "01") => {}
        (_, "02") => return Seen::Skipped("songs"),
        ("01" | "02", _) => return Seen::Skipped("recordings of the audio-visual part"),
        _ => return Seen::Unknown("its modality or channel is not known"),
    }
    let number = |text: &str| text.parse::<usize>().unwrap_or(0);
    let Some(label) = number(emotion).checked_sub(1).and_then(|i| EMOTIONS.get(i)) else {
        return Seen::Unknown("its emotion is none of 01 .. 08");
    };
    if !(1..=24).contains(&number(actor)) {
        return Seen::Unknown("its actor is none of 01 .. 24");
    }
    let intensity = match intensity {
        "01" => "normal",
        "02" => "strong",
        _ => return Seen::Unknown("its intensity is neither 01 nor 02"),
    };
    Seen::utterance(parts.join("-"), label, |u| {
        u.speaker = Some(actor.to_owned());
        u.sex = Some(if number(actor) % 2 == 1 { Sex::Male } else { Sex::Female });
        u.text = Some(statement.to_owned());
        u.take = Some(repetition.to_owned());
        u.intensity = Some(intensity.to_owned());
    })
}

pub(super) fn expected_ids() -> Vec<String> {
    let mut ids = Vec::with_capacity(1440);
    for emotion in 1..=EMOTIONS.len() {
        // Neutral has no strong intensity.
        for intensity in 1..=if emotion == 1 { 1 } else { 2 } {
            for (statement, repetition) in [(1, 1), (1, 2), (2, 1), (2, 2)] {
                ids.extend((1..=24).map(|actor| {
                    format!("03-01-{emotion:02}-{intensity:02}-{statement:02}-{repetition:02}-{actor:02}")
                }));
            }
        }
    }
    ids
}
