//! The end line of an export, which shows whether the export is complete.

use serde::{Deserialize, Serialize};

use super::digest::entry_digest;
use super::{Digest, Entry};
use crate::record::{IdSequences, RecordKind};

/// Summary of an export's lines: the number of lines of each kind, and a digest over all of them.
///
/// It doesn't depend on the order of the lines, and the summaries of several exports can be added
/// up when the exports are concatenated. It detects accidental loss and change, not deliberate
/// forgery.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ExportEnd {
    /// Number of lines with chunks.
    pub chunk: u64,
    /// Number of lines with executions.
    pub execution_log: u64,
    /// Number of lines with metrics of files.
    pub file_metrics: u64,
    /// Number of lines with metrics of symbols.
    pub symbol_metrics: u64,
    /// Number of lines with id sequences; an export has one at most.
    pub sequences: u64,
    /// Number of lines that describe the carried tables; an export has one at most. As JSON, it is
    /// missing if it is 0.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub tables: u64,
    /// Number of lines with rows of carried tables. As JSON, it is missing if it is 0.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub rows: u64,
    /// The sum, modulo 2^256, of the SHA-256 of each line: over the length of its key, the key, the
    /// length of its canonical value, and the value. Lengths are 8 bytes, little-endian; each
    /// SHA-256 is a 32-byte big-endian number.
    pub digest: Digest,
}

impl Default for ExportEnd {
    /// The summary of an export without lines.
    fn default() -> Self {
        ExportEnd {
            chunk: 0,
            execution_log: 0,
            file_metrics: 0,
            symbol_metrics: 0,
            sequences: 0,
            tables: 0,
            rows: 0,
            digest: Digest([0; 32]),
        }
    }
}

impl ExportEnd {
    /// Adds the line of a record. The entry's value must be canonical.
    pub fn add_record(&mut self, kind: RecordKind, entry: Entry<'_>) {
        self.count(kind);
        self.digest.add(entry_digest(entry));
    }

    /// Adds the line with the id sequences.
    pub fn add_sequences(&mut self, sequences: IdSequences) {
        let IdSequences { code_chunks, execution_log } = sequences;
        let value = format!("{{\"code_chunks\":{code_chunks},\"execution_log\":{execution_log}}}");
        let (key, value) = (b"sequences".as_slice(), value.as_bytes());
        self.sequences = self.sequences.saturating_add(1);
        self.digest.add(entry_digest(Entry { key, value }));
    }

    /// Adds the line that describes the carried tables; `json` is the description without spaces.
    pub fn add_tables(&mut self, json: &[u8]) {
        self.tables = self.tables.saturating_add(1);
        self.digest.add(entry_digest(Entry { key: b"tables", value: json }));
    }

    /// Adds the line of a row. The entry is that of a KV file and must be canonical.
    pub fn add_row(&mut self, entry: Entry<'_>) {
        self.count_row();
        self.digest.add(entry_digest(entry));
    }

    /// Counts the line of a row without adding its content to the digest.
    pub(crate) fn count_row(&mut self) {
        self.rows = self.rows.saturating_add(1);
    }

    /// Counts a line without adding its content to the digest.
    pub(crate) fn count(&mut self, kind: RecordKind) {
        let count = match kind {
            RecordKind::Chunk => &mut self.chunk,
            RecordKind::ExecutionLog => &mut self.execution_log,
            RecordKind::FileMetrics => &mut self.file_metrics,
            RecordKind::SymbolMetrics => &mut self.symbol_metrics,
        };
        *count = count.saturating_add(1);
    }

    /// Adds the lines of another export.
    pub fn add(&mut self, other: &ExportEnd) {
        let ExportEnd {
            chunk,
            execution_log,
            file_metrics,
            symbol_metrics,
            sequences,
            tables,
            rows,
            digest,
        } = self;
        let counts = [chunk, execution_log, file_metrics, symbol_metrics, sequences, tables, rows];
        for (count, more) in counts.into_iter().zip(other.counts()) {
            *count = count.saturating_add(more);
        }
        digest.add(other.digest);
    }

    /// Total number of lines, excluding the end line.
    pub fn lines(&self) -> u64 {
        self.counts().into_iter().fold(0, u64::saturating_add)
    }

    fn counts(&self) -> [u64; 7] {
        [
            self.chunk,
            self.execution_log,
            self.file_metrics,
            self.symbol_metrics,
            self.sequences,
            self.tables,
            self.rows,
        ]
    }
}

