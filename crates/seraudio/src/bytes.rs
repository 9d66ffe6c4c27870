//! Numbers in headers.

use std::io::{Read, Seek, SeekFrom};

use crate::Problem;

/// At most `bytes` bytes from `at` on: fewer where the file ends. The buffer grows with what is there.
pub(crate) fn read_up_to(reader: &mut (impl Read + Seek), at: u64, bytes: u64) -> Result<Vec<u8>, Problem> {
    reader.seek(SeekFrom::Start(at))?;
    let mut out = Vec::new();
    reader.take(bytes).read_to_end(&mut out)?;
    Ok(out)
}

/// The `N` bytes from `at` on; `None` where there are fewer.
fn array<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..)?.first_chunk().copied()
}

pub(crate) fn le_u16(bytes: &[u8], at: usize) -> Option<u16> {
    array(bytes, at).map(u16::from_le_bytes)
}

pub(crate) fn le_u32(bytes: &[u8], at: usize) -> Option<u32> {
    array(bytes, at).map(u32::from_le_bytes)
}

pub(crate) fn le_u64(bytes: &[u8], at: usize) -> Option<u64> {
    array(bytes, at).map(u64::from_le_bytes)
}

pub(crate) fn be_u16(bytes: &[u8], at: usize) -> Option<u16> {
    array(bytes, at).map(u16::from_be_bytes)
}

pub(crate) fn be_u32(bytes: &[u8], at: usize) -> Option<u32> {
    array(bytes, at).map(u32::from_be_bytes)
}

pub(crate) fn be_u64(bytes: &[u8], at: usize) -> Option<u64> {
    array(bytes, at).map(u64::from_be_bytes)
}
