//! How corpora, networks and protocols are called in print.

use sertrain::Protocol;

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
    Protocol::ALL.iter().position(|p| p.name() == name).unwrap_or(Protocol::ALL.len())
}

/// What a training's stem, such as `emodb-tim-net-random`, is made of.
#[derive(Debug, PartialEq, Eq)]
struct Parts<'a> {
    corpus: &'a str,
    target: Option<&'a str>,
    variant: &'a str,
    division: &'a str,
}

/// None for a stem of another make.
fn parts(stem: &str) -> Option<Parts<'_>> {
    let known = |text: &str| CORPORA.into_iter().find(|c| is_prefix(c, text));
    let corpus = known(stem)?;
    let mut rest = &stem[corpus.len()..];
    let mut target = None;
    if let Some(after) = rest.strip_prefix("-to-") {
        let found = known(after)?;
        (target, rest) = (Some(found), &after[found.len()..]);
    }
    let rest = rest.trim_start_matches('-');
    let (variant, _) = VARIANTS.iter().find(|(v, _)| is_prefix(v, rest))?;
    Some(Parts { corpus, target, variant, division: rest[variant.len()..].trim_start_matches('-') })
}

/// "EMODB, TIM-Net, random folds" for `emodb-tim-net-random`; a stem of another make as it is.
pub fn training(stem: &str) -> String {
    let Some(Parts { corpus: first, target, variant: network, division }) = parts(stem) else { return stem.to_owned() };
    let mut title = corpus(first);
    if let Some(target) = target {
        title = format!("{title} to {}", corpus(target));
    }
    let division = if division.is_empty() { String::new() } else { format!(", {}", named(&DIVISIONS, division)) };
    format!("{title}, {}{division}", variant(network))
}

/// The corpus and network of a stem; all of one of another make.
pub fn corpus_and_network(stem: &str) -> String {
    parts(stem).map_or_else(|| stem.to_owned(), |p| format!("{} {}", p.corpus, p.variant))
}

/// Hold-out before random folds before others: how well a training's division suits a figure of one network.
pub fn division_rank(stem: &str) -> usize {
    parts(stem).and_then(|p| ["hold-out", "random"].iter().position(|d| *d == p.division)).unwrap_or(2)
}

/// Where a training stands among others: TIM-Net first, then as its division and its name say.
pub fn training_order(stem: &str) -> (bool, usize, &str) {
    (parts(stem).is_none_or(|p| p.variant != "tim-net"), division_rank(stem), stem)
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
