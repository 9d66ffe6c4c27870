//! The official code's feature files: `np.save` of a dict {"x": [utterances, frames, coefficients], "y": one-hot}, that is a
//! pickle of a 0-d object array. [`crate::pickle`] reads it without running anything.

use crate::pickle;

/// A feature file's content.
#[derive(Debug, PartialEq)]
pub struct FeatureFile {
    /// [utterances, frames, coefficients], row by row.
    pub features: Vec<f32>,
    /// The class of each utterance.
    pub labels: Vec<usize>,
    /// Number of classes: columns of y.
    pub classes: usize,
    /// Frames of an utterance.
    pub frames: usize,
    /// Coefficients of a frame.
    pub coefficients: usize,
}

/// Reads a feature file.
///
/// # Errors
/// In words: bytes that are no such file, arrays that do not fit together, rows of y that are not one-hot, features that
/// are not finite.
pub fn read(bytes: &[u8]) -> Result<FeatureFile, String> {
    let pickle = pickle::load(body(bytes)?)?;
    let entries = match pickle.objects(pickle.root()) {
        Some(&[one]) => pickle.dict(one),
        _ => None,
    };
    let entries = entries.ok_or("the array does not hold one dict {\"x\": .., \"y\": ..}")?;
    let array = |key: &str| {
        let entry = entries.iter().find(|(k, _)| pickle.text(*k) == Some(key));
        let (_, value) = entry.ok_or_else(|| format!("the dict has no `{key}`"))?;
        pickle.numbers(*value).map_err(|e| format!("`{key}`: {e}"))
    };
    let ((x_shape, x), (y_shape, y)) = (array("x")?, array("y")?);
    let &[n, frames, coefficients] = &x_shape[..] else {
        return Err(format!("`x` has shape {x_shape:?}, [utterances, frames, coefficients] is wanted"));
    };
    let &[rows, classes] = &y_shape[..] else {
        return Err(format!("`y` has shape {y_shape:?}, [utterances, classes] (one-hot) is wanted"));
    };
    if rows != n || x.is_empty() || y.is_empty() {
        return Err(format!("`x` has shape {x_shape:?}, `y` {y_shape:?}: they do not fit together"));
    }
    let features: Vec<f32> = x.into_iter().map(|v| v as f32).collect();
    if let Some(at) = features.iter().position(|v| !v.is_finite()) {
        return Err(format!("`x` is {} in utterance {}", features[at], at / (frames * coefficients)));
    }
    let labels = y
        .chunks_exact(classes)
        .enumerate()
        .map(|(i, row)| {
            let ones = row.iter().filter(|&&v| v == 1.0).count();
            let zeros = row.iter().filter(|&&v| v == 0.0).count();
            let class = row.iter().position(|&v| v == 1.0).filter(|_| ones == 1 && ones + zeros == classes);
            class.ok_or_else(|| format!("row {i} of `y` is {row:?}, which is not one-hot"))
        })
        .collect::<Result<_, _>>()?;
    Ok(FeatureFile { features, labels, classes, frames, coefficients })
}

