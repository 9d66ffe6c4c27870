//! Where a run was computed.

use std::{collections::BTreeMap, path::PathBuf};

use serde::Serialize;

use crate::{corpora::Sources, emit, provenance::Maker};

/// `environment.json`: where and how the run was begun. Written once: what trained each fold is in its provenance.
#[derive(Debug, Serialize)]
pub struct Environment<'a> {
    version: u32,
    program: &'static str,
    program_version: &'a str,
    /// HEAD when the program was built; absent where that was no git checkout.
    built_at_commit: Option<&'a str>,
    program_hash: Option<String>,
    libtorch: &'static str,
    engine: &'a str,
    device: &'a str,
    corpora: BTreeMap<String, PathBuf>,
    os: &'static str,
    architecture: &'static str,
    cpu: Option<String>,
    cores: usize,
    jobs: usize,
    /// The command that makes the whole run: a shard's without `--shard`. Each call's own is in `sessions.jsonl`.
    command: Vec<String>,
}

impl<'a> Environment<'a> {
    /// Of this process.
    pub fn of(maker: &'a Maker, sources: &Sources, jobs: usize) -> Self {
        Self {
            version: 1,
            program: env!("CARGO_PKG_NAME"),
            program_version: &maker.version,
            built_at_commit: maker.commit.as_deref(),
            program_hash: program_hash(),
            libtorch: "2.11.0",
            engine: &maker.engine,
            device: &maker.device,
            corpora: sources.corpora.iter().map(|s| (s.kind.to_string(), s.corpus.root.clone())).collect(),
            os: std::env::consts::OS,
            architecture: std::env::consts::ARCH,
            cpu: cpu(),
            cores: cores(),
            jobs,
            command: emit::without(&["--shard"], &command()),
        }
    }
}

/// The words of this process' command line.
pub fn command() -> Vec<String> {
    std::env::args_os().map(|word| word.to_string_lossy().into_owned()).collect()
}

/// Host, processor and system, as far as they are known: `node7, AMD EPYC 7763, linux x86_64`.
pub fn machine() -> String {
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").ok().map(|name| name.trim().to_owned());
    let system = Some(format!("{} {}", std::env::consts::OS, std::env::consts::ARCH));
    [host.filter(|h| !h.is_empty()), cpu(), system].into_iter().flatten().collect::<Vec<_>>().join(", ")
}

/// Cores this process may use.
pub fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, Into::into)
}

/// Hash of the program's file: equal hashes are equal programs, whatever the commit says.
fn program_hash() -> Option<String> {
    let bytes = std::fs::read(std::env::current_exe().ok()?).ok()?;
    Some(blake3::Hasher::new().update_rayon(&bytes).finalize().to_hex().to_string())
}

fn cpu() -> Option<String> {
    let info = std::fs::read_to_string("/proc/cpuinfo").ok()?;
    let line = info.lines().find(|l| l.starts_with("model name"))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

/// CPU time of this process so far, all threads, in seconds.
pub fn cpu_seconds() -> f64 {
    let mut usage = std::mem::MaybeUninit::<libc::rusage>::zeroed();
    // SAFETY: getrusage fills the struct that it is given; zeroes are a valid rusage should it fail.
    let usage = unsafe {
        libc::getrusage(libc::RUSAGE_SELF, usage.as_mut_ptr());
        usage.assume_init()
    };
    let seconds = |t: libc::timeval| t.tv_sec as f64 + t.tv_usec as f64 * 1e-6;
    seconds(usage.ru_utime) + seconds(usage.ru_stime)
}
