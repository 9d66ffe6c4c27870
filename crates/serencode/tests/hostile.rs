//! Files that nobody should trust, and recordings of odd lengths: each an error that says what is wrong, or a result, and never a crash.

#![allow(clippy::unwrap_used)]

mod onnx;

use std::path::Path;

use onnx::{Graph, Message, branch, external, frames, int, shaped};
use serencode::{EncodeError, Encoder, Layers, Longer, Scaling, Settings};

fn raw() -> Settings {
    Settings::default().with(|s| s.input = Some(Scaling::None))
}

fn open(graph: &Graph) -> Result<Encoder, EncodeError> {
    let folder = tempfile::tempdir().unwrap();
    Encoder::open(&graph.write(folder.path()), &raw())
}

fn refused(graph: &Graph) -> String {
    open(graph).err().expect("an error").to_string()
}

fn wavlm() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/encoders/wavlm-layers.onnx")
}

fn layer_one() -> Settings {
    raw().with(|s| s.layers = Some(Layers::One(1)))
}

#[test]
fn a_good_small_file_is_run() {
    let encoder = open(&frames().output("y")).unwrap();
    assert_eq!(encoder.frames(&[0.5, -0.5, 0.25]).unwrap(), ndarray::array![[0.5], [-0.5], [0.25]]);
}

#[test]
fn external_data_lies_in_the_folder() {
    let folder = tempfile::tempdir().unwrap();
    let inner = folder.path().join("model");
    std::fs::create_dir(&inner).unwrap();
    let values: Vec<u8> = [2.0_f32, 3.0].iter().flat_map(|value| value.to_le_bytes()).collect();
    std::fs::write(folder.path().join("outside.data"), &values).unwrap();
    std::fs::write(inner.join("inside.data"), &values).unwrap();
    #[cfg(unix)]
    std::os::unix::fs::symlink(folder.path().join("outside.data"), inner.join("link.data")).unwrap();
    let file = |location: &str, offset: &str, length: &str| {
        let graph = Graph::of_samples().tensor(external("w", &[1], location, offset, length)).node(
            "Mul",
            &["x", "w"],
            &["z"],
            &[],
        );
        let graph = graph.ints("last", &[1], &[-1]).node("Unsqueeze", &["z", "last"], &["y"], &[]).output("y");
        Encoder::open(&graph.write(&inner), &raw())
    };
    assert_eq!(file("inside.data", "4", "4").unwrap().frames(&[1.0]).unwrap()[[0, 0]], 3.0);
    let outside = folder.path().join("outside.data").to_string_lossy().into_owned();
    for location in ["../outside.data", outside.as_str(), "a/inside.data", "link.data", ".", ""] {
        let error = file(location, "0", "4").err().unwrap_or_else(|| panic!("{location} was read"));
        assert!(matches!(error, EncodeError::External { .. }), "{location}: {error}");
    }
    for (offset, length) in
        [("8", "4"), ("4", "8"), ("18446744073709551615", "4"), ("0", "4611686018427387904"), ("-1", "4")]
    {
        let error = file("inside.data", offset, length).err().unwrap_or_else(|| panic!("{offset}, {length} was read"));
        assert!(matches!(error, EncodeError::External { .. } | EncodeError::Damaged { .. }), "{error}");
    }
    assert!(matches!(file("missing.data", "0", "4"), Err(EncodeError::Read { .. })));
}

