//! Words for emotions, by which class folders are told from others.

/// The label of this crate and the words for it, lower case: English, codes of well-known corpora, German, French, Italian,
/// Spanish, Chinese.
const WORDS: &[(&str, &[&str])] = &[
    (
        "angry",
        &[
            "angry", "anger", "ang", "mad", "rage", "wut", "aerger", "ärger", "rabbia", "rab", "colere", "colère",
            "enojo", "ira", "生气", "愤怒", "shengqi",
        ],
    ),
    ("boredom", &["boredom", "bored", "bor", "langeweile", "noia", "ennui", "aburrimiento"]),
    ("calm", &["calm", "calmness", "cal", "relaxed", "ruhig"]),
    ("contempt", &["contempt", "con", "verachtung"]),
    ("disgust", &["disgust", "disgusted", "dis", "ekel", "disgusto", "dégoût", "degout", "asco", "厌恶"]),
    ("excited", &["excited", "excitement", "exc"]),
    ("fear", &["fear", "fearful", "fea", "afraid", "scared", "angst", "paura", "pau", "peur", "miedo", "恐惧", "害怕"]),
    ("frustrated", &["frustrated", "frustration", "fru"]),
    (
        "happy",
        &[
            "happy",
            "happiness",
            "hap",
            "joy",
            "joyful",
            "freude",
            "fröhlich",
            "gioia",
            "gio",
            "joie",
            "alegria",
            "alegría",
            "高兴",
            "快乐",
            "gaoxing",
        ],
    ),
    ("neutral", &["neutral", "neu", "ntr", "neutrality", "neutro", "neutre", "中性", "平静"]),
    ("sad", &["sad", "sadness", "trauer", "traurig", "tristezza", "tri", "tristesse", "tristeza", "悲伤", "伤心"]),
    (
        "surprise",
        &[
            "surprise",
            "surprised",
            "sur",
            "ps",
            "pleasantsurprise",
            "pleasantsurprised",
            "sorpresa",
            "sor",
            "überraschung",
            "惊讶",
        ],
    ),
    ("negative", &["negative", "neg"]),
    ("positive", &["positive", "pos"]),
    ("stress", &["stress", "stressed"]),
    ("anxious", &["anxious", "anxiety", "worried", "worry"]),
    ("amused", &["amused", "amusement", "laughter"]),
    ("sleepy", &["sleepy", "sleepiness", "tired"]),
    ("other", &["other", "oth", "xxx"]),
];

/// The label of this crate that a folder's name means: `Anger`, `01_angry`, `pleasant-surprise`.
pub(super) fn label(name: &str) -> Option<&'static str> {
    let plain: String = name.to_lowercase().chars().filter(|c| c.is_alphabetic()).collect();
    WORDS.iter().find(|(_, words)| words.contains(&plain.as_str())).map(|&(label, _)| label)
}

/// Are these names of emotions? At least two are, and at least half of them.
pub(super) fn are_emotions<'a>(names: impl IntoIterator<Item = &'a str>) -> bool {
    let (known, all) =
        names.into_iter().fold((0, 0), |(known, all), name| (known + usize::from(label(name).is_some()), all + 1));
    known >= 2 && 2 * known >= all
}

/// Are these names of speakers: `spk1`, `Actor_07`, `F03`, `s12`?
pub(super) fn are_speakers<'a>(names: impl IntoIterator<Item = &'a str>) -> bool {
    const PREFIXES: &[&str] = &[
        "speaker",
        "spk",
        "spkr",
        "actor",
        "actress",
        "subject",
        "subj",
        "sub",
        "participant",
        "person",
        "talker",
        "voice",
        "sprecher",
        "p",
        "s",
        "sp",
        "f",
        "m",
        "w",
        "female",
        "male",
        "id",
        "sprecherin",
        "locuteur",
        "hablante",
    ];
    let mut names = names.into_iter().peekable();
    names.peek().is_some()
        && names.all(|name| {
            let name = name.to_lowercase();
            let stem = name.trim_end_matches(|c: char| c.is_ascii_digit());
            let numbered = stem.len() < name.len() && PREFIXES.contains(&stem.trim_end_matches(['_', '-', ' ']));
            numbered || speaker_word_and_name(&name, PREFIXES)
        })
}

/// `speaker_anna`, `spk-bert`: a long word for a speaker, then a name.
fn speaker_word_and_name(name: &str, prefixes: &[&str]) -> bool {
    name.split_once(['_', '-', ' '])
        .is_some_and(|(word, rest)| word.len() > 2 && prefixes.contains(&word) && !rest.is_empty())
}

/// Are these names of known corpora: `emodb`, `RAVDESS`, `crema-d`?
pub(super) fn are_corpora<'a>(names: impl IntoIterator<Item = &'a str>) -> bool {
    const CORPORA: &[&str] = &[
        "casia",
        "emodb",
        "emovo",
        "iemocap",
        "ravdess",
        "savee",
        "crema",
        "cremad",
        "tess",
        "meld",
        "msppodcast",
        "mspimprov",
        "esd",
        "mead",
        "emns",
        "aesdd",
        "shemo",
        "enterface",
        "jlcorpus",
        "cafe",
        "oreau",
        "subesco",
        "urdu",
        "emouerj",
        "berlin",
        "mesd",
        "demos",
        "polish",
        "vivae",
        "asvpesd",
        "cmumosei",
        "cmumosi",
    ];
    let mut names = names.into_iter().peekable();
    names.peek().is_some()
        && names.all(|name| {
            let plain: String = name.to_lowercase().chars().filter(|c| c.is_ascii_alphabetic()).collect();
            CORPORA.contains(&plain.as_str())
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_are_told_by_their_names() {
        for (name, wanted) in [
            ("Anger", Some("angry")),
            ("01_sad", Some("sad")),
            ("Pleasant surprise", Some("surprise")),
            ("wav", None),
            ("", None),
        ] {
            assert_eq!(label(name), wanted, "{name}");
        }
        assert!(are_emotions(["ang", "NEU", "mine"]) && !are_emotions(["sad", "a", "b"]) && !are_emotions(["sad"]));
        for names in
            [&["Actor_01", "Actor_24"][..], &["spk1"], &["F1", "m2"], &["speaker_anna", "speaker-bert"], &["s 03"]]
        {
            assert!(are_speakers(names.iter().copied()), "{names:?}");
        }
        for names in [&["anna", "bert"][..], &["calm", "sad"], &[], &["2021"], &["Session1"], &["f"], &["s_x"]] {
            assert!(!are_speakers(names.iter().copied()), "{names:?}");
        }
        assert!(are_corpora(["EmoDB", "CREMA-D"]) && !are_corpora(["emodb", "mine"]));
    }
}
