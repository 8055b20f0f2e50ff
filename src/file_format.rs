//! File formats that cannot be read, but are recognized from the first bytes.

use std::fmt;

/// A recognized format that is neither a store nor an export.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum FileFormat {
    /// Compressed with gzip.
    Gzip,
    /// Compressed with Zstandard.
    Zstd,
    /// Compressed with xz.
    Xz,
    /// Compressed with bzip2.
    Bzip2,
    /// Compressed with LZ4.
    Lz4,
    /// A ZIP archive.
    Zip,
    /// Text in UTF-16, as Windows PowerShell writes with `>`.
    Utf16,
    /// Text in UTF-32.
    Utf32,
    /// A graph of Magellan's native-v2 backend.
    NativeV2,
    /// The write-ahead log of Magellan's native-v2 backend.
    NativeV2Wal,
    /// A graph of Magellan's native-v3 backend.
    NativeV3,
    /// A geometry database of Magellan.
    Geodb,
}

/// Magic numbers. If one is a prefix of another, the longer one comes first.
const MAGIC: [(&[u8], FileFormat); 18] = [
    (b"\x1f\x8b", FileFormat::Gzip),
    (b"\x28\xb5\x2f\xfd", FileFormat::Zstd),
    (b"\xfd7zXZ\0", FileFormat::Xz),
    (b"BZh", FileFormat::Bzip2),
    (b"\x04\x22\x4d\x18", FileFormat::Lz4),
    (b"PK\x03\x04", FileFormat::Zip),
    (b"\xff\xfe\0\0", FileFormat::Utf32),
    (b"\0\0\xfe\xff", FileFormat::Utf32),
    (b"{\0\0\0", FileFormat::Utf32),
    (b"\0\0\0{", FileFormat::Utf32),
    (b"\xff\xfe", FileFormat::Utf16),
    (b"\xfe\xff", FileFormat::Utf16),
    (b"{\0", FileFormat::Utf16),
    (b"\0{", FileFormat::Utf16),
    (b"SQLTGF\0\x03", FileFormat::NativeV3),
    (b"SQLTGF\0\0", FileFormat::NativeV2),
    (b"V2WAL\0\0\0", FileFormat::NativeV2Wal),
    (b"GEODB", FileFormat::Geodb),
];

impl FileFormat {
    /// The format of a file with these first bytes, if it is known.
    pub(crate) fn of_first_bytes(start: &[u8]) -> Option<Self> {
        let mut known = MAGIC.iter();
        let (_, format) = known.find(|(magic, _)| start.starts_with(magic))?;
        Some(*format)
    }

    /// The name that reports use, such as `gzip`.
    pub const fn name(self) -> &'static str {
        match self {
            FileFormat::Gzip => "gzip",
            FileFormat::Zstd => "zstd",
            FileFormat::Xz => "xz",
            FileFormat::Bzip2 => "bzip2",
            FileFormat::Lz4 => "lz4",
            FileFormat::Zip => "zip",
            FileFormat::Utf16 => "utf-16",
            FileFormat::Utf32 => "utf-32",
            FileFormat::NativeV2 => "native-v2",
            FileFormat::NativeV2Wal => "native-v2-wal",
            FileFormat::NativeV3 => "native-v3",
            FileFormat::Geodb => "geodb",
        }
    }

    /// The command that writes the decoded content to stdout as UTF-8; `None` if there is no common
    /// one.
    pub const fn to_stdout(self) -> Option<&'static str> {
        Some(match self {
            FileFormat::Gzip => "gzip -dc",
            FileFormat::Zstd => "zstd -dc",
            FileFormat::Xz => "xz -dc",
            FileFormat::Bzip2 => "bzip2 -dc",
            FileFormat::Lz4 => "lz4 -dc",
            FileFormat::Zip => "unzip -p",
            FileFormat::Utf16 => "iconv -f UTF-16 -t UTF-8",
            FileFormat::Utf32 => "iconv -f UTF-32 -t UTF-8",
            FileFormat::NativeV2
            | FileFormat::NativeV2Wal
            | FileFormat::NativeV3
            | FileFormat::Geodb => return None,
        })
    }
}

/// Describes the format; follows "is" in a sentence.
impl fmt::Display for FileFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            FileFormat::Gzip => "compressed with gzip",
            FileFormat::Zstd => "compressed with zstd",
            FileFormat::Xz => "compressed with xz",
            FileFormat::Bzip2 => "compressed with bzip2",
            FileFormat::Lz4 => "compressed with lz4",
            FileFormat::Zip => "a ZIP archive",
            FileFormat::Utf16 => "text in UTF-16, not UTF-8",
            FileFormat::Utf32 => "text in UTF-32, not UTF-8",
            FileFormat::NativeV2 => "a Magellan native-v2 graph",
            FileFormat::NativeV2Wal => "the write-ahead log of a Magellan native-v2 graph",
            FileFormat::NativeV3 => "a Magellan native-v3 graph",
            FileFormat::Geodb => "a Magellan geometry database (GEODB)",
        })
    }
}
