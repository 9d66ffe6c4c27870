//! `cargo xtask setup`: a libtorch that plain `cargo build` finds, with no environment variable to set.
//!
//! In this order: a LIBTORCH that is set, what a former set-up left in `.libtorch/`, a PyTorch that `python3` has, and
//! last a download.

mod found;
mod install;
mod manifest;

use std::{env, path::Path, time::Instant};

use anyhow::Result;
use clap::Args;

use crate::project::{BadInput, root};
use manifest::Manifest;

/// What tch 0.24 links against; torch-sys stops at any other.
pub const VERSION: &str = "2.11.0";

#[derive(Args, Default)]
pub struct Options {
    /// Hash every file again, not only its size
    #[arg(long)]
    verify: bool,
    /// Keep the CUDA libraries (x86-64; some 3 GB to download)
    #[arg(long)]
    keep_cuda: bool,
    /// Download even where python3 already has the right PyTorch
    #[arg(long)]
    download: bool,
}

pub fn run(options: &Options) -> Result<()> {
    let home = root().join(".libtorch");
    if let Some(other) = env::var_os("LIBTORCH").filter(|set| Path::new(set) != home.join("torch")) {
        let other = Path::new(&other);
        let version = found::check(other).map_err(|why| BadInput(format!("LIBTORCH={}: {why}", other.display())))?;
        eprintln!("libtorch {version}: LIBTORCH is set, using {} as it is", other.display());
        return Ok(());
    }
    match present(&home, options) {
        Ok(what) => {
            eprintln!("libtorch {VERSION}: {what}");
            return Ok(());
        }
        Err(why) => eprintln!("libtorch: {why}"),
    }
    let start = Instant::now();
    let what = if let Some(torch) = found::pytorch().filter(|_| !options.download && !options.keep_cuda) {
        install::link(&home, &torch)?;
        format!("using the PyTorch in {}", torch.display())
    } else {
        install::download(&home, options.keep_cuda)?
    };
    eprintln!("libtorch {VERSION}: {what}, {:.0} s", start.elapsed().as_secs_f64());
    Ok(())
}

/// What is in `.libtorch/`, or why that won't do.
fn present(home: &Path, options: &Options) -> Result<String, String> {
    let torch = home.join("torch");
    if torch.is_symlink() {
        if options.download || options.keep_cuda {
            return Err("so far an installed PyTorch was used; downloading as asked".to_owned());
        }
        found::check(&torch).map_err(|why| format!("the PyTorch used so far is gone or changed: {why}"))?;
        let target = torch.read_link().unwrap_or_default();
        return Ok(format!("using the PyTorch in {}", target.display()));
    }
    if !home.exists() {
        return Err("not there yet".to_owned());
    }
    found::check(&torch).map_err(|why| format!("{}: {why}", home.display()))?;
    let manifest = Manifest::read(home)?;
    if options.keep_cuda && !manifest.cuda {
        return Err("there without CUDA libraries".to_owned());
    }
    manifest.check(home, options.verify)?;
    let how = if options.verify { "every hash is right" } else { "complete" };
    Ok(format!("{} is there and {how} ({} files)", home.display(), manifest.len()))
}
