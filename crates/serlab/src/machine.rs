//! What this process runs on.

/// Host, processor and system, as far as they are known: `node7, AMD EPYC 7763, linux x86_64`.
pub fn machine() -> String {
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").ok().map(|name| name.trim().to_owned());
    let system = Some(format!("{} {}", std::env::consts::OS, std::env::consts::ARCH));
    [host.filter(|h| !h.is_empty()), cpu(), system].into_iter().flatten().collect::<Vec<_>>().join(", ")
}

/// Cores this process may use.
pub fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, Into::into)
}

/// Hash of the program's file: equal hashes are equal programs, whatever the commit says.
pub fn program_hash() -> Option<String> {
    let bytes = std::fs::read(std::env::current_exe().ok()?).ok()?;
    Some(blake3::Hasher::new().update_rayon(&bytes).finalize().to_hex().to_string())
}

/// Name of the processor, where the system tells it.
pub fn cpu() -> Option<String> {
    let info = std::fs::read_to_string("/proc/cpuinfo").ok()?;
    let line = info.lines().find(|l| l.starts_with("model name"))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

/// CPU time of this process so far, all threads, in seconds.
pub fn cpu_seconds() -> f64 {
    let mut usage = std::mem::MaybeUninit::<libc::rusage>::zeroed();
    // SAFETY: getrusage fills the struct that it is given; zeroes are a valid rusage should it fail.
    let usage = unsafe {
        libc::getrusage(libc::RUSAGE_SELF, usage.as_mut_ptr());
        usage.assume_init()
    };
    let seconds = |t: libc::timeval| t.tv_sec as f64 + t.tv_usec as f64 * 1e-6;
    seconds(usage.ru_utime) + seconds(usage.ru_stime)
}
