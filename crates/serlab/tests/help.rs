//! `cargo xtask reproduce --help` shows docs/cli/*.txt without building serlab, so they have to be what serlab prints.
#![allow(clippy::unwrap_used)]

use std::{path::Path, process::Command};

use assert_cmd::cargo::cargo_bin;

#[test]
fn the_help_texts_in_docs_are_what_the_program_prints() {
    for command in ["reproduce", "merge", "show", "export"] {
        let output = Command::new(cargo_bin!("serlab")).args([command, "--help"]).output().unwrap();
        assert!(output.status.success());
        let printed = String::from_utf8(output.stdout).unwrap();
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../../docs/cli/serlab-{command}.txt"));
        if std::env::var_os("SER_BLESS").is_some() {
            std::fs::write(&path, &printed).unwrap();
        }
        let text = std::fs::read_to_string(&path).unwrap();
        assert_eq!(text, printed, "SER_BLESS=1 cargo test -p serlab --test help writes {}", path.display());
    }
}
