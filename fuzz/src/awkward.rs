//! Values from which the fuzz targets and the property tests of the main package build records.

use chunkmigrate::record::Record;

/// What keys, JSON and SQLite treat specially, and what they don't.
pub const CHARS: [char; 24] = [
    ':',
    'a',
    '0',
    '\0',
    '"',
    '\\',
    '/',
    '.',
    '\n',
    '\r',
    '\t',
    '\u{8}',
    '\u{c}',
    '\u{1f}',
    '\u{7f}',
    '\u{e9}',
    '\u{301}',
    '\u{2028}',
    '\u{feff}',
    '\u{ffff}',
    '\u{10ffff}',
    '1',
    '-',
    ' ',
];

/// A change to a field that every kind has.
pub fn other_time(record: &Record) -> Record {
    let mut record = record.clone();
    let time = match &mut record {
        Record::Chunk(r) => &mut r.created_at,
        Record::ExecutionLog(r) => &mut r.started_at,
        Record::FileMetrics(r) => &mut r.last_updated,
        Record::SymbolMetrics(r) => &mut r.last_updated,
    };
    *time = time.wrapping_add(1);
    record
}
