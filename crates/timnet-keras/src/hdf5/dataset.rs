//! Dataspaces, datatypes and contiguous or compact data (sections IV.A.2.b, d and i).

use super::{
    bytes::{Bytes, damaged},
    header::{Header, Kind},
};
use crate::KerasError;

/// A float32 dataset.
pub struct Tensor {
    pub shape: Vec<usize>,
    pub values: Vec<f32>,
}

/// IEEE 754 single precision, little-endian, as a datatype message: class 1, version 1; then size 4, bit offset 0,
/// precision 32, and places and sizes of exponent and mantissa.
const FLOAT32: &[u8] = &[0x11, 0x20, 0x1F, 0x00, 4, 0, 0, 0, 0, 0, 32, 0, 23, 8, 0, 23, 127, 0, 0, 0];

pub fn read(header: &Header<'_>) -> Result<Tensor, KerasError> {
    let bytes = header.bytes;
    if header.find(Kind::Filters).is_some() {
        return Err(KerasError::Unsupported("a dataset is compressed; Keras writes none that is".to_owned()));
    }
    let datatype = header.get(Kind::Datatype, "no dataset")?;
    if bytes.slice(datatype, FLOAT32.len() as u64)? != FLOAT32 {
        return Err(KerasError::Unsupported("a dataset is not of little-endian float32".to_owned()));
    }
    let (shape, count) = dataspace(bytes, header.get(Kind::Dataspace, "a dataset without dataspace")?)?;
    let layout = header.get(Kind::Layout, "a dataset without layout")?;
    let version = bytes.u8(layout)?;
    if !(3..=4).contains(&version) {
        return Err(KerasError::Unsupported(format!("a dataset has layout version {version}; 3 is expected")));
    }
    let (at, size) = match bytes.u8(layout + 1)? {
        0 => (layout + 4, u64::from(bytes.u16(layout + 2)?)),
        1 => (bytes.u64(layout + 2)?, bytes.u64(layout + 10)?),
        2 => return Err(KerasError::Unsupported("a dataset is chunked; Keras writes none that is".to_owned())),
        _ => return Err(damaged("a dataset's layout is of no known class", layout)),
    };
    if count.checked_mul(4) != Some(size) {
        return Err(damaged("a dataset whose size does not fit its shape", layout));
    }
    let values = bytes.slice(at, size)?.as_chunks::<4>().0.iter().map(|b| f32::from_le_bytes(*b)).collect();
    Ok(Tensor { shape, values })
}

/// A shape and its number of elements.
pub fn dataspace(bytes: Bytes<'_>, at: u64) -> Result<(Vec<usize>, u64), KerasError> {
    let first = match bytes.u8(at)? {
        1 => at + 8,
        2 => at + 4,
        _ => return Err(damaged("a dataspace of unknown version", at)),
    };
    let mut shape = Vec::new();
    let mut count: u64 = 1;
    for i in 0..u64::from(bytes.u8(at + 1)?) {
        let dimension = bytes.u64(first + 8 * i)?;
        let product = count.checked_mul(dimension).filter(|&p| usize::try_from(p).is_ok());
        count = product.ok_or(damaged("a shape beyond all bounds", at))?;
        shape.push(usize::try_from(dimension).map_err(|_| damaged("a shape beyond all bounds", at))?);
    }
    Ok((shape, count))
}
