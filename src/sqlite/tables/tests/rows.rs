//! Values keep their storage class and every bit.

use std::borrow::Cow;

use proptest::prelude::*;
use rusqlite::Connection;
use rusqlite::types::Value;

use super::fixtures::{bits, describe, restored, rows};
use crate::sqlite::tables::row_inserter::RowInserter;
use crate::table::{Cell, Row};

/// Restores a database with one table, whose first rows were inserted with affinities in force.
fn values_survive(encoding: &str, types: &[&str], options: &str, values: &[Vec<Value>]) {
    let source = Connection::open_in_memory().unwrap();
    source.pragma_update(None, "encoding", encoding).unwrap();
    let columns: Vec<String> =
        types.iter().enumerate().map(|(place, of)| format!("c{place} {of}")).collect();
    let key = if options.contains("WITHOUT") { ", id INTEGER PRIMARY KEY" } else { "" };
    let sql = format!("CREATE TABLE t ({}{key}) {options}", columns.join(", "));
    source.execute_batch(&sql).unwrap();
    let parameters = vec!["?"; types.len()].join(", ");
    let id = if key.is_empty() { "" } else { ", (SELECT count(*) FROM t)" };
    let sql = format!("INSERT INTO t VALUES ({parameters}{id})");
    for row in values {
        // A strict table rejects some.
        let _ = source.execute(&sql, rusqlite::params_from_iter(row));
    }
    restored(&source);
}

fn any_value() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<i64>().prop_map(Value::Integer),
        (-3i64..3).prop_map(Value::Integer),
        any::<f64>().prop_map(Value::Real),
        prop::sample::select(
            &[
                0.0,
                -0.0,
                1.0,
                -1.0,
                1e15,
                9.2e18,
                9_223_372_036_854_775_807.0,
                -9.3e18,
                1e300,
                f64::INFINITY,
                f64::NEG_INFINITY,
                f64::MIN_POSITIVE,
                5e-324,
                0.1,
                4_503_599_627_370_497.5,
                140_737_488_355_328.0,
            ][..]
        )
        .prop_map(Value::Real),
        prop::sample::select(
            &[
                "",
                " 1 ",
                "1",
                "1.0",
                "-0",
                "-0.0",
                "0x10",
                "1e3",
                "9e999",
                "9223372036854775808",
                "abc",
                "1.0e",
                "+5",
                ".5",
                "5.",
                "NaN",
                "inf",
                "00",
                "a\0b",
                "\u{feff}x",
                "\u{1f980}",
                "123456789012345678901234567890",
            ][..]
        )
        .prop_map(|text| Value::Text(text.into())),
        any::<String>().prop_map(Value::Text),
        prop::collection::vec(any::<u8>(), 0..12).prop_map(Value::Blob),
    ]
}

proptest! {
    #[test]
    fn a_stored_value_is_inserted_unchanged(
        types in prop::collection::vec(
            prop::sample::select(&["", "INTEGER", "INT", "REAL", "TEXT", "BLOB", "NUMERIC",
                "DATETIME", "FLOAT", "BOOLEAN", "VARCHAR(3)"][..]), 1..6),
        strict_types in prop::collection::vec(
            prop::sample::select(&["INT", "INTEGER", "REAL", "TEXT", "BLOB", "ANY"][..]), 1..3),
        without_rowid in any::<bool>(),
        encoding in prop::sample::select(&["UTF-8", "UTF-16le", "UTF-16be"][..]),
        values in prop::collection::vec(prop::collection::vec(any_value(), 6), 1..12),
    ) {
        for (types, strict) in [(&types, false), (&strict_types, true)] {
            let options = match (without_rowid, strict) {
                (true, true) => "WITHOUT ROWID, STRICT",
                (true, false) => "WITHOUT ROWID",
                (false, true) => "STRICT",
                (false, false) => "",
            };
            let values: Vec<Vec<Value>> =
                values.iter().map(|row| row[..types.len()].to_vec()).collect();
            values_survive(encoding, types, options, &values);
        }
    }
}

#[test]
fn text_that_is_not_well_formed_keeps_every_byte() {
    let ill_formed: [&[u8]; 9] = [
        b"\xff",
        b"\x00\xd8",
        b"\xd8\x00",
        b"a",
        b"abc",
        b"\x41\x00\x00\xdc\x42",
        b"\xff\xfe\x00\xd8",
        b"\xc0\x80",
        b"\xed\xa0\x80",
    ];
    for encoding in ["UTF-8", "UTF-16le", "UTF-16be"] {
        for of in ["TEXT", "", "NUMERIC"] {
            let source = Connection::open_in_memory().unwrap();
            source.pragma_update(None, "encoding", encoding).unwrap();
            source.execute_batch(&format!("CREATE TABLE t (a {of}, b {of}, c)")).unwrap();
            let table = describe(&source).tables.remove(0);
            let mut inserter = RowInserter::new(&source, &table).unwrap();
            let text = |bytes| Cell::IllFormedText(Cow::Borrowed(bytes));
            let mut expected = Vec::new();
            // See `an_odd_byte_of_utf_16_text_is_lost`.
            let ill_formed = ill_formed
                .iter()
                .filter(|bytes| encoding == "UTF-8" || bytes.len().is_multiple_of(2));
            for (rowid, &bytes) in (1..).zip(ill_formed) {
                let others = [Cell::Text("x".into()), Cell::Blob(bytes.into()), text(bytes)];
                for (n, other) in (0..).zip(others) {
                    let cells = vec![text(bytes), other, Cell::Null];
                    let row = Row { rowid: Some(rowid * 10 + n), cells };
                    assert_eq!(inserter.insert(&row).unwrap(), None);
                    expected.push(row);
                }
            }
            drop(inserter);
            let mut statement =
                source.prepare("SELECT typeof(a), CAST(a AS BLOB) FROM t ORDER BY rowid").unwrap();
            let stored = statement
                .query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, Vec<u8>>(1)?)))
                .unwrap();
            let mut lost = Vec::new();
            for (stored, row) in stored.zip(&expected) {
                let Cell::IllFormedText(bytes) = &row.cells[0] else { unreachable!() };
                let stored = stored.unwrap();
                if stored != ("text".to_owned(), bytes.to_vec()) {
                    lost.push((bytes.to_vec(), stored));
                }
            }
            drop(statement);
            assert_eq!(lost, [], "{encoding} {of}");
            restored(&source);
        }
    }
}

