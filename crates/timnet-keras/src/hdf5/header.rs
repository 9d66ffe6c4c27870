//! Object headers, version 1 (section IV.A.1.a) and the message types that matter here.

use super::bytes::{Bytes, damaged};
use crate::KerasError;

/// Messages of an object header, by type.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    Dataspace = 0x01,
    Datatype = 0x03,
    Layout = 0x08,
    Filters = 0x0B,
    Attribute = 0x0C,
    SymbolTable = 0x11,
}

const CONTINUATION: u16 = 0x10;
const SHARED: u8 = 2;

/// An object header: messages as (type, position, length).
pub struct Header<'a> {
    pub bytes: Bytes<'a>,
    pub at: u64,
    messages: Vec<(u16, u64)>,
}

impl<'a> Header<'a> {
    pub fn read(bytes: Bytes<'a>, at: u64) -> Result<Self, KerasError> {
        if bytes.slice(at, 4)? == b"OHDR" {
            return Err(KerasError::Unsupported(
                "it has version 2 object headers, which Keras does not write".to_owned(),
            ));
        }
        if bytes.u8(at)? != 1 {
            return Err(damaged("no object header", at));
        }
        let mut left = bytes.u16(at + 2)?;
        let mut blocks = vec![(at + 16, u64::from(bytes.u32(at + 8)?))];
        let mut messages = Vec::new();
        // Every continuation is one of the `left` messages, so that a circle of them ends.
        while let Some((mut position, len)) = blocks.pop() {
            bytes.slice(position, len)?;
            let end = position + len;
            while left > 0 && end - position >= 8 {
                left -= 1;
                let (kind, size) = (bytes.u16(position)?, u64::from(bytes.u16(position + 2)?));
                let data = position + 8;
                if size > end - data {
                    return Err(damaged("a header message longer than its block", position));
                }
                if kind == CONTINUATION {
                    blocks.push((bytes.u64(data)?, bytes.u64(data + 8)?));
                } else if bytes.u8(position + 4)? & SHARED != 0 {
                    return Err(KerasError::Unsupported(
                        "it has shared messages, which Keras does not write".to_owned(),
                    ));
                } else {
                    messages.push((kind, data));
                }
                position = data + size;
            }
        }
        Ok(Self { bytes, at, messages })
    }

    /// Where the messages of a type lie.
    pub fn all(&self, kind: Kind) -> impl Iterator<Item = u64> {
        self.messages.iter().filter(move |m| m.0 == kind as u16).map(|m| m.1)
    }

    pub fn find(&self, kind: Kind) -> Option<u64> {
        self.all(kind).next()
    }

    pub fn get(&self, kind: Kind, what: &'static str) -> Result<u64, KerasError> {
        self.find(kind).ok_or(damaged(what, self.at))
    }
}
