//! The part of HDF5 that Keras uses (HDF5 File Format Specification, version 3.0): superblock version 0 or 1, groups as
//! symbol tables, version 1 object headers, contiguous or compact float32 datasets, attributes of strings.

mod attribute;
mod bytes;
mod dataset;
mod group;
mod header;

use std::cell::Cell;

use crate::KerasError;
use bytes::Bytes;
pub use bytes::budget;
pub use dataset::Tensor;
pub use group::Group;

const SIGNATURE: &[u8] = b"\x89HDF\r\n\x1a\n";

/// An HDF5 file in memory.
pub struct File<'a> {
    bytes: Bytes<'a>,
    root: u64,
}

impl<'a> File<'a> {
    /// Section II.A, the superblock. `left` is the [`budget`] of all that is read.
    pub fn open(data: &'a [u8], left: &'a Cell<u64>) -> Result<Self, KerasError> {
        if !data.starts_with(SIGNATURE) {
            return Err(KerasError::NotHdf5);
        }
        let bytes = Bytes::new(data, left);
        let extra = match bytes.u8(8)? {
            0 => 0,
            1 => 4,
            version => {
                return Err(KerasError::Unsupported(format!(
                    "its superblock has version {version}; Keras and h5py write version 0 unless asked for \
                     libver=\"latest\""
                )));
            }
        };
        if (bytes.u8(13)?, bytes.u8(14)?) != (8, 8) {
            return Err(KerasError::Unsupported("its offsets or lengths do not have 8 bytes".to_owned()));
        }
        if bytes.u64(24 + extra)? != 0 {
            return Err(KerasError::Unsupported("its base address is not 0".to_owned()));
        }
        let (expected, found) = (bytes.u64(40 + extra)?, data.len() as u64);
        if expected > found {
            return Err(KerasError::Truncated { expected, found });
        }
        Ok(Self { bytes, root: bytes.u64(64 + extra)? })
    }

    /// The root group.
    pub fn root(&self) -> Result<Group<'a>, KerasError> {
        Group::read(self.bytes, self.root)
    }
}
