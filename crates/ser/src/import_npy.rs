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
