//! Attributes that are lists of strings (sections IV.A.2.m, III.E).

use super::{
    bytes::{Bytes, damaged},
    dataset::dataspace,
    group::MAX_NAME,
    header::{Header, Kind},
};
use crate::KerasError;

/// Most strings that an attribute is believed to have.
const MAX_STRINGS: u64 = 16_384;

pub fn strings(header: &Header<'_>, name: &str) -> Result<Option<Vec<String>>, KerasError> {
    let bytes = header.bytes;
    for at in header.all(Kind::Attribute) {
        let attribute = Attribute::read(bytes, at)?;
        if bytes.slice(attribute.name.0, attribute.name.1)?.split(|&b| b == 0).next() == Some(name.as_bytes()) {
            return attribute.strings(bytes).map(Some);
        }
    }
    Ok(None)
}

struct Attribute {
    /// Position and length.
    name: (u64, u64),
    datatype: u64,
    dataspace: u64,
    data: u64,
}

impl Attribute {
    fn read(bytes: Bytes<'_>, at: u64) -> Result<Self, KerasError> {
        let (head, align) = match bytes.u8(at)? {
            1 => (8, 8),
            2 => (8, 1),
            3 => (9, 1),
            _ => return Err(damaged("an attribute of unknown version", at)),
        };
        if align == 1 && bytes.u8(at + 1)? != 0 {
            return Err(KerasError::Unsupported(
                "an attribute has a shared type, which Keras does not write".to_owned(),
            ));
        }
        let size = |field| Ok::<_, KerasError>(u64::from(bytes.u16(at + field)?));
        let (name_size, datatype_size, dataspace_size) = (size(2)?, size(4)?, size(6)?);
        let name = at + head;
        let datatype = name + name_size.next_multiple_of(align);
        let dataspace = datatype + datatype_size.next_multiple_of(align);
        let data = dataspace + dataspace_size.next_multiple_of(align);
        Ok(Self { name: (name, name_size), datatype, dataspace, data })
    }

    fn strings(&self, bytes: Bytes<'_>) -> Result<Vec<String>, KerasError> {
        let (_, count) = dataspace(bytes, self.dataspace)?;
        if count > MAX_STRINGS {
            return Err(damaged("more than 16,384 strings in an attribute", self.dataspace));
        }
        let class = bytes.u8(self.datatype)? & 0x0F;
        let variable = class == 9 && bytes.u8(self.datatype + 1)? & 0x0F == 1;
        // Keras stores an empty list as an empty array of float64.
        if count > 0 && class != 3 && !variable {
            return Err(KerasError::Unsupported("a list of names is not stored as strings".to_owned()));
        }
        let size = u64::from(bytes.u32(self.datatype + 4)?);
        let string = |i| {
            let at = self.data + i * size;
            let raw = if variable { in_global_heap(bytes, at)? } else { bytes.slice(at, size)? };
            let text = raw.split(|&b| b == 0).next().unwrap_or_default();
            if text.len() > MAX_NAME {
                return Err(damaged("a name of more than 1,024 bytes", at));
            }
            String::from_utf8(text.to_vec()).map_err(|_| damaged("a name that is no UTF-8", at))
        };
        (0..count).map(string).collect()
    }
}

/// What a variable-length element (length, address of a collection, index in it) stands for.
fn in_global_heap(bytes: Bytes<'_>, at: u64) -> Result<&[u8], KerasError> {
    let (len, heap, index) = (u64::from(bytes.u32(at)?), bytes.u64(at + 4)?, bytes.u32(at + 12)?);
    if len == 0 {
        return Ok(&[]);
    }
    bytes.expect(heap, b"GCOL", "no global heap collection")?;
    let size = bytes.u64(heap + 8)?;
    let collection = bytes.within(heap, size)?;
    let mut object = 16;
    while object + 16 <= size {
        let (number, length) = (collection.u16(object)?, collection.u64(object + 8)?);
        if u32::from(number) == index && number != 0 {
            if len > length {
                return Err(damaged("a string longer than its place", at));
            }
            return collection.slice(object + 16, len);
        }
        let next = length.checked_next_multiple_of(8).and_then(|l| l.checked_add(object + 16));
        object = next.filter(|_| number != 0).ok_or(damaged("a string that is not in its heap", at))?;
    }
    Err(damaged("a string that is not in its heap", at))
}
