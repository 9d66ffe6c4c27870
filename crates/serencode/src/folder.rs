//! A model and the JSON files that `optimum` puts beside it.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::settings::Scaling;
use crate::{EncodeError, limits};

/// What the files beside a model say.
#[derive(Debug, Default)]
pub(crate) struct Notes {
    pub rate: Option<u32>,
    pub scaling: Option<Scaling>,
    /// `feature_size` of `WhisperFeatureExtractor`: 80 or 128 bands.
    pub bands: Option<usize>,
    /// `feature_extractor_type`.
    pub extractor: Option<String>,
    pub labels: Option<Vec<String>>,
    /// `problem_type`: `regression`, `single_label_classification`, `multi_label_classification`.
    pub problem: Option<String>,
    /// `model_type`, for example `wavlm`.
    pub family: Option<String>,
}

#[derive(Deserialize)]
struct Config {
    model_type: Option<String>,
    problem_type: Option<String>,
    id2label: Option<BTreeMap<String, String>>,
}

#[derive(Deserialize)]
struct Preprocessor {
    sampling_rate: Option<u32>,
    do_normalize: Option<bool>,
    feature_size: Option<usize>,
    feature_extractor_type: Option<String>,
}

/// The ONNX file that a path means: itself, or in a folder `model.onnx`, else `encoder_model.onnx`, else the only one there.
pub(crate) fn model_file(path: &Path) -> Result<PathBuf, EncodeError> {
    if !path.is_dir() {
        return Ok(path.to_owned());
    }
    for name in ["model.onnx", "encoder_model.onnx"] {
        if path.join(name).is_file() {
            return Ok(path.join(name));
        }
    }
    let read = |source| EncodeError::Read { path: path.to_owned(), source };
    let mut found = Vec::new();
    for entry in path.read_dir().map_err(read)? {
        let file = entry.map_err(read)?.path();
        if file.extension().is_some_and(|extension| extension == "onnx") {
            found.push(file);
        }
    }
    match &found[..] {
        [file] => Ok(file.clone()),
        _ => Err(EncodeError::NoModel { folder: path.to_owned(), found: found.len() }),
    }
}

/// Reads `config.json` and `preprocessor_config.json` beside a model, where they are.
pub(crate) fn notes(model: &Path) -> Result<Notes, EncodeError> {
    let mut notes = Notes::default();
    let path = model.with_file_name("config.json");
    if let Some(config) = json::<Config>(&path)? {
        notes.labels = config
            .id2label
            .map(|map| in_order(&map))
            .transpose()
            .map_err(|what| EncodeError::Json { path: path.clone(), what: format!("id2label: {what}") })?;
        (notes.family, notes.problem) = (config.model_type, config.problem_type);
    }
    if let Some(front) = json::<Preprocessor>(&model.with_file_name("preprocessor_config.json"))? {
        (notes.rate, notes.extractor) = (front.sampling_rate, front.feature_extractor_type);
        notes.bands = front.feature_size.filter(|bands| matches!(bands, 80 | 128));
        notes.scaling = front.do_normalize.map(|on| match on {
            true => Scaling::ZeroMeanUnitVariance,
            false => Scaling::None,
        });
    }
    Ok(notes)
}

/// Labels that a file's own metadata say: `id2label` as JSON, or `labels` as a JSON list.
pub(crate) fn metadata_labels(metadata: &[(String, String)]) -> Result<Option<Vec<String>>, String> {
    for (key, text) in metadata {
        let labels = match key.as_str() {
            "id2label" => serde_json::from_str(text).map_err(|e| e.to_string()).and_then(|map| in_order(&map)),
            "labels" => serde_json::from_str(text).map_err(|e| e.to_string()).and_then(checked),
            _ => continue,
        };
        return labels.map(Some).map_err(|what| format!("its metadata `{key}`: {what}"));
    }
    Ok(None)
}

fn in_order(map: &BTreeMap<String, String>) -> Result<Vec<String>, String> {
    let label = |index: usize| map.get(&index.to_string()).cloned();
    match (0..map.len()).map(label).collect() {
        Some(labels) => checked(labels),
        None => Err(format!("its keys are not the numbers 0 to {}", map.len().saturating_sub(1))),
    }
}

/// Labels that can stand in a table: not empty, all different, short, without control characters.
pub(crate) fn checked(labels: Vec<String>) -> Result<Vec<String>, String> {
    if labels.is_empty() || labels.len() > limits::LABELS {
        return Err(format!("there are {} labels; allowed are 1 to {}", labels.len(), limits::LABELS));
    }
    for (at, label) in labels.iter().enumerate() {
        if label.trim().is_empty() || label.chars().count() > limits::LABEL || label.chars().any(char::is_control) {
            return Err(format!(
                "label {at} is empty, longer than {} characters or has control characters",
                limits::LABEL
            ));
        }
        if labels[..at].contains(label) {
            return Err(format!("label `{label}` is there twice"));
        }
    }
    Ok(labels)
}

fn json<T: for<'de> Deserialize<'de>>(path: &Path) -> Result<Option<T>, EncodeError> {
    if !path.is_file() {
        return Ok(None);
    }
    let bytes = read(path, limits::JSON_BYTES)?;
    serde_json::from_slice(&bytes).map(Some).map_err(|error| EncodeError::Json {
        path: path.to_owned(),
        what: format!("not as transformers writes it: {error}"),
    })
}

/// The bytes of a file of at most `limit` bytes.
pub(crate) fn read(path: &Path, limit: u64) -> Result<Vec<u8>, EncodeError> {
    let failed = |source| EncodeError::Read { path: path.to_owned(), source };
    let facts = path.metadata().map_err(failed)?;
    if !facts.is_file() {
        return Err(failed(std::io::Error::other("it is no file")));
    }
    let (file, size) = (File::open(path).map_err(failed)?, facts.len());
    let mut bytes = Vec::with_capacity(usize::try_from(size.min(limit)).unwrap_or(0));
    file.take(limit + 1).read_to_end(&mut bytes).map_err(failed)?;
    match bytes.len() as u64 {
        bytes if bytes > limit => Err(EncodeError::TooLarge { path: path.to_owned(), bytes: size.max(bytes), limit }),
        _ => Ok(bytes),
    }
}
