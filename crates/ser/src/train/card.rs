//! What the model file says about itself.

use sercorpus::{CorpusKind, split::Fold};
use sermodel::{Card, Figure};

use super::{Division, Train, source::Source};
use crate::figures::Figures;

/// Said of every model: what it heard decides what it knows, and what it says is no ground for a decision.
const NOT_FOR: &str = "Not for decisions about people: not for hiring, policing, border control, insurance, credit, schooling, \
                       health or care, and not for watching people at work. An emotion cannot be read off a voice; the \
                       model names the class of its training recordings that a recording sounds most like.";

/// Said of EMODB, on which the model that comes with this project was trained.
const EMODB: &str = "Heard acted German only: ten actors saying ten sentences in a studio with seven emotions each as an \
                     actor shows it. Spontaneous speech, other languages, children, older voices, telephones and rooms \
                     are outside of what it knows.";

/// Corpus, protocol, licence and notes.
pub fn describe(card: &mut Card, args: &Train, source: &Source, division: Division, folds: &[Fold]) {
    card.corpus = format!("{} ({} utterances)", source.name, source.classes.len());
    let epochs = match args.validation {
        None => format!("{} epochs", args.epochs),
        Some(share) => format!("at most {} epochs, chosen on {share} of each fold's training part", args.epochs),
    };
    let augmented = match args.augment.is_empty() {
        true => "no augmentation".to_owned(),
        false => format!("augmentation {} ({} copies)", args.augment, args.copies),
    };
    card.protocol = format!(
        "the file's network learned from all utterances: {epochs}, batches of {}, seed {}{}, {augmented}; figures from {}",
        args.batch_size,
        args.seed,
        args.unusual(),
        division.describe(folds.len())
    );
    card.licence.clone_from(&args.licence);
    card.versions.insert("ser".into(), env!("CARGO_PKG_VERSION").into());
    let mut notes = Vec::new();
    match division {
        Division::Speakers => {}
        Division::Random => notes.push(
            "The folds share speakers, because who speaks was not told: the figures say nothing about new voices, on which \
             the model will do worse.",
        ),
        Division::None => notes.push("Not evaluated: nobody knows how often it is right."),
    }
    if source.kind == Some(CorpusKind::Emodb) {
        notes.push(EMODB);
    }
    notes.push(NOT_FOR);
    card.notes = notes.join("\n");
}

/// The figures of the folds' networks, and what the threshold does.
pub fn figures(card: &mut Card, division: Division, figures: &Figures, args: &Train) {
    let protocol = match (division, args.validation) {
        (Division::Speakers, _) => Figure::SPEAKER_INDEPENDENT,
        (_, Some(_)) => "validated",
        (_, None) => "last-epoch",
    };
    let (uar, war) = (figures.uar, figures.war);
    let asked = 100.0 * args.answer_at;
    let threshold = match card.threshold {
        Some(_) => format!(
            "the file's threshold is the lowest confidence above which {asked:.0} % of the held-out answers were right"
        ),
        None => format!(
            "the model never abstains: either {asked:.0} % of all held-out answers were right, or no threshold reached that"
        ),
    };
    let note = format!(
        "each utterance judged by a network of the same recipe that had not heard it; {}; {threshold}",
        figures.note()
    );
    card.figures.push(Figure { protocol: protocol.to_owned(), uar: uar.estimate, war: war.estimate, note });
}
