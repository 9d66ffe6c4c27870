//! The fold store, on an engine whose answers are known.

#![allow(clippy::unwrap_used)]

mod common;

use std::{fs, ops::ControlFlow, path::Path};

use common::*;
use serengine::{Engine, streams::Key};
use sertrain::{
    Claim, EpochRecord, FoldOutcome, FoldStore, FoldTask, Schedule, StoreError, TrainError, Trajectory, train_fold,
};

fn trajectory<'a>(task: &'a FoldTask<'a>, schedule: &Schedule) -> Trajectory<'a> {
    let engine = Scripted::new();
    Trajectory::new(engine.describe(), engine.inputs(), &engine.state.weights.layout, task, schedule)
}

fn at_once() -> ControlFlow<()> {
    ControlFlow::Break(())
}

/// Trains to `epochs` in the store, unless it is there; with the number of epochs that the training began with.
fn in_store(store: &FoldStore, task: &FoldTask, epochs: u32) -> (FoldOutcome, Option<u32>) {
    until(store, task, epochs, &mut go_on).unwrap()
}

fn until(
    store: &FoldStore,
    task: &FoldTask,
    epochs: u32,
    observe: &mut dyn FnMut(&EpochRecord) -> ControlFlow<()>,
) -> Result<(FoldOutcome, Option<u32>), TrainError> {
    let schedule = schedule(epochs);
    let trajectory = trajectory(task, &schedule);
    let claim = store.claim(&trajectory, &mut at_once).unwrap().unwrap();
    if let Some(outcome) = claim.finished(epochs).unwrap() {
        return Ok((outcome, None));
    }
    let mut begun = None;
    let note = |claim: &Claim| fs::read_to_string(claim.notes(epochs)).unwrap_or_default();
    let begin = |n| {
        begun = Some(n);
        fs::write(claim.notes(epochs), format!("{}{n}-", note(&claim))).unwrap();
        Ok::<(), TrainError>(())
    };
    let outcome = claim.train(&mut Scripted::new(), task, &schedule, begin, observe)?;
    Ok((outcome, begun))
}

fn whole(task: &FoldTask, epochs: u32) -> FoldOutcome {
    train_fold(&mut Scripted::new(), task, &schedule(epochs), None, &mut go_on).unwrap()
}

