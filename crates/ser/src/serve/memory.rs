//! Memory for recordings, charged as their bytes arrive.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::Notify;

/// Bytes that all recordings together may hold.
#[derive(Debug)]
pub struct Memory(Arc<Mutex<Books>>);

#[derive(Debug)]
struct Books {
    free: usize,
    next: u64,
    uploads: BTreeMap<u64, Upload>,
}

#[derive(Debug)]
struct Upload {
    held: usize,
    arriving: bool,
    evicted: Arc<Notify>,
}

/// What one recording holds, until it is dropped.
#[derive(Debug)]
pub struct Share {
    books: Arc<Mutex<Books>>,
    id: u64,
    evicted: Arc<Notify>,
}

impl Memory {
    /// Of so many bytes.
    pub fn new(bytes: usize) -> Self {
        Self(Arc::new(Mutex::new(Books { free: bytes, next: 0, uploads: BTreeMap::new() })))
    }

    /// The share of a recording of which nothing has arrived yet.
    pub fn share(&self) -> Share {
        let mut books = lock(&self.0);
        let (id, evicted) = (books.next, Arc::new(Notify::new()));
        books.next += 1;
        books.uploads.insert(id, Upload { held: 0, arriving: true, evicted: Arc::clone(&evicted) });
        Share { books: Arc::clone(&self.0), id, evicted }
    }
}

impl Share {
    /// Takes so many bytes more; false where there is no memory for them. The largest recording that is still arriving
    /// gives way, so that a few that never end do not keep out the others.
    pub fn grow(&self, more: usize) -> bool {
        let mut books = lock(&self.books);
        let Some(held) = books.uploads.get(&self.id).map(|upload| upload.held) else { return false };
        let wanted = held + more;
        while books.free < more {
            let arriving = books.uploads.iter().filter(|(_, upload)| upload.arriving);
            let largest = arriving.max_by_key(|(_, upload)| upload.held).map(|(&id, upload)| (id, upload.held));
            let Some((id, _)) = largest.filter(|&(id, held)| id != self.id && held > wanted) else { return false };
            if let Some(upload) = books.uploads.remove(&id) {
                books.free += upload.held;
                upload.evicted.notify_one();
            }
        }
        books.free -= more;
        if let Some(upload) = books.uploads.get_mut(&self.id) {
            upload.held = wanted;
        }
        true
    }

    /// The whole recording is here, and gives way to nobody any more; false where it had to before.
    pub fn arrived(&self) -> bool {
        lock(&self.books).uploads.get_mut(&self.id).map(|upload| upload.arriving = false).is_some()
    }

    /// Returns once the recording has given way to others.
    pub async fn evicted(&self) {
        self.evicted.notified().await;
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        let mut books = lock(&self.books);
        if let Some(upload) = books.uploads.remove(&self.id) {
            books.free += upload.held;
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_largest_that_still_arrives_gives_way_to_a_smaller_one() {
        let memory = Memory::new(100);
        let [done, large, small, late] = [(); 4].map(|()| memory.share());
        assert!(done.grow(50) && done.arrived() && large.grow(40) && small.grow(10));
        assert!(!large.grow(1) && !late.grow(41), "nobody larger is there");
        assert!(late.grow(20), "the large one gives way");
        large.evicted().await;
        assert!(!large.grow(1) && !large.arrived());
        drop(large);
        assert!(late.grow(20) && !late.grow(1), "what was evicted is freed once");
        drop((done, small, late));
        assert!(memory.share().grow(100) && !memory.share().grow(101));
    }
}