/// Without tables, an end line has no counts of them.
const fn is_zero(count: &u64) -> bool {
    *count == 0
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of_lines(lines: &[(Vec<u8>, Vec<u8>)]) -> ExportEnd {
        let mut end = ExportEnd::default();
        for (key, value) in lines {
            end.add_record(RecordKind::Chunk, Entry { key, value });
        }
        end
    }

    #[test]
    fn a_sum_carries_and_wraps() {
        let mut sum = Digest([0xff; 32]);
        let mut one = [0; 32];
        one[31] = 2;
        sum.add(Digest(one));
        let mut expected = [0; 32];
        expected[31] = 1;
        assert_eq!(sum, Digest(expected));
    }

    #[test]
    fn the_export_digest_is_the_documented_one() {
        let mut end = ExportEnd::default();
        let (key, value) = (b"k".as_slice(), b"{}".as_slice());
        end.add_record(RecordKind::Chunk, Entry { key, value });
        let bytes = b"\x01\0\0\0\0\0\0\0k\x02\0\0\0\0\0\0\0{}";
        assert_eq!(end.digest, Digest::of(bytes));
    }

    #[test]
    fn id_sequences_are_hashed_as_written_in_their_line() {
        let sequences = IdSequences { code_chunks: 7, execution_log: 0 };
        let (mut end, mut expected) = (ExportEnd::default(), ExportEnd::default());
        end.add_sequences(sequences);
        let value = serde_json::to_vec(&sequences).unwrap();
        let key = b"sequences".as_slice();
        expected.digest.add(entry_digest(Entry { key, value: &value }));
        assert_eq!((end.digest, end.lines()), (expected.digest, 1));
    }

    #[test]
    fn lines_of_tables_are_counted_and_hashed() {
        let mut end = ExportEnd::default();
        end.add_tables(b"{}");
        let (key, value) = (b"table:t:A7".as_slice(), b"[{\"blob\":1}]\0\xff".as_slice());
        end.add_row(Entry { key, value });
        let mut sum = entry_digest(Entry { key: b"tables", value: b"{}" });
        sum.add(entry_digest(Entry { key, value }));
        assert_eq!((end.tables, end.rows, end.lines(), end.digest), (1, 1, 2, sum));
        let json = serde_json::to_string(&end).unwrap();
        assert!(json.contains(r#""sequences":0,"tables":1,"rows":1,"digest":"#), "{json}");
        assert_eq!(serde_json::from_str::<ExportEnd>(&json).unwrap(), end);
        let json = serde_json::to_string(&ExportEnd::default()).unwrap();
        assert!(!json.contains("tables") && !json.contains("rows"), "{json}");
    }

    #[test]
    fn counts_never_overflow() {
        let mut end = ExportEnd { chunk: u64::MAX, ..ExportEnd::default() };
        end.add(&end.clone());
        assert_eq!((end.chunk, end.lines()), (u64::MAX, u64::MAX));
    }

    proptest! {
        #[test]
        fn line_digests_add_up_in_any_order_and_grouping(
            lines in prop::collection::vec(any::<(Vec<u8>, Vec<u8>)>(), 0..6),
            cut in any::<prop::sample::Index>(),
            shuffled in any::<prop::sample::Index>(),
        ) {
            let whole = of_lines(&lines);
            let (left, right) = lines.split_at(cut.index(lines.len() + 1));
            let mut sum = of_lines(right);
            sum.add(&of_lines(left));
            prop_assert_eq!(sum, whole);
            let mut turned = lines.clone();
            turned.rotate_left(shuffled.index(lines.len() + 1));
            turned.reverse();
            prop_assert_eq!(of_lines(&turned), whole);
        }

        #[test]
        fn different_lines_have_different_digests(
            lines in prop::collection::vec(any::<(Vec<u8>, Vec<u8>)>(), 1..6),
            at in any::<prop::sample::Index>(),
            byte in any::<u8>(),
        ) {
            let whole = of_lines(&lines);
            let at = at.index(lines.len());
            // Moving a byte from the key to the value changes the digest too.
            let mut moved = lines.clone();
            moved[at].0.push(byte);
            prop_assert_ne!(of_lines(&moved).digest, whole.digest);
            let mut other = moved.clone();
            other[at].0.pop();
            other[at].1.insert(0, byte);
            prop_assert_ne!(of_lines(&other).digest, of_lines(&moved).digest);
            let mut fewer = lines.clone();
            fewer.remove(at);
            prop_assert_ne!(of_lines(&fewer).digest, whole.digest);
        }
    }
}
