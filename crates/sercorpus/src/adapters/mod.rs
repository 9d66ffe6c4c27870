//! What a file's name and folders say, corpus by corpus.

mod casia;
mod emodb;
mod emovo;
pub(crate) mod iemocap;
mod ravdess;
mod savee;

use crate::{CorpusKind, Utterance};

/// What a recogniser makes of an audio file.
pub(crate) enum Seen {
    /// A recording of the corpus; `path` is still empty.
    Utterance(Box<Utterance>),
    /// Left out on purpose, and why.
    Skipped(&'static str),
    /// Does not belong, and why.
    Unknown(&'static str),
}

impl Seen {
    /// An utterance with an id and a label, completed by `fill`.
    fn utterance(id: String, label: &str, fill: impl FnOnce(&mut Utterance)) -> Self {
        let mut utterance = Utterance::new(id, "", label);
        fill(&mut utterance);
        Self::Utterance(Box::new(utterance))
    }
}

/// Judge a file by its folders (outermost first) and stem. IEMOCAP's label is not in the name: see [`iemocap`].
pub(crate) fn recognise(kind: CorpusKind, folders: &[&str], stem: &str) -> Seen {
    match kind {
        CorpusKind::Casia => casia::recognise(folders, stem),
        CorpusKind::Emodb => emodb::recognise(stem),
        CorpusKind::Emovo => emovo::recognise(stem),
        CorpusKind::Iemocap => iemocap::recognise(stem),
        CorpusKind::Ravdess => ravdess::recognise(stem),
        CorpusKind::Savee => savee::recognise(folders, stem),
    }
}

/// The ids of the complete corpus; `None` for IEMOCAP, of which only counts are known.
pub(crate) fn expected_ids(kind: CorpusKind) -> Option<Vec<String>> {
    match kind {
        CorpusKind::Casia => Some(casia::expected_ids()),
        CorpusKind::Emodb => Some(emodb::expected_ids()),
        CorpusKind::Emovo => Some(emovo::expected_ids()),
        CorpusKind::Iemocap => None,
        CorpusKind::Ravdess => Some(ravdess::expected_ids()),
        CorpusKind::Savee => Some(savee::expected_ids()),
    }
}

fn all_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

/// The entry of a table whose key is `key`, whatever its case.
fn look_up<T: Copy>(table: &[(&str, T)], key: &str) -> Option<T> {
    table.iter().find(|(known, _)| known.eq_ignore_ascii_case(key)).map(|&(_, value)| value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Names of any kind, and real ones with a few characters changed.
        #[test]
        fn no_name_panics(
            any_name in "\\PC{0,12}",
            real in prop::sample::select(vec!["03a01Fa", "dis-f1-b1", "Ses01F_impro01_F000", "DC_sa01",
                "03-01-06-01-02-01-12", "201", "liuchanhg_angry_201"]),
            at in 0usize..20, new in "\\PC{0,2}", folder in "\\PC{0,6}",
        ) {
            let mut changed: Vec<char> = real.chars().collect();
            let at = at.min(changed.len());
            let end = (at + 1).min(changed.len());
            changed.splice(at..end, new.chars());
            let changed: String = changed.into_iter().collect();
            for kind in CorpusKind::ALL {
                for stem in [any_name.as_str(), &changed] {
                    let _ = recognise(kind, &[&folder, "DC"], stem);
                }
            }
        }
    }
}