fn files(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        fs::read_dir(folder).unwrap().map(|f| f.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn more_epochs_go_on_from_fewer_to_the_bytes_of_one_go() {
    let folder = tempfile::tempdir().unwrap();
    let (parts, once) = (folder.path().join("parts"), folder.path().join("once"));
    let task = task(&VALIDATION);
    let store = FoldStore::open(&parts).unwrap();
    for (epochs, begun) in [(2, Some(0)), (2, None), (5, Some(2)), (4, Some(2)), (6, Some(5)), (5, None)] {
        assert_eq!(in_store(&store, &task, epochs), (whole(&task, epochs), begun), "{epochs}");
    }
    let key = &store.entries().unwrap()[0];
    assert_eq!(key.finished, [2, 4, 5, 6]);
    let lone = FoldStore::open(&once).unwrap();
    in_store(&lone, &task, 6);
    let of = |key: &Path| fs::read(key.join("6.fold")).unwrap();
    assert!(of(&key.folder) == of(&lone.entries().unwrap()[0].folder));
    // Each state has the notes of what led to it.
    let notes = |n: u32| fs::read_to_string(key.folder.join(format!("{n}.notes"))).unwrap();
    assert_eq!([2, 4, 5, 6].map(notes), ["0-", "0-2-", "0-2-", "0-2-5-"]);
}

#[test]
fn a_stopped_training_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let store = FoldStore::open(folder.path()).unwrap();
    let task = task(&VALIDATION);
    for (stop, from) in [(1, 0), (3, 1)] {
        let mut observe = |r: &EpochRecord| {
            assert!(r.epoch > from);
            if r.epoch == stop { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        assert!(matches!(until(&store, &task, 6, &mut observe), Err(TrainError::Stopped(n)) if n == stop));
    }
    // Fewer epochs than the checkpoint has: they begin anew, and leave it as it is.
    assert_eq!(in_store(&store, &task, 2), (whole(&task, 2), Some(0)));
    assert_eq!(in_store(&store, &task, 6), (whole(&task, 6), Some(3)));
    let key = &store.entries().unwrap()[0].folder;
    assert_eq!(files(key), ["2.fold", "2.notes", "6.fold", "6.notes", "lock"]);
    // A process that was killed between the finished fold and the deletion of its checkpoint leaves both.
    fs::copy(key.join("6.fold"), key.join("6.part")).unwrap();
    fs::copy(key.join("2.fold"), key.join("9.part")).unwrap();
    assert_eq!(in_store(&store, &task, 6), (whole(&task, 6), None));
    assert_eq!(
        files(key),
        ["2.fold", "2.notes", "6.fold", "6.notes", "9.part", "lock"],
        "9.part is of a training that is not finished"
    );
}

#[test]
fn another_task_is_another_key() {
    let folder = tempfile::tempdir().unwrap();
    let store = FoldStore::open(folder.path()).unwrap();
    let fine = task(&VALIDATION);
    let swapped: Vec<usize> = TRAIN.iter().rev().copied().collect();
    let others = [
        task(&[]),
        FoldTask { key: Key { seed: 2, ..KEY }, ..fine.clone() },
        FoldTask { key: Key { fold: 1, ..KEY }, ..fine.clone() },
        FoldTask { train: &swapped, ..fine.clone() },
        FoldTask { test: &TEST[..3], ..fine.clone() },
    ];
    in_store(&store, &fine, 2);
    for other in &others {
        assert_eq!(in_store(&store, other, 2).1, Some(0));
    }
    assert_eq!(store.entries().unwrap().len(), 1 + others.len());
    let key = |schedule: &Schedule| trajectory(&fine, schedule).key().unwrap();
    assert_eq!(key(&schedule(2)), key(&schedule(6)));
    assert_ne!(key(&schedule(2)), key(&Schedule { batch_size: 5, ..schedule(2) }));
    assert_ne!(key(&schedule(2)), key(&Schedule { patience: Some(1), ..schedule(2) }));
}

#[test]
fn damaged_entries_are_trained_again() {
    let folder = tempfile::tempdir().unwrap();
    let store = FoldStore::open(folder.path()).unwrap();
    let task = task(&VALIDATION);
    in_store(&store, &task, 2);
    in_store(&store, &task, 6);
    let file = store.entries().unwrap()[0].folder.join("6.fold");
    let bytes = fs::read(&file).unwrap();
    // Cut short; one bit of a weight, of a score and of the hash itself.
    let find = |text: &str| bytes.windows(text.len()).position(|w| w == text.as_bytes()).unwrap();
    let flip = |at: usize| {
        let mut bytes = bytes.clone();
        bytes[at] ^= 1;
        bytes
    };
    let damaged = [
        Vec::new(),
        bytes[..bytes.len() - 1].to_vec(),
        flip(bytes.len() - 3),
        flip(find("train_loss") + 14),
        flip(find("sertrain.checkpoint") + 25),
    ];
    for damage in damaged {
        fs::write(&file, &damage).unwrap();
        assert_eq!(in_store(&store, &task, 6), (whole(&task, 6), Some(2)));
        assert!(fs::read(&file).unwrap() == bytes);
    }
}

#[test]
fn a_key_is_held_by_one_at_a_time() {
    let folder = tempfile::tempdir().unwrap();
    let store = FoldStore::open(folder.path()).unwrap();
    let (task, schedule) = (task(&[]), schedule(2));
    let trajectory = trajectory(&task, &schedule);
    let claim = store.claim(&trajectory, &mut at_once).unwrap().unwrap();
    assert!(store.claim(&trajectory, &mut at_once).unwrap().is_none());
    assert!(!store.delete(&store.entries().unwrap()[0]).unwrap());
    let mut holder = Some(claim);
    let mut looks = 0;
    let mut wait = || {
        looks += 1;
        if looks == 2 {
            holder = None;
        }
        ControlFlow::Continue(())
    };
    assert!(store.claim(&trajectory, &mut wait).unwrap().is_some());
    assert_eq!(looks, 2);
}

/// Several at once, each of which wants the same four folds.
#[test]
fn what_several_want_is_trained_once() {
    let folder = tempfile::tempdir().unwrap();
    let trained = std::sync::atomic::AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..6 {
            scope.spawn(|| {
                let store = FoldStore::open(folder.path()).unwrap();
                for fold in 0..4 {
                    let task = FoldTask { key: Key { fold, ..KEY }, ..task(&VALIDATION) };
                    let trajectory = trajectory(&task, &schedule(3));
                    let claim = store.claim(&trajectory, &mut || ControlFlow::Continue(())).unwrap().unwrap();
                    if claim.finished(3).unwrap().is_none() {
                        trained.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                        let begin = |_| Ok::<(), TrainError>(());
                        claim.train(&mut Scripted::new(), &task, &schedule(3), begin, &mut go_on).unwrap();
                    }
                }
            });
        }
    });
    assert_eq!(trained.into_inner(), 4);
}

#[test]
fn a_folder_of_somebody_else_is_left_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("mine.wav"), "mine").unwrap();
    let error = FoldStore::open(folder.path()).unwrap_err();
    assert!(matches!(&error, StoreError::Foreign { .. }) && error.to_string().contains("holds mine.wav"), "{error}");
    assert_eq!(files(folder.path()), ["mine.wav"]);

    let other = tempfile::tempdir().unwrap();
    fs::write(other.path().join("ser-fold-store.txt"), "version 9\n").unwrap();
    assert!(matches!(FoldStore::open(other.path()), Err(StoreError::Version { .. })));
}

