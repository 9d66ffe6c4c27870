//! What the tests of the program share.

#![allow(dead_code, clippy::unwrap_used)]

use std::{path::Path, process::Command};

use assert_cmd::cargo::cargo_bin;

/// A command in `folder`, without the caller's settings.
pub fn command(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(cargo_bin!("ser"));
    for variable in ["NO_COLOR", "CLICOLOR_FORCE", "CLICOLOR", "SER_MODEL"] {
        command.env_remove(variable);
    }
    command.current_dir(folder).args(arguments);
    command
}

/// (exit code, stdout, stderr)
pub fn run(mut command: Command) -> (i32, String, String) {
    let output = command.output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

/// [`command`] and [`run`].
pub fn ser(folder: &Path, arguments: &[&str]) -> (i32, String, String) {
    run(command(folder, arguments))
}

/// A mono recording of 16 bits.
pub fn wav(path: &Path, rate: u32, samples: impl IntoIterator<Item = i16>) {
    let spec =
        hound::WavSpec { channels: 1, sample_rate: rate, bits_per_sample: 16, sample_format: hound::SampleFormat::Int };
    let mut writer = hound::WavWriter::create(path, spec).unwrap();
    samples.into_iter().for_each(|sample| writer.write_sample(sample).unwrap());
    writer.finalize().unwrap();
}
