//! The words of the command line: what shells complete, what a wrong name says, how much is told.
#![allow(clippy::unwrap_used)]

mod common;

use std::process::Output;

use common::{Lab, done};

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn names_complete_in_shells() {
    let lab = Lab::new();
    // What clap's scripts complete: fish no values of arguments without a name, powershell and elvish no values at all.
    let values = ["speaker-independent", "no-bd", "texts-and-speakers", "libtorch", "kubernetes", "table3", "fig2"];
    for (shell, complete) in [("bash", 7), ("zsh", 7), ("fish", 5), ("powershell", 0), ("elvish", 0)] {
        let script = done(lab.serlab(&["completions", shell]));
        let known = values[..complete].iter().chain(&["checkpoint-every"]);
        let absent: Vec<_> = known.filter(|name| !script.contains(**name)).collect();
        assert!(absent.is_empty(), "{shell}: {absent:?}");
    }
}

#[test]
fn a_wrong_name_says_the_nearest() {
    let lab = Lab::new();
    for (words, nearest) in [
        (["--protocol", "speaker-independant"], "'speaker-independent'"),
        (["--system", "tim-nett"], "'tim-net'"),
        (["--division", "text"], "'texts'"),
    ] {
        let output = lab.command(&words).output().unwrap();
        assert_eq!(output.status.code(), Some(2));
        assert!(said(&output).contains(&format!("exists: {nearest}")), "{}", said(&output));
    }
    let output = lab.serlab(&["reproduce", "table5"]).output().unwrap();
    assert!(output.status.code() == Some(2) && said(&output).contains("table1"), "{}", said(&output));
}

#[test]
fn q_says_less_and_v_more() {
    let lab = Lab::new();
    let run = |name: &str, more: &[&str]| {
        let options =
            ["--data", "emodb=emodb", "--folds", "2", "--epochs", "1", "--protocol", "last-epoch", "--run-dir", name];
        let output = lab.command(&[&options, more].concat()).output().unwrap();
        assert!(output.status.success(), "{}", said(&output));
        (String::from_utf8(output.stdout.clone()).unwrap(), said(&output))
    };
    let (table, plain) = run("a", &[]);
    let (quiet_table, quiet) = run("b", &["-q"]);
    let (_, loud) = run("c", &["-v"]);
    assert_eq!(table, quiet_table, "data are the same");
    assert!(plain.contains("INFO") && !plain.contains("DEBUG"), "{plain}");
    assert!(!quiet.contains("INFO") && quiet.contains("not the complete corpus"), "warnings stay: {quiet}");
    assert!(loud.contains("DEBUG") && loud.contains("0 of 1 epochs are in the fold store"), "{loud}");
    let output = lab.serlab(&["show", "a", "-q", "-v"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2), "both at once: {}", said(&output));
}
