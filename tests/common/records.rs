//! Records of any shape, for property tests.

use chunkmigrate::record::{
    CodeChunk, ExecutionRecord, FileMetrics, Record, RecordKey, SymbolMetrics,
};
use std::collections::BTreeSet;
use std::path::Path;

use chunkmigrate::internal::record_key;
use chunkmigrate::record::IdSequences;
use proptest::option;
use proptest::prelude::*;
use rusqlite::Connection;

use crate::fuzzing::bodies::awkward::CHARS;

/// Texts likely to contain what keys and JSON treat specially.
pub(crate) fn text() -> BoxedStrategy<String> {
    let special = prop::sample::select(&CHARS);
    let char = prop_oneof![3 => special, 1 => any::<char>()];
    prop::collection::vec(char, 0..12)
        .prop_map(String::from_iter)
        .boxed()
}

pub(crate) fn offset() -> impl Strategy<Value = u64> {
    prop_oneof![0..200u64, 0..=i64::MAX as u64, Just(i64::MAX as u64)]
}

fn integer() -> BoxedStrategy<i64> {
    prop_oneof![-5..200i64, any::<i64>(), Just(i64::MIN), Just(i64::MAX)].boxed()
}

/// Any finite float except -0.0, which records don't have.
pub(crate) fn float() -> impl Strategy<Value = f64> {
    let any_bits = any::<u64>().prop_map(f64::from_bits);
    let round = (-1_000_000..1_000_000i64).prop_map(|n| n as f64 / 8.0);
    prop_oneof![any_bits, round]
        .prop_filter("finite", |float| float.is_finite())
        .prop_map(|float| float + 0.0)
}

pub(crate) fn key() -> impl Strategy<Value = RecordKey> {
    prop_oneof![
        (text(), offset(), offset()).prop_map(|(file_path, byte_start, byte_end)| {
            RecordKey::Chunk {
                file_path,
                byte_start,
                byte_end,
            }
        }),
        text().prop_map(|execution_id| RecordKey::ExecutionLog { execution_id }),
        text().prop_map(|file_path| RecordKey::FileMetrics { file_path }),
        integer().prop_map(|symbol_id| RecordKey::SymbolMetrics { symbol_id }),
    ]
}

pub(crate) fn record() -> BoxedStrategy<Record> {
    prop_oneof![
        chunk().prop_map(Record::Chunk).boxed(),
        execution().prop_map(Record::ExecutionLog).boxed(),
        file_metrics().prop_map(Record::FileMetrics).boxed(),
        symbol_metrics().prop_map(Record::SymbolMetrics).boxed(),
    ]
    .boxed()
}

fn chunk() -> impl Strategy<Value = CodeChunk> {
    let place = (integer(), text(), offset(), offset());
    let rest = (
        text(),
        text(),
        option::of(text()),
        option::of(text()),
        integer(),
    );
    (place, rest).prop_map(|((id, file_path, byte_start, byte_end), rest)| {
        let (content, content_hash, symbol_name, symbol_kind, created_at) = rest;
        CodeChunk {
            id,
            file_path,
            byte_start,
            byte_end,
            content,
            content_hash,
            symbol_name,
            symbol_kind,
            created_at,
        }
    })
}

fn execution() -> impl Strategy<Value = ExecutionRecord> {
    let texts = (text(), text(), text(), text(), text());
    let optional_texts = (option::of(text()), option::of(text()));
    let integers = (integer(), integer());
    let optional = || option::of(integer());
    let optional_integers = (optional(), optional(), optional(), optional(), optional());
    (texts, optional_texts, integers, optional_integers).prop_map(
        |(texts, optional, ints, opts)| {
            let (execution_id, tool_version, args, db_path, outcome) = texts;
            ExecutionRecord {
                id: ints.0,
                execution_id,
                tool_version,
                args,
                root: optional.0,
                db_path,
                started_at: ints.1,
                finished_at: opts.0,
                duration_ms: opts.1,
                outcome,
                error_message: optional.1,
                files_indexed: opts.2,
                symbols_indexed: opts.3,
                references_indexed: opts.4,
            }
        },
    )
}

fn file_metrics() -> impl Strategy<Value = FileMetrics> {
    let optional = || option::of(integer());
    let integers = (optional(), optional(), optional(), optional(), integer());
    let floats = (option::of(float()), option::of(float()));
    (text(), integers, floats).prop_map(|(file_path, integers, floats)| FileMetrics {
        file_path,
        symbol_count: integers.0,
        loc: integers.1,
        estimated_loc: floats.0,
        fan_in: integers.2,
        fan_out: integers.3,
        complexity_score: floats.1,
        last_updated: integers.4,
    })
}

fn symbol_metrics() -> impl Strategy<Value = SymbolMetrics> {
    let optional = || option::of(integer());
    let integers = (
        optional(),
        optional(),
        optional(),
        optional(),
        integer(),
        integer(),
    );
    (text(), text(), text(), integers, option::of(float())).prop_map(
        |(symbol_name, kind, file_path, integers, estimated_loc)| SymbolMetrics {
            symbol_id: integers.4,
            symbol_name,
            kind,
            file_path,
            loc: integers.0,
            estimated_loc,
            fan_in: integers.1,
            fan_out: integers.2,
            cyclomatic_complexity: integers.3,
            last_updated: integers.5,
        },
    )
}

/// The records with unique keys and, so that a table accepts them, unique ids.
pub(crate) fn distinct(records: Vec<Record>) -> Vec<Record> {
    let (mut keys, mut ids) = (BTreeSet::new(), BTreeSet::new());
    let distinct = records.into_iter().filter(|record| {
        let id_is_new = record.id().is_none_or(|id| ids.insert((record.kind(), id)));
        id_is_new && keys.insert(record_key(record))
    });
    distinct.collect()
}

/// Id sequences this far above the largest ids.
pub(crate) fn id_sequences_above(records: &[Record], above: i64) -> IdSequences {
    let mut id_sequences = IdSequences::default();
    for record in records {
        if let Some(id) = record.id() {
            id_sequences.raise(record.kind(), id.saturating_add(above));
        }
    }
    id_sequences
}

/// Creates a database of records.
pub(crate) fn write_database(path: &Path, records: &[Record], id_sequences: IdSequences) {
    let mut connection = Connection::open(path).unwrap();
    connection
        .execute_batch("PRAGMA synchronous = OFF")
        .unwrap();
    chunkmigrate::internal::create_tables(&connection).unwrap();
    let transaction = connection.transaction().unwrap();
    chunkmigrate::internal::insert_records(&transaction, records).unwrap();
    chunkmigrate::internal::set_sequences(&transaction, id_sequences).unwrap();
    transaction.commit().unwrap();
}
