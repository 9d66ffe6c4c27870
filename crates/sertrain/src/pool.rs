//! Trainings side by side.

use std::{
    ops::ControlFlow,
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
    thread,
};

/// Why [`side_by_side`] failed.
#[derive(Debug, PartialEq, Eq)]
pub enum PoolError<E> {
    /// The first item in order whose work failed.
    Work(E),
    /// A thread panicked; its message stands on stderr.
    Panicked,
}

/// Calls `work` for every item, `jobs` items at a time with one thread each, in order. Each training has one thread, whatever the number of
/// cores: sums are then added in one order, and what comes out does not depend on the machine's size.
///
/// The first failure sets `stop`; once `stop` is set no further item is begun. `work` says with [`ControlFlow::Break`] that it was stopped
/// before its end. The result is `Break` where something was left undone.
///
/// # Errors
/// A failure of `work`, or a panic, once all threads have ended.
pub fn side_by_side<T: Sync, E: Send>(
    items: &[T],
    jobs: usize,
    stop: &AtomicBool,
    work: impl Fn(&T) -> Result<ControlFlow<()>, E> + Sync,
) -> Result<ControlFlow<()>, PoolError<E>> {
    let next = AtomicUsize::new(0);
    let worker = || {
        let mut done = Vec::new();
        loop {
            let i = next.fetch_add(1, Ordering::Relaxed);
            let Some(item) = items.get(i).filter(|_| !stop.load(Ordering::Relaxed)) else { return done };
            let result = work(item);
            if result.is_err() {
                stop.store(true, Ordering::Relaxed);
            }
            done.push((i, result));
        }
    };
    let results = thread::scope(|scope| {
        let threads: Vec<_> = (0..jobs.min(items.len())).map(|_| scope.spawn(worker)).collect();
        let join = |t: thread::ScopedJoinHandle<'_, _>| {
            t.join().inspect_err(|_| stop.store(true, Ordering::Relaxed)).map_err(|_| PoolError::Panicked)
        };
        threads.into_iter().map(join).collect::<Vec<_>>()
    });
    let mut done: Vec<(usize, Result<ControlFlow<()>, E>)> = Vec::new();
    for result in results {
        done.extend(result?);
    }
    done.sort_by_key(|(i, _)| *i);
    let mut whole = done.len() == items.len();
    for (_, result) in done {
        whole &= result.map_err(PoolError::Work)?.is_continue();
    }
    Ok(if whole { ControlFlow::Continue(()) } else { ControlFlow::Break(()) })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::sync::Mutex;

    use super::*;

    const GO_ON: Result<ControlFlow<()>, String> = Ok(ControlFlow::Continue(()));

    #[test]
    fn every_item_is_worked_on_once() {
        for jobs in [1, 3, 200] {
            let (seen, stop) = (Mutex::new(Vec::new()), AtomicBool::new(false));
            let items: Vec<usize> = (0..100).collect();
            let work = |i: &usize| {
                seen.lock().unwrap().push(*i);
                GO_ON
            };
            assert_eq!(side_by_side(&items, jobs, &stop, work), Ok(ControlFlow::Continue(())));
            let mut seen = seen.into_inner().unwrap();
            seen.sort_unstable();
            assert_eq!(seen, items);
        }
    }

    #[test]
    fn a_failure_stops_what_has_not_begun() {
        let (begun, stop) = (AtomicUsize::new(0), AtomicBool::new(false));
        let work = |i: &usize| {
            begun.fetch_add(1, Ordering::Relaxed);
            if *i == 3 { Err("three".to_owned()) } else { GO_ON }
        };
        let items: Vec<usize> = (0..1000).collect();
        assert_eq!(side_by_side(&items, 1, &stop, work), Err(PoolError::Work("three".to_owned())));
        assert_eq!((begun.into_inner(), stop.into_inner()), (4, true));
    }

    #[test]
    fn what_is_left_undone_is_told() {
        let stop = AtomicBool::new(true);
        assert_eq!(side_by_side(&[1, 2], 2, &stop, |_| GO_ON), Ok(ControlFlow::Break(())));
        let stopped = |_: &i32| Ok::<_, String>(ControlFlow::Break(()));
        assert_eq!(side_by_side(&[1], 2, &AtomicBool::new(false), stopped), Ok(ControlFlow::Break(())));
        assert_eq!(side_by_side(&[], 2, &stop, stopped), Ok(ControlFlow::Continue(())));
    }

    #[test]
    fn a_panic_is_an_error() {
        let stop = AtomicBool::new(false);
        let work = |i: &i32| if *i == 1 { panic!("on purpose") } else { GO_ON };
        assert_eq!(side_by_side(&[0, 1, 2], 2, &stop, work), Err(PoolError::Panicked));
        assert!(stop.into_inner());
    }
}
