//! Who may come in: bounds on requests that wait, on memory and on work.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Recordings of the largest size that may be held in memory at once.
const HELD: usize = 8;
/// Granularity of memory.
const UNIT: usize = 64 << 10;

/// Bounds on requests.
pub struct Desk {
    places: Arc<Semaphore>,
    memory: Arc<Semaphore>,
    workers: Arc<Semaphore>,
}

/// A place in the queue and the memory of a recording.
pub struct Place {
    _place: OwnedSemaphorePermit,
    _memory: OwnedSemaphorePermit,
}

impl Desk {
    /// For `queue` requests that wait and recordings of up to `largest` bytes; a core works on one recording.
    pub fn new(queue: usize, largest: usize) -> Self {
        let workers = std::thread::available_parallelism().map_or(1, usize::from);
        let semaphore = |permits| Arc::new(Semaphore::new(permits));
        Self {
            places: semaphore(queue + workers),
            memory: semaphore(HELD * largest.div_ceil(UNIT)),
            workers: semaphore(workers),
        }
    }

    /// A place for a recording of so many bytes, once there is memory for it; None where too many wait already.
    pub async fn enter(&self, bytes: usize) -> Option<Place> {
        let place = Arc::clone(&self.places).try_acquire_owned().ok()?;
        let units = u32::try_from(bytes.div_ceil(UNIT)).ok()?;
        let memory = Arc::clone(&self.memory).acquire_many_owned(units).await.ok()?;
        Some(Place { _place: place, _memory: memory })
    }

    /// A worker, in the order of asking; None never comes, for the desk does not close.
    pub async fn worker(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.workers).acquire_owned().await.ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn places_and_memory_are_bounded() {
        let workers = std::thread::available_parallelism().map_or(1, usize::from);
        let desk = Desk::new(2, UNIT);
        let mut inside = Vec::new();
        for _ in 0..2 + workers {
            inside.push(desk.enter(1).await.unwrap());
        }
        assert!(desk.enter(1).await.is_none());
        inside.pop();
        assert!(desk.enter(1).await.is_some());

        let desk = Desk::new(2 * HELD, UNIT);
        let mut inside = Vec::new();
        for _ in 0..HELD {
            inside.push(desk.enter(UNIT).await.unwrap());
        }
        let waits = tokio::time::timeout(std::time::Duration::from_millis(20), desk.enter(1)).await;
        assert!(waits.is_err());
        inside.pop();
        assert!(desk.enter(UNIT).await.is_some());
    }
}