#[test]
fn a_process_killed_while_it_makes_the_store_leaves_nothing() {
    let whole = tempfile::tempdir().unwrap();
    FoldStore::open(whole.path()).unwrap();
    assert_eq!(files(whole.path()), ["ser-fold-store.txt"]);
    let mark = fs::read(whole.path().join("ser-fold-store.txt")).unwrap();
    for written in [0, 1, mark.len() / 2, mark.len() - 1] {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("ser-fold-store.txt"), &mark[..written]).unwrap();
        FoldStore::open(folder.path()).unwrap();
        assert!(fs::read(folder.path().join("ser-fold-store.txt")).unwrap() == mark, "after {written} bytes");
    }
}

#[cfg(unix)]
#[test]
fn links_are_not_followed_and_other_files_stay() {
    let folder = tempfile::tempdir().unwrap();
    let store = FoldStore::open(folder.path()).unwrap();
    let task = task(&[]);
    in_store(&store, &task, 2);
    let key = store.entries().unwrap().remove(0);
    fs::write(key.folder.join("mine.fold"), "mine").unwrap();
    fs::write(key.folder.join(".ser-partial-1"), "left by a killed process").unwrap();
    assert_eq!(in_store(&store, &task, 2).1, None);
    assert_eq!(files(&key.folder), ["2.fold", "2.notes", "lock", "mine.fold"]);
    assert!(store.delete(&key).unwrap());
    assert_eq!(files(&key.folder), ["mine.fold"]);

    let theirs = tempfile::tempdir().unwrap();
    let (mine, linked) = (theirs.path().join("empty.txt"), theirs.path().join("store"));
    fs::write(&mine, "").unwrap();
    fs::create_dir(&linked).unwrap();
    std::os::unix::fs::symlink(&mine, linked.join("ser-fold-store.txt")).unwrap();
    assert!(FoldStore::open(&linked).is_err());
    assert_eq!(fs::read_to_string(&mine).unwrap(), "");
    let elsewhere = tempfile::tempdir().unwrap();
    fs::remove_dir_all(&key.folder).unwrap();
    std::os::unix::fs::symlink(elsewhere.path(), &key.folder).unwrap();
    let schedule = schedule(2);
    let trajectory = trajectory(&task, &schedule);
    assert!(matches!(store.claim(&trajectory, &mut at_once), Err(StoreError::Foreign { .. })));
    assert!(files(elsewhere.path()).is_empty() && store.entries().unwrap().is_empty());
}

#[test]
fn a_key_without_foreign_files_is_gone_once_deleted() {
    let folder = tempfile::tempdir().unwrap();
    let store = FoldStore::open(folder.path()).unwrap();
    in_store(&store, &task(&[]), 2);
    let key = store.entries().unwrap().remove(0);
    assert!(key.bytes > 1000 && key.used.elapsed().unwrap().as_secs() < 60);
    assert!(store.delete(&key).unwrap() && !key.folder.exists());
    assert_eq!(in_store(&store, &task(&[]), 2).1, Some(0));
}
