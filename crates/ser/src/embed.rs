//! `ser embed`.

use std::path::{Path, PathBuf};

use ndarray::Array2;
use ndarray_npy::WriteNpyExt;
use rayon::prelude::*;
use seraudio::LoadOptions;
use sermodel::Model;

use crate::{
    failure::{Failure, Result},
    inputs, lookup,
    output::{self, Target},
};

#[derive(Debug, clap::Args)]
#[command(after_help = "Example:
  ser embed model.safetensors recordings/ -o embeddings.npy

The .npy file holds float32 [recordings, 39], g_drf of the paper: what the network's last layer sees. Beside it,
embeddings.ids.txt names the recording of each row. Every recording is padded or cut to the model's training length.")]
pub struct Embed {
    /// The model file, or `builtin`.
    model: PathBuf,
    /// Recordings, or folders of them.
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// The .npy file.
    #[arg(short, long, value_name = "OUT.npy")]
    output: PathBuf,
}

/// Writes a vector for each recording that can be read.
///
/// # Errors
/// No usable model; recordings that can't be read, after all others were written; files that can't be written.
pub fn run(args: &Embed) -> Result<()> {
    let model = lookup::load(&args.model)?;
    let paths = inputs::expand(&args.paths)?;
    let inputs = || paths.iter().chain([&args.model]).map(PathBuf::as_path);
    let target = Target::file(&args.output, output::ARRAY, inputs())?;
    let ids_file = args.output.with_extension("ids.txt");
    if ids_file.exists() && !args.output.exists() {
        return Err(Failure::Input(format!(
            "{}: is there already, without the array that it would belong to, and would be overwritten; move it or give \
             another -o",
            ids_file.display()
        )));
    }
    let ids_target = Target::file(&ids_file, output::NAMES, inputs())?;
    let rows: Vec<_> = paths.par_iter().map(|path| embed(&model, path)).collect();
    let (mut values, mut ids, mut failed) = (Vec::new(), String::new(), 0);
    for (path, row) in paths.iter().zip(rows) {
        match row {
            Ok(row) => {
                values.extend(row);
                ids.push_str(&format!("{}\n", path.display()));
            }
            Err(e) => {
                failed += 1;
                tracing::error!("{e}");
            }
        }
    }
    if failed == paths.len() {
        return Err(Failure::Input("no recording could be read".to_owned()));
    }
    let shape = (paths.len() - failed, model.network().config().filters);
    let mut bytes = Vec::new();
    let array = Array2::from_shape_vec(shape, values).map_err(Failure::work)?;
    array.write_npy(&mut bytes).map_err(Failure::work)?;
    target.write(&bytes)?;
    ids_target.write(ids.as_bytes())?;
    tracing::info!("{} x {}", shape.0, shape.1);
    if failed == 0 {
        Ok(())
    } else {
        Err(Failure::Work(format!("{failed} of {} recordings could not be read", paths.len())))
    }
}

fn embed(model: &Model, path: &Path) -> std::result::Result<Vec<f32>, String> {
    let audio = seraudio::load(path, &LoadOptions::default()).map_err(|e| e.to_string())?;
    let prediction = model.predict(&audio.samples, audio.rate);
    prediction.map(|p| p.output.embedding).map_err(|e| format!("{}: {e}", path.display()))
}
