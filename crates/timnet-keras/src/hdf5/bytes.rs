use std::cell::Cell;

use crate::KerasError;

/// The file's bytes; nothing outside them can be reached. Every read is counted: links may lead to one block again and again, so
/// that a small file can ask for work without end.
#[derive(Clone, Copy)]
pub struct Bytes<'a> {
    data: &'a [u8],
    /// Reads that are left for the whole file.
    left: &'a Cell<u64>,
}

/// Reads that a file of so many bytes may take. Keras' own take less than a hundredth: tens of thousands for the structure, and each byte
/// of the weights once.
pub fn budget(data: &[u8]) -> Cell<u64> {
    Cell::new((1 << 24) + data.len() as u64)
}

pub fn damaged(what: &'static str, at: u64) -> KerasError {
    KerasError::Damaged { what, at }
}

impl<'a> Bytes<'a> {
    pub fn new(data: &'a [u8], left: &'a Cell<u64>) -> Self {
        Self { data, left }
    }

    /// A block of the file as bytes of its own.
    pub fn within(self, at: u64, len: u64) -> Result<Self, KerasError> {
        Ok(Self { data: self.slice(at, len)?, left: self.left })
    }

    /// 64 bytes count as one read.
    pub fn slice(self, at: u64, len: u64) -> Result<&'a [u8], KerasError> {
        let end = at.checked_add(len).and_then(|end| usize::try_from(end).ok());
        let range = usize::try_from(at).ok().zip(end);
        let slice = range.and_then(|(at, end)| self.data.get(at..end));
        let slice = slice.ok_or(damaged("something that should lie inside the file", at))?;
        self.left.set(self.left.get().checked_sub(1 + len / 64).ok_or(KerasError::TooMuchWork)?);
        Ok(slice)
    }

    fn array<const N: usize>(self, at: u64) -> Result<[u8; N], KerasError> {
        let slice = self.slice(at, N as u64)?;
        slice.try_into().map_err(|_| damaged("a field that is cut off", at))
    }

    pub fn u8(self, at: u64) -> Result<u8, KerasError> {
        Ok(u8::from_le_bytes(self.array(at)?))
    }

    pub fn u16(self, at: u64) -> Result<u16, KerasError> {
        Ok(u16::from_le_bytes(self.array(at)?))
    }

    pub fn u32(self, at: u64) -> Result<u32, KerasError> {
        Ok(u32::from_le_bytes(self.array(at)?))
    }

    pub fn u64(self, at: u64) -> Result<u64, KerasError> {
        Ok(u64::from_le_bytes(self.array(at)?))
    }

    /// Checks a block's four letters.
    pub fn expect(self, at: u64, signature: &[u8; 4], what: &'static str) -> Result<(), KerasError> {
        if self.array(at)? == *signature { Ok(()) } else { Err(damaged(what, at)) }
    }
}
