//! Tests the merge-join against a model: two maps, compared key by key.

use std::collections::BTreeMap;

use crate::codec::{Entry, record_key};
use crate::compare::{Finding, FindingClass, KindCounts, Side, compare_kind};
use crate::error::{Error, Result};
use crate::record::{Record, RecordKey, RecordKind, SymbolMetrics};
use crate::stream::{InvalidReason, InvalidRow, Item, RawValue, SortedStream};
use proptest::prelude::*;

type Listing = Result<(Vec<u8>, Vec<u8>), Box<InvalidRow>>;

/// Yields items in the given order, then optionally fails.
struct Listed {
    items: Vec<Listing>,
    position: usize,
    fails_at_end: bool,
}

impl Listed {
    fn new(entries: impl IntoIterator<Item = (Vec<u8>, Vec<u8>)>) -> Self {
        Self::with_rows(entries.into_iter().map(Ok))
    }

    fn with_rows(items: impl IntoIterator<Item = Listing>) -> Self {
        Listed { items: items.into_iter().collect(), position: 0, fails_at_end: false }
    }
}

impl SortedStream for Listed {
    fn advance(&mut self) -> Result<bool> {
        self.position += 1;
        let there = self.position <= self.items.len();
        match there || !self.fails_at_end {
            true => Ok(there),
            false => Err(Error::Internal("the disk is gone".to_owned())),
        }
    }

    fn current(&self) -> Option<Item<'_>> {
        Some(match self.items.get(self.position.checked_sub(1)?)? {
            Ok((key, value)) => Item::Entry(Entry { key, value }),
            Err(row) => Item::Invalid(row),
        })
    }

    fn is_known_sound(&self) -> bool {
        false
    }
}

/// A row without a key.
fn invalid(rowid: i64) -> Listing {
    invalid_of(rowid, None)
}

fn invalid_of(rowid: i64, symbol_id: Option<i64>) -> Listing {
    Err(Box::new(InvalidRow {
        kind: RecordKind::SymbolMetrics,
        table: "symbol_metrics",
        rowid,
        column: "loc",
        reason: InvalidReason::StorageClass,
        message: "loc is TEXT, must be an INTEGER or NULL".to_owned(),
        key: symbol_id.map(|symbol_id| RecordKey::SymbolMetrics { symbol_id }.encode()),
        values: symbol_id.map(|id| ("symbol_id", RawValue::Integer(id))).into_iter().collect(),
    }))
}

fn symbol(symbol_id: i64, loc: i64) -> (Vec<u8>, Vec<u8>) {
    let record = Record::SymbolMetrics(SymbolMetrics {
        symbol_id,
        symbol_name: "caf\u{e9}".to_owned(),
        kind: "Function".to_owned(),
        file_path: "a".to_owned(),
        loc: Some(loc),
        estimated_loc: Some(0.5),
        fan_in: None,
        fan_out: None,
        cyclomatic_complexity: None,
        last_updated: 0,
    });
    (record_key(&record), record.to_json().unwrap())
}

fn compare(mut left: Listed, mut right: Listed) -> Result<(KindCounts, Vec<Finding>)> {
    let mut found = Vec::new();
    let counts =
        compare_kind(RecordKind::SymbolMetrics, &mut left, &mut right, &mut |divergence| {
            found.push(divergence);
            Ok(())
        })?;
    Ok((counts, found))
}

fn compare_swapped(swapped: bool, left: Listed, right: Listed) -> (KindCounts, Vec<Finding>) {
    match swapped {
        false => compare(left, right),
        true => compare(right, left),
    }
    .unwrap()
}

fn classes(found: &[Finding]) -> Vec<&'static str> {
    found.iter().map(|divergence| divergence.class.name()).collect()
}

proptest! {
    #[test]
    fn counts_and_findings_match_a_comparison_of_two_maps(
        left in prop::collection::btree_map(-20..20i64, 0..2i64, 0..30),
        right in prop::collection::btree_map(-20..20i64, 0..2i64, 0..30),
    ) {
        let entries = |map: &BTreeMap<i64, i64>| {
            let entries = map.iter().map(|(id, loc)| symbol(*id, *loc));
            entries.collect::<BTreeMap<_, _>>()
        };
        let (left, right) = (entries(&left), entries(&right));
        let mut expected = Vec::new();
        let keys = left.keys().chain(right.keys()).collect::<std::collections::BTreeSet<_>>();
        for key in keys {
            match (left.get(key), right.get(key)) {
                (Some(_), None) => expected.push((key.clone(), FindingClass::OnlyLeft)),
                (None, Some(_)) => expected.push((key.clone(), FindingClass::OnlyRight)),
                (left, right) if left != right => expected.push((key.clone(), FindingClass::Field)),
                _ => {}
            }
        }
        let (counts, found) = compare(Listed::new(left.clone()), Listed::new(right.clone())).unwrap();
        let found: Vec<_> = found.into_iter().map(|d| (d.key.unwrap(), d.class)).collect();
        prop_assert_eq!(found, expected);
        prop_assert_eq!((counts.left, counts.right), (left.len() as u64, right.len() as u64));
        prop_assert!(counts.is_consistent());
        prop_assert_eq!(counts.identical(), left == right);
    }
}

