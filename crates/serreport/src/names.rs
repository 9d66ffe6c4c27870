//! How corpora, networks and protocols are called in print.

const CORPORA: [&str; 6] = ["casia", "emodb", "emovo", "iemocap", "ravdess", "savee"];
const VARIANTS: [(&str, &str); 5] =
    [("tim-net", "TIM-Net"), ("no-bd", "w/o BD"), ("no-ms", "w/o MS"), ("no-df", "w/o DF"), ("tcn", "TCN")];
const DIVISIONS: [(&str, &str); 5] = [
    ("random", "random folds"),
    ("validated", "random folds with a validation part"),
    ("speaker-out", "one speaker left out"),
    ("hold-out", "hold-out"),
    ("cross-corpus", "across corpora"),
];

/// EMODB for emodb; a name that is none of the six as it is.
pub fn corpus(name: &str) -> String {
    if CORPORA.contains(&name) { name.to_uppercase() } else { name.to_owned() }
}

/// TIM-Net for tim-net.
pub fn variant(name: &str) -> String {
    named(&VARIANTS, name)
}

/// The networks' order in Table 3, with others behind.
pub fn variant_rank(name: &str) -> usize {
    ["tcn", "no-bd", "no-ms", "no-df", "tim-net"].iter().position(|v| *v == name).unwrap_or(VARIANTS.len())
}

/// The protocols' order in print, with others behind.
pub fn protocol_rank(name: &str) -> usize {
    let known = ["last-epoch", "best-epoch", "validated", "speaker-independent"];
    known.iter().position(|p| *p == name).unwrap_or(known.len())
}

/// "EMODB, TIM-Net, random folds" for `emodb-tim-net-random`; a stem of another make as it is.
pub fn training(stem: &str) -> String {
    let Some(first) = CORPORA.iter().find(|c| is_prefix(c, stem)) else { return stem.to_owned() };
    let mut rest = &stem[first.len()..];
    let mut title = corpus(first);
    if let Some(after) = rest.strip_prefix("-to-") {
        let Some(second) = CORPORA.iter().find(|c| is_prefix(c, after)) else { return stem.to_owned() };
        title = format!("{title} to {}", corpus(second));
        rest = &after[second.len()..];
    }
    let rest = rest.trim_start_matches('-');
    let Some((name, printed)) = VARIANTS.iter().find(|(v, _)| is_prefix(v, rest)) else { return stem.to_owned() };
    match rest[name.len()..].trim_start_matches('-') {
        "" => format!("{title}, {printed}"),
        division => format!("{title}, {printed}, {}", named(&DIVISIONS, division)),
    }
}

/// The corpus whose utterances a training was tested on.
pub fn tested_corpus(stem: &str) -> Option<&'static str> {
    let tested = stem.split_once("-to-").map_or(stem, |(_, after)| after);
    CORPORA.into_iter().find(|c| is_prefix(c, tested))
}

/// `emodb-tim-net-random-seed46` into its stem and its seed.
pub fn split_seed(name: &str) -> (&str, Option<u64>) {
    match name.rsplit_once("-seed") {
        Some((stem, seed)) => seed.parse().map_or((name, None), |s| (stem, Some(s))),
        None => (name, None),
    }
}

/// Whether `name` is all of `text` or is followed by a hyphen in it.
fn is_prefix(name: &str, text: &str) -> bool {
    text.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
}

fn named(table: &[(&str, &str)], name: &str) -> String {
    table.iter().find(|(n, _)| *n == name).map_or(name, |(_, printed)| printed).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_read_as_sentences() {
        assert_eq!(training("emodb-tim-net-random"), "EMODB, TIM-Net, random folds");
        assert_eq!(training("casia-to-emovo-no-bd-cross"), "CASIA to EMOVO, w/o BD, cross");
        assert_eq!(training("mine-x"), "mine-x");
        assert_eq!(split_seed("emodb-tcn-random-seed46"), ("emodb-tcn-random", Some(46)));
        assert_eq!(split_seed("odd-seedling"), ("odd-seedling", None));
        assert_eq!(tested_corpus("casia-to-emovo-tcn"), Some("emovo"));
    }
}
