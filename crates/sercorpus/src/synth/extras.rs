//! What real copies have besides plain recordings.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use super::plan::Planned;
use super::riff::{self, Channels, Format};
use super::voice::{self, Chance};
use super::{SynthOptions, Utterance};
use crate::{CorpusError, CorpusKind};

/// Turns a synthetic IEMOCAP dialog has.
const TURNS: usize = 24;

/// Channels and chunks of a recording.
pub(super) fn format_of(kind: CorpusKind, planned: &Planned, options: &SynthOptions) -> Format {
    let plain = |channels| Format { channels, first: None, data_at: None, after: Vec::new() };
    let id = planned.utterance.id.as_str();
    let mut chance = Chance::new((options.seed, kind.name()), &["format", id]);
    match kind {
        // One file in 588 is mono, 13 have equal channels.
        CorpusKind::Emovo => {
            let channels = match (options.quirks, id) {
                (true, "dis-f1-b1") => Channels::Mono,
                (true, _) if chance.uniform() < 13.0 / 587.0 => Channels::DualMono,
                _ => Channels::Stereo,
            };
            let after = if options.quirks { vec![(*b"LIST", 26)] } else { Vec::new() };
            Format { after, ..plain(channels) }
        }
        CorpusKind::Emodb if options.quirks => {
            let first = chance.uniform() < 4.0 / 535.0 || id == "03a01Wa";
            Format { first: first.then_some(*b"PAD "), ..plain(Channels::Mono) }
        }
        CorpusKind::Ravdess if options.quirks => {
            let stereo = chance.uniform() < 5.0 / 1440.0 || id == "03-01-05-01-01-01-01";
            let channels = if stereo { Channels::DualMono } else { Channels::Mono };
            let after = vec![(*b"LIST", 58), (*b"bext", 602), (*b"_PMX", 45_000)];
            Format { data_at: Some(4096), after, ..plain(channels) }
        }
        _ => plain(Channels::Mono),
    }
}

/// Everything that is not a recording of the plan.
pub(super) fn write(
    kind: CorpusKind,
    root: &Path,
    plan: &[Planned],
    options: &SynthOptions,
) -> Result<(), CorpusError> {
    if kind == CorpusKind::Iemocap {
        write_evaluations(root, plan, options)?;
    }
    if !options.quirks {
        return Ok(());
    }
    save(root, ".DS_Store", b"\0\0\0\x01Bud1")?;
    if let Some(first) = plan.first() {
        // What macOS leaves beside a file on a foreign file system.
        let name = format!("._{}", first.file.file_name().unwrap_or_default().to_string_lossy());
        save(root, first.file.with_file_name(name), b"\0\x05\x16\x07\0\x02\0\0Mac OS X        ")?;
    }
    match kind {
        CorpusKind::Emodb => save(root, "erkennung.txt", b"03a01Fa 90.00 85.00\n"),
        CorpusKind::Emovo => save(root, "documents/readme.txt", b"EMOVO Corpus (synthetic)\n"),
        CorpusKind::Savee => save(root, "AudioData/Info.txt", b"speaker_emotion+number (synthetic)\n"),
        CorpusKind::Ravdess => ravdess_extras(root, plan, options),
        _ => Ok(()),
    }
}

fn save(root: &Path, file: impl AsRef<Path>, bytes: &[u8]) -> Result<(), CorpusError> {
    let path = root.join(file);
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(CorpusError::io(folder))?;
    }
    std::fs::write(&path, bytes).map_err(CorpusError::io(&path))
}

/// A song, a video, a zip, and actor 07's identical pair.
fn ravdess_extras(root: &Path, plan: &[Planned], options: &SynthOptions) -> Result<(), CorpusError> {
    save(root, "Audio_Speech_Actors_01-24.zip", b"PK\x05\x06\0\0\0\0")?;
    save(root, "Actor_01/01-01-03-01-01-01-01.mp4", b"\0\0\0\x18ftypmp42")?;
    if let Some(first) = plan.first() {
        let song = voice::speak(&first.voice, CorpusKind::Ravdess.sample_rate(), options);
        let format = format_of(CorpusKind::Ravdess, first, options);
        let bytes = riff::encode(&format.channels.spread(&song), CorpusKind::Ravdess.sample_rate(), &format);
        save(root, "Actor_01/03-02-03-01-01-01-01.wav", &bytes)?;
    }
    let [one, other] = ["03-01-03-01-02-01-07", "03-01-03-01-02-02-07"]
        .map(|id| plan.iter().find(|p| p.utterance.id == id).map(|p| root.join(&p.file)));
    if let (Some(one), Some(other)) = (one, other) {
        std::fs::copy(&one, &other).map_err(CorpusError::io(&other))?;
    }
    Ok(())
}