#[test]
fn a_field_difference_reports_both_values_and_the_first_different_byte() {
    let (key, value) = symbol(1, 10);
    let other = String::from_utf8(value.clone()).unwrap();
    let other = other.replace("café", "cafe\u{301}").replace("0.5", "0.25");
    let (counts, found) =
        compare(Listed::new([(key.clone(), value)]), Listed::new([(key, other.into_bytes())]))
            .unwrap();
    assert_eq!((counts.differing, counts.equal), (1, 0));
    let fields: Vec<_> = found[0]
        .fields
        .iter()
        .map(|f| (f.field.as_str(), f.left.to_string(), f.right.to_string(), f.first_difference))
        .collect();
    assert_eq!(
        fields,
        [
            ("symbol_name", "\"café\"".to_owned(), "\"cafe\u{301}\"".to_owned(), Some(3)),
            ("estimated_loc", "0.5".to_owned(), "0.25".to_owned(), None),
        ]
    );
}

#[test]
fn the_same_record_in_other_bytes_is_only_noncanonical() {
    let (key, value) = symbol(1, 10);
    let spaced = [b" ", value.as_slice()].concat();
    let (counts, found) =
        compare(Listed::new([(key.clone(), value)]), Listed::new([(key, spaced)])).unwrap();
    assert_eq!(classes(&found), ["noncanonical"]);
    assert_eq!(counts.differing, 1);
}

#[test]
fn two_equal_but_invalid_values_are_not_equal() {
    let key = RecordKey::SymbolMetrics { symbol_id: 1 }.encode();
    let junk = || Listed::new([(key.clone(), b"{}".to_vec())]);
    let (counts, found) = compare(junk(), junk()).unwrap();
    assert_eq!(classes(&found), ["undecodable", "undecodable"]);
    assert_eq!((counts.equal, counts.differing), (0, 1));
}

#[test]
fn a_record_under_another_records_key_is_a_key_mismatch() {
    let (_, value) = symbol(1, 10);
    let key = RecordKey::SymbolMetrics { symbol_id: 2 }.encode();
    let (counts, found) =
        compare(Listed::new([(key.clone(), value.clone())]), Listed::new([(key, value)])).unwrap();
    assert_eq!(classes(&found), ["key-mismatch", "key-mismatch"]);
    assert_eq!(counts.differing, 1);
}

/// In any position: before, between and after the entries.
#[test]
fn invalid_rows_are_reported_and_counted_but_not_joined() {
    let (one, two) = (symbol(1, 0), symbol(2, 0));
    let left = Listed::with_rows([
        invalid(10),
        invalid(11),
        Ok(one.clone()),
        invalid_of(12, Some(11)),
        Ok(two.clone()),
    ]);
    let right = Listed::with_rows([
        invalid(20),
        Ok(one),
        invalid_of(21, Some(10)),
        invalid_of(22, Some(11)),
        invalid_of(23, Some(11)),
        Ok(two),
        invalid_of(24, Some(3)),
    ]);
    let (counts, found) = compare(left, right).unwrap();
    let expected = KindCounts {
        left: 5,
        right: 7,
        equal: 2,
        invalid_left: 3,
        invalid_right: 5,
        ..KindCounts::default()
    };
    assert_eq!(counts, expected);
    assert!(counts.is_consistent() && !counts.identical());
    let reported: Vec<_> =
        found.iter().map(|d| (d.class, d.side.unwrap(), d.row.unwrap().rowid.unwrap())).collect();
    let row = |side, rowid| (FindingClass::InvalidRow, side, rowid);
    let (left, right) = (Side::Left, Side::Right);
    assert_eq!(
        reported,
        [
            row(left, 10),
            row(left, 11),
            row(right, 20),
            row(right, 21),
            row(left, 12),
            row(right, 22),
            row(right, 23),
            row(right, 24),
        ]
    );
    let why = "loc is TEXT, must be an INTEGER or NULL";
    let messages = [0, 3, 4].map(|at| found[at].message.as_str());
    let expected = [
        format!("symbol_metrics row 10: {why}"),
        format!(
            "symbol_metrics row 21 (symbol_id 10): {why}; the left side has no record with this key"
        ),
        format!(
            "symbol_metrics row 12 (symbol_id 11): {why}; the right side has no valid record with \
             this key either"
        ),
    ];
    assert_eq!(messages, expected);
}

/// For an invalid row with a valid record on the other side, the row is the only finding; the
/// record is not reported as missing.
#[test]
fn a_row_that_is_invalid_on_one_side_and_valid_on_the_other_is_one_finding() {
    for swapped in [false, true] {
        let row = Listed::with_rows([invalid_of(7, Some(1))]);
        let (counts, found) = compare_swapped(swapped, Listed::new([symbol(1, 0)]), row);
        assert_eq!(classes(&found), ["invalid-row"]);
        let expected = KindCounts { left: 1, right: 1, differing: 1, ..KindCounts::default() };
        assert_eq!(counts, expected);
        let (row, record) = match swapped {
            false => (Side::Right, "left"),
            true => (Side::Left, "right"),
        };
        assert_eq!(found[0].side, Some(row));
        let reported = format!("; the {record} side has a valid record with this key");
        assert!(found[0].message.ends_with(&reported), "{found:?}");
    }
}

