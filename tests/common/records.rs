//! Records of any shape, for property tests.

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::path::Path;

use chunkmigrate::internal::record_key;
use chunkmigrate::record::{IdSequences, Record, RecordKey};
use proptest::prelude::*;
use rusqlite::Connection;
use test_support::input::{CHARS, Input};

/// Texts likely to contain what keys and JSON treat specially.
pub(crate) fn text() -> BoxedStrategy<String> {
    let special = prop::sample::select(&CHARS);
    let char = prop_oneof![3 => special, 1 => any::<char>()];
    prop::collection::vec(char, 0..12).prop_map(String::from_iter).boxed()
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
    read_from_input(|input| input.key())
}

pub(crate) fn record() -> impl Strategy<Value = Record> {
    read_from_input(|input| input.record())
}

/// What the fuzz targets read, from random bytes.
fn read_from_input<T: Debug>(read: fn(&mut Input<'_>) -> T) -> impl Strategy<Value = T> {
    let bytes = prop::collection::vec(any::<u8>(), 0..256);
    bytes.prop_map(move |bytes| read(&mut Input::new(&bytes)))
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
    connection.execute_batch("PRAGMA synchronous = OFF").unwrap();
    chunkmigrate::internal::create_tables(&connection).unwrap();
    let transaction = connection.transaction().unwrap();
    chunkmigrate::internal::insert_records(&transaction, records).unwrap();
    chunkmigrate::internal::set_sequences(&transaction, id_sequences).unwrap();
    transaction.commit().unwrap();
}
