//! Engines that compute together: what fills a GPU, for which one fold of a small network is far too small.

use std::{
    collections::BTreeMap,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
};

use serengine::{
    Batch, Dataset, Engine, EngineError, EngineFacts, Objective, Predictions, StepOutcome, TrainState, TrainingInputs,
};
use tch::{Device, Kind};

use crate::{copies::Copies, network::Network};

/// One of several networks that train side by side in single operations, each from a thread of its own.
///
/// A call to [`Engine::train`] or [`Engine::predict`] waits until every other engine of the stack has called, too, or is gone;
/// then all calls are served at once. So they must not share a thread, and each must be dropped when it is done. Networks
/// do not see each other: each comes out as from a [`crate::TorchEngine`], but for rounding.
#[derive(Debug)]
pub struct StackedEngine {
    room: Arc<Room>,
    copy: usize,
}

#[derive(Debug)]
struct Room {
    calls: Mutex<Calls>,
    served: Condvar,
}

#[derive(Debug)]
struct Calls {
    copies: Copies,
    /// Engines that are not dropped.
    present: usize,
    train: BTreeMap<usize, Vec<Batch>>,
    predict: BTreeMap<usize, Vec<usize>>,
    trained: BTreeMap<usize, Result<Vec<StepOutcome>, String>>,
    predicted: BTreeMap<usize, Result<Predictions, String>>,
}

impl StackedEngine {
    /// An engine for each state. They share the network, the data and the objective, as the folds and seeds of one
    /// cell do.
    ///
    /// # Errors
    /// Data or weights that do not fit the network, states of other networks, a device without the memory.
    pub fn stack(
        network: impl Network + 'static,
        states: &[TrainState],
        data: &Dataset,
        objective: Objective,
        device: Device,
        kind: Kind,
    ) -> Result<Vec<Self>, EngineError> {
        let calls = Calls {
            copies: Copies::new(Box::new(network), states, data, objective, device, kind)?,
            present: states.len(),
            train: BTreeMap::new(),
            predict: BTreeMap::new(),
            trained: BTreeMap::new(),
            predicted: BTreeMap::new(),
        };
        let room = Arc::new(Room { calls: Mutex::new(calls), served: Condvar::new() });
        Ok((0..states.len()).map(|copy| Self { room: Arc::clone(&room), copy }).collect())
    }

    fn calls(&self) -> MutexGuard<'_, Calls> {
        // What can panic while the lock is held is caught in `guarded`.
        self.room.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until `answer` has something, serving everybody once all are there.
    fn wait<T>(&self, mut calls: MutexGuard<'_, Calls>, answer: impl Fn(&mut Calls) -> Option<T>) -> T {
        loop {
            if calls.serve_if_complete() {
                self.room.served.notify_all();
            }
            if let Some(answer) = answer(&mut calls) {
                return answer;
            }
            calls = self.room.served.wait(calls).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

impl Calls {
    fn serve_if_complete(&mut self) -> bool {
        if self.present == 0 || self.train.len() + self.predict.len() < self.present {
            return false;
        }
        let train = std::mem::take(&mut self.train);
        let epochs: Vec<(usize, &[Batch])> = train.iter().map(|(copy, batches)| (*copy, &batches[..])).collect();
        share(&mut self.trained, train.keys(), guarded(|| self.copies.train(&epochs)));
        let predict = std::mem::take(&mut self.predict);
        let parts: Vec<(usize, &[usize])> = predict.iter().map(|(copy, part)| (*copy, &part[..])).collect();
        share(&mut self.predicted, predict.keys(), guarded(|| self.copies.predict(&parts)));
        true
    }
}

/// A panic while the others wait would leave them waiting for ever: it becomes an error that all of them get.
fn guarded<T>(serve: impl FnOnce() -> Result<T, EngineError>) -> Result<T, EngineError> {
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(serve))
        .unwrap_or_else(|_| Err(failed("a computation panicked; its message stands above".into())))
}

/// Gives each copy its answer, or all of them the failure.
fn share<'a, T>(
    answers: &mut BTreeMap<usize, Result<T, String>>,
    copies: impl Iterator<Item = &'a usize>,
    outcome: Result<Vec<T>, EngineError>,
) {
    match outcome {
        Ok(all) => answers.extend(copies.copied().zip(all.into_iter().map(Ok))),
        Err(e) => answers.extend(copies.map(|copy| (*copy, Err(e.to_string())))),
    }
}

fn failed(message: String) -> EngineError {
    EngineError::Backend { backend: "stacked folds", message }
}

impl Engine for StackedEngine {
    fn describe(&self) -> EngineFacts {
        self.calls().copies.facts()
    }

    fn inputs(&self) -> TrainingInputs {
        self.calls().copies.inputs()
    }

    fn train(&mut self, batches: &[Batch]) -> Result<Vec<StepOutcome>, EngineError> {
        let mut calls = self.calls();
        calls.train.insert(self.copy, batches.to_vec());
        self.wait(calls, |calls| calls.trained.remove(&self.copy)).map_err(failed)
    }

    fn predict(&mut self, indices: &[usize]) -> Result<Predictions, EngineError> {
        let mut calls = self.calls();
        calls.predict.insert(self.copy, indices.to_vec());
        self.wait(calls, |calls| calls.predicted.remove(&self.copy)).map_err(failed)
    }

    fn state(&self) -> Result<TrainState, EngineError> {
        self.calls().copies.state(self.copy)
    }

    fn restore(&mut self, state: &TrainState) -> Result<(), EngineError> {
        self.calls().copies.restore(self.copy, state)
    }
}

impl Drop for StackedEngine {
    fn drop(&mut self) {
        let mut calls = self.calls();
        calls.present -= 1;
        calls.serve_if_complete();
        drop(calls);
        self.room.served.notify_all();
    }
}
