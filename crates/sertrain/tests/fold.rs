//! The loop, its selections and its checkpoints, on an engine whose answers are known.

#![allow(clippy::unwrap_used)]

mod common;

use std::{fs, ops::ControlFlow};

use common::*;
use serengine::{EngineError, streams::Key};
use sertrain::{CheckpointError, EpochRecord, FoldTask, Schedule, TrainError, train_fold, train_unscored};
use timnet_core::ModelConfig;

#[test]
fn each_protocol_gets_its_epoch() {
    let outcome = train_fold(&mut Scripted::new(), &task(&VALIDATION), &schedule(6), None, &mut go_on).unwrap();
    assert_eq!((outcome.last.scored.epoch, outcome.last.scored.accuracy), (6, 0.5));
    assert_eq!((outcome.best.scored.epoch, outcome.best.scored.accuracy), (5, 1.0));
    // On validation: 1/3, 3/3, 2/3, 3/3, 3/3, 2/3; the earliest of equals.
    let validated = outcome.validated.unwrap();
    assert_eq!((validated.scored.epoch, validated.scored.accuracy), (2, 1.0));
    assert_eq!(validated.scored.probabilities.len(), 4);
    let accuracies: Vec<Option<f64>> = outcome.records.iter().map(|r| r.test_accuracy).collect();
    assert_eq!(accuracies, [0.25, 0.75, 0.5, 0.75, 1.0, 0.5].map(Some));
    // ln(1 + e^-1) where right, ln(1 + e) where wrong.
    let loss = 0.75f64.mul_add((1.0 + (1f64).exp()).ln(), 0.25 * (1.0 + (-1f64).exp()).ln());
    assert!((outcome.records[0].test_loss.unwrap() - loss).abs() < 1e-12);
}

#[test]
fn a_stopped_fold_goes_on_to_the_same_outcome() {
    let whole = train_fold(&mut Scripted::new(), &task(&VALIDATION), &schedule(6), None, &mut go_on).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("fold.checkpoint");
    for stop in [1, 3, 4] {
        let mut until =
            |r: &EpochRecord| if r.epoch == stop { ControlFlow::Break(()) } else { ControlFlow::Continue(()) };
        let stopped = train_fold(&mut Scripted::new(), &task(&VALIDATION), &schedule(6), Some(&path), &mut until);
        assert!(matches!(stopped, Err(TrainError::Stopped(e)) if e == stop));
    }
    let resumed = train_fold(&mut Scripted::new(), &task(&VALIDATION), &schedule(6), Some(&path), &mut go_on).unwrap();
    assert_eq!(resumed, whole);
}

#[test]
fn a_damaged_checkpoint_is_named_and_explained() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("fold.checkpoint");
    train_fold(&mut Scripted::new(), &task(&[]), &schedule(2), Some(&path), &mut go_on).unwrap();
    let bytes = fs::read(&path).unwrap();
    for n in [0, 9, bytes.len() / 2, bytes.len() - 1] {
        fs::write(&path, &bytes[..n]).unwrap();
        let error = train_fold(&mut Scripted::new(), &task(&[]), &schedule(2), Some(&path), &mut go_on).unwrap_err();
        let text = error.to_string();
        assert!(text.contains("fold.checkpoint cannot be used") && text.contains("delete it"), "{text}");
    }
}

#[test]
fn a_loss_that_is_no_number_is_an_error() {
    let mut engine = Scripted { nan_at: Some(4), ..Scripted::new() };
    let error = train_fold(&mut engine, &task(&[]), &schedule(3), None, &mut go_on).unwrap_err();
    assert!(matches!(error, TrainError::NotFinite { epoch: 2, step: 2, .. }), "{error}");
}

#[test]
fn empty_parts_are_errors() {
    let mut no_test = task(&[]);
    no_test.test = &[];
    let error = train_fold(&mut Scripted::new(), &no_test, &schedule(1), None, &mut go_on).unwrap_err();
    assert_eq!(error.to_string(), "the fold's test part is empty");
}

