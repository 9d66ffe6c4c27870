//! docs/tutorial.md does what it says: its commands run in order in an empty folder, and what they print is what the page
//! shows. A machine's floating point may move a figure, so digits are compared as digits and not by value.

#![allow(clippy::unwrap_used)]

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use assert_cmd::cargo::cargo_bin;

/// A command of a `console` block, and the lines shown below it.
struct Step {
    line: usize,
    command: String,
    shown: Vec<String>,
}

fn steps(page: &str) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    let mut inside = false;
    let mut open = false;
    for (line, text) in (1..).zip(page.lines()) {
        if text.starts_with("```") {
            (inside, open) = (text == "```console", false);
        } else if inside && let Some(command) = text.strip_prefix("$ ") {
            open = command.ends_with('\\');
            steps.push(Step { line, command: command.trim_end_matches('\\').to_owned(), shown: Vec::new() });
        } else if inside && let Some(step) = steps.last_mut() {
            if open {
                open = text.ends_with('\\');
                step.command.push_str(text.trim().trim_end_matches('\\'));
            } else {
                step.shown.push(text.to_owned());
            }
        }
    }
    steps
}

/// The line without what a machine may move: runs of digits become `0`, runs of spaces and dashes one of them.
fn plain(line: &str) -> String {
    let mut out = String::new();
    for c in line.trim_end().chars() {
        let c = if c.is_ascii_digit() { '0' } else { c };
        if !(matches!(c, '0' | ' ' | '-') && out.ends_with(c)) {
            out.push(c);
        }
    }
    out.replace("0.0", "0")
}

#[test]
fn the_tutorial_is_true() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/tutorial.md");
    let steps = steps(&std::fs::read_to_string(page).unwrap());
    assert!(steps.len() > 10, "{} commands", steps.len());
    let folder = tempfile::tempdir().unwrap();
    let own = PathBuf::from(cargo_bin!("ser")).parent().unwrap().to_owned();
    let inherited = std::env::var_os("PATH").unwrap_or_default();
    let path = std::env::join_paths([own].into_iter().chain(std::env::split_paths(&inherited))).unwrap();
    for Step { line, command, shown } in steps {
        // Progress goes to stderr, in between: shown together, as a terminal shows them.
        let output = Command::new("sh")
            .args(["-c", &format!("exec 2>&1; {command}")])
            .current_dir(folder.path())
            .env("PATH", &path)
            .env_remove("SER_MODEL")
            .output()
            .unwrap();
        let printed = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success(), "line {line}: `{command}` failed:\n{printed}");
        let printed: Vec<String> = printed.lines().map(plain).collect();
        let mut at = 0;
        for text in shown.iter().filter(|t| *t != "...") {
            let found = printed[at..].iter().position(|p| *p == plain(text));
            at += 1 + found
                .unwrap_or_else(|| panic!("line {line}: `{command}` printed no\n{text}\nbut\n{}", printed.join("\n")));
        }
    }
    assert!(folder.path().join("why.svg").is_file() && folder.path().join("robustness.svg").is_file());
}
