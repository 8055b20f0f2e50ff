//! Reads texts, numbers and whole records from the bytes of an input. None is too short: after its
//! end there are zeros.

use arbitrary::{Arbitrary, Unstructured};
use chunkmigrate::internal::Digest;
use chunkmigrate::record::{CodeChunk, ExecutionRecord, FileMetrics, Record, RecordKind};
use chunkmigrate::record::{RecordKey, SymbolMetrics};

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

/// Texts used more than once, so that records collide.
const NAMES: [&str; 8] = ["a", "a:", "a:b", "a.rs", "", ":", "0", "a::1:2"];

const INTEGERS: [i64; 8] = [0, 1, -1, 9, 10, i64::MAX, i64::MIN, i64::MIN + 1];

const FLOATS: [f64; 8] =
    [0.0, -0.0, 0.1, 1e16, 5e-324, f64::MAX, 0.000_01, 9_007_199_254_740_993.0];

/// The rest of an input.
pub struct Input<'d>(Unstructured<'d>);

impl<'d> Input<'d> {
    pub fn new(data: &'d [u8]) -> Self {
        Input(Unstructured::new(data))
    }

    pub fn any<T: Arbitrary<'d>>(&mut self) -> T {
        self.0.arbitrary().unwrap()
    }

    /// One byte, for a choice of this many.
    pub fn below(&mut self, bound: u8) -> usize {
        usize::from(self.any::<u8>() % bound)
    }

    pub fn one_in(&mut self, bound: u8) -> bool {
        self.below(bound) == 1
    }

    pub fn pick<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len() as u8)]
    }

    pub fn kind(&mut self) -> RecordKind {
        self.pick(&RecordKind::ALL)
    }

    pub fn bytes(&mut self) -> Vec<u8> {
        (0..self.below(24)).map(|_| self.any()).collect()
    }

    pub fn text(&mut self) -> String {
        if self.one_in(3) {
            return self.pick(&NAMES).to_owned();
        }
        (0..self.below(8)).map(|_| self.char()).collect()
    }

    fn char(&mut self) -> char {
        match self.any::<u8>() {
            255 => char::from_u32(self.any::<u32>() % 0x11_0000).unwrap_or(char::MAX),
            byte => CHARS[usize::from(byte) % CHARS.len()],
        }
    }

    /// A text that other records are likely to have too.
    pub fn name(&mut self) -> String {
        match self.one_in(4) {
            true => self.text(),
            false => self.pick(&NAMES).to_owned(),
        }
    }

    pub fn integer(&mut self) -> i64 {
        match self.below(8) {
            0 => self.any(),
            1 | 2 => self.pick(&INTEGERS),
            _ => self.below(8) as i64,
        }
    }

    /// An offset that a store can hold.
    pub fn offset(&mut self) -> u64 {
        self.integer().unsigned_abs().min(i64::MAX as u64)
    }

    /// A finite float.
    pub fn float(&mut self) -> f64 {
        match self.below(3) {
            0 => Some(f64::from_bits(self.any())).filter(|float| float.is_finite()),
            1 => Some(f64::from(self.any::<i16>()) / 8.0),
            _ => Some(self.pick(&FLOATS)),
        }
        .unwrap_or(0.5)
    }

    pub fn optional<T>(&mut self, value: impl FnOnce(&mut Self) -> T) -> Option<T> {
        self.one_in(2).then(|| value(self))
    }

    pub fn key(&mut self) -> RecordKey {
        match self.kind() {
            RecordKind::Chunk => RecordKey::Chunk {
                file_path: self.name(),
                byte_start: self.offset(),
                byte_end: self.offset(),
            },
            RecordKind::ExecutionLog => RecordKey::ExecutionLog { execution_id: self.name() },
            RecordKind::FileMetrics => RecordKey::FileMetrics { file_path: self.name() },
            RecordKind::SymbolMetrics => RecordKey::SymbolMetrics { symbol_id: self.integer() },
        }
    }

    /// A record that both stores can hold.
    pub fn record(&mut self) -> Record {
        match self.key() {
            RecordKey::Chunk { file_path, byte_start, byte_end } => {
                let content = self.text();
                let hash = Digest::of(&content).to_string();
                Record::Chunk(CodeChunk {
                    id: self.integer(),
                    file_path,
                    byte_start,
                    byte_end,
                    content,
                    content_hash: match self.below(4) {
                        0 => self.text(),
                        1 => hash.to_uppercase(),
                        _ => hash,
                    },
                    symbol_name: self.optional(Self::text),
                    symbol_kind: self.optional(Self::text),
                    created_at: self.integer(),
                })
            }
            RecordKey::ExecutionLog { execution_id } => Record::ExecutionLog(ExecutionRecord {
                id: self.integer(),
                execution_id,
                tool_version: self.text(),
                args: self.text(),
                root: self.optional(Self::text),
                db_path: self.text(),
                started_at: self.integer(),
                finished_at: self.optional(Self::integer),
                duration_ms: self.optional(Self::integer),
                outcome: self.text(),
                error_message: self.optional(Self::text),
                files_indexed: self.optional(Self::integer),
                symbols_indexed: self.optional(Self::integer),
                references_indexed: self.optional(Self::integer),
            }),
            RecordKey::FileMetrics { file_path } => Record::FileMetrics(FileMetrics {
                file_path,
                symbol_count: self.optional(Self::integer),
                loc: self.optional(Self::integer),
                estimated_loc: self.optional(Self::float),
                fan_in: self.optional(Self::integer),
                fan_out: self.optional(Self::integer),
                complexity_score: self.optional(Self::float),
                last_updated: self.integer(),
            }),
            RecordKey::SymbolMetrics { symbol_id } => Record::SymbolMetrics(SymbolMetrics {
                symbol_id,
                symbol_name: self.text(),
                kind: self.text(),
                file_path: self.name(),
                loc: self.optional(Self::integer),
                estimated_loc: self.optional(Self::float),
                fan_in: self.optional(Self::integer),
                fan_out: self.optional(Self::integer),
                cyclomatic_complexity: self.optional(Self::integer),
                last_updated: self.integer(),
            }),
        }
    }

    /// Mutates bytes: changes, cuts, doubles, moves or removes some.
    pub fn mutate(&mut self, bytes: &mut Vec<u8>) {
        if bytes.is_empty() {
            return;
        }
        let at = self.any::<u32>() as usize % bytes.len();
        let len = match self.below(4) {
            0 => 512 << self.below(4),
            _ => 1 + self.below(16),
        };
        let end = bytes.len().min(at + len);
        match self.below(7) {
            0 => bytes[at] ^= 1 << self.below(8),
            1 => bytes[at] = self.any(),
            2 => bytes[at..end].fill(0),
            3 => bytes.truncate(at),
            4 => drop(bytes.drain(at..end)),
            5 => {
                let block = bytes[at..end].to_vec();
                bytes.splice(at..at, block);
            }
            _ => {
                let to = self.any::<u32>() as usize % bytes.len();
                for i in 0..len.min(bytes.len() - at.max(to)) {
                    bytes.swap(at + i, to + i);
                }
            }
        }
    }
}