/// On validation right are 1, 3, 2, 3, 3, 2 of 3: the best is epoch 2.
#[test]
fn early_stopping_looks_at_the_validation_part() {
    for (patience, last) in [(1, 3), (2, 4), (4, 6), (9, 6)] {
        let tired = Schedule { patience: Some(patience), ..schedule(6) };
        let outcome = train_fold(&mut Scripted::new(), &task(&VALIDATION), &tired, None, &mut go_on).unwrap();
        assert_eq!((outcome.records.len(), outcome.last.scored.epoch), (last as usize, last), "{patience}");
        assert_eq!(outcome.validated.unwrap().scored.epoch, 2);
        let whole = train_fold(&mut Scripted::new(), &task(&VALIDATION), &schedule(last), None, &mut go_on).unwrap();
        assert_eq!(outcome.last, whole.last);
    }
    let tired = Schedule { patience: Some(1), ..schedule(6) };
    let no_part = train_fold(&mut Scripted::new(), &task(&[]), &tired, None, &mut go_on);
    let not_every = Schedule { test_every_epoch: false, ..tired };
    let not_every = train_fold(&mut Scripted::new(), &task(&VALIDATION), &not_every, None, &mut go_on);
    for failed in [no_part, not_every] {
        assert!(matches!(failed, Err(TrainError::Patience)));
    }
}

#[test]
fn a_test_part_scored_once_gives_the_same_last_epoch() {
    let whole = train_fold(&mut Scripted::new(), &task(&VALIDATION), &schedule(6), None, &mut go_on).unwrap();
    let once = Schedule { test_every_epoch: false, ..schedule(6) };
    let outcome = train_fold(&mut Scripted::new(), &task(&VALIDATION), &once, None, &mut go_on).unwrap();
    assert_eq!(outcome.last, whole.last);
    assert_eq!(outcome.best, whole.last);
    assert_eq!(outcome.validated.unwrap().scored.epoch, 6);
    let accuracies: Vec<Option<f64>> = outcome.records.iter().map(|r| r.test_accuracy).collect();
    assert_eq!(accuracies, [None, None, None, None, None, Some(0.5)]);
    // What was not measured is not in the file.
    let json = serde_json::to_string(&outcome.records[0]).unwrap();
    assert!(!json.contains("test_") && !json.contains("validation_"), "{json}");
    assert_eq!(outcome.records[2].train_loss, whole.records[2].train_loss);
}

/// Trains `epochs` epochs of `task` with a checkpoint in `path`.
fn train(
    engine: &mut Scripted,
    task: &FoldTask,
    schedule: &Schedule,
    path: &std::path::Path,
) -> Result<sertrain::FoldOutcome, TrainError> {
    train_fold(engine, task, schedule, Some(path), &mut go_on)
}

