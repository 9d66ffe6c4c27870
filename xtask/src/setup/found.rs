//! A libtorch that is there already.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use super::VERSION;

/// The version of a usable libtorch, an unpacked one or an installed PyTorch's `torch` folder; otherwise why not.
pub fn check(torch: &Path) -> Result<String, String> {
    let read = |name: &str| fs::read_to_string(torch.join(name)).ok();
    let version = read("build-version")
        .or_else(|| read("version.py").and_then(|text| quoted(&text, "__version__ = ").map(str::to_owned)))
        .ok_or_else(|| {
            format!("no libtorch there (neither build-version nor version.py); libtorch {VERSION} is wanted")
        })?;
    let version = version.trim();
    if version.split('+').next() != Some(VERSION) {
        return Err(format!("libtorch {version} is there, exactly {VERSION} is wanted"));
    }
    for part in ["lib/libtorch_cpu.so", "lib/libc10.so", "include/torch/csrc/api/include/torch/torch.h"] {
        if !torch.join(part).is_file() {
            return Err(format!("{part} is missing"));
        }
    }
    Ok(version.to_owned())
}

/// What stands in single quotes after `key` at the beginning of a line.
fn quoted<'a>(text: &'a str, key: &str) -> Option<&'a str> {
    text.lines().find_map(|line| line.strip_prefix(key)?.trim().strip_prefix('\'')?.strip_suffix('\''))
}

/// The `torch` folder of the PyTorch that `python3` would import, where it is the right one. Looked up, not imported.
pub fn pytorch() -> Option<PathBuf> {
    const LOOK_UP: &str = "import importlib.util as u; s = u.find_spec('torch'); \
                           print(s.submodule_search_locations[0] if s else '')";
    let output = Command::new("python3").args(["-c", LOOK_UP]).stderr(Stdio::null()).output().ok()?;
    let torch = PathBuf::from(String::from_utf8(output.stdout).ok()?.trim());
    (torch.is_absolute() && check(&torch).is_ok()).then_some(torch)
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn the_version_of_an_installed_pytorch_is_read() {
        let text =
            "from typing import Optional\n\n__all__ = ['__version__']\n__version__ = '2.11.0+cu130'\ndebug = False\n";
        assert_eq!(quoted(text, "__version__ = "), Some("2.11.0+cu130"));
        assert_eq!(quoted("", "__version__ = "), None);
    }
}
