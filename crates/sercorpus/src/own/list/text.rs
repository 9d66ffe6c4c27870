//! A list's bytes as text: UTF-8 or UTF-16, with or without a byte-order mark.

use std::io::Read;
use std::path::Path;

use crate::CorpusError;

/// The text of a file.
///
/// # Errors
/// A file that cannot be read, has more than `most` bytes, or is in another encoding (the line is named).
pub(crate) fn read_text(path: &Path, most: u64) -> Result<String, CorpusError> {
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path).map_err(CorpusError::io(path))?;
    file.take(most + 1).read_to_end(&mut bytes).map_err(CorpusError::io(path))?;
    if bytes.len() as u64 > most {
        return Err(CorpusError::file(path, format!("has more than {most} bytes: divide it")));
    }
    decode(bytes).map_err(|wrong| match wrong {
        Wrong::Binary(what) => CorpusError::file(path, what),
        Wrong::Line(line, what) => CorpusError::line(path, line, what),
    })
}

enum Wrong {
    Binary(String),
    Line(u64, String),
}

/// What is no list, by its first bytes.
const BINARY: [(&[u8], &str); 7] = [
    (b"PK\x03\x04", "an Excel or OpenDocument table, or a ZIP archive: save the sheet as CSV in UTF-8"),
    (b"\xd0\xcf\x11\xe0", "an old Excel table: save the sheet as CSV in UTF-8"),
    (b"PAR1", "a Parquet table: write it as CSV, as with pandas.read_parquet(NAME).to_csv('NAME.csv', index=False)"),
    (b"\x1f\x8b", "a gzip archive: unpack it with gunzip"),
    (b"RIFF", "a recording, not a list of recordings; a folder of recordings or a list is wanted"),
    (b"fLaC", "a recording, not a list of recordings; a folder of recordings or a list is wanted"),
    (b"\x80\x04", "a Python pickle: write the table as CSV"),
];

fn decode(bytes: Vec<u8>) -> Result<String, Wrong> {
    if let Some((_, what)) = BINARY.iter().find(|(magic, _)| bytes.starts_with(magic)) {
        return Err(Wrong::Binary(format!("is {what}")));
    }
    let wide = |bytes: &[u8], of: fn([u8; 2]) -> u16| {
        let (pairs, rest) = bytes.as_chunks::<2>();
        let text: Result<String, _> = char::decode_utf16(pairs.iter().map(|pair| of(*pair))).collect();
        text.ok()
            .filter(|_| rest.is_empty())
            .ok_or_else(|| Wrong::Binary("starts as UTF-16 and is damaged; save it as UTF-8".into()))
    };
    match bytes.as_slice() {
        [0xff, 0xfe, rest @ ..] => wide(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => wide(rest, u16::from_be_bytes),
        // Without a mark: the first characters of a list are those of a header, below 256.
        [1..=255, 0, 1..=255, 0, ..] => wide(&bytes, u16::from_le_bytes),
        [0, 1..=255, 0, 1..=255, ..] => wide(&bytes, u16::from_be_bytes),
        [0xef, 0xbb, 0xbf, ..] => utf8(bytes).map(|text| text.trim_start_matches('\u{feff}').to_owned()),
        _ => utf8(bytes),
    }
}

fn utf8(bytes: Vec<u8>) -> Result<String, Wrong> {
    String::from_utf8(bytes).map_err(|error| {
        let valid = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let line = 1 + valid.iter().filter(|&&byte| byte == b'\n').count() as u64;
        let message = "is not UTF-8; convert the list, as with `iconv -f WINDOWS-1252 -t UTF-8 LIST > NEW`";
        Wrong::Line(line, message.to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::decode;

    #[test]
    fn encodings_of_text() {
        let text = "path,label\nä.wav,x\n";
        let wide = |of: fn(u16) -> [u8; 2]| text.encode_utf16().flat_map(of).collect::<Vec<u8>>();
        let (little, big) = (wide(u16::to_le_bytes), wide(u16::to_be_bytes));
        let marked = |mark: &[u8], bytes: &[u8]| [mark, bytes].concat();
        for bytes in [
            text.as_bytes().to_vec(),
            marked(b"\xef\xbb\xbf", text.as_bytes()),
            marked(b"\xff\xfe", &little),
            marked(b"\xfe\xff", &big),
            little.clone(),
            big,
        ] {
            assert_eq!(decode(bytes).ok().as_deref(), Some(text));
        }
        for bad in [&b"\xff\xfea"[..], b"\xff\xfe\x00\xd8", b"PK\x03\x04", b"a\xff"] {
            assert!(decode(bad.to_vec()).is_err());
        }
    }
}
