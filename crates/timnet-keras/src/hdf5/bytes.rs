use crate::KerasError;

/// The file's bytes; nothing outside them can be reached.
#[derive(Clone, Copy)]
pub struct Bytes<'a>(&'a [u8]);

pub fn damaged(what: &'static str, at: u64) -> KerasError {
    KerasError::Damaged { what, at }
}

impl<'a> Bytes<'a> {
    pub fn new(data: &'a [u8]) -> Self {
        Self(data)
    }

    pub fn slice(self, at: u64, len: u64) -> Result<&'a [u8], KerasError> {
        let end = at.checked_add(len).and_then(|end| usize::try_from(end).ok());
        let range = usize::try_from(at).ok().zip(end);
        range.and_then(|(at, end)| self.0.get(at..end)).ok_or(damaged("something that should lie inside the file", at))
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
