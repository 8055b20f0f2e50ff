//! Tables and rows for tests.

use proptest::prelude::*;

use super::{Cell, Row, TableSchema};

/// A table with columns `c0`, `c1` and so on, whose rows are stored without a rowid.
pub(super) fn table(name: &str, columns: usize, key: &[usize]) -> TableSchema {
    TableSchema {
        name: name.to_owned(),
        kind: None,
        columns: (0..columns).map(|place| format!("c{place}")).collect(),
        key: key.to_vec(),
        rowid: false,
        sql: String::new(),
    }
}

pub(super) fn any_table() -> impl Strategy<Value = TableSchema> {
    let places = |columns| prop::sample::subsequence((0..columns).collect::<Vec<_>>(), 0..=columns);
    let columns_and_key = (1..6_usize).prop_flat_map(move |columns| {
        (Just(columns), places(columns).prop_shuffle(), any::<bool>())
    });
    ("[a-c:%🦀 ]{0,4}", columns_and_key).prop_map(|(name, (columns, key, rowid))| TableSchema {
        rowid,
        ..table(&name, columns, &key)
    })
}

pub(super) fn any_table_and_row() -> impl Strategy<Value = (TableSchema, Row<'static>)> {
    any_table().prop_flat_map(|table| {
        let cells = prop::collection::vec(any_cell(), table.columns.len());
        let row = (any_integer(), cells)
            .prop_map(move |(rowid, cells)| Row { rowid: table.rowid.then_some(rowid), cells });
        (Just(table), row)
    })
}

/// A value of any storage class.
pub(super) fn any_cell() -> impl Strategy<Value = Cell<'static>> {
    let bytes = || prop::collection::vec(any::<u8>(), 0..20);
    prop_oneof![
        Just(Cell::Null),
        any_integer().prop_map(Cell::Integer),
        any_real().prop_map(Cell::Real),
        any_text().prop_map(|text| Cell::Text(text.into())),
        bytes().prop_map(|bytes| Cell::IllFormedText(bytes.into())),
        bytes().prop_map(|bytes| Cell::Blob(bytes.into())),
    ]
}

fn any_integer() -> impl Strategy<Value = i64> {
    prop_oneof![
        -20..120_i64,
        any::<i64>(),
        prop::sample::select(vec![i64::MIN, i64::MAX, 9_007_199_254_740_993]),
    ]
}

fn any_real() -> impl Strategy<Value = f64> {
    let special =
        vec![0.0, -0.0, 1.0, -17.0, 1e15, 1e16, 1e300, 5e-324, f64::INFINITY, f64::NEG_INFINITY];
    let any = any::<u64>().prop_map(f64::from_bits).prop_filter("not in SQLite", |r| !r.is_nan());
    prop_oneof![prop::sample::select(special), any]
}

fn any_text() -> impl Strategy<Value = String> {
    let parts = prop_oneof![
        "[ -~]{0,20}",
        "[\u{0}-\u{1f}\"\\\\]{1,3}",
        "[:'%]{1,3}",
        "[\u{7f}-\u{ff}\u{800}🦀]{1,3}",
    ];
    prop::collection::vec(parts, 0..4).prop_map(|parts| parts.concat())
}
