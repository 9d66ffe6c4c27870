//! `cargo xtask tidy`: lints of the repository itself, of what git tracks or would track.

use std::{fs, path::Path, process::Command};

use anyhow::{Context, Result, bail};

use crate::project::root;

const MAX_RUST_LINES: usize = 500;
const MAX_BYTES: u64 = 1 << 20;
const CORPORA: [&str; 6] = ["CASIA", "EMODB", "EMOVO", "IEMOCAP", "RAVDESS", "SAVEE"];
/// Put together here, so that this file does not complain of itself.
const UNFINISHED: [&str; 2] = [concat!("TO", "DO"), concat!("FIX", "ME")];
const MACHINE: [&str; 4] =
    [concat!("/ho", "me/"), concat!("/ro", "ot/"), concat!("/Us", "ers/"), concat!("/wo", "rk/")];

/// Complaints, as `path:line: what`.
type Complaints = Vec<String>;

pub fn run() -> Result<()> {
    let root = root();
    let output = Command::new("git")
        .current_dir(&root)
        .args(["ls-files", "--cached", "--others", "--exclude-standard"])
        .output()
        .context("cannot start git")?;
    if !output.status.success() {
        bail!("git cannot list the repository's files: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    let mut complaints = Vec::new();
    let mut seen = 0;
    for path in String::from_utf8_lossy(&output.stdout).lines() {
        let full = root.join(path);
        let Ok(metadata) = fs::metadata(&full) else { continue }; // deleted, not yet committed
        seen += 1;
        if metadata.len() > MAX_BYTES {
            complaints.push(format!("{path}: {} bytes; at most {MAX_BYTES}", metadata.len()));
        }
        let Ok(text) = fs::read_to_string(&full) else { continue }; // not text
        words(path, &text, &mut complaints);
        match path.rsplit_once('.').map_or("", |p| p.1) {
            "rs" => rust(path, &text, &mut complaints),
            "md" => markdown(&root, path, &text, &mut complaints),
            _ if is_manifest(path) => manifest(&root, path, &text, &mut complaints),
            _ => {}
        }
    }
    if complaints.is_empty() {
        eprintln!("{seen} files are tidy");
        return Ok(());
    }
    complaints.iter().for_each(|complaint| eprintln!("{complaint}"));
    bail!("{} complaints about the repository", complaints.len());
}

fn words(path: &str, text: &str, complaints: &mut Complaints) {
    for (i, line) in text.lines().enumerate() {
        let found = UNFINISHED.iter().chain(&MACHINE).find(|word| line.contains(**word));
        if let Some(word) = found {
            complaints.push(format!("{path}:{}: `{word}`", i + 1));
        }
    }
}

fn rust(path: &str, text: &str, complaints: &mut Complaints) {
    let lines = text.lines().count();
    if lines > MAX_RUST_LINES {
        complaints.push(format!("{path}: {lines} lines; at most {MAX_RUST_LINES}, split it"));
    }
    let is_root = path.ends_with("src/lib.rs") || path.ends_with("src/main.rs") || path.contains("/examples/");
    if is_root && !(text.starts_with("//!") || text.starts_with("#![doc")) {
        complaints.push(format!("{path}:1: does not begin with a line of documentation"));
    }
}

fn is_manifest(path: &str) -> bool {
    path.ends_with("/Cargo.toml") && (path.starts_with("crates/") || path.starts_with("xtask/"))
}

fn manifest(root: &Path, path: &str, text: &str, complaints: &mut Complaints) {
    let has =
        |key: &str| text.lines().any(|l| l.strip_prefix(key).is_some_and(|rest| rest.starts_with([' ', '.', '='])));
    for key in ["description", "license", "repository", "rust-version"] {
        if !has(key) {
            complaints.push(format!("{path}: no `{key}`"));
        }
    }
    if !text.contains("[lints]\nworkspace = true") {
        complaints.push(format!("{path}: the workspace's lints are not switched on"));
    }
    if path.starts_with("crates/") && !root.join(path).with_file_name("README.md").is_file() {
        complaints.push(format!("{path}: no README.md beside it"));
    }
}

fn markdown(root: &Path, path: &str, text: &str, complaints: &mut Complaints) {
    let folder = root.join(path).parent().unwrap_or(root).to_owned();
    let mut in_code = false;
    for (i, line) in text.lines().enumerate() {
        in_code ^= line.trim_start().starts_with("```");
        if in_code {
            continue;
        }
        for target in links(line) {
            let file = target.split('#').next().unwrap_or_default();
            if !target.contains(':') && !file.is_empty() && !folder.join(file).exists() {
                complaints.push(format!("{path}:{}: there is no {target}", i + 1));
            }
        }
        for word in prose(line).split(|c: char| !c.is_ascii_alphanumeric() && !"-_./=".contains(c)) {
            let word = word.trim_end_matches('.');
            if let Some(name) = CORPORA.iter().find(|name| name.eq_ignore_ascii_case(word) && **name != word) {
                complaints.push(format!("{path}:{}: `{word}` is spelt {name}", i + 1));
            }
        }
    }
}

/// Targets of `](target)`.
fn links(line: &str) -> impl Iterator<Item = &str> {
    line.split("](").skip(1).filter_map(|rest| rest.split([')', ' ']).next())
}

/// The line without code spans and link targets.
fn prose(line: &str) -> String {
    let text: String = line.split('`').step_by(2).collect::<Vec<_>>().join(" ");
    let mut parts = text.split("](");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| text + " " + part.split_once(')').map_or("", |p| p.1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn complaints(text: &str) -> Complaints {
        let mut found = Vec::new();
        markdown(&root(), "README.md", text, &mut found);
        found
    }

    #[test]
    fn dead_links_are_found_and_live_ones_are_not() {
        assert_eq!(complaints("[a](xtask/Cargo.toml#x) [b](https://example.org) [c](#here)\n"), [""; 0]);
        assert_eq!(complaints("\n[a](xtask) and [b](no/such.md)\n"), ["README.md:2: there is no no/such.md"]);
    }

    #[test]
    fn corpora_are_spelt_as_they_spell_themselves() {
        assert_eq!(complaints("EMODB, `emodb`, --data emodb=PATH, corpora/emodb.toml\n```\nemodb\n```\n"), [""; 0]);
        assert_eq!(complaints("On EmoDB.\n"), ["README.md:1: `EmoDB` is spelt EMODB"]);
    }

    #[test]
    fn manifests_need_what_the_registry_shows() {
        let mut found = Vec::new();
        manifest(&root(), "xtask/Cargo.toml", "description = \"x\"\nlicense.workspace = true\n", &mut found);
        assert_eq!(found.len(), 3, "{found:?}");
    }
}
