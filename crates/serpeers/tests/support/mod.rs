//! What the official models computed (`fixtures/peers`), and weights as Keras drew them.

#![allow(dead_code, clippy::unwrap_used)] // no test file uses all of it

use std::{fs, path::Path, sync::Arc};

use safetensors::{Dtype, SafeTensors};
use serengine::{Dataset, Layout, Tensor, TrainState, Weights};

/// A recorded system.
pub struct Recorded(Vec<u8>);

impl Recorded {
    pub fn load(name: &str) -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/peers");
        Self(fs::read(folder.join(format!("{name}.safetensors"))).unwrap())
    }

    fn file(&self) -> SafeTensors<'_> {
        SafeTensors::deserialize(&self.0).unwrap()
    }

    /// Numbers of any type; single precision holds what is asked of the wider ones.
    pub fn values(&self, name: &str) -> Vec<f32> {
        let file = self.file();
        let tensor = file.tensor(name).unwrap_or_else(|e| panic!("{name}: {e}"));
        let eights = || tensor.data().as_chunks::<8>().0.iter();
        match tensor.dtype() {
            Dtype::F32 => tensor.data().as_chunks::<4>().0.iter().map(|b| f32::from_le_bytes(*b)).collect(),
            Dtype::F64 => eights().map(|b| f64::from_le_bytes(*b) as f32).collect(),
            other => panic!("{name} is {other:?}"),
        }
    }

    pub fn numbers(&self, name: &str) -> Vec<usize> {
        let file = self.file();
        let tensor = file.tensor(name).unwrap_or_else(|e| panic!("{name}: {e}"));
        tensor.data().as_chunks::<8>().0.iter().map(|b| i64::from_le_bytes(*b) as usize).collect()
    }

    pub fn has(&self, name: &str) -> bool {
        self.file().tensor(name).is_ok()
    }

    /// Recordings of mfcc.safetensors by the places in the tensor `rows`, [utterances, 188, 39].
    pub fn mfcc(&self, rows: &str, labels: &str) -> Dataset {
        let all = Self::load("mfcc").values("features");
        let size = 188 * 39;
        let features = self.numbers(rows).into_iter().flat_map(|row| all[row * size..][..size].to_vec()).collect();
        Dataset::new(features, self.numbers(labels), 188, 39).unwrap()
    }

    /// A kernel as Keras drew it, in libtorch's order [out, in, taps ..].
    fn kernel(&self, name: &str, shape: &[usize]) -> Vec<f32> {
        let seed = self.numbers(&format!("seed/{name}"))[0];
        let (out, input) = (shape[0], shape[1]);
        let taps: usize = shape[2..].iter().product();
        let limit = (6.0 / (taps * (input + out)) as f64).sqrt() as f32;
        let drawn: Vec<f32> = uniform(seed as u64, out * input * taps).map(|u| u * (limit - -limit) + -limit).collect();
        let at = |o: usize, i: usize, tap: usize| drawn[(tap * input + i) * out + o];
        let rows = (0..out).flat_map(|o| (0..input).map(move |i| (o, i)));
        rows.flat_map(|(o, i)| (0..taps).map(move |tap| (o, i, tap))).map(|(o, i, tap)| at(o, i, tap)).collect()
    }

    /// The initial state. `parts` names the recorded tensors that a kernel of the layout holds one after the other; what is no kernel is
    /// constant.
    pub fn state(&self, layout: Layout, parts: impl Fn(&str) -> Vec<String>) -> TrainState {
        let values = |t: &Tensor| -> Vec<f32> {
            let names = parts(&t.name);
            if t.shape.len() < 2 {
                let one = matches!(t.name.rsplit('.').next(), Some("weight" | "scale" | "running_var"));
                return vec![if one { 1.0 } else { 0.0 }; t.range.len];
            }
            let shape = [&[t.shape[0] / names.len()], &t.shape[1..]].concat();
            names.iter().flat_map(|name| self.kernel(&format!("{name}.kernel"), &shape)).collect()
        };
        let parameters = layout.tensors().iter().flat_map(values).collect();
        let statistics = layout.running().iter().flat_map(values).collect();
        TrainState::start(Weights::new(Arc::new(layout), parameters, statistics).unwrap())
    }

    /// Compares the L2 norm of each recorded tensor `PREFIX/NAME` with that of its part of `flat`, relative to itself; norms below
    /// a millionth of the largest are rounding.
    pub fn assert_norms(
        &self,
        prefix: &str,
        layout: &Layout,
        flat: &[f32],
        parts: impl Fn(&str) -> Vec<String>,
        tolerance: f32,
    ) {
        let mut pairs = Vec::new();
        for t in layout.tensors() {
            let role = recorded_role(t);
            let names = parts(&t.name);
            let values = &flat[t.range.all()];
            for (name, part) in names.iter().zip(values.chunks_exact(values.len() / names.len())) {
                let full = format!("{prefix}/{name}.{role}");
                if self.has(&full) {
                    let norm = part.iter().map(|&v| f64::from(v).powi(2)).sum::<f64>().sqrt() as f32;
                    pairs.push((self.values(&full)[0], norm, full));
                }
            }
        }
        let largest = pairs.iter().fold(0.0f32, |m, p| m.max(p.0));
        assert!(pairs.len() >= 15 && largest > 0.0, "{} of {prefix}", pairs.len());
        for (expected, found, name) in pairs {
            assert!((found - expected).abs() <= tolerance * expected + 1e-6 * largest, "{name}: {found} {expected}");
        }
    }
}

