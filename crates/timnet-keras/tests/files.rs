//! Whole files: tensor by tensor against h5py, damaged ones, foreign ones.
//!
//! The `.hashes` files in `fixtures/keras` are what `python make.py FILE.hdf5` printed there: the name that timnet-core has
//! for each tensor and the FNV-1a hash of its little-endian float32 bytes, read by h5py and transposed by NumPy.

#![allow(clippy::unwrap_used)]

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use serengine::Weights;
use timnet_core::{ModelConfig, Places, Variant};
use timnet_keras::{KerasError, from_bytes, read};

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/keras")
}

fn small() -> Vec<u8> {
    fs::read(fixtures().join("timnet_n2.hdf5")).unwrap()
}

fn fnv(values: &[f32]) -> u64 {
    let bytes = values.iter().flat_map(|v| v.to_le_bytes());
    bytes.fold(0xCBF2_9CE4_8422_2325, |h, b| (h ^ u64::from(b)).wrapping_mul(0x100_0000_01B3))
}

fn assert_equals_h5py(weights: &Weights, hashes: &str) {
    let layout = &weights.layout;
    let both = [(layout.tensors(), &weights.parameters), (layout.running(), &weights.statistics)];
    let mut found: Vec<String> = both
        .into_iter()
        .flat_map(|(tensors, values)| {
            tensors.iter().map(move |t| format!("{} {:016x}", t.name, fnv(&values[t.range.all()])))
        })
        .collect();
    let expected = fs::read_to_string(fixtures().join(hashes)).unwrap();
    let mut expected: Vec<&str> = expected.lines().collect();
    found.sort();
    expected.sort_unstable();
    assert_eq!(found, expected);
}

#[test]
fn a_second_folds_file_equals_h5py() {
    let weights = from_bytes(&small()).unwrap();
    let c: ModelConfig = weights.settings().unwrap();
    assert_eq!((c.variant, c.blocks, c.classes, c.coefficients, c.filters), (Variant::TimNet, 2, 3, 4, 4));
    assert_equals_h5py(&weights, "timnet_n2.hashes");
}

/// Names of fixed length, compact data, no numbers on first layers.
#[test]
fn one_direction_equals_h5py() {
    let weights = read(&fixtures().join("forward_n1.hdf5")).unwrap();
    let c: ModelConfig = weights.settings().unwrap();
    assert_eq!((c.variant, c.blocks, c.classes, c.coefficients, c.filters), (Variant::NoBd, 1, 3, 4, 4));
    assert_equals_h5py(&weights, "forward_n1.hashes");
}

#[test]
#[ignore = "needs ../shared/data/keras (or SER_KERAS)"]
fn the_official_models_files_equal_h5py() {
    let data = env::var_os("SER_KERAS")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/keras"), PathBuf::from);
    for name in ["timnet_n8_init", "timnet_n8_after20"] {
        let file = data.join(name).with_extension("hdf5");
        let weights = read(&file).unwrap_or_else(|e| panic!("{e}; SER_KERAS may name its folder"));
        assert_eq!(weights.settings::<ModelConfig>().unwrap(), ModelConfig::timnet(8, 7));
        assert_equals_h5py(&weights, &format!("{name}.hashes"));
    }
}

#[test]
fn a_file_cut_off_anywhere_is_said_to_be() {
    let bytes = small();
    for len in (0..bytes.len()).step_by(997) {
        let error = from_bytes(&bytes[..len]).unwrap_err();
        match len {
            0..8 => assert!(matches!(error, KerasError::NotHdf5), "{len}: {error}"),
            _ => assert!(matches!(error, KerasError::Truncated { .. } | KerasError::Damaged { .. }), "{len}: {error}"),
        }
    }
}

/// SplitMix64 (Steele, Lea and Flood 2014).
struct Random(u64);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) % n as u64) as usize
    }
}

