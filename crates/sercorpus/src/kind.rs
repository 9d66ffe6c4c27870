use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// One of the six corpora of Table 1 of the TIM-Net paper.
///
/// Written and serialised in lower case (`emodb`), read in any case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum CorpusKind {
    /// CASIA, Mandarin, four actors.
    Casia,
    /// Berlin Database of Emotional Speech, German, ten actors.
    Emodb,
    /// EMOVO, Italian, six actors.
    Emovo,
    /// IEMOCAP, English, ten actors in five dyadic sessions; the four-class subset.
    Iemocap,
    /// RAVDESS, English, 24 actors; audio-only speech.
    Ravdess,
    /// SAVEE, English, four men.
    Savee,
}

/// What is known of a corpus; every figure is of the complete original.
struct Facts {
    name: &'static str,
    labels: &'static [&'static str],
    /// Recordings of each label, in label order.
    counts: &'static [usize],
    speakers: &'static [&'static str],
    length_samples: usize,
    published_seed: u32,
    sample_rate: u32,
    /// Where the mean duration of an unmodified copy lies, in seconds.
    mean_seconds: (f64, f64),
    layout: &'static str,
    source: &'static str,
}

const SEVEN: &[&str] = &["angry", "disgust", "fear", "happy", "neutral", "sad", "surprise"];

const CASIA: Facts = Facts {
    name: "casia",
    labels: &["angry", "fear", "happy", "neutral", "sad", "surprise"],
    counts: &[200; 6],
    speakers: &["liuchanhg", "wangzhe", "zhaoquanyin", "ZhaoZuoxiang"],
    length_samples: 88_000,
    published_seed: 32,
    sample_rate: 16_000,
    mean_seconds: (1.0, 3.5),
    layout: "<speaker>/<emotion>/<201..250>.wav",
    source: "CASIA Mandarin emotional speech corpus, Institute of Automation, Chinese Academy of Sciences; sold by \
             ChineseLDC (http://www.chineseldc.org) under its licence; the published experiments use the 1,200 \
             utterances of 50 texts that circulate as a sample",
};

const EMODB: Facts = Facts {
    name: "emodb",
    labels: &["angry", "boredom", "disgust", "fear", "happy", "neutral", "sad"],
    counts: &[127, 81, 46, 69, 71, 79, 62],
    speakers: &["03", "08", "09", "10", "11", "12", "13", "14", "15", "16"],
    length_samples: 96_000,
    published_seed: 46,
    sample_rate: 16_000,
    mean_seconds: (2.2, 3.4),
    layout: "wav/<speaker><text><emotion><version>.wav, e.g. wav/03a01Fa.wav",
    source: "Berlin Database of Emotional Speech (Burkhardt et al., Interspeech 2005), free: http://emodb.bilderbar.info; \
             also packaged by audEERING under CC0-1.0",
};

const EMOVO: Facts = Facts {
    name: "emovo",
    labels: SEVEN,
    counts: &[84; 7],
    speakers: &["f1", "f2", "f3", "m1", "m2", "m3"],
    length_samples: 96_000,
    published_seed: 1,
    sample_rate: 48_000,
    mean_seconds: (2.2, 4.2),
    layout: "<speaker>/<emotion>-<speaker>-<sentence>.wav, e.g. f1/dis-f1-b1.wav",
    source: "EMOVO Corpus (Costantini et al., LREC 2014), free for research from Fondazione Ugo Bordoni: \
             http://voice.fub.it/activities/corpora/emovo/index.html",
};

const IEMOCAP: Facts = Facts {
    name: "iemocap",
    labels: &["angry", "happy", "neutral", "sad"],
    counts: &[1_103, 1_636, 1_708, 1_084],
    speakers: &["1F", "1M", "2F", "2M", "3F", "3M", "4F", "4M", "5F", "5M"],
    length_samples: 310_000,
    published_seed: 16,
    sample_rate: 16_000,
    mean_seconds: (3.4, 5.8),
    layout: "Session<k>/sentences/wav/<dialog>/<utterance>.wav with Session<k>/dialog/EmoEvaluation/<dialog>.txt",
    source: "IEMOCAP (Busso et al., 2008), on request and under licence from the SAIL lab of USC: \
             https://sail.usc.edu/iemocap",
};

