//! Admission control: requests that wait, memory for recordings, and work.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::memory::Memory;

/// Recordings of the largest size that may be held in memory at once.
const HELD: usize = 8;

/// Bounds on requests.
pub struct Desk {
    /// Memory for recordings, arriving and waiting.
    pub memory: Memory,
    places: Arc<Semaphore>,
    workers: Arc<Semaphore>,
}

impl Desk {
    /// For `queue` recordings that wait, of up to `largest` bytes; a core works on one recording.
    pub fn new(queue: usize, largest: usize) -> Self {
        let workers = std::thread::available_parallelism().map_or(1, usize::from);
        let semaphore = |permits| Arc::new(Semaphore::new(permits));
        Self { memory: Memory::new(HELD * largest), places: semaphore(queue + workers), workers: semaphore(workers) }
    }

    /// Whether too many wait already, so that an upload would be in vain.
    pub fn is_full(&self) -> bool {
        self.places.available_permits() == 0
    }

    /// A place for a recording that is here; None where too many wait already.
    pub fn place(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.places).try_acquire_owned().ok()
    }

    /// A worker, in the order of asking; None never comes, for the desk does not close.
    pub async fn worker(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.workers).acquire_owned().await.ok()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn places_are_bounded() {
        let workers = std::thread::available_parallelism().map_or(1, usize::from);
        let desk = Desk::new(2, 1);
        let mut inside: Vec<_> = (0..2 + workers).map(|_| desk.place().unwrap()).collect();
        assert!(desk.is_full() && desk.place().is_none());
        inside.pop();
        assert!(!desk.is_full() && desk.place().is_some());
    }
}