/// Several rows may have the key of one record: each is a finding, and the first is its
/// counterpart.
#[test]
fn every_row_with_a_records_key_is_a_finding_and_the_counts_are_consistent() {
    for swapped in [false, true] {
        let rows = Listed::with_rows([7, 8, 9].map(|rowid| invalid_of(rowid, Some(1))));
        let (counts, found) = compare_swapped(swapped, Listed::new([symbol(1, 0)]), rows);
        assert_eq!(classes(&found), ["invalid-row"; 3]);
        assert!(counts.is_consistent());
        let invalid = match swapped {
            false => counts.invalid_right,
            true => counts.invalid_left,
        };
        assert_eq!((counts.differing, invalid), (1, 2));
    }
}

/// An invalid entry of a KV file is one finding too, whatever the other side has.
#[test]
fn an_invalid_value_is_one_finding_whatever_the_other_side_has() {
    let (key, value) = symbol(1, 10);
    let (_, others) = symbol(2, 10);
    for (class, bad) in [("undecodable", b"{}".to_vec()), ("key-mismatch", others.clone())] {
        for swapped in [false, true] {
            let bad = || Listed::new([(key.clone(), bad.clone())]);
            let side = match swapped {
                false => "right",
                true => "left",
            };
            let (counts, found) = compare_swapped(swapped, bad(), Listed::new([]));
            assert_eq!(classes(&found), [class]);
            let reported = format!("; the {side} side has no record with this key");
            assert!(found[0].message.ends_with(&reported), "{found:?}");
            assert_eq!((counts.only_left, counts.only_right), (0, 0));
            assert_eq!(counts.invalid_left + counts.invalid_right, 1);

            let record = Listed::new([(key.clone(), value.clone())]);
            let (counts, found) = compare_swapped(swapped, bad(), record);
            assert_eq!(classes(&found), [class]);
            let reported = format!("; the {side} side has a valid record with this key");
            assert!(found[0].message.ends_with(&reported), "{found:?}");
            assert_eq!(counts.differing, 1);

            // Both are invalid in different ways: two problems to fix.
            let row = Listed::with_rows([invalid_of(7, Some(1))]);
            let (counts, found) = compare_swapped(swapped, bad(), row);
            assert_eq!(classes(&found), [class, "invalid-row"]);
            for finding in found {
                let message = finding.message;
                assert!(message.ends_with("has no valid record with this key either"), "{message}");
            }
            assert_eq!((counts.differing, counts.is_consistent()), (1, true));
        }
    }
}

#[test]
fn a_record_under_another_records_key_is_not_compared_field_by_field() {
    let (key, value) = symbol(1, 10);
    let (_, other) = symbol(2, 10);
    let (counts, found) =
        compare(Listed::new([(key.clone(), value)]), Listed::new([(key, other)])).unwrap();
    assert_eq!(classes(&found), ["key-mismatch"]);
    assert_eq!(found[0].side, Some(Side::Right));
    assert_eq!(
        found[0].message,
        "the record belongs to the key metrics:symbol:2; the left side has a valid record with \
         this key"
    );
    assert_eq!(counts.differing, 1);
}

#[test]
fn a_noncanonical_and_different_value_has_both_findings() {
    let (key, value) = symbol(1, 10);
    let (_, mut other) = symbol(1, 11);
    other.push(b' ');
    let (counts, found) =
        compare(Listed::new([(key.clone(), value)]), Listed::new([(key, other)])).unwrap();
    assert_eq!(classes(&found), ["field", "noncanonical"]);
    assert_eq!(counts.differing, 1);
}

#[test]
fn counts_that_omit_an_item_are_not_consistent() {
    let counts = KindCounts {
        left: 16,
        right: 19,
        equal: 1,
        differing: 2,
        only_left: 4,
        only_right: 5,
        invalid_left: 9,
        invalid_right: 11,
    };
    assert!(counts.is_consistent());
    let changes: [fn(&mut KindCounts); 4] = [
        |counts| counts.left += 1,
        |counts| counts.right += 1,
        |counts| counts.only_left -= 1,
        |counts| counts.invalid_right -= 1,
    ];
    for change in changes {
        let mut counts = counts;
        change(&mut counts);
        assert!(!counts.is_consistent(), "{counts:?}");
    }
}

#[test]
fn a_failing_stream_is_never_the_end_of_the_data() {
    let mut left = Listed::new([symbol(1, 1)]);
    left.fails_at_end = true;
    let error = compare(left, Listed::new([symbol(1, 1)])).unwrap_err();
    assert!(error.to_string().contains("the disk is gone"));
}

#[test]
fn unordered_or_duplicate_keys_are_an_error() {
    for keys in [[2, 1], [1, 1]] {
        let listed = Listed::new(keys.map(|id| symbol(id, 0)));
        let error = compare(listed, Listed::new([])).unwrap_err();
        assert!(error.to_string().contains("not in order"));
    }
}
