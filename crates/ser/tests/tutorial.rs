//! docs/tutorial.md does what it says: its commands run in order in an empty folder, and what they print is what the page
//! shows. Blocks under `<!-- measured -->` show figures of trained networks, which another machine's floating point may move:
//! in them a percentage may differ by [`POINTS`], a share by a hundredth of that, a count by [`COUNT`]. All else is compared as it is.

#![allow(clippy::unwrap_used)]

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use assert_cmd::cargo::cargo_bin;

/// Percentage points.
const POINTS: f64 = 15.0;
/// Utterances of 36.
const COUNT: f64 = 6.0;

/// A command of a `console` block, and the lines shown below it.
struct Step {
    line: usize,
    measured: bool,
    command: String,
    shown: Vec<String>,
}

fn steps(page: &str) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    let (mut inside, mut open, mut measured) = (false, false, false);
    let mut before = "";
    for (line, text) in (1..).zip(page.lines()) {
        if text.starts_with("```") {
            (inside, open) = (text == "```console", false);
            measured = before == "<!-- measured -->";
        } else if inside && let Some(command) = text.strip_prefix("$ ") {
            open = command.ends_with('\\');
            let command = command.trim_end_matches('\\').to_owned();
            steps.push(Step { line, measured, command, shown: Vec::new() });
        } else if inside && let Some(step) = steps.last_mut() {
            if open {
                open = text.ends_with('\\');
                step.command.push_str(text.trim().trim_end_matches('\\'));
            } else {
                step.shown.push(text.to_owned());
            }
        }
        before = text;
    }
    steps
}

/// The numbers of a line, and the text before, between and after them. Runs of spaces and dashes, which are as long as a table is
/// wide, are one.
fn parse(line: &str) -> (Vec<String>, Vec<String>) {
    let (mut texts, mut numbers) = (vec![String::new()], Vec::<String>::new());
    let mut in_number = false;
    let characters: Vec<char> = line.trim_end().chars().collect();
    for (i, &c) in characters.iter().enumerate() {
        let point = c == '.' && in_number && characters.get(i + 1).is_some_and(char::is_ascii_digit);
        if c.is_ascii_digit() || point {
            if !in_number {
                numbers.push(String::new());
                texts.push(String::new());
            }
            numbers.last_mut().unwrap().push(c);
            in_number = true;
        } else {
            let text = texts.last_mut().unwrap();
            if !(matches!(c, ' ' | '-') && text.ends_with(c)) {
                text.push(c);
            }
            in_number = false;
        }
    }
    (numbers, texts)
}

/// Whether a printed line is the shown one, figures within their tolerance where they are measured.
fn same(shown: &str, printed: &str, measured: bool) -> bool {
    let ((numbers, texts), (found, found_texts)) = (parse(shown), parse(printed));
    texts == found_texts
        && numbers.iter().zip(&found).zip(&texts[1..]).all(|((a, b), after)| {
            let decimals = |number: &str| number.split_once('.').map_or(0, |(_, decimals)| decimals.len());
            let tolerance = match decimals(a) {
                _ if !measured => 0.0,
                0 if shown.starts_with('|') || after.starts_with(" of ") => COUNT,
                0 => 0.0,
                1 => POINTS,
                _ => POINTS / 100.0,
            };
            let (value, found): (f64, f64) = (a.parse().unwrap(), b.parse().unwrap());
            a == b || (decimals(a) == decimals(b) && (value - found).abs() <= tolerance + 1e-9)
        })
}

#[test]
fn figures_are_compared_and_not_only_their_digits() {
    let table = |p: &str| format!("| none     |    |  {p} | 1.0 |");
    assert!(same(&table("86.1"), &table("80.0"), true));
    assert!(same(&table("86.1"), &table("100.0"), true), "wider columns are the same");
    for (shown, printed) in [
        ("UAR 86.1 %", "UAR 61.1 %"),
        ("me.wav  sad  0.95", "me.wav  sad  0.55"),
        ("me.wav  sad  0.95", "me.wav  angry  0.95"),
        ("36 utterances", "35 utterances"),
        ("20 of 36 answered", "20 of 35 answered"),
        ("20 of 36 answered", "10 of 36 answered"),
        ("| is sad |  11 |", "| is sad |   2 |"),
        ("0.95", "95.0"),
    ] {
        assert!(!same(shown, printed, true), "{shown} {printed}");
    }
    assert!(same("20 of 36 answered", "18 of 36 answered", true));
    assert!(!same("84 utterances, 0.9 min", "84 utterances, 0.8 min", false));
}

#[test]
fn the_tutorial_is_true() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/tutorial.md");
    let steps = steps(&std::fs::read_to_string(page).unwrap());
    assert!(steps.len() > 10, "{} commands", steps.len());
    assert!(steps.iter().any(|step| step.measured) && steps.iter().any(|step| !step.measured));
    let folder = tempfile::tempdir().unwrap();
    let own = PathBuf::from(cargo_bin!("ser")).parent().unwrap().to_owned();
    let inherited = std::env::var_os("PATH").unwrap_or_default();
    let path = std::env::join_paths([own].into_iter().chain(std::env::split_paths(&inherited))).unwrap();
    for Step { line, measured, command, shown } in steps {
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
        let lines: Vec<&str> = printed.lines().collect();
        let mut at = 0;
        for text in shown.iter().filter(|t| *t != "...") {
            let found = lines[at..].iter().position(|found| same(text, found, measured));
            at += 1 + found.unwrap_or_else(|| panic!("line {line}: `{command}` printed no\n{text}\nbut\n{printed}"));
        }
    }
    assert!(folder.path().join("why.svg").is_file() && folder.path().join("robustness.svg").is_file());
}