#[test]
fn sizes_are_claims() {
    let message = refused(&frames().tensor(shaped("w", onnx::FLOAT, &[1 << 40])).output("y"));
    assert!(message.contains("tensor `w` of shape [1099511627776] has 0 values"), "{message}");
    let message = refused(&frames().tensor(shaped("w", onnx::FLOAT, &[1 << 40, 1 << 40])).output("y"));
    assert!(message.contains("more than there can be"), "{message}");
    // Tensors that the runtime would compute while it loads.
    let made = |op: &str, inputs: &[&str]| frames().node(op, inputs, &["z"], &[]).output("y").output("z");
    let zeros = Graph::of_samples()
        .ints("s", &[3], &[1 << 12, 1 << 12, 1 << 12])
        .node("ConstantOfShape", &["s"], &["y"], &[])
        .output("y");
    assert!(matches!(open(&zeros), Err(EncodeError::Memory { .. })));
    let range = frames().ints("a", &[], &[0]).ints("b", &[], &[1 << 30]).ints("c", &[], &[1]);
    let range = range.node("Range", &["a", "b", "c"], &["z"], &[]).output("y").output("z");
    assert!(matches!(open(&range), Err(EncodeError::Memory { .. })));
    // Twice as long sixty times.
    let mut long = frames();
    for step in 0..60 {
        let name = format!("z{step}");
        let from = if step == 0 { "y".to_owned() } else { format!("z{}", step - 1) };
        long = long.node("Concat", &[&from, &from], &[&name], &[int("axis", 1)]);
    }
    assert!(matches!(open(&long.output("z59")), Err(EncodeError::Memory { .. })));
    assert!(refused(&made("NonZero", &["x"])).contains("cannot be foreseen"));
    // n by n: a second is a gigabyte, which `memory` allows or not.
    let square = frames().node("Transpose", &["x"], &["t"], &[]).node("MatMul", &["t", "x"], &["z"], &[]).output("z");
    let folder = tempfile::tempdir().unwrap();
    let path = square.write(folder.path());
    let error = Encoder::open(&path, &raw().with(|s| s.memory = 1 << 29)).err().expect("an error").to_string();
    assert!(error.contains("more than the 536870912 bytes that the setting `memory` allows"), "{error}");
    let encoder = Encoder::open(&path, &raw()).unwrap();
    assert!(encoder.forecast(16_000).unwrap().bytes > 4 * 16_000 * 16_000);
    assert_eq!(encoder.frames(&[1.0, 2.0]).unwrap(), ndarray::array![[1.0, 2.0], [2.0, 4.0]]);
}

#[test]
fn operations_are_bounded() {
    // A thousand products of 8192 by 8192 are 1.1e15 operations.
    let mut graph = frames().ints("s", &[2], &[8192, 8192]).node("ConstantOfShape", &["s"], &["m0"], &[]);
    for step in 0..1000 {
        let (from, to) = (format!("m{step}"), format!("m{}", step + 1));
        graph = graph.node("MatMul", &[&from, &from], &[&to], &[]);
    }
    let message = refused(&graph.output("y").output("m1000"));
    assert!(message.contains("a run would need more than 30000000000000 operations"), "{message}");
}

#[test]
fn lengths_that_reach_beyond_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.onnx");
    for bytes in [
        [&[8, 8, 58][..], &[255; 8], &[127]].concat(),
        [&[8, 8, 58][..], &[255; 9], &[1]].concat(),
        vec![8, 8, 58, 100],
        vec![8, 8],
        vec![],
        b"no ONNX at all".to_vec(),
        Message::default().number(1, 8).bytes(7, &[]).bytes(7, &[]).0,
    ] {
        std::fs::write(&path, &bytes).unwrap();
        let error = Encoder::open(&path, &raw()).err().expect("an error");
        assert!(matches!(error, EncodeError::Damaged { .. } | EncodeError::Graph { .. }), "{bytes:?}: {error}");
    }
}

#[test]
fn circles_and_names() {
    let message = refused(
        &Graph::of_samples().node("Add", &["x", "b"], &["a"], &[]).node("Add", &["x", "a"], &["b"], &[]).output("b"),
    );
    assert!(message.contains("its input `b` is made by no operator before it"), "{message}");
    assert!(refused(&frames().node("Neg", &["x"], &["y"], &[]).output("y")).contains("two values are called `y`"));
    assert!(refused(&frames().output("z")).contains("output `z` is made by no operator"));
    assert!(
        refused(&frames().node("Exotic", &["x"], &["z"], &[]).output("y").output("z"))
            .contains("Exotic that makes `z`: the operator is not supported")
    );
}

#[test]
fn loops_are_refused_and_branches_run() {
    let body = Graph::default().node("Identity", &["x"], &["b"], &[]).output("b");
    let message = refused(&frames().node("Loop", &["", ""], &["z"], &[branch("body", &body)]).output("y").output("z"));
    assert!(message.contains("loops are not run"), "{message}");
    let then = Graph::default().node("Neg", &["y"], &["t"], &[]).output("t");
    let other = Graph::default().node("Abs", &["y"], &["e"], &[]).output("e");
    let condition =
        |value: i64| frames().ints("a", &[1], &[value]).ints("b", &[1], &[1]).node("Equal", &["a", "b"], &["c"], &[]);
    let both = |graph: Graph, other: &Graph| {
        graph.node("If", &["c"], &["z"], &[branch("then_branch", &then), branch("else_branch", other)])
    };
    assert_eq!(open(&both(condition(1), &other).output("z")).unwrap().frames(&[0.5]).unwrap()[[0, 0]], -0.5);
    assert_eq!(open(&both(condition(2), &other).output("z")).unwrap().frames(&[-0.25]).unwrap()[[0, 0]], 0.25);
    // What the branch not taken makes of constants would be made while the file is loaded.
    let huge = Graph::default()
        .ints("s", &[3], &[1 << 12, 1 << 12, 1 << 12])
        .node("ConstantOfShape", &["s"], &["e"], &[])
        .output("e");
    assert!(matches!(open(&both(condition(1), &huge).output("z")), Err(EncodeError::Memory { .. })));
    // A branch in a branch in a branch ..
    let mut deep = other.clone();
    for level in 0..100 {
        let name = format!("d{level}");
        deep = Graph::default()
            .node("If", &["c"], &[&name], &[branch("then_branch", &other), branch("else_branch", &deep)])
            .output(&name);
    }
    assert!(refused(&both(condition(1), &deep).output("z")).contains("deep in one another"));
}

