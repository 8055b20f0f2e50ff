//! Carried tables and their rows.

use chunkmigrate::table::{Cell, Row, TableSchema};
use serde_json::json;
use test_support::input::Input;

/// A table with columns `c0`, `c1` and so on.
pub(crate) fn table(name: &str, columns: usize, key: &[usize], rowid: bool) -> TableSchema {
    let columns: Vec<String> = (0..columns).map(|place| format!("c{place}")).collect();
    let table = json!({
        "name": name, "kind": null, "columns": columns, "key": key, "rowid": rowid, "sql": "",
    });
    serde_json::from_value(table).unwrap()
}

/// Tables with rows that are identified in each way.
pub(crate) fn some_tables() -> [TableSchema; 5] {
    [
        table("t", 2, &[], true),
        table("t", 1, &[0], false),
        table("t", 1, &[0], true),
        table("t", 2, &[1, 0], false),
        table("a:b%", 2, &[0, 1], true),
    ]
}

pub(crate) fn any_table(input: &mut Input<'_>) -> TableSchema {
    let columns = 1 + input.below(4);
    let mut key: Vec<usize> = (0..columns).filter(|_| input.one_in(2)).collect();
    if input.one_in(2) {
        key.reverse();
    }
    table(&input.name(), columns, &key, input.one_in(2))
}

pub(crate) fn any_row(input: &mut Input<'_>, table: &TableSchema) -> Row<'static> {
    Row {
        rowid: table.rowid.then(|| input.integer()),
        cells: table.columns.iter().map(|_| any_cell(input)).collect(),
    }
}

fn any_cell(input: &mut Input<'_>) -> Cell<'static> {
    match input.below(8) {
        0 => Cell::Null,
        1 => Cell::Integer(input.integer()),
        2 => Cell::Real(input.float()),
        3 => Cell::Real(input.pick(&[f64::INFINITY, f64::NEG_INFINITY])),
        4 => Cell::Blob(input.bytes().into()),
        5 => Cell::IllFormedText(input.bytes().into()),
        _ => Cell::Text(input.text().into()),
    }
}

/// A value in a form that is equal only for the same value of the same storage class.
pub(crate) fn exactly(cell: &Cell<'_>) -> String {
    match cell {
        Cell::Real(real) => format!("{:x}", real.to_bits()),
        other => format!("{other:?}"),
    }
}
