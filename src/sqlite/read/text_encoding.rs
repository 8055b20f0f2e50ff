//! Decoding of text as SQLite stores it.

use std::borrow::Cow;
use std::path::Path;

use rusqlite::Connection;

use crate::error::{Error, Result};
use crate::sqlite::open::connection::reading;

/// The text encoding of a database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TextEncoding {
    Utf8,
    Utf16Le,
    Utf16Be,
}

impl TextEncoding {
    /// Reads the encoding of a database.
    pub(crate) fn of(connection: &Connection, path: &Path) -> Result<Self> {
        let name: String = connection
            .pragma_query_value(None, "encoding", |row| row.get(0))
            .map_err(reading(path))?;
        match name.as_str() {
            "UTF-8" => Ok(TextEncoding::Utf8),
            "UTF-16le" => Ok(TextEncoding::Utf16Le),
            "UTF-16be" => Ok(TextEncoding::Utf16Be),
            _ => Err(Error::Internal(format!("unknown text encoding {name:?}"))),
        }
    }

    pub(crate) const fn is_utf16(self) -> bool {
        !matches!(self, TextEncoding::Utf8)
    }

    /// Describes stored bytes that are not valid text.
    pub(crate) fn fault_of(self, bytes: &[u8]) -> &'static str {
        match self {
            TextEncoding::Utf8 => "UTF-8",
            _ if !bytes.len().is_multiple_of(2) => "UTF-16: half a code unit at the end",
            _ => "UTF-16: lone surrogate",
        }
    }

    /// Decodes stored bytes; `None` if they are not valid text: invalid UTF-8, half a UTF-16 unit,
    /// or a lone surrogate. SQLite itself would return replacement characters.
    pub(crate) fn decode(self, bytes: &[u8]) -> Option<Cow<'_, str>> {
        let unit = match self {
            TextEncoding::Utf8 => return str::from_utf8(bytes).ok().map(Cow::Borrowed),
            TextEncoding::Utf16Le => u16::from_le_bytes,
            TextEncoding::Utf16Be => u16::from_be_bytes,
        };
        let (units, rest) = bytes.as_chunks::<2>();
        if !rest.is_empty() {
            return None;
        }
        char::decode_utf16(units.iter().copied().map(unit))
            .collect::<Result<String, _>>()
            .ok()
            .map(Cow::Owned)
    }
}

#[cfg(test)]
mod tests {
    use super::TextEncoding;

    #[test]
    fn a_lone_surrogate_is_invalid_text() {
        let units = [0x61u16, 0xd800, 0x62];
        let le: Vec<u8> = units.iter().flat_map(|u| u.to_le_bytes()).collect();
        let be: Vec<u8> = units.iter().flat_map(|u| u.to_be_bytes()).collect();
        assert_eq!(TextEncoding::Utf16Le.decode(&le), None);
        assert_eq!(TextEncoding::Utf16Be.decode(&be), None);
    }

    #[test]
    fn a_surrogate_pair_is_one_character() {
        let bytes: Vec<u8> = "a😀".encode_utf16().flat_map(u16::to_be_bytes).collect();
        assert_eq!(TextEncoding::Utf16Be.decode(&bytes).as_deref(), Some("a😀"));
    }

    #[test]
    fn half_a_code_unit_is_invalid_text() {
        let half = [0x61, 0, 0x62];
        assert_eq!(TextEncoding::Utf16Le.decode(&half), None);
        assert_eq!(TextEncoding::Utf16Le.fault_of(&half), "UTF-16: half a code unit at the end");
    }

    #[test]
    fn a_nul_is_valid_text() {
        assert_eq!(TextEncoding::Utf8.decode(b"a\0b").as_deref(), Some("a\0b"));
    }
}
