//! What is said to allocate nothing allocates nothing, counted by the allocator.

#![allow(clippy::unwrap_used)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use ndarray::Array2;
use sermfcc::{Extractor, Float, Floor, FrontEnd, Output};

struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<usize> = const { Cell::new(0) };
}

fn count() {
    // Threads that end have no counter any more.
    let _ = ALLOCATIONS.try_with(|n| n.set(n.get() + 1));
}

// SAFETY: everything is handed to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        unsafe { System.dealloc(pointer, layout) }
    }
    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count();
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Allocations of this thread during `work`.
fn allocations(work: impl FnOnce()) -> usize {
    let before = ALLOCATIONS.with(Cell::get);
    work();
    ALLOCATIONS.with(Cell::get) - before
}

fn tone(samples: usize) -> Vec<f32> {
    (0..samples).map(|n| (n as f32 * 0.07).sin() * 0.4).collect()
}

#[test]
fn the_counter_counts() {
    assert_eq!(allocations(|| drop(std::hint::black_box(vec![0u8; 100]))), 1);
}

fn computing_into_a_buffer<F: Float>() {
    for front_end in [FrontEnd::default(), FrontEnd::htk_mfcc_e()] {
        computing_into_a_buffer_of::<F>(&Extractor::<F>::new(&front_end).unwrap());
    }
}

fn computing_into_a_buffer_of<F: Float>(extractor: &Extractor<F>) {
    let mut workspace = extractor.workspace();
    let (long, short) = (tone(20_000), tone(9000));
    for output in [Output::Power, Output::Mel, Output::LogMel, Output::Mfcc, Output::Deltas] {
        let mut rows = extractor.compute(output, &long).unwrap();
        let mut columns = Array2::from_elem((rows.ncols(), rows.nrows()), F::default());
        workspace.compute_into(output, &long, rows.view_mut()).unwrap();
        let mut few = extractor.compute(output, &short).unwrap();
        let found = allocations(|| {
            workspace.compute_into(output, &long, rows.view_mut()).unwrap();
            workspace.compute_into(output, &long, columns.view_mut().reversed_axes()).unwrap();
            workspace.compute_into(output, &short, few.view_mut()).unwrap();
        });
        assert_eq!(found, 0, "{output:?}");
    }
}

#[test]
fn computing_into_a_buffer_allocates_nothing() {
    computing_into_a_buffer::<f32>();
    computing_into_a_buffer::<f64>();
}

/// A stream in pieces of 10 ms: after its first second nothing more.
#[test]
fn a_stream_allocates_nothing_once_it_runs() {
    let librosa = FrontEnd::default().with(|f| f.top_db = Floor::None);
    for (front_end, output) in [(librosa, Output::Mfcc), (FrontEnd::htk_mfcc_0(), Output::Deltas)] {
        let mut stream = Extractor::<f32>::new(&front_end).unwrap().stream(output).unwrap();
        let piece = tone(220);
        let mut push = |pieces| (0..pieces).for_each(|_| assert!(stream.push(&piece, |_| ()).is_ok()));
        push(100);
        assert_eq!(allocations(|| push(1000)), 0);
    }
}
