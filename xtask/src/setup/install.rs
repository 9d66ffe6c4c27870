//! Putting `.libtorch/` together beside its place and moving it there when it is whole.

use std::{
    env,
    ffi::OsStr,
    fs, io,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::{self, Command, Stdio},
};

use anyhow::{Context, Result, bail};

use super::{VERSION, found, manifest::Manifest};
use crate::project::{self, BadInput};

/// Refers to an installed PyTorch. Its libraries find NVIDIA's beside it, as they do there.
pub fn link(home: &Path, torch: &Path) -> Result<()> {
    let staging = Staging::new(home)?;
    let new = staging.folder("new")?;
    symlink(torch, new.join("torch")).context("cannot make a symbolic link")?;
    staging.commit(&new, home)
}

/// Has pip fetch the wheels, checks them by hash and keeps what Rust programs need of them.
pub fn download(home: &Path, cuda: bool) -> Result<String> {
    let platforms = platforms(cuda)?;
    let file = if cuda { "requirements-cuda.txt" } else { "requirements.txt" };
    pip_is_there()?;
    let staging = Staging::new(home)?;
    let wheels = staging.folder("wheels")?;
    eprintln!("libtorch: fetching {VERSION} with pip, {}", if cuda { "about 3 GB" } else { "about 0.55 GB" });
    let mut pip = Command::new("python3");
    pip.args(["-m", "pip", "install", "--no-deps", "--require-hashes", "--only-binary=:all:", "--no-compile"])
        .args(["--disable-pip-version-check", "--no-input", "--python-version", "3.11"])
        .args(platforms.iter().flat_map(|p| ["--platform", p]))
        .arg("--target")
        .arg(&wheels)
        .arg("-r")
        .arg(project::root().join("fixtures/libtorch").join(file))
        // The wheels are large and /tmp may be small.
        .env("TMPDIR", staging.folder("tmp")?)
        .env("PIP_ROOT_USER_ACTION", "ignore")
        .env_remove("PIP_USER")
        .stdout(Stdio::from(io::stderr()));
    project::check(&mut pip).context("pip could not fetch libtorch; its message is above")?;

    let new = staging.folder("new")?;
    keep(&wheels, &new, cuda)?;
    fs::write(new.join("torch/build-version"), VERSION)?;
    if let Err(why) = found::check(&new.join("torch")) {
        bail!("what pip fetched is not the libtorch that is expected: {why}");
    }
    let manifest = Manifest::of(&new, cuda)?;
    manifest.write(&new)?;
    staging.commit(&new, home)?;
    Ok(format!("{} files in {}", manifest.len(), home.display()))
}

/// Platform tags of the wheels in the requirements file.
fn platforms(cuda: bool) -> Result<Vec<String>> {
    let arch = env::consts::ARCH;
    let known = env::consts::OS == "linux" && (arch == "x86_64" || (arch == "aarch64" && !cuda));
    if !known {
        return Err(BadInput(format!(
            "no libtorch {VERSION}{} is known for {} on {arch}; install PyTorch {VERSION} and set LIBTORCH to its `torch` folder",
            if cuda { " with CUDA" } else { "" },
            env::consts::OS
        ))
        .into());
    }
    let glibc = [28, 27, 25, 24, 18, 17, 12, 5].iter().map(|minor| format!("manylinux_2_{minor}_{arch}"));
    Ok(glibc.chain(["2014", "2010", "1"].iter().map(|year| format!("manylinux{year}_{arch}"))).collect())
}

fn pip_is_there() -> Result<()> {
    let output = Command::new("python3").args(["-m", "pip", "--version"]).output();
    if output.is_ok_and(|output| output.status.success()) {
        return Ok(());
    }
    Err(BadInput(format!(
        "`python3 -m pip` is needed to fetch libtorch and does not run. Install it (Debian, Ubuntu: apt-get install \
         python3-pip; Fedora: dnf install python3-pip), or set LIBTORCH to a libtorch {VERSION}"
    ))
    .into())
}

/// Moves headers, libraries and licences from the unpacked wheels. `torch/` and `nvidia/` stay siblings:
/// libtorch_cpu.so looks for NVIDIA's libraries by a relative path.
fn keep(wheels: &Path, new: &Path, cuda: bool) -> Result<()> {
    fs::create_dir_all(new.join("torch"))?;
    move_to(&wheels.join("torch/include"), &new.join("torch/include"))?;
    let without = if cuda { &["python", "shm"][..] } else { &["python", "shm", "cuda", "nvrtc", "nvshmem"][..] };
    for library in entries(&wheels.join("torch/lib"))? {
        let name = name(&library);
        if name.contains(".so") && !without.iter().any(|word| name.contains(word)) {
            move_to(&library, &new.join("torch/lib").join(name))?;
        }
    }
    for entry in entries(wheels)? {
        let name = name(&entry);
        if name == "nvidia" && cuda {
            move_to(&entry, &new.join(name))?;
        } else if name == "nvidia" {
            for library in ["cu13/lib/libcudart.so.13", "cu13/lib/libcupti.so.13"] {
                move_to(&entry.join(library), &new.join(name).join(library))?;
            }
        } else if name.ends_with(".dist-info") && entry.join("licenses").is_dir() {
            move_to(&entry.join("licenses"), &new.join("licenses").join(name.trim_end_matches(".dist-info")))?;
        }
    }
    Ok(())
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>> {
    let read = fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
    Ok(read.map(|entry| entry.map(|e| e.path())).collect::<io::Result<_>>()?)
}

fn name(path: &Path) -> &str {
    path.file_name().and_then(OsStr::to_str).unwrap_or_default()
}

fn move_to(from: &Path, to: &Path) -> Result<()> {
    if let Some(parent) = to.parent() {
        fs::create_dir_all(parent)?;
    }
    fs::rename(from, to).with_context(|| format!("cannot move {} to {}", from.display(), to.display()))
}

/// A folder of this process beside `.libtorch/`, on the same file system; gone at the end whatever happened.
struct Staging(PathBuf);

impl Staging {
    fn new(home: &Path) -> Result<Self> {
        let all = home.with_file_name(".libtorch-tmp");
        // What processes that were killed left behind.
        for left in entries(&all).unwrap_or_default() {
            if !Path::new("/proc").join(name(&left)).exists() {
                fs::remove_dir_all(&left).ok();
            }
        }
        let own = all.join(process::id().to_string());
        fs::create_dir_all(&own).with_context(|| format!("cannot make {}", own.display()))?;
        Ok(Self(own))
    }

    fn folder(&self, name: &str) -> Result<PathBuf> {
        let path = self.0.join(name);
        fs::create_dir_all(&path).with_context(|| format!("cannot make {}", path.display()))?;
        Ok(path)
    }

    /// Programs that have the former one open keep it.
    fn commit(&self, new: &Path, home: &Path) -> Result<()> {
        if home.exists() {
            move_to(home, &self.0.join("old"))?;
        }
        move_to(new, home)
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).ok();
        if let Some(all) = self.0.parent() {
            fs::remove_dir(all).ok(); // only where nobody else is in it
        }
    }
}
