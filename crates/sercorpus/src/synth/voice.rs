//! Speech-like sound: glottal pulses through three formants, syllable by syllable.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use super::SynthOptions;

/// Whose voice, which words, which mood.
#[derive(Debug, Clone)]
pub(super) struct Voice {
    /// Names the recording: chance depends on it.
    pub id: String,
    pub corpus: &'static str,
    pub speaker: String,
    pub female: bool,
    pub text: String,
    pub label: String,
    /// 1, or more for strong intensity.
    pub strength: f64,
    /// Starts with digital silence.
    pub silent_start: bool,
}

/// What an emotion does to neutral speech.
struct Mood {
    pitch: f64,
    /// Extent of the pitch movement.
    range: f64,
    loudness_db: f64,
    tempo: f64,
    /// Above 0: brighter.
    tilt: f64,
    /// Pitch at the end relative to the beginning.
    rise: f64,
}

fn mood(label: &str) -> Mood {
    let (pitch, range, loudness_db, tempo, tilt, rise) = match label {
        "angry" => (1.30, 1.4, 6.0, 1.18, 0.8, 0.85),
        "boredom" => (0.88, 0.5, -5.0, 0.78, -0.5, 0.85),
        "calm" => (0.95, 0.6, -4.0, 0.86, -0.3, 0.95),
        "disgust" => (0.96, 0.9, 0.0, 0.84, 0.3, 0.75),
        "fear" => (1.38, 0.7, -2.0, 1.25, -0.1, 1.05),
        "happy" => (1.25, 1.6, 3.0, 1.08, 0.5, 1.0),
        "sad" => (0.90, 0.45, -7.0, 0.75, -0.8, 0.8),
        "surprise" => (1.42, 1.8, 2.0, 0.98, 0.3, 1.5),
        _ => (1.0, 0.9, 0.0, 1.0, 0.0, 0.9),
    };
    Mood { pitch, range, loudness_db, tempo, tilt, rise }
}

impl Mood {
    /// Stronger or weaker than usual, and never twice the same.
    fn acted(self, strength: f64, chance: &mut Chance) -> Self {
        let strength = strength * (1.1 + 0.15 * chance.normal());
        let pull = |value: f64, noise: f64| value.powf(strength) * noise.exp();
        Self {
            pitch: pull(self.pitch, 0.05 * chance.normal()),
            range: pull(self.range, 0.15 * chance.normal()),
            loudness_db: self.loudness_db * strength + 1.5 * chance.normal(),
            tempo: pull(self.tempo, 0.05 * chance.normal()),
            tilt: self.tilt * strength + 0.2 * chance.normal(),
            rise: pull(self.rise, 0.06 * chance.normal()),
        }
    }
}

/// F1, F2, F3 of vowels of an average man, in Hz (Peterson & Barney 1952: i, e, a, o, u and schwa-like).
const VOWELS: [[f64; 3]; 6] = [
    [270.0, 2290.0, 3010.0],
    [530.0, 1840.0, 2480.0],
    [730.0, 1090.0, 2440.0],
    [570.0, 840.0, 2410.0],
    [300.0, 870.0, 2240.0],
    [490.0, 1350.0, 1690.0],
];

const BANDWIDTHS: [f64; 3] = [70.0, 100.0, 150.0];

/// One utterance, mono, 16 bit.
pub(super) fn speak(voice: &Voice, rate: u32, options: &SynthOptions) -> Vec<i16> {
    let rate = f64::from(rate);
    let corpus_seed = (options.seed, voice.corpus);
    let mut of_speaker = Chance::new(corpus_seed, &["speaker", &voice.speaker]);
    let mut of_text = Chance::new(corpus_seed, &["text", &voice.text]);
    let mut chance = Chance::new(corpus_seed, &["utterance", &voice.id]);

    let base = if voice.female { 205.0 } else { 118.0 } * (0.09 * of_speaker.normal()).exp();
    let tract = if voice.female { 1.16 } else { 1.0 } * (0.04 * of_speaker.normal()).exp();
    let own_tempo = (0.07 * of_speaker.normal()).exp();
    let own_tilt = 0.25 * of_speaker.normal();
    let mood = mood(&voice.label).acted(voice.strength, &mut chance);

    let syllables = ((options.mean_seconds / 0.19) * (0.8 + 0.4 * of_text.uniform())).round().max(1.0) as usize;
    let stretch = options.mean_seconds.min(0.19 * syllables as f64) / (0.19 * syllables as f64);
    let mut source = Source::new(rate, (mood.tilt + own_tilt).clamp(-1.5, 1.5));
    let mut filters = [Resonator::default(); 3];
    let mut sound = Vec::new();
    for syllable in 0..syllables {
        let vowel = VOWELS[(of_text.uniform() * VOWELS.len() as f64) as usize % VOWELS.len()];
        let stress = of_text.uniform();
        let consonant = of_text.uniform() < 0.5;
        let tempo = (mood.tempo * own_tempo).clamp(0.4, 2.5);
        let seconds = 0.19 * stretch * (0.8 + 0.4 * stress) / tempo;
        let length = ((seconds * rate) as usize).max(16);
        if consonant {
            noise_burst(&mut sound, length / 4, 0.05, &mut chance);
        }
        for (filter, (&f, &bandwidth)) in filters.iter_mut().zip(vowel.iter().zip(&BANDWIDTHS)) {
            filter.tune((f * tract * (0.02 * chance.normal()).exp()).min(0.45 * rate), bandwidth, rate);
        }
        let place = syllable as f64 / syllables as f64;
        let melody = 1.0 + 0.18 * mood.range * (stress - 0.4);
        let pitch = (base * mood.pitch * melody * mood.rise.powf(place - 0.3)).clamp(50.0, 600.0);
        for i in 0..length {
            let t = i as f64 / length as f64;
            // Rise fast, fall slowly.
            let envelope = (t / 0.15).min(1.0) * ((1.0 - t) / 0.35).min(1.0);
            let glide = 1.0 + 0.06 * mood.range * (std::f64::consts::PI * t).sin();
            let pulse = source.next(pitch * glide, &mut chance);
            let voiced = filters.iter_mut().fold(pulse, |x, filter| filter.next(x));
            sound.push(voiced * envelope * (0.7 + 0.3 * stress));
        }
    }
    finish(&sound, &mood, voice.silent_start, rate, &mut chance)
}

