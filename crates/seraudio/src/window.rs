//! A recording's samples under a header of our own.
//!
//! A decoder behind this crate trusts the lengths in a header. Where they do not fit the file (an interrupted download, a
//! stream whose length was never filled in), it is given a header that does, in front of the samples that are there.

use std::io::{self, Read, Seek, SeekFrom};

use symphonia::core::io::MediaSource;

/// `header`, and then `length` bytes of `inner` from byte `start` on.
#[derive(Debug)]
pub(crate) struct Window<R> {
    inner: R,
    span: Span,
    at: u64,
}

/// Where the samples are, and the header to put before them.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Span {
    pub header: Vec<u8>,
    pub start: u64,
    pub length: u64,
}

impl<R: Read + Seek> Window<R> {
    pub(crate) fn new(inner: R, span: Span) -> Self {
        Window { inner, span, at: 0 }
    }

    fn len(&self) -> u64 {
        (self.span.header.len() as u64).saturating_add(self.span.length)
    }
}

impl<R: Read + Seek> Read for Window<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let header = &self.span.header;
        let read = match usize::try_from(self.at).ok().and_then(|at| header.get(at..)).filter(|rest| !rest.is_empty()) {
            Some(mut rest) => rest.read(buffer)?,
            None => {
                let left = self.len().saturating_sub(self.at);
                let wanted = usize::try_from(left).unwrap_or(usize::MAX).min(buffer.len());
                let place = self.span.start.saturating_add(self.at - header.len() as u64);
                self.inner.seek(SeekFrom::Start(place))?;
                self.inner.read(&mut buffer[..wanted])?
            }
        };
        self.at += read as u64;
        Ok(read)
    }
}

impl<R: Read + Seek> Seek for Window<R> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let at = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::End(by) => self.len().checked_add_signed(by),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
        };
        self.at = at.ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))?;
        Ok(self.at)
    }
}

impl<R: Read + Seek + Send + Sync> MediaSource for Window<R> {
    fn is_seekable(&self) -> bool {
        true
    }

    fn byte_len(&self) -> Option<u64> {
        Some(self.len())
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    #[test]
    fn header_and_samples_are_one_file() {
        let span = Span { header: b"head".to_vec(), start: 2, length: 3 };
        let mut window = Window::new(Cursor::new(b"0123456789".to_vec()), span);
        let mut all = String::new();
        window.read_to_string(&mut all).unwrap();
        assert_eq!(all, "head234");
        for (to, rest) in [(SeekFrom::Start(2), "ad234"), (SeekFrom::End(-2), "34"), (SeekFrom::Start(99), "")] {
            window.seek(to).unwrap();
            let mut found = String::new();
            window.read_to_string(&mut found).unwrap();
            assert_eq!(found, rest);
        }
        assert!(window.seek(SeekFrom::Current(-1000)).is_err());
    }
}