const RAVDESS: Facts = Facts {
    name: "ravdess",
    labels: &["angry", "calm", "disgust", "fear", "happy", "neutral", "sad", "surprise"],
    counts: &[192, 192, 192, 192, 192, 96, 192, 192],
    speakers: &[
        "01", "02", "03", "04", "05", "06", "07", "08", "09", "10", "11", "12", "13", "14", "15", "16", "17", "18",
        "19", "20", "21", "22", "23", "24",
    ],
    length_samples: 110_000,
    published_seed: 46,
    sample_rate: 48_000,
    mean_seconds: (3.0, 4.5),
    layout: "Actor_<nn>/03-01-<emotion>-<intensity>-<statement>-<repetition>-<actor>.wav",
    source: "RAVDESS (Livingstone & Russo, PLoS ONE 2018), CC BY-NC-SA 4.0: https://zenodo.org/records/1188976, \
             file Audio_Speech_Actors_01-24.zip",
};

const SAVEE: Facts = Facts {
    name: "savee",
    labels: SEVEN,
    counts: &[60, 60, 60, 60, 120, 60, 60],
    speakers: &["DC", "JE", "JK", "KL"],
    length_samples: 130_000,
    published_seed: 44,
    sample_rate: 44_100,
    mean_seconds: (3.0, 4.8),
    layout: "AudioData/<speaker>/<code><nn>.wav, or flat <speaker>_<code><nn>.wav",
    source: "Surrey Audio-Visual Expressed Emotion database (Haq & Jackson, 2009), on registration, for research: \
             http://kahlan.eps.surrey.ac.uk/savee",
};

impl CorpusKind {
    /// All six, in the order of the paper's tables.
    pub const ALL: [Self; 6] = [Self::Casia, Self::Emodb, Self::Emovo, Self::Iemocap, Self::Ravdess, Self::Savee];

    const fn facts(self) -> &'static Facts {
        match self {
            Self::Casia => &CASIA,
            Self::Emodb => &EMODB,
            Self::Emovo => &EMOVO,
            Self::Iemocap => &IEMOCAP,
            Self::Ravdess => &RAVDESS,
            Self::Savee => &SAVEE,
        }
    }

    /// The lower-case name, `emodb`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.facts().name
    }

    /// The classes in official order; a class index is a position in this list.
    #[must_use]
    pub const fn labels(self) -> &'static [&'static str] {
        self.facts().labels
    }

    /// Speakers of the complete corpus, as [`Utterance::speaker`](crate::Utterance::speaker) has them.
    #[must_use]
    pub const fn speakers(self) -> &'static [&'static str] {
        self.facts().speakers
    }

    /// The length L, in samples at 22,050 Hz, that the official protocol pads or crops every recording to.
    #[must_use]
    pub const fn length_samples(self) -> usize {
        self.facts().length_samples
    }

    /// Seed of the published ten folds.
    #[must_use]
    pub const fn published_seed(self) -> u32 {
        self.facts().published_seed
    }

    /// Sampling rate of the original recordings, in Hz.
    #[must_use]
    pub const fn sample_rate(self) -> u32 {
        self.facts().sample_rate
    }

    /// Recordings of each label in the complete corpus, in label order (IEMOCAP: with excited as happy).
    #[must_use]
    pub const fn expected_counts(self) -> &'static [usize] {
        self.facts().counts
    }

    /// Recordings in the complete corpus.
    #[must_use]
    pub fn expected_total(self) -> usize {
        self.expected_counts().iter().sum()
    }

    /// Range in which the mean duration of a complete, unmodified copy lies, in seconds.
    #[must_use]
    pub const fn plausible_mean_seconds(self) -> (f64, f64) {
        self.facts().mean_seconds
    }

    /// The layout of the original, for messages.
    #[must_use]
    pub const fn layout(self) -> &'static str {
        self.facts().layout
    }

    /// Where to obtain the corpus, and under which terms.
    #[must_use]
    pub const fn source(self) -> &'static str {
        self.facts().source
    }
}

impl fmt::Display for CorpusKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A name that is none of the six.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown corpus `{0}`: one of casia, emodb, emovo, iemocap, ravdess, savee wanted")]
pub struct UnknownCorpus(pub String);

impl FromStr for CorpusKind {
    type Err = UnknownCorpus;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let found = Self::ALL.into_iter().find(|kind| kind.name().eq_ignore_ascii_case(name.trim()));
        found.ok_or_else(|| UnknownCorpus(name.to_owned()))
    }
}
