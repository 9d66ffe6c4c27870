//! A small laboratory: the program, configurations and a synthetic corpus in a folder of its own.

#![allow(dead_code)] // no test file uses all of it

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use assert_cmd::cargo::cargo_bin;
use sercorpus::{CorpusKind, synth};
use tempfile::TempDir;

/// A folder with the configuration, a corpus, and whatever the program writes.
pub struct Lab(TempDir);

impl Lab {
    pub fn new() -> Self {
        let lab = Self(TempDir::new().unwrap());
        let configs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../configs");
        fs::create_dir_all(lab.path("configs/corpora")).unwrap();
        for name in ["table1.toml", "table2.toml", "table3.toml", "fig2.toml", "fig3.toml", "published.toml"] {
            fs::copy(configs.join(name), lab.path("configs").join(name)).unwrap();
        }
        for corpus in ["casia", "emodb", "emovo", "iemocap", "ravdess", "savee"] {
            let name = format!("corpora/{corpus}.toml");
            fs::copy(configs.join(&name), lab.path("configs").join(&name)).unwrap();
        }
        lab.edit("configs/corpora/emodb.toml", "length = 96000", "length = 20000");
        lab.edit("configs/corpora/emodb.toml", "blocks = 8", "blocks = 2");
        lab.edit("configs/table1.toml", "batch_size = 64", "batch_size = 16");
        synth::write(CorpusKind::Emodb, &lab.path("emodb"), &synth::SynthOptions::small()).unwrap();
        lab
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub fn edit(&self, name: &str, from: &str, to: &str) {
        let text = fs::read_to_string(self.path(name)).unwrap();
        assert!(text.contains(from), "{name}: {from}");
        fs::write(self.path(name), text.replace(from, to)).unwrap();
    }

    /// `serlab` in the folder, with none of the surroundings' settings.
    pub fn serlab(&self, words: &[&str]) -> Command {
        let mut command = Command::new(cargo_bin!("serlab"));
        command.current_dir(self.0.path());
        for name in ["SER_DATA", "SER_LOG", "SLURM_ARRAY_TASK_ID", "JOB_COMPLETION_INDEX"] {
            command.env_remove(name);
        }
        self.give_store(&mut command, words);
        command.args(words);
        if matches!(words.first(), Some(&("reproduce" | "merge"))) {
            command.args(["--configs", "configs"]);
        }
        command
    }

    pub fn command(&self, options: &[&str]) -> Command {
        let mut command = self.serlab(&["reproduce", "table1", "--only", "emodb"]);
        command.args(options);
        self.give_store(&mut command, options);
        command
    }

    /// A store for each run folder, so that each run trains its folds itself; `--store` shares.
    fn give_store(&self, command: &mut Command, words: &[&str]) {
        let run_dir = words.iter().skip_while(|w| **w != "--run-dir").nth(1).unwrap_or(&"none");
        command.env("SER_STORE", self.path(&format!("stores/{}", run_dir.replace('/', "-"))));
    }

    pub fn run(&self, options: &[&str]) -> Output {
        self.command(options).output().unwrap()
    }

    /// Runs on the corpus; what it says has to hold all of `parts`, and nothing but folders may be in `run`.
    pub fn refused(&self, code: i32, options: &[&str], parts: &[&str]) {
        let output = self.run(options);
        let text = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{text}");
        assert!(parts.iter().all(|p| text.contains(p)) && !text.contains("panicked"), "{parts:?} in {text}");
        assert!(!self.path("run/metrics.json").exists());
    }

    /// Makes every recording half a minute long, so that their features take seconds.
    pub fn lengthen(&self) {
        for entry in fs::read_dir(self.path("emodb/wav")).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|e| e == "wav") && fs::metadata(&path).unwrap().len() > 10_000 {
                fs::write(&path, noise(30 * 16_000)).unwrap();
            }
        }
    }

    /// As [`Self::refused`] with code 2, in a folder that holds a run.
    pub fn refused_there(&self, options: &[&str], parts: &[&str]) {
        let output = self.run(options);
        let text = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{text}");
        assert!(parts.iter().all(|p| text.contains(p)), "{parts:?} in {text}");
    }

    pub fn wav(&self) -> PathBuf {
        let mut all: Vec<PathBuf> = fs::read_dir(self.path("emodb/wav")).unwrap().map(|e| e.unwrap().path()).collect();
        all.retain(|p| {
            p.extension().is_some_and(|e| e == "wav") && !p.file_name().unwrap().to_str().unwrap().starts_with('.')
        });
        all.sort();
        all.remove(3)
    }
}

/// What a run says, if it went well.
pub fn done(mut command: Command) -> String {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Every file below `folder` but those that tell of one call.
pub fn contents(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut out = BTreeMap::new();
    let mut open = vec![folder.to_owned()];
    while let Some(next) = open.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                // The report quotes the environment and the sessions.
                if !path.ends_with("report") {
                    open.push(path);
                }
            } else if !of_one_call(path.file_name().unwrap().to_str().unwrap()) {
                out.insert(path.strip_prefix(folder).unwrap().to_owned(), fs::read(&path).unwrap());
            }
        }
    }
    out
}

/// Whether a file tells of the calls that made a run, and so differs between two runs of one configuration.
fn of_one_call(name: &str) -> bool {
    ["environment", "sessions", "lock"].iter().any(|n| name.starts_with(n)) || name.ends_with("provenance.json")
}

/// Every file and link below `folder`, with its content or target.
pub fn everything(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut out = BTreeMap::new();
    let mut open = vec![folder.to_owned()];
    while let Some(next) = open.pop() {
        for entry in fs::read_dir(&next).unwrap() {
            let path = entry.unwrap().path();
            let name = path.strip_prefix(folder).unwrap().to_owned();
            if path.is_symlink() {
                out.insert(name, fs::read_link(&path).unwrap().into_os_string().into_encoded_bytes());
            } else if path.is_dir() {
                out.insert(name, Vec::new());
                open.push(path);
            } else {
                out.insert(name, fs::read(&path).unwrap());
            }
        }
    }
    out
}

pub fn json(path: &Path) -> serde_json::Value {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

/// A WAV of `samples` at 16 kHz, mono.
pub fn noise(samples: u32) -> Vec<u8> {
    let mut wav = b"RIFF".to_vec();
    wav.extend((36 + 2 * samples).to_le_bytes());
    wav.extend(b"WAVEfmt ");
    wav.extend(16u32.to_le_bytes());
    wav.extend([1u16, 1].map(u16::to_le_bytes).concat());
    wav.extend([16_000u32, 32_000].map(u32::to_le_bytes).concat());
    wav.extend([2u16, 16].map(u16::to_le_bytes).concat());
    wav.extend(b"data");
    wav.extend((2 * samples).to_le_bytes());
    wav.extend((0..samples).flat_map(|i| ((i.wrapping_mul(2_654_435_761) >> 18) as i16).to_le_bytes()));
    wav
}