/// Give IEMOCAP's utterances dialogs and names, and add some that take no part.
///
/// The letter in the dialog's name is that of the actor who wore the markers, so it says nothing about who speaks.
pub(super) fn arrange_dialogs(plan: &mut Vec<Planned>) {
    for session in 1..=5 {
        let mut turns: Vec<&mut Planned> =
            plan.iter_mut().filter(|p| p.utterance.session.as_deref() == Some(session.to_string().as_str())).collect();
        // Emotions and speakers alternate within a dialog.
        turns.sort_by_key(|p| blake3::hash(p.utterance.id.as_bytes()).to_hex());
        for (number, turns) in turns.chunks_mut(TURNS).enumerate() {
            let marked = if number % 2 == 0 { 'F' } else { 'M' };
            let dialog = if number % 5 < 3 {
                format!("Ses{session:02}{marked}_impro{:02}", number / 5 * 3 + number % 5 + 1)
            } else {
                format!("Ses{session:02}{marked}_script{:02}_{}", number / 5 + 1, number % 5 - 2)
            };
            let mut next = [0, 0];
            for planned in turns {
                let letter =
                    if planned.utterance.speaker.as_deref().is_some_and(|s| s.ends_with('F')) { 'F' } else { 'M' };
                let turn = &mut next[usize::from(letter == 'M')];
                planned.rename(session, &dialog, letter, *turn);
                *turn += 1;
            }
        }
    }
    let others: Vec<Planned> = plan.iter().step_by(8).enumerate().map(|(i, p)| p.without_part(i)).collect();
    plan.extend(others);
}

impl Planned {
    fn rename(&mut self, session: u32, dialog: &str, letter: char, turn: usize) {
        let id = format!("{dialog}_{letter}{turn:03}");
        self.file = PathBuf::from(format!("Session{session}/sentences/wav/{dialog}/{id}.wav"));
        self.voice.id.clone_from(&id);
        self.voice.text.clone_from(&id);
        self.utterance.id = id;
    }

    /// The same speaker in the same dialog, but an emotion that the four-class subset leaves out.
    fn without_part(&self, number: usize) -> Self {
        let stem = &self.utterance.id[..self.utterance.id.len() - 3];
        let id = format!("{stem}{:03}", 500 + number % 500);
        let mut other = Self {
            file: self.file.with_file_name(format!("{id}.wav")),
            utterance: Utterance { label: String::new(), id, ..self.utterance.clone() },
            voice: self.voice.clone(),
            emotion_code: ["xxx", "fru", "sur", "oth", "fea"][number % 5],
        };
        other.voice.id.clone_from(&other.utterance.id);
        other
    }

    fn dialog(&self) -> &str {
        self.utterance.id.rsplit_once('_').map_or("", |(dialog, _)| dialog)
    }
}

/// `Session<k>/dialog/EmoEvaluation/<dialog>.txt`, with the annotators' lines of the original; with quirks also the
/// dialogs' own recordings and an annotator's file.
fn write_evaluations(root: &Path, plan: &[Planned], options: &SynthOptions) -> Result<(), CorpusError> {
    let mut order: Vec<&Planned> = plan.iter().collect();
    order.sort_by(|a, b| a.utterance.id.cmp(&b.utterance.id));
    for turns in order.chunk_by(|a, b| a.dialog() == b.dialog()) {
        let [first, ..] = turns else { continue };
        let session = first.utterance.session.as_deref().unwrap_or_default();
        let folder = PathBuf::from(format!("Session{session}/dialog"));
        let mut text = String::from("% [START_TIME - END_TIME] TURN_NAME EMOTION [V, A, D]\n\n");
        for (turn, planned) in turns.iter().enumerate() {
            let start = 5.0 + 4.5 * turn as f64;
            let (name, code) = (&planned.utterance.id, planned.emotion_code);
            // Writing to a String cannot fail.
            let _ = write!(
                text,
                "[{start:.4} - {:.4}]\t{name}\t{code}\t[2.5000, 2.5000, 2.5000]\nC-E2:\tNeutral;\t()\nC-E4:\tNeutral;\t()\n\
                 C-F1:\tNeutral; Other;\t(calm)\nA-E3:\tval 3; act 2; dom  2;\t()\nA-F1:\tval 3; act 2; dom  3;\t()\n\n",
                start + 3.9
            );
        }
        let dialog = first.dialog();
        save(root, folder.join(format!("EmoEvaluation/{dialog}.txt")), text.as_bytes())?;
        if options.quirks {
            let annotator = format!("EmoEvaluation/Categorical/{dialog}_e2_cat.txt");
            save(root, folder.join(annotator), format!("{} :Neutral state; ()\n", first.utterance.id).as_bytes())?;
            let format = format_of(CorpusKind::Iemocap, first, options);
            let sound = voice::speak(&first.voice, CorpusKind::Iemocap.sample_rate(), options);
            let bytes = riff::encode(&format.channels.spread(&sound), CorpusKind::Iemocap.sample_rate(), &format);
            save(root, folder.join(format!("wav/{dialog}.wav")), &bytes)?;
        }
    }
    Ok(())
}
