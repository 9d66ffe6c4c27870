//! What a run folder says of this process.

use serengine::EngineFacts;
use serrun::{Environment, Maker};

use crate::{cli, data::Sources, machine};

/// This process, computing with the engine that `facts` describe.
pub fn maker(facts: EngineFacts) -> Maker {
    Maker {
        commit: option_env!("SERLAB_COMMIT").map(str::to_owned),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        engine: facts.name,
        numerics: facts.numerics,
        device: facts.device,
        simd: facts.simd,
        machine: machine::machine(),
    }
}

/// Where and how this process begins a run.
pub fn environment(maker: &Maker, sources: &Sources, jobs: usize) -> Environment {
    Environment {
        version: Environment::VERSION,
        program: env!("CARGO_PKG_NAME").to_owned(),
        program_version: maker.version.clone(),
        built_at_commit: maker.commit.clone(),
        program_hash: machine::program_hash(),
        libtorch: "2.11.0".to_owned(),
        engine: maker.engine.clone(),
        device: maker.device.clone(),
        corpora: sources.corpora.iter().map(|s| (s.name.to_string(), s.corpus.root.clone())).collect(),
        os: std::env::consts::OS.to_owned(),
        architecture: std::env::consts::ARCH.to_owned(),
        cpu: machine::cpu(),
        cores: machine::cores(),
        jobs,
        command: cli::without(&["--shard"], &cli::words()),
    }
}
