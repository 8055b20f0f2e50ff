/// The text encoding of a database.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Encoding {
    Utf8,
    Utf16Le,
    Utf16Be,
}

impl Encoding {
    pub(crate) const ALL: [Encoding; 3] = [Encoding::Utf8, Encoding::Utf16Le, Encoding::Utf16Be];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Encoding::Utf8 => "UTF-8",
            Encoding::Utf16Le => "UTF-16le",
            Encoding::Utf16Be => "UTF-16be",
        }
    }

    pub(crate) fn encode(self, text: &str) -> Vec<u8> {
        let units = text.encode_utf16();
        match self {
            Encoding::Utf8 => text.as_bytes().to_vec(),
            Encoding::Utf16Le => units.flat_map(u16::to_le_bytes).collect(),
            Encoding::Utf16Be => units.flat_map(u16::to_be_bytes).collect(),
        }
    }

    /// A surrogate without its pair, which is invalid text.
    pub(crate) fn lone_surrogate(self) -> Vec<u8> {
        match self {
            Encoding::Utf8 => vec![0xed, 0xa0, 0x80],
            Encoding::Utf16Le => vec![0x00, 0xd8],
            Encoding::Utf16Be => vec![0xd8, 0x00],
        }
    }

    pub(crate) fn decode(self, bytes: &[u8]) -> Option<String> {
        let unit = |pair: &[u8]| match self {
            Encoding::Utf16Be => u16::from_be_bytes([pair[0], pair[1]]),
            _ => u16::from_le_bytes([pair[0], pair[1]]),
        };
        match self {
            Encoding::Utf8 => String::from_utf8(bytes.to_vec()).ok(),
            _ => String::from_utf16(&bytes.chunks_exact(2).map(unit).collect::<Vec<_>>()).ok(),
        }
    }
}