#[test]
fn damaged_bytes_never_panic() {
    let bytes = small();
    let mut random = Random(1);
    let mut errors = 0;
    for _ in 0..20_000 {
        let mut damaged = bytes.clone();
        for _ in 0..=random.below(8) {
            let at = random.below(bytes.len());
            damaged[at] = match random.below(3) {
                0 => damaged[at] ^ (1 << random.below(8)),
                1 => 0xFF,
                _ => random.below(256) as u8,
            };
        }
        errors += usize::from(from_bytes(&damaged).is_err());
    }
    // Most of the file is unused space and weights; but the damage must have reached the structure often.
    assert!(errors > 2_000, "{errors}");
}

/// Puts `new` in the place of `old`, which has the same length, wherever it is.
fn replaced(old: &[u8], new: &[u8]) -> Vec<u8> {
    assert_eq!(old.len(), new.len());
    let mut bytes = small();
    let places: Vec<usize> = (0..bytes.len() - old.len()).filter(|&i| bytes[i..].starts_with(old)).collect();
    assert!(!places.is_empty());
    for at in places {
        bytes[at..at + new.len()].copy_from_slice(new);
    }
    bytes
}

fn message(bytes: &[u8]) -> String {
    from_bytes(bytes).unwrap_err().to_string()
}

#[test]
fn what_does_not_fit_is_said() {
    assert!(message(b"not hdf5 at all").contains("not an HDF5 file"));
    let newer = [&small()[..8], &[2], &small()[9..]].concat();
    assert!(message(&newer).contains("superblock has version 2"), "{}", message(&newer));
    let text = message(&replaced(b"layer_names\0", b"layer_namez\0"));
    assert!(text.contains("no attribute `layer_names`"), "{text}");
    let text = message(&replaced(b"weight_layer_1", b"weight_later_1"));
    assert!(text.contains("layer `weight_later_1` has weights"), "{text}");
    let text = message(&replaced(b"batch_normalization_8", b"batch_normalisation_8"));
    assert!(text.contains("layer `batch_normalisation_8` has weights"), "{text}");
    let text = message(&replaced(b"moving_mean:0", b"moving_mode:0"));
    assert!(text.contains("has no weight `moving_mean`"), "{text}");
    // The dense layer's bias, of 3 classes, as a dataspace of 5: its size no longer fits.
    let text = message(&replaced(
        &[&[1, 1, 1, 0, 0, 0, 0, 0], &3u64.to_le_bytes()[..]].concat(),
        &[&[1, 1, 1, 0, 0, 0, 0, 0], &5u64.to_le_bytes()[..]].concat(),
    ));
    assert!(text.contains("size does not fit its shape"), "{text}");
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let text = read(Path::new("/nowhere/weights.hdf5")).unwrap_err().to_string();
    assert!(text.starts_with("cannot read /nowhere/weights.hdf5"), "{text}");
}

#[test]
fn values_that_are_no_weights_are_named() {
    let (bytes, weights) = (small(), from_bytes(&small()).unwrap());
    let places = Places::of(&weights.settings().unwrap());
    let var = places.blocks[0][1][0].running_var;
    let places = [
        (weights.parameters[places.head_bias.start + 1], f32::NAN, "`head.bias` has NaN at element 1"),
        (weights.statistics[var.start + 2], f32::INFINITY, "`backward.1.a.norm.running_var` has inf at element 2"),
        (weights.statistics[var.start + 2], -1.0, "`backward.1.a.norm.running_var` has -1 at element 2"),
    ];
    for (old, new, says) in places {
        let found: Vec<usize> = (0..bytes.len() - 4).filter(|&i| bytes[i..].starts_with(&old.to_le_bytes())).collect();
        assert_eq!(found.len(), 1);
        let mut damaged = bytes.clone();
        damaged[found[0]..found[0] + 4].copy_from_slice(&new.to_le_bytes());
        let text = message(&damaged);
        assert!(text.starts_with(says), "{text}");
    }
}