/// The bytes behind the NPY header, which must say: an object array of no dimension.
fn body(bytes: &[u8]) -> Result<&[u8], String> {
    let rest = bytes.strip_prefix(b"\x93NUMPY").ok_or("is no .npy file")?;
    let (&[major, _], rest) = rest.split_first_chunk::<2>().ok_or("ends in its header")?;
    let (length, rest) = if major == 1 {
        let (length, rest) = rest.split_first_chunk().ok_or("ends in its header")?;
        (usize::from(u16::from_le_bytes(*length)), rest)
    } else {
        let (length, rest) = rest.split_first_chunk().ok_or("ends in its header")?;
        (u32::from_le_bytes(*length) as usize, rest)
    };
    let (header, body) = rest.split_at_checked(length).ok_or("ends in its header")?;
    let header = String::from_utf8_lossy(header);
    if !header.contains("'|O'") || !header.contains("'shape': ()") {
        return Err(format!(
            "is an array of its own ({}), not the official code's dict of x and y: np.save(file, {{\"x\": .., \"y\": ..}})",
            header.trim()
        ));
    }
    Ok(body)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILES: [&[u8]; 4] = [
        include_bytes!("../../../fixtures/features/numpy-2.npy"),
        include_bytes!("../../../fixtures/features/protocol-2.npy"),
        include_bytes!("../../../fixtures/features/protocol-3.npy"),
        include_bytes!("../../../fixtures/features/odd.npy"),
    ];

    /// As `make.py` beside the files computes it.
    fn expected() -> FeatureFile {
        let mut features = Vec::new();
        for i in 0..12u8 {
            for t in 0..5u8 {
                for c in 0..4u8 {
                    let first = if c == 0 { 8.0 * f64::from(i % 3) } else { 0.0 };
                    let wave = 10.0 * (f64::from(i) + 0.5 * f64::from(t)).sin();
                    features.push((wave + first - 0.25 * f64::from(c) * f64::from(t)) as f32);
                }
            }
        }
        let labels = (0..12).map(|i| i % 3).collect();
        FeatureFile { features, labels, classes: 3, frames: 5, coefficients: 4 }
    }

    #[test]
    fn every_way_numpy_pickles_is_read() {
        for (i, bytes) in FILES.into_iter().enumerate() {
            assert_eq!(read(bytes), Ok(expected()), "file {i}");
        }
    }

    /// An NPY header of an object array of no dimension, with that pickle behind it.
    fn file(pickle: &[u8]) -> Vec<u8> {
        let header = b"{'descr': '|O', 'fortran_order': False, 'shape': (), }\n";
        let length = (header.len() as u16).to_le_bytes();
        [b"\x93NUMPY\x01\x00", &length[..], header, pickle].concat()
    }

    #[test]
    fn hostile_pickles_are_errors_and_run_nothing() {
        // pickle.dumps of an object whose __reduce__ is (os.system, ("touch hacked",))
        let system: &[u8] = b"\x80\x04\x8c\x05posix\x8c\x06system\x93\x8c\x0ctouch hacked\x85R.";
        let nested = [&b"\x80\x04)"[..], &[0x85; 2_000_000], b"."].concat();
        let doubled = [&b"\x80\x04)\x94"[..], &b"h\x00h\x00\x86q\x00".repeat(100_000), b"."].concat();
        // Ten gigabytes, if every call made its bytes.
        let encoded = [
            &b"\x80\x02c_codecs\nencode\nq\x00X\xa0\x86\x01\x00"[..],
            &[b'a'; 100_000],
            b"X\x06\x00\x00\x00latin1\x86q\x01",
            &b"h\x00h\x01R".repeat(100_000),
            b".",
        ]
        .concat();
        for (pickle, part) in [
            (&encoded[..], "one dict"),
            (system, "posix.system"),
            (b"cbuiltins\neval\n(X\x01\x00\x00\x001tR.", "builtins.eval"),
            (&nested, "one dict"),
            (&doubled, "one dict"),
            (b"\x80\x04\x8e\xff\xff\xff\xff\xff\xff\xff\xff", "ends"),
            (b"\x80\x04j\xff\xff\xff\xff.", "reference"),
            (b"\x80\x04}R.", "stack"),
            (b"\x80\x04(((.", "stack"),
            (b"\x80\x04\x8a\xff", "ends"),
            (b"P1\n.", "0x50"),
            (b"\x80\x04N.", "one dict"),
            (b"", "ends"),
        ] {
            let refused = read(&file(pickle)).unwrap_err();
            assert!(refused.contains(part), "{part}: {refused}");
        }
        assert!(!std::path::Path::new("hacked").exists());
    }

    #[test]
    fn damaged_files_are_errors() {
        for bytes in FILES {
            for n in 0..bytes.len() {
                assert!(read(&bytes[..n]).is_err(), "cut to {n}");
            }
            for at in 0..bytes.len() {
                let mut flipped = bytes.to_vec();
                flipped[at] ^= 0x55;
                // Whatever is read then, nothing panics.
                let _ = read(&flipped);
            }
        }
        let plain = b"\x93NUMPY\x01\x00\x3b\x00{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }\n";
        assert!(read(plain).unwrap_err().contains("dict of x and y"));
    }

    #[test]
    fn arrays_that_do_not_fit_are_errors() {
        let bytes = FILES[0];
        let find = |part: &[u8]| bytes.windows(part.len()).position(|w| w == part).unwrap();
        // A one of y becomes a two; a number of x becomes NaN; the shape (12, 5, 4) becomes (12, 5, 5).
        let y = bytes.len() - bytes.iter().rev().position(|&b| b == 0x3f).unwrap() - 1;
        let x = find(b"f4") + 64;
        let shape = find(b"K\x0cK\x05K\x04") + 5;
        for (at, value, part) in [(y, 0x40, "one-hot"), (shape, 5, "bytes for shape")] {
            let mut wrong = bytes.to_vec();
            wrong[at] = value;
            let refused = read(&wrong).unwrap_err();
            assert!(refused.contains(part), "{part}: {refused}");
        }
        let start = bytes[x..].windows(4).position(|w| w == expected().features[9].to_le_bytes()).unwrap() + x;
        let mut wrong = bytes.to_vec();
        wrong[start..start + 4].copy_from_slice(&f32::NAN.to_le_bytes());
        assert!(read(&wrong).unwrap_err().contains("NaN in utterance 0"));
    }
}
