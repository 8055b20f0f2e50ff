use chunkmigrate::internal::{
    cell_from_json, cell_json, is_canonical_row, read_row, write_row, write_row_key,
};
use chunkmigrate::kv::Entry;
use chunkmigrate::table::TableSchema;
use serde_json::value::RawValue;
use test_support::input::Input;

use super::table::{any_row, any_table, exactly, some_tables};

/// Any bytes as a row of each table, and the rows of generated ones.
pub fn table_value(data: &[u8]) {
    some_tables().iter().for_each(|table| any_bytes(table, data));
    let mut input = Input::new(data);
    let table = any_table(&mut input);
    let row = any_row(&mut input, &table);
    let mut value = Vec::new();
    write_row(&row, &mut value);
    let read = read_row(&table, &value).unwrap();
    let cells = |row: &[_]| row.iter().map(exactly).collect::<Vec<_>>();
    assert_eq!((read.rowid, cells(&read.cells)), (row.rowid, cells(&row.cells)));
    for cell in &row.cells {
        let json = cell_json(cell).to_string();
        let json: &RawValue = serde_json::from_str(&json).unwrap();
        assert_eq!(exactly(&cell_from_json(json).unwrap()), exactly(cell));
    }
    any_bytes(&table, &value);
    for _ in 0..=input.below(4) {
        input.mutate(&mut value);
        any_bytes(&table, &value);
    }
}

/// A value is canonical exactly if it is written for the row that it is.
fn any_bytes(table: &TableSchema, value: &[u8]) {
    let row = match read_row(table, value) {
        Ok(row) => row,
        Err(error) => {
            assert!(!error.to_string().is_empty());
            let entry = Entry { key: b"table:t:A0", value };
            assert!(!is_canonical_row(table, entry, &mut Vec::new()));
            assert!(table.decode(entry).is_err());
            return;
        }
    };
    assert_eq!(row.cells.len(), table.columns.len());
    assert_eq!(row.rowid.is_some(), table.rowid);
    let (mut written, mut again, mut key) = (Vec::new(), Vec::new(), Vec::new());
    write_row(&row, &mut written);
    write_row(&read_row(table, &written).unwrap(), &mut again);
    assert_eq!(again, written);
    let has_key = write_row_key(table, &row, &mut key);
    let entry = Entry { key: &key, value };
    let is_canonical = has_key && written == value;
    assert_eq!(is_canonical_row(table, entry, &mut Vec::new()), is_canonical);
    assert_eq!(table.decode(entry).is_ok(), has_key);
    assert_eq!(table.encode(&row).ok(), has_key.then(|| (key.clone(), written)));
    let other = Entry { key: &[&key, &b"0"[..]].concat(), value };
    assert!(!is_canonical_row(table, other, &mut Vec::new()));
    assert!(table.decode(other).is_err());
}
