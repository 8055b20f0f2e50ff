use std::collections::BTreeMap;

use chunkmigrate::Progress;
use chunkmigrate::internal::{
    CompareOptions, InvalidRow, ManifestTotals, Origin, compare_kind, compare_stores, parse_key,
    record_key,
};
use chunkmigrate::record::{IdSequences, KindSet, Record, RecordKind};
use chunkmigrate::store::StoreKind;
use chunkmigrate::verify::InvalidReason;
use test_support::input::Input;
use test_support::records::other_time;

use super::memory_store::{MemoryStore, Place};
use super::model::{expect, expect_kind, reported};

/// Two stores with some records in common, compared as two maps would be.
pub fn compare(data: &[u8]) {
    let mut input = Input::new(data);
    let records: Vec<Record> = (0..input.below(10)).map(|_| input.record()).collect();
    let mut left = store(&mut input, &records);
    let mut right = store(&mut input, &records);
    for kind in RecordKind::ALL {
        let (counts, expected) = expect_kind(kind, &left, &right);
        let mut found = Vec::new();
        let compared = compare_kind(
            kind,
            &mut left.stream(kind),
            &mut right.stream(kind),
            &mut |divergence| {
                assert!(!divergence.message.is_empty());
                found.push(reported(&divergence));
                Ok(())
            },
        );
        assert_eq!(compared.unwrap(), counts);
        assert!(counts.is_consistent());
        assert_eq!(found, expected);
    }
    let quick = input.one_in(2);
    let warnings = input.one_in(2);
    let only = match input.below(3) {
        0 => KindSet::ALL,
        kinds => (0..kinds).map(|_| input.kind()).collect(),
    };
    let (comparison, expected) = expect(&left, &right, only, (quick, warnings));
    let mut found = Vec::new();
    let compared = compare_stores(
        &mut left,
        &mut right,
        &CompareOptions { only, quick, warnings, ..CompareOptions::default() },
        &Progress::none(),
        &mut |divergence| {
            found.push(reported(&divergence));
            Ok(())
        },
    );
    assert_eq!(compared.unwrap(), comparison);
    assert_eq!(found, expected);
    let no_divergence = expected.iter().all(|reported| reported.0.is_warning());
    assert_eq!(comparison.is_identical(), no_divergence);
}

/// A store with most of the records, some of them changed.
fn store(input: &mut Input<'_>, records: &[Record]) -> MemoryStore {
    let is_database = input.one_in(2);
    let mut store = MemoryStore::new(match is_database {
        true => StoreKind::Sqlite,
        false => StoreKind::Kv,
    });
    for (index, record) in records.iter().enumerate() {
        let (kind, mut key) = (record.kind(), record_key(record));
        let canonical = |record: &Record| record.to_json().unwrap();
        let mut value = canonical(record);
        match (input.below(16), is_database) {
            (7, _) => continue,
            (1, _) => value = canonical(&other_time(record)),
            (2, true) => {
                let rows = (0..=input.below(3)).map(|row| invalid_row(kind, index, row, &key));
                let place = Place::Rows(rows.collect());
                store.kinds.get_mut(kind).insert(Some(key), place);
                continue;
            }
            (2, false) => value.insert(0, b' '),
            (3, false) => input.mutate(&mut value),
            (4, false) => value = input.bytes(),
            (5, false) => value = canonical(&input.record()),
            (6, false) => key = input.key().encode(),
            _ => {}
        }
        let kind = parse_key(&key).unwrap().kind();
        let place = Place::Entry(value);
        store.kinds.get_mut(kind).insert(Some(key), place);
    }
    if is_database && input.one_in(4) {
        let kind = input.kind();
        let mut rows: Vec<InvalidRow> =
            (0..=input.below(3)).map(|row| invalid_row(kind, 99, row, b"")).collect();
        rows.iter_mut().for_each(|row| row.key = None);
        store.kinds.get_mut(kind).insert(None, Place::Rows(rows));
    }
    if !is_database {
        store.unknown = unknown_keys(input);
        store.claims = input.optional(|input| claims(input, &store));
        store.origin = store.claims.as_ref().map(|_| Origin {
            made_at: input.optional(Input::integer),
            file_name: input.pick(&["in memory", "elsewhere"]).to_owned(),
            store: input.pick(&["sqlite", "kv"]).to_owned(),
        });
    }
    if input.one_in(4) {
        store.sequences =
            IdSequences { code_chunks: input.integer(), execution_log: input.integer() };
    }
    store
}

fn invalid_row(kind: RecordKind, index: usize, row: usize, key: &[u8]) -> InvalidRow {
    InvalidRow {
        kind,
        table: kind.table(),
        rowid: (index * 10 + row) as i64,
        column: "id",
        reason: InvalidReason::StorageClass,
        message: "id is a BLOB, must be an INTEGER".to_owned(),
        key: Some(key.to_vec()),
        values: Vec::new(),
    }
}

fn unknown_keys(input: &mut Input<'_>) -> BTreeMap<Vec<u8>, Vec<u8>> {
    let keys = (0..input.below(3)).map(|_| {
        let mut key = input.key().encode();
        input.mutate(&mut key);
        (key, input.bytes())
    });
    keys.filter(|(key, _)| parse_key(key).is_err()).collect()
}

/// The claims of a manifest, one of which may be wrong.
fn claims(input: &mut Input<'_>, store: &MemoryStore) -> ManifestTotals {
    let mut kinds = store.totals();
    let mut sha256 = chunkmigrate::internal::combined_digest(&kinds, []);
    let kind = input.kind();
    let totals = kinds.get_mut(kind);
    match input.below(12) {
        5 => totals.records = totals.records.wrapping_sub(1),
        1 => totals.key_bytes ^= 1,
        2 => totals.value_bytes ^= 1,
        3 => totals.sha256.0[0] ^= 1,
        4 => sha256.0[31] ^= 1,
        _ => {}
    }
    ManifestTotals { kinds, tables: BTreeMap::new(), sha256 }
}
