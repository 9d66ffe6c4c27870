//! Groups as symbol tables: a version 1 B-tree of symbol nodes, names in a local heap (sections III.A.1, III.B to III.D).

use std::collections::BTreeMap;

use super::{
    attribute,
    bytes::{Bytes, damaged},
    dataset::{self, Tensor},
    header::{Header, Kind},
};
use crate::KerasError;

/// Longest name and largest group that are believed; Keras' are far below.
pub const MAX_NAME: usize = 1024;
const MAX_LINKS: usize = 65_536;

/// A group: its links and attributes.
pub struct Group<'a> {
    header: Header<'a>,
    links: BTreeMap<String, u64>,
}

impl<'a> Group<'a> {
    pub fn read(bytes: Bytes<'a>, at: u64) -> Result<Self, KerasError> {
        let header = Header::read(bytes, at)?;
        let table = header.get(Kind::SymbolTable, "no group")?;
        let (tree, heap) = (bytes.u64(table)?, bytes.u64(table + 8)?);
        bytes.expect(heap, b"HEAP", "no local heap")?;
        let names = bytes.within(bytes.u64(heap + 24)?, bytes.u64(heap + 8)?)?;
        let mut links = Links { bytes, names, found: BTreeMap::new(), visited: 0 };
        links.tree(tree, None)?;
        Ok(Self { header, links: links.found })
    }

    fn find(&self, name: &str) -> Result<u64, KerasError> {
        self.links.get(name).copied().ok_or_else(|| KerasError::Missing(format!("there is no `{name}`")))
    }

    /// A group in this one.
    pub fn group(&self, name: &str) -> Result<Self, KerasError> {
        Self::read(self.header.bytes, self.find(name)?)
    }

    pub fn has(&self, name: &str) -> bool {
        self.links.contains_key(name)
    }

    /// A float32 dataset at a path below this group.
    pub fn dataset(&self, path: &str) -> Result<Tensor, KerasError> {
        match path.split_once('/') {
            Some((first, rest)) => self.group(first)?.dataset(rest),
            None => dataset::read(&Header::read(self.header.bytes, self.find(path)?)?),
        }
    }

    /// An attribute that is a list of strings; None where there is no such attribute.
    pub fn strings(&self, name: &str) -> Result<Option<Vec<String>>, KerasError> {
        attribute::strings(&self.header, name)
    }
}

struct Links<'a> {
    bytes: Bytes<'a>,
    names: Bytes<'a>,
    found: BTreeMap<String, u64>,
    visited: usize,
}

impl Links<'_> {
    /// `above` is the level of the parent node: levels fall on the way down, so that a circle of nodes ends.
    fn tree(&mut self, at: u64, above: Option<u8>) -> Result<(), KerasError> {
        self.bytes.expect(at, b"TREE", "no B-tree node")?;
        let level = self.bytes.u8(at + 5)?;
        if self.bytes.u8(at + 4)? != 0 || above.is_some_and(|above| level >= above) {
            return Err(damaged("a B-tree node of another kind or level", at));
        }
        for i in 0..u64::from(self.bytes.u16(at + 6)?) {
            self.count(at)?;
            // Keys and children alternate after the 24 bytes of the node's head.
            let child = self.bytes.u64(at + 24 + 16 * i + 8)?;
            if level > 0 { self.tree(child, Some(level))? } else { self.node(child)? }
        }
        Ok(())
    }

    fn node(&mut self, at: u64) -> Result<(), KerasError> {
        self.bytes.expect(at, b"SNOD", "no symbol table node")?;
        for i in 0..u64::from(self.bytes.u16(at + 6)?) {
            self.count(at)?;
            let entry = at + 8 + 40 * i;
            let name = self.name(self.bytes.u64(entry)?, entry)?;
            self.found.insert(name, self.bytes.u64(entry + 8)?);
        }
        Ok(())
    }

    fn count(&mut self, at: u64) -> Result<(), KerasError> {
        self.visited += 1;
        if self.visited > MAX_LINKS { Err(damaged("more than 65,536 links in a group", at)) } else { Ok(()) }
    }

    fn name(&self, offset: u64, entry: u64) -> Result<String, KerasError> {
        let mut name = Vec::new();
        while name.len() < MAX_NAME {
            match self.names.u8(offset.saturating_add(name.len() as u64)) {
                Ok(0) => return String::from_utf8(name).map_err(|_| damaged("a link's name that is no UTF-8", entry)),
                Ok(byte) => name.push(byte),
                Err(KerasError::TooMuchWork) => return Err(KerasError::TooMuchWork),
                Err(_) => break,
            }
        }
        Err(damaged("a link's name without end", entry))
    }
}
