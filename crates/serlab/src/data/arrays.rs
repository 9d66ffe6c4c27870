//! Features that another program made: `.npy` files.
//!
//! Either a folder with one file of shape [frames, D] for each utterance, `ID.npy` or the recording's path below the corpus with the end
//! `.npy`; or one file of shape [utterances, frames, D], in the order of the corpus' utterances. Values are float16, float32 or float64.

use std::{
    fs::File,
    io::{BufReader, Read},
    path::{Path, PathBuf},
};

use npyz::{DType, NpyFile, Order, TypeChar, half::f16};

use serengine::first_not_finite;

use super::matrices::Matrices;
use crate::error::{LabError, Result};

/// Most bytes of one file.
const LARGEST: u64 = 1 << 34;
/// Most values of a frame.
const WIDEST: usize = 4096;

/// An utterance whose features are wanted: its id, and its recording's path below the corpus' folder.
pub struct Wanted<'a> {
    /// Unique in the corpus.
    pub id: &'a str,
    /// Below the corpus' folder; None where it lies elsewhere.
    pub relative: Option<&'a Path>,
}

/// Reads the features of `utterances` from `path`, a folder or a file.
///
/// # Errors
/// A file that is missing, is no such array or holds a value that is no number, by its path; arrays of several widths.
pub fn read(path: &Path, utterances: &[Wanted]) -> Result<Matrices> {
    let mut all = if path.is_dir() { folder(path, utterances)? } else { one(path, utterances.len())? };
    let Some(first) = all.first().map(|(_, m)| m.width) else {
        return Err(LabError::Input(format!("{}: no utterance whose features could be read", path.display())));
    };
    if let Some((other, m)) = all.iter().find(|(_, m)| m.width != first) {
        return Err(LabError::Input(format!(
            "{}: frames of {} values, where those of {} have {first}; all features of a corpus have one width",
            other.display(),
            m.width,
            all[0].0.display()
        )));
    }
    Ok(Matrices { coefficients: first, each: all.drain(..).map(|(_, m)| m.values).collect() })
}

/// [frames, width], row-major.
struct Matrix {
    width: usize,
    values: Vec<f32>,
}

fn folder(folder: &Path, utterances: &[Wanted]) -> Result<Vec<(PathBuf, Matrix)>> {
    let read = |u: &Wanted| {
        let below = |name: &Path| folder.join(name.with_added_extension("npy"));
        // What a list names never leaves the folder.
        let plain = |name: &Path| name.components().all(|c| matches!(c, std::path::Component::Normal(_)));
        let id = Path::new(u.id);
        let mut names = Vec::new();
        names.extend(plain(id).then(|| below(id)));
        if let Some(relative) = u.relative.filter(|r| plain(r)) {
            names.extend([folder.join(relative.with_extension("npy")), below(relative)]);
        }
        let Some(path) = names.iter().find(|name| name.is_file()) else {
            let tried: Vec<String> = names.iter().map(|n| n.display().to_string()).collect();
            return Err(LabError::Input(format!(
                "no features of utterance {}: none of {} is there",
                u.id,
                tried.join(", ")
            )));
        };
        let (shape, values) = values(path)?;
        match shape[..] {
            [frames, width] if frames > 0 && (1..=WIDEST).contains(&width) => {
                Ok((path.clone(), Matrix { width, values }))
            }
            _ => Err(unfit(path, &shape, "[frames, D]")),
        }
    };
    utterances.iter().map(read).collect()
}

fn one(path: &Path, utterances: usize) -> Result<Vec<(PathBuf, Matrix)>> {
    let (shape, values) = values(path)?;
    let [n, frames, width] = shape[..] else { return Err(unfit(path, &shape, "[utterances, frames, D]")) };
    if n != utterances {
        return Err(LabError::Input(format!(
            "{}: features of {n} utterances, and the corpus has {utterances}; they have to be in the order of `ser corpus list`",
            path.display()
        )));
    }
    if frames == 0 || !(1..=WIDEST).contains(&width) {
        return Err(unfit(path, &shape, "[utterances, frames, D]"));
    }
    Ok(values.chunks_exact(frames * width).map(|m| (path.to_owned(), Matrix { width, values: m.to_vec() })).collect())
}

fn unfit(path: &Path, shape: &[usize], wanted: &str) -> LabError {
    LabError::Input(format!(
        "{}: an array of shape {shape:?}; {wanted} is wanted, with at least one frame and D from 1 to {WIDEST}",
        path.display()
    ))
}