/// What the error of going on as another task says differs.
fn differences(result: Result<sertrain::FoldOutcome, TrainError>) -> String {
    match result {
        Err(TrainError::Checkpoint(e @ CheckpointError::OtherTask { .. })) => {
            let text = e.to_string();
            assert!(text.contains("belongs to another task") && text.contains("delete it"), "{text}");
            text
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_checkpoint_is_gone_on_from_by_its_own_task_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("fold.checkpoint");
    let fine = task(&VALIDATION);
    train(&mut Scripted::new(), &fine, &schedule(2), &path).unwrap();
    let bytes = fs::read(&path).unwrap();
    let other_labels: Vec<usize> = LABELS.iter().map(|label| 1 - label).collect();
    let reversed: Vec<usize> = TRAIN.iter().rev().copied().collect();
    let tasks = [
        ("`seed` is 1 in the checkpoint and 2 in this task", FoldTask { key: Key { seed: 2, ..KEY }, ..fine.clone() }),
        ("`fold` is 0 in the checkpoint and 7 in this task", FoldTask { key: Key { fold: 7, ..KEY }, ..fine.clone() }),
        ("`train` is", FoldTask { train: &TEST, test: &TRAIN, ..fine.clone() }),
        ("`test` is", FoldTask { train: &TEST, test: &TRAIN, ..fine.clone() }),
        ("`train` is", FoldTask { train: &reversed, ..fine.clone() }),
        ("`validation` is", task(&VALIDATION[..2])),
        ("`validation` is", task(&[])),
        ("`labels` is", FoldTask { labels: &other_labels, ..fine.clone() }),
        ("`classes` is 2 in the checkpoint and 3 in this task", FoldTask { classes: 3, ..fine.clone() }),
    ];
    for (says, other) in tasks {
        let text = differences(train(&mut Scripted::new(), &other, &schedule(4), &path));
        assert!(text.contains(says), "{text}; expected {says}");
    }
    let schedules = [
        ("`batch_size` is 4 in the checkpoint and 5 in this task", Schedule { batch_size: 5, ..schedule(4) }),
        ("`test_every_epoch` is true in", Schedule { test_every_epoch: false, ..schedule(4) }),
    ];
    for (says, other) in schedules {
        let text = differences(train(&mut Scripted::new(), &fine, &other, &path));
        assert!(text.contains(says), "{text}; expected {says}");
    }
    let with = |change: &dyn Fn(&mut Scripted)| {
        let mut engine = Scripted::new();
        change(&mut engine);
        differences(train(&mut engine, &fine, &schedule(4), &path))
    };
    let engines = [
        ("`inputs.data` is \"none\" in", with(&|e| e.inputs.data = "other".into())),
        ("`inputs.objective.adam.eps` is 1e-8 in", with(&|e| e.inputs.objective.adam.eps = 1e-7)),
        ("`numerics` is 1 in the checkpoint and 2", with(&|e| e.facts.numerics = 2)),
        ("`engine` is \"scripted\" in", with(&|e| e.facts.name = "other".into())),
        ("`device_kind` is \"cpu\" in", with(&|e| e.facts.device = "cuda:0".into())),
        ("`config.blocks` is 1 in the checkpoint and 2", { with(&|e| e.state = fresh(&ModelConfig::timnet(2, 2))) }),
    ];
    for (says, text) in engines {
        assert!(text.contains(says), "{text}; expected {says}");
    }
    // Nobody wrote to it.
    assert_eq!(fs::read(&path).unwrap(), bytes);
    train(&mut Scripted::new(), &fine, &schedule(4), &path).unwrap();
}

#[test]
fn more_epochs_go_on_from_fewer_and_fewer_are_refused() {
    for every in [true, false] {
        let schedule = |epochs| Schedule { test_every_epoch: every, ..schedule(epochs) };
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("fold.checkpoint");
        train(&mut Scripted::new(), &task(&VALIDATION), &schedule(5), &path).unwrap();
        let fewer = train(&mut Scripted::new(), &task(&VALIDATION), &schedule(4), &path).unwrap_err().to_string();
        assert!(fewer.contains("holds 5 epochs and 4 are asked for") && fewer.contains("delete it"), "{fewer}");
        let more = train(&mut Scripted::new(), &task(&VALIDATION), &schedule(6), &path).unwrap();
        let whole = train_fold(&mut Scripted::new(), &task(&VALIDATION), &schedule(6), None, &mut go_on).unwrap();
        assert_eq!(more, whole, "{every}");
        // A finished one gives its outcome again.
        assert_eq!(train(&mut Scripted::new(), &task(&VALIDATION), &schedule(6), &path).unwrap(), whole);
    }
}

#[test]
fn a_checkpoint_with_another_value_than_was_written_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("fold.checkpoint");
    train(&mut Scripted::new(), &task(&VALIDATION), &schedule(2), &path).unwrap();
    let mut bytes = fs::read(&path).unwrap();
    let at = bytes.len() - 4;
    bytes[at..].copy_from_slice(&f32::NAN.to_le_bytes());
    fs::write(&path, bytes).unwrap();
    let text = train(&mut Scripted::new(), &task(&VALIDATION), &schedule(3), &path).unwrap_err().to_string();
    assert!(text.contains("fold.checkpoint cannot be used") && text.contains("not what was written"), "{text}");
}

#[test]
fn weights_and_logits_are_looked_at_beside_the_loss() {
    let mut engine = Scripted { spoiled_at: Some(3), ..Scripted::new() };
    let error = train_fold(&mut engine, &task(&[]), &schedule(3), None, &mut go_on).unwrap_err();
    assert!(matches!(error, TrainError::Diverged { epoch: 2, .. }), "{error}");
    let text = error.to_string();
    assert!(text.contains("`backward.1.b.norm.running_var` has inf at element 38"), "{text}");
    let mut engine = Scripted { silent_at: Some(4), ..Scripted::new() };
    let error = train_fold(&mut engine, &task(&[]), &schedule(3), None, &mut go_on).unwrap_err();
    assert!(matches!(error, TrainError::Engine(EngineError::NotFinite { .. })), "{error}");
}

#[test]
fn what_cannot_be_a_fold_is_an_error() {
    let error = |task: &FoldTask, schedule: &Schedule| {
        train_fold(&mut Scripted::new(), task, schedule, None, &mut go_on).unwrap_err()
    };
    let fine = task(&VALIDATION);
    for (says, wrong) in [
        ("utterance 7 (counted from 0) is in the fold's training part and again in its test part", {
            FoldTask { test: &[8, 7], ..fine.clone() }
        }),
        ("utterance 0 (counted from 0) is in the fold's training part and again in its validation", {
            FoldTask { validation: &[0], ..fine.clone() }
        }),
        ("utterance 12 (counted from 0) is in the fold's validation part and again in its test", {
            FoldTask { test: &[12], ..fine.clone() }
        }),
        ("in the fold's test part and again in its test part", FoldTask { test: &[8, 8], ..fine.clone() }),
        ("test part names utterance 15 (counted from 0) of 15", FoldTask { test: &[15], ..fine.clone() }),
        ("training part names utterance 99", FoldTask { train: &[99], ..fine.clone() }),
        ("utterance 1 (counted from 0) has label 1, and there are 1 classes", FoldTask { classes: 1, ..fine.clone() }),
        ("the fold's training part is empty", FoldTask { train: &[], ..fine.clone() }),
    ] {
        let text = error(&wrong, &schedule(2)).to_string();
        assert!(text.contains(says), "{text}; expected {says}");
    }
    assert_eq!(error(&fine, &schedule(0)).to_string(), "the number of epochs is 0; it must be at least 1");
    let none = Schedule { batch_size: 0, ..schedule(1) };
    assert_eq!(error(&fine, &none).to_string(), "the batch size is 0; it must be at least 1");
}

#[test]
fn training_without_a_test_part_ends_in_the_same_weights() {
    let whole = train_fold(&mut Scripted::new(), &task(&VALIDATION), &schedule(4), None, &mut go_on).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("everything.checkpoint");
    let mut records = Vec::new();
    let mut observe = |r: &EpochRecord| {
        records.push(*r);
        if r.epoch == 2 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let fine = task(&VALIDATION);
    let stopped = train_unscored(&mut Scripted::new(), &fine, &schedule(4), Some(&path), &mut observe);
    assert!(matches!(stopped, Err(TrainError::Stopped(2))));
    let weights = train_unscored(&mut Scripted::new(), &fine, &schedule(4), Some(&path), &mut observe).unwrap();
    assert_eq!(weights, whole.last.weights);
    assert!(records.iter().all(|r| r.test_accuracy.is_none() && r.validation_loss.is_none()));
}
