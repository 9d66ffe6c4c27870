//! Where a run was computed.

use std::{collections::BTreeMap, path::PathBuf};

use serde::Serialize;

use crate::{
    cli::{EngineKind, Reproduce},
    corpora::Sources,
};

/// `environment.json`: what may explain a difference between two machines. No figure depends on it.
#[derive(Debug, Serialize)]
pub struct Environment {
    version: u32,
    program: &'static str,
    program_version: &'static str,
    git_commit: Option<String>,
    libtorch: &'static str,
    engine: &'static str,
    device: String,
    corpora: BTreeMap<String, PathBuf>,
    os: &'static str,
    architecture: &'static str,
    cpu: Option<String>,
    cores: usize,
    jobs: usize,
    command: Vec<String>,
}

impl Environment {
    /// Of this process.
    pub fn of(args: &Reproduce, engine: EngineKind, sources: &Sources, jobs: usize) -> Self {
        Self {
            version: 1,
            program: env!("CARGO_PKG_NAME"),
            program_version: env!("CARGO_PKG_VERSION"),
            git_commit: git_commit(),
            libtorch: "2.11.0",
            engine: engine.name(),
            device: args.device.clone(),
            corpora: sources.corpora.iter().map(|s| (s.kind.to_string(), s.corpus.root.clone())).collect(),
            os: std::env::consts::OS,
            architecture: std::env::consts::ARCH,
            cpu: cpu(),
            cores: cores(),
            jobs,
            command: std::env::args().collect(),
        }
    }
}

/// Cores this process may use.
pub fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, Into::into)
}

fn git_commit() -> Option<String> {
    let output = std::process::Command::new("git").args(["describe", "--always", "--dirty"]).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
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