/// Set the level, add the room, quantise.
fn finish(sound: &[f64], mood: &Mood, silent_start: bool, rate: f64, chance: &mut Chance) -> Vec<i16> {
    let rms = (sound.iter().map(|x| x * x).sum::<f64>() / sound.len().max(1) as f64).sqrt().max(1e-9);
    let gain = 10f64.powf((-26.0 + mood.loudness_db) / 20.0) / rms;
    let room = 10f64.powf((-58.0 + 4.0 * chance.normal()) / 20.0);
    let silence = if silent_start { (0.02 * rate) as usize } else { 0 };
    let audible = sound.iter().map(|x| {
        let sample = x * gain + room * (chance.uniform() - 0.5);
        (sample * 32_767.0).clamp(-32_768.0, 32_767.0) as i16
    });
    std::iter::repeat_n(0, silence).chain(audible).collect()
}

fn noise_burst(sound: &mut Vec<f64>, length: usize, level: f64, chance: &mut Chance) {
    let mut before = 0.0;
    for i in 0..length {
        let envelope = 1.0 - i as f64 / length as f64;
        let noise = chance.uniform() - 0.5;
        sound.push(level * envelope * (noise - before)); // the difference sounds like a fricative
        before = noise;
    }
}

/// Rosenberg's glottal pulse, differentiated, with jitter and an adjustable tilt.
struct Source {
    rate: f64,
    phase: f64,
    period_noise: f64,
    smoothing: f64,
    smooth: f64,
    before: f64,
}

impl Source {
    fn new(rate: f64, tilt: f64) -> Self {
        // A one-pole low pass: from 700 Hz (dark) to 5 kHz (bright).
        let cutoff = 1_900.0 * (0.65 * tilt).exp();
        let smoothing = (-2.0 * std::f64::consts::PI * cutoff / rate).exp();
        Self { rate, phase: 0.0, period_noise: 1.0, smoothing, smooth: 0.0, before: 0.0 }
    }

    fn next(&mut self, pitch: f64, chance: &mut Chance) -> f64 {
        self.phase += pitch * self.period_noise / self.rate;
        if self.phase >= 1.0 {
            self.phase -= 1.0;
            self.period_noise = 1.0 + 0.01 * chance.normal();
        }
        let flow = match self.phase {
            p if p < 0.4 => 0.5 * (1.0 - (std::f64::consts::PI * p / 0.4).cos()),
            p if p < 0.56 => (std::f64::consts::FRAC_PI_2 * (p - 0.4) / 0.16).cos(),
            _ => 0.0,
        };
        let derivative = flow - self.before + 0.002 * (chance.uniform() - 0.5); // a little breath
        self.before = flow;
        self.smooth = derivative + self.smoothing * (self.smooth - derivative);
        self.smooth
    }
}

/// A second-order resonator of unit gain at 0 Hz (Klatt 1980).
#[derive(Debug, Clone, Copy, Default)]
struct Resonator {
    a: f64,
    b: f64,
    c: f64,
    y1: f64,
    y2: f64,
}

impl Resonator {
    fn tune(&mut self, frequency: f64, bandwidth: f64, rate: f64) {
        let radius = (-std::f64::consts::PI * bandwidth / rate).exp();
        self.c = -radius * radius;
        self.b = 2.0 * radius * (2.0 * std::f64::consts::PI * frequency / rate).cos();
        self.a = 1.0 - self.b - self.c;
    }

    fn next(&mut self, x: f64) -> f64 {
        let y = self.a * x + self.b * self.y1 + self.c * self.y2;
        self.y2 = self.y1;
        self.y1 = y;
        y
    }
}

/// Random numbers that depend on a seed and on names only.
pub(super) struct Chance(ChaCha8Rng);

impl Chance {
    pub(super) fn new((seed, corpus): (u64, &str), names: &[&str]) -> Self {
        let mut hash = blake3::Hasher::new();
        hash.update(&seed.to_le_bytes());
        for name in std::iter::once(&corpus).chain(names) {
            hash.update(name.as_bytes()).update(&[0]);
        }
        Self(ChaCha8Rng::from_seed(*hash.finalize().as_bytes()))
    }

    /// In [0, 1).
    pub(super) fn uniform(&mut self) -> f64 {
        f64::from(self.0.next_u32()) / 4_294_967_296.0
    }

    /// About standard normal: the sum of twelve uniform numbers, less six, never beyond 6.
    fn normal(&mut self) -> f64 {
        (0..12).map(|_| self.uniform()).sum::<f64>() - 6.0
    }
}