/// A file being written by hand (HDF5 File Format Specification, version 3.0).
struct Made(Vec<u8>);

impl Made {
    /// Adds a block and returns where it lies.
    fn put(&mut self, block: &[u8]) -> u64 {
        let at = self.0.len() as u64;
        self.0.extend_from_slice(block);
        self.0.resize(self.0.len().next_multiple_of(8), 0);
        at
    }

    /// A group whose B-tree has `nodes` times the same symbol node of `links` times the same link.
    fn group(&mut self, nodes: u16, links: u16, name: &str, target: u64, attribute: &[u8]) -> u64 {
        let names = self.put(&[name.as_bytes(), b"\0"].concat());
        let heap =
            [&b"HEAP\0\0\0\0"[..], &(name.len() as u64 + 1).to_le_bytes(), &[0; 8], &names.to_le_bytes()].concat();
        let heap = self.put(&heap);
        let entry = [&[0; 8][..], &target.to_le_bytes(), &[0; 24]].concat();
        let node = [&b"SNOD\x01\0"[..], &links.to_le_bytes(), &entry.repeat(links.into())].concat();
        let node = self.put(&node);
        let child = [&[0; 8][..], &node.to_le_bytes()].concat();
        let tree = [&b"TREE\0\0"[..], &nodes.to_le_bytes(), &[0xFF; 16], &child.repeat(nodes.into())].concat();
        let tree = self.put(&tree);
        let table = [&[0x11, 0, 16, 0, 0, 0, 0, 0][..], &tree.to_le_bytes(), &heap.to_le_bytes()].concat();
        let attribute = [&[0x0C, 0][..], &(attribute.len() as u16).to_le_bytes(), &[0; 4], attribute].concat();
        let messages = [table, attribute].concat();
        let head = [&[1, 0, 2, 0, 1, 0, 0, 0][..], &(messages.len() as u32).to_le_bytes(), &[0; 4], &messages].concat();
        self.put(&head)
    }
}

/// An attribute of `count` strings of two bytes.
fn strings(name: &str, count: u64) -> Vec<u8> {
    let mut name = [name.as_bytes(), b"\0"].concat();
    let head = [&[1, 0][..], &(name.len() as u16).to_le_bytes(), &[8, 0, 16, 0]].concat();
    name.resize(name.len().next_multiple_of(8), 0);
    let (datatype, dataspace) =
        ([0x13, 0, 0, 0, 2, 0, 0, 0], [&[1, 1, 0, 0, 0, 0, 0, 0][..], &count.to_le_bytes()].concat());
    let mut all = [head, name, datatype.to_vec(), dataspace, b"a\0".repeat(count as usize)].concat();
    all.resize(all.len().next_multiple_of(8), 0);
    all
}

/// 16,384 names of one layer whose group has 65,536 links with names of 1,000 bytes: each count is one that is allowed, together they are
/// 10^12 reads.
#[test]
fn names_times_links_are_bounded() {
    let file = |nodes, links, name: &str| {
        let mut made = Made(Vec::new());
        made.put(&[0; 96]);
        let layer = made.group(nodes, links, name, 0, &strings("weight_names", 0));
        let root = made.group(1, 1, "a", layer, &strings("layer_names", 16_384));
        let end = made.0.len() as u64;
        made.0[..8].copy_from_slice(b"\x89HDF\r\n\x1a\n");
        made.0[13..15].copy_from_slice(&[8, 8]);
        made.0[40..48].copy_from_slice(&end.to_le_bytes());
        made.0[64..72].copy_from_slice(&root.to_le_bytes());
        from_bytes(&made.0).unwrap_err()
    };
    let error = file(256, 255, &"x".repeat(1000));
    assert!(matches!(error, KerasError::TooMuchWork), "{error}");
    // As many names of a small group are read to the end, where it turns out to be no TIM-Net.
    let error = file(1, 1, "x");
    assert!(matches!(error, KerasError::Misfit(_)), "{error}");
}
