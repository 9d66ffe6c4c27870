//! Which model answers.

use std::path::{Path, PathBuf};

use sermodel::Model;

use crate::failure::{Failure, Result};

/// Names the built-in model wherever a model is asked for; a file of that name is `./builtin`.
const NAME: &str = "builtin";
/// Names a model file where no flag does.
const VARIABLE: &str = "SER_MODEL";

#[cfg(built_in_model)]
const BUILT_IN: Option<&[u8]> = Some(include_bytes!("../models/emodb.safetensors"));
#[cfg(not(built_in_model))]
const BUILT_IN: Option<&[u8]> = None;

/// The `--model` flag.
#[derive(Debug, clap::Args)]
pub struct Choice {
    /// Model file, or `builtin`; else the one that SER_MODEL names, else the built-in one.
    #[arg(long, value_name = "MODEL")]
    model: Option<PathBuf>,
}

impl Choice {
    /// The file that --model or the variable names; none where the built-in model answers.
    pub fn file(&self) -> Option<PathBuf> {
        let variable = std::env::var_os(VARIABLE).filter(|v| !v.is_empty()).map(PathBuf::from);
        self.model.clone().or(variable)
    }

    /// Loads the model.
    ///
    /// # Errors
    /// No model anywhere, or one that can't be used.
    pub fn load(&self) -> Result<Model> {
        self.file().map_or_else(built_in, |path| load(&path))
    }
}

/// Loads the model that SER_MODEL names, else the built-in one.
///
/// # Errors
/// As [`Choice::load`].
pub fn default() -> Result<Model> {
    Choice { model: None }.load()
}

fn built_in() -> Result<Model> {
    let bytes = BUILT_IN.ok_or_else(|| {
        Failure::Input(format!(
            "no model: this program was built without one; give --model MODEL.safetensors or set {VARIABLE}"
        ))
    })?;
    Model::from_bytes(bytes).map_err(Failure::work)
}

/// Loads the model file at `path`; `builtin` is the built-in model.
///
/// # Errors
/// A file that can't be read or is no model, with its path.
pub fn load(path: &Path) -> Result<Model> {
    if path == Path::new(NAME) {
        return built_in();
    }
    let hint = if BUILT_IN.is_some() { "; `builtin` names the model that comes with the program" } else { "" };
    let bytes = std::fs::read(path).map_err(|e| Failure::Input(format!("model {}: {e}{hint}", path.display())))?;
    Model::from_bytes(&bytes).map_err(|e| Failure::Input(format!("model {}: {e}", path.display())))
}