fn recorded_role(t: &Tensor) -> &'static str {
    match (t.name.rsplit('.').next(), t.name.contains("norm")) {
        (Some("weight"), true) => "gamma",
        (Some("weight"), false) => "kernel",
        (Some("scale"), _) => "scale",
        (_, true) => "beta",
        _ => "bias",
    }
}

/// Uniform draws in [0, 1) of 23 bits as TensorFlow's stateless generator makes them of a seed: Philox 4x32-10 whose key and counter are
/// Philox of the seed.
fn uniform(seed: u64, n: usize) -> impl Iterator<Item = f32> {
    let mixed = philox([seed as u32, (seed >> 32) as u32, 0, 0], [0x3EC8_F720, 0x0246_1E29]);
    let block = move |i: usize| philox([i as u32, 0, mixed[2], mixed[3]], [mixed[0], mixed[1]]);
    (0..n.div_ceil(4)).flat_map(block).take(n).map(|word| (word & 0x007F_FFFF) as f32 / 8_388_608.0)
}

fn philox(mut c: [u32; 4], mut key: [u32; 2]) -> [u32; 4] {
    for _ in 0..10 {
        let (p0, p1) = (u64::from(c[0]) * 0xD251_1F53, u64::from(c[2]) * 0xCD9E_8D57);
        c = [(p1 >> 32) as u32 ^ c[1] ^ key[0], p1 as u32, (p0 >> 32) as u32 ^ c[3] ^ key[1], p0 as u32];
        key = [key[0].wrapping_add(0x9E37_79B9), key[1].wrapping_add(0xBB67_AE85)];
    }
    c
}

/// Largest deviation relative to the largest expected value.
pub fn apart(found: &[f32], expected: &[f32]) -> f32 {
    assert_eq!(found.len(), expected.len());
    let largest =
        |values: &mut dyn Iterator<Item = f32>| values.fold(0.0f32, |m, v| if v.is_nan() { v } else { m.max(v.abs()) });
    largest(&mut found.iter().zip(expected).map(|(a, b)| a - b)) / largest(&mut expected.iter().copied())
}

/// Asserts [`apart`], and prints it.
#[track_caller]
pub fn assert_near(what: &str, found: &[f32], expected: &[f32], tolerance: f32) {
    let apart = apart(found, expected);
    eprintln!("{what}: {apart:e}");
    assert!(apart <= tolerance, "{what} differ by {apart:e}, {tolerance:e} is allowed");
}