#[test]
fn an_odd_byte_of_utf_16_text_is_lost() {
    let connection = Connection::open_in_memory().unwrap();
    connection.pragma_update(None, "encoding", "UTF-16le").unwrap();
    connection.execute_batch("CREATE TABLE t (a)").unwrap();
    let table = describe(&connection).tables.remove(0);
    let mut inserter = RowInserter::new(&connection, &table).unwrap();
    let cells = vec![Cell::IllFormedText(Cow::Borrowed(b"abc"))];
    assert_eq!(inserter.insert(&Row { rowid: Some(1), cells }).unwrap(), None);
    assert_eq!(rows(&connection, &table)[0].cells, [Cell::Text("\u{6261}".into())]);
}

#[test]
fn negative_zero_is_kept_where_sqlite_stores_it() {
    for (of, stored) in [
        ("", "-0.0"),
        ("BLOB", "-0.0"),
        // A small integral number is stored as an integer, which has no negative zero.
        ("REAL", "0.0"),
        ("INTEGER", "0"),
        ("NUMERIC", "0"),
        ("TEXT", "'0.0'"),
    ] {
        let source = Connection::open_in_memory().unwrap();
        source.execute_batch(&format!("CREATE TABLE t (a {of})")).unwrap();
        source.execute("INSERT INTO t VALUES (?1)", [-0.0]).unwrap();
        let target = restored(&source);
        let table = describe(&target).tables.remove(0);
        let shown = match &rows(&target, &table)[0].cells[0] {
            Cell::Real(real) => format!("{real:?}"),
            Cell::Integer(integer) => integer.to_string(),
            Cell::Text(text) => format!("'{text}'"),
            other => panic!("{other:?}"),
        };
        assert_eq!(shown, stored, "{of}");
    }
}

#[test]
fn a_row_of_another_shape_is_rejected() {
    let connection = Connection::open_in_memory().unwrap();
    connection.execute_batch("CREATE TABLE t (a, b)").unwrap();
    let table = describe(&connection).tables.remove(0);
    let mut inserter = RowInserter::new(&connection, &table).unwrap();
    for (rowid, count) in [(Some(1), 1), (Some(1), 3), (None, 2), (None, 3)] {
        assert!(inserter.insert(&Row { rowid, cells: vec![Cell::Null; count] }).is_err());
    }
    let row = Row { rowid: Some(1), cells: vec![Cell::Null; 2] };
    assert_eq!(inserter.insert(&row).unwrap(), None);
    assert!(inserter.insert(&row).unwrap().is_some_and(|why| why.contains("UNIQUE")));
    assert_eq!(bits(&rows(&connection, &table)).len(), 1);
}

#[test]
fn many_patterns_of_ill_formed_text_share_few_statements() {
    let connection = Connection::open_in_memory().unwrap();
    connection.execute_batch("CREATE TABLE t (a, b, c, d, e, f)").unwrap();
    let table = describe(&connection).tables.remove(0);
    let mut inserter = RowInserter::new(&connection, &table).unwrap();
    let row = |pattern: i64| {
        let cell = |place: i64| match pattern >> place & 1 {
            0 => Cell::Blob(Cow::Borrowed(b"\xff")),
            _ => Cell::IllFormedText(Cow::Borrowed(b"\xff")),
        };
        Row { rowid: Some(pattern), cells: (0..6).map(cell).collect() }
    };
    let expected: Vec<_> = (0..64).map(row).collect();
    expected.iter().for_each(|row| assert_eq!(inserter.insert(row).unwrap(), None));
    assert_eq!(bits(&rows(&connection, &table)), bits(&expected));
}

#[test]
fn a_table_may_have_as_many_columns_as_sqlite_allows() {
    let source = Connection::open_in_memory().unwrap();
    let columns: Vec<String> = (0..2000).map(|n| format!("c{n}")).collect();
    source.execute_batch(&format!("CREATE TABLE t ({})", columns.join(", "))).unwrap();
    let table = describe(&source).tables.remove(0);
    let mut inserter = RowInserter::new(&source, &table).unwrap();
    let cells = (0..2000).map(Cell::Integer).collect();
    assert_eq!(inserter.insert(&Row { rowid: Some(5), cells }).unwrap(), None);
    drop(inserter);
    let values = (source.query_row("SELECT rowid, c0, c1999 FROM t", [], |row| {
        Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?, row.get::<_, i64>(2)?))
    }))
    .unwrap();
    assert_eq!(values, (5, 0, 1999));
}