/// Shape and values of an array of floats, row-major.
fn values(path: &Path) -> Result<(Vec<usize>, Vec<f32>)> {
    let wrong = |why: String| LabError::Input(format!("{}: {why}", path.display()));
    let io = |e: std::io::Error| wrong(format!("cannot be read as a .npy file: {e}"));
    let file = File::open(path).map_err(io)?;
    let length = file.metadata().map_err(io)?.len();
    let npy = NpyFile::new(BufReader::new(file.take(LARGEST))).map_err(io)?;
    let shape: Vec<usize> = npy.shape().iter().map(|&n| n as usize).collect();
    if npy.order() != Order::C {
        return Err(wrong("an array in Fortran order; save it with numpy.ascontiguousarray".into()));
    }
    let dtype = npy.dtype();
    let size = match &dtype {
        DType::Plain(t) if t.type_char() == TypeChar::Float && [2, 4, 8].contains(&t.size_field()) => t.size_field(),
        other => {
            return Err(wrong(format!("values of type {}; float16, float32 or float64 are wanted", other.descr())));
        }
    };
    // Before memory is taken for them: the header may claim anything.
    let bytes = shape.iter().try_fold(size, |n, &d| n.checked_mul(d as u64));
    if bytes.is_none_or(|n| n > length || n > LARGEST) {
        return Err(wrong(format!(
            "its header says {shape:?} values, and the file has {length} bytes: cut off, or damaged"
        )));
    }
    let values: Vec<f32> = match size {
        2 => npy.into_vec::<f16>().map_err(io)?.into_iter().map(f32::from).collect(),
        4 => npy.into_vec::<f32>().map_err(io)?,
        _ => npy.into_vec::<f64>().map_err(io)?.into_iter().map(|v| v as f32).collect(),
    };
    if let Some(at) = first_not_finite(&values) {
        return Err(wrong(format!(
            "value {at} (counted from 0, row by row) is {}, which is no finite number",
            values[at]
        )));
    }
    Ok((shape, values))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use npyz::WriterBuilder;

    use super::*;

    fn write<T: npyz::AutoSerialize + Copy>(path: &Path, shape: &[u64], values: &[T]) {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let mut writer = npyz::WriteOptions::new()
            .default_dtype()
            .shape(shape)
            .writer(File::create(path).unwrap())
            .begin_nd()
            .unwrap();
        writer.extend(values.iter().copied()).unwrap();
        writer.finish().unwrap();
    }

    fn wanted(id: &'static str, relative: &'static str) -> Wanted<'static> {
        Wanted { id, relative: Some(Path::new(relative)) }
    }

    fn refused(path: &Path, utterances: &[Wanted], says: &str) {
        let error = read(path, utterances).unwrap_err();
        assert!(error.code() == 2 && error.to_string().contains(says), "{error}");
    }

    #[test]
    fn a_folder_has_a_file_for_each_utterance() {
        let temp = tempfile::tempdir().unwrap();
        let at = |name: &str| temp.path().join(name);
        write(&at("03a01Fa.npy"), &[2, 3], &[0.0f32, 1.0, 2.0, 3.0, 4.0, 5.0]);
        write(&at("wav/b.npy"), &[1, 3], &[0.5f64, 1.5, 2.5]);
        write(&at("wav/c.flac.npy"), &[1, 3], &[f16::from_f32(0.1), f16::ONE, f16::ZERO]);
        let all = [wanted("03a01Fa", "wav/03a01Fa.wav"), wanted("x", "wav/b.wav"), wanted("y", "wav/c.flac")];
        let found = read(temp.path(), &all).unwrap();
        assert_eq!(found.coefficients, 3);
        assert_eq!(found.each[..2], [vec![0.0, 1.0, 2.0, 3.0, 4.0, 5.0], vec![0.5, 1.5, 2.5]]);
        assert_eq!(found.each[2], [0.099_975_586, 1.0, 0.0]);
        refused(temp.path(), &[wanted("../03a01Fa", "/etc/passwd")], "no features of utterance ../03a01Fa");
        write(&at("z.npy"), &[1, 4], &[0.0f32; 4]);
        refused(temp.path(), &[wanted("x", "wav/b.wav"), wanted("z", "z.wav")], "frames of 4 values");
        write(&at("z.npy"), &[4], &[0.0f32; 4]);
        refused(temp.path(), &[wanted("z", "z.wav")], "an array of shape [4]; [frames, D] is wanted");
    }

    #[test]
    fn one_file_has_all_of_them() {
        let temp = tempfile::tempdir().unwrap();
        let path = temp.path().join("all.npy");
        let values: Vec<f32> = (0..12).map(|i| i as f32).collect();
        write(&path, &[2, 3, 2], &values);
        let all = [wanted("a", "a.wav"), wanted("b", "b.wav")];
        assert_eq!(read(&path, &all).unwrap().each, [&values[..6], &values[6..]]);
        refused(&path, &all[..1], "features of 2 utterances, and the corpus has 1");
    }

    #[test]
    fn files_that_lie_are_refused() {
        let temp = tempfile::tempdir().unwrap();
        let path = temp.path().join("a.npy");
        let all = [wanted("a", "a.wav")];
        write(&path, &[1, 2, 2], &[0.0f32, 1.0, f32::NAN, 2.0]);
        refused(&path, &all, "value 2 (counted from 0, row by row) is NaN");
        write(&path, &[1, 2, 2], &[0i32; 4]);
        refused(&path, &all, "float16, float32 or float64 are wanted");
        write(&path, &[1, 2, 2], &[0.0f32; 4]);
        let whole = fs::read(&path).unwrap();
        for n in [0, 5, 40, whole.len() - 1] {
            fs::write(&path, &whole[..n]).unwrap();
            refused(&path, &all, "a.npy");
        }
        let mut lying = whole.clone();
        let at = whole.windows(7).position(|w| w == b"1, 2, 2").unwrap();
        lying[at..at + 7].copy_from_slice(b"9, 9, 9");
        fs::write(&path, lying).unwrap();
        refused(&path, &all, "cut off, or damaged");
    }
}