/// The runtime's planner calls itself once for each operator of a chain.
#[test]
fn a_chain_as_long_as_may_be() {
    let chain = |length: usize| {
        let mut graph = frames();
        for step in 1..length {
            let from = if step == 1 { "y".to_owned() } else { format!("z{}", step - 1) };
            graph = graph.node("Neg", &[&from], &[&format!("z{step}")], &[]);
        }
        graph.output(&format!("z{}", length - 1))
    };
    let longest = serencode::limits::NODES;
    assert_eq!(open(&chain(longest)).unwrap().frames(&[0.5]).unwrap()[[0, 0]], -0.5);
    assert!(refused(&chain(longest + 1)).contains("more than 20000 operators"));
}

#[test]
fn changed_and_cut_files() {
    let good = std::fs::read(wavlm()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.onnx");
    let mut state = 7_u64;
    let mut random = |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % below
    };
    let mut errors = 0;
    for round in 0..150 {
        let mut bytes = good.clone();
        if round % 3 == 0 {
            bytes.truncate(random(good.len()));
        } else {
            // Weights are most of the file; the graph is what matters, and lies in front.
            (0..1 + random(8))
                .for_each(|_| bytes[random(if round % 3 == 1 { 200_000 } else { good.len() })] = random(256) as u8);
        }
        std::fs::write(&path, &bytes).unwrap();
        match Encoder::open(&path, &layer_one()) {
            Ok(encoder) => drop(encoder.frames(&[0.1; 1600])),
            Err(_) => errors += 1,
        }
    }
    assert!(errors > 50, "{errors}");
}

#[test]
fn recordings_that_are_too_short() {
    let encoder = Encoder::open(&wavlm(), &layer_one()).unwrap();
    for samples in [0, 1, 160, 399] {
        let error = encoder.frames(&vec![0.1; samples]).unwrap_err();
        assert!(matches!(error, EncodeError::TooShort { least: 400, rate: 16_000, .. }), "{samples}: {error}");
    }
    assert_eq!(encoder.frames(&[0.1; 400]).unwrap().dim(), (1, 64));
    assert_eq!(encoder.frames(&[0.1; 719]).unwrap().dim(), (1, 64));
    assert_eq!(encoder.frames(&[0.1; 720]).unwrap().dim(), (2, 64));
    let mut samples = vec![0.1; 1600];
    samples[7] = f32::NAN;
    assert!(matches!(encoder.frames(&samples), Err(EncodeError::Sample { index: 7, .. })));
}

#[test]
fn recordings_that_are_too_long() {
    let samples: Vec<f32> = (0..24_000).map(|n| (n as f32 * 0.05).sin() * 0.3).collect();
    let half = layer_one().with(|s| s.window = 0.5);
    let refused = Encoder::open(&wavlm(), &half.clone().with(|s| s.longer = Longer::Refuse)).unwrap();
    let message = refused.frames(&samples).unwrap_err().to_string();
    assert!(message.contains("has 1.50 s; refused, because the window is 0.5 s"), "{message}");
    let encoder = Encoder::open(&wavlm(), &half).unwrap();
    let forecast = encoder.forecast(samples.len()).unwrap();
    assert_eq!((forecast.runs, forecast.samples), (3, 8000));
    let frames = encoder.frames(&samples).unwrap();
    assert_eq!(frames.dim(), (3 * 24, 64));
    for (window, rows) in samples.chunks(8000).zip(frames.axis_chunks_iter(ndarray::Axis(0), 24)) {
        assert_eq!(rows, encoder.frames(window).unwrap());
    }
    // An hour: its windows are foreseen one at a time.
    let hour = Encoder::open(&wavlm(), &layer_one()).unwrap().forecast(3600 * 16_000).unwrap();
    assert_eq!((hour.runs, hour.samples), (120, 480_000));
    assert!(hour.bytes < 2 << 30, "{hour:?}");
}
