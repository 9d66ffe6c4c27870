//! Fields of the wire format.

use super::{Result, damage};

/// The value of a field.
pub(super) enum Value<'a> {
    Number(u64),
    Eight([u8; 8]),
    Bytes(&'a [u8]),
    Four([u8; 4]),
}

/// The fields of a message.
pub(super) struct Fields<'a> {
    pub(super) bytes: &'a [u8],
}

impl<'a> Fields<'a> {
    pub(super) fn take(&mut self, count: u64) -> Result<&'a [u8]> {
        let split = usize::try_from(count).ok().and_then(|count| self.bytes.split_at_checked(count));
        let Some((head, rest)) = split else {
            return damage(format!("a field says it has {count} bytes where {} are left", self.bytes.len()));
        };
        self.bytes = rest;
        Ok(head)
    }

    pub(super) fn number(&mut self) -> Result<u64> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let byte = u64::from(self.take(1)?[0]);
            value |= (byte & 127) << shift;
            if byte < 128 {
                return Ok(value);
            }
        }
        damage("a number has more than ten bytes")
    }

    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N as u64)?);
        Ok(array)
    }

    pub(super) fn next(&mut self) -> Result<Option<(u64, Value<'a>)>> {
        if self.bytes.is_empty() {
            return Ok(None);
        }
        let key = self.number()?;
        let value = match key & 7 {
            0 => Value::Number(self.number()?),
            1 => Value::Eight(self.array()?),
            2 => {
                let length = self.number()?;
                Value::Bytes(self.take(length)?)
            }
            5 => Value::Four(self.array()?),
            kind => return damage(format!("a field of kind {kind}, which ONNX does not have")),
        };
        Ok(Some((key >> 3, value)))
    }
}

impl<'a> Value<'a> {
    pub(super) fn number(&self) -> Result<u64> {
        match self {
            Value::Number(number) => Ok(*number),
            _ => damage("a number was expected in a field"),
        }
    }

    pub(super) fn bytes(&self) -> Result<&'a [u8]> {
        match self {
            Value::Bytes(bytes) => Ok(bytes),
            _ => damage("bytes were expected in a field"),
        }
    }

    pub(super) fn text(&self) -> Result<String> {
        match std::str::from_utf8(self.bytes()?) {
            Ok(text) => Ok(text.to_owned()),
            Err(_) => damage("a name is not UTF-8"),
        }
    }

    pub(super) fn float(&self) -> Result<f32> {
        match self {
            Value::Four(bytes) => Ok(f32::from_le_bytes(*bytes)),
            _ => damage("a float was expected in a field"),
        }
    }

    /// A repeated number, packed or not, handed to `push`.
    pub(super) fn numbers(&self, mut push: impl FnMut(u64)) -> Result<()> {
        match self {
            Value::Number(number) => push(*number),
            Value::Bytes(bytes) => {
                let mut fields = Fields { bytes };
                while !fields.bytes.is_empty() {
                    push(fields.number()?);
                }
            }
            _ => return damage("numbers were expected in a field"),
        }
        Ok(())
    }

    pub(super) fn floats(&self, mut push: impl FnMut(f32)) -> Result<()> {
        match self {
            Value::Four(bytes) => push(f32::from_le_bytes(*bytes)),
            Value::Bytes(bytes) if bytes.len() % 4 == 0 => {
                bytes.as_chunks::<4>().0.iter().for_each(|four| push(f32::from_le_bytes(*four)));
            }
            _ => return damage("floats were expected in a field"),
        }
        Ok(())
    }

    pub(super) fn doubles(&self, mut push: impl FnMut(f64)) -> Result<()> {
        match self {
            Value::Eight(bytes) => push(f64::from_le_bytes(*bytes)),
            Value::Bytes(bytes) if bytes.len() % 8 == 0 => {
                bytes.as_chunks::<8>().0.iter().for_each(|eight| push(f64::from_le_bytes(*eight)));
            }
            _ => return damage("doubles were expected in a field"),
        }
        Ok(())
    }
}
