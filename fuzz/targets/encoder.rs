//! Any bytes as an ONNX file, and a good one with some bytes changed or cut off: an error, or an encoder whose frames are as many as foreseen,
//! in bounded time and memory.

#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use serencode::{Encoder, Scaling, Settings};

#[path = "../patched.rs"]
mod patched;

const GOOD: &[u8] = include_bytes!("../../fixtures/encoders/tiny.onnx");

/// libFuzzer takes every panic for a crash. Those of the runtime are caught and are errors; they happen on its threads and on ours that call it.
static HOOK: LazyLock<()> = LazyLock::new(|| {
    let crash = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        let thread = std::thread::current();
        if !thread.name().is_some_and(|name| name == "serencode" || name.starts_with("rten-")) {
            crash(panic);
        }
    }));
});

fuzz_target!(|data: &[u8]| {
    LazyLock::force(&HOOK);
    let Some(mut bytes) = patched::bytes(data, GOOD) else { return };
    if data.len() % 4 == 3 {
        bytes.truncate(bytes.len() - bytes.len() * usize::from(data[data.len() - 1]) / 1024);
    }
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("model.onnx");
    std::fs::write(&path, &bytes).expect("a file");
    let settings = Settings::default().with(|s| (s.input, s.memory) = (Some(Scaling::None), 64 << 20));
    let Ok(encoder) = Encoder::open(&path, &settings) else { return };
    for samples in [100, 1600] {
        // What is allowed to take minutes shows nothing that seconds do not.
        let Ok(forecast) = encoder.forecast(samples) else { continue };
        if forecast.operations < 1 << 32
            && let Ok(frames) = encoder.frames(&vec![0.1; samples])
        {
            assert!(frames.iter().all(|value| value.is_finite()), "{:?}", frames.dim());
        }
    }
});
