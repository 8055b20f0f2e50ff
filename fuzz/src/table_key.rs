use chunkmigrate::internal::{key_prefix, parse_row_key, write_key, write_row_key};
use chunkmigrate::table::{Cell, Row, TableSchema};
use test_support::input::Input;

use super::table::{any_row, any_table, exactly, some_tables};

/// Any bytes as the key of a row, with and without the prefix of its table, and keys of generated
/// rows.
pub fn table_key(data: &[u8]) {
    for table in some_tables() {
        any_bytes(&table, data);
        any_bytes(&table, &[&key_prefix(&table.name), data].concat());
    }
    let mut input = Input::new(data);
    let table = any_table(&mut input);
    let (one, other) = (any_row(&mut input, &table), any_row(&mut input, &table));
    let [one_key, other_key] = [&one, &other].map(|row| key(&table, row));
    if let (Some(one_key), Some(other_key)) = (&one_key, &other_key) {
        assert_eq!(one_key == other_key, identity(&table, &one) == identity(&table, &other));
    }
    for mut key in [one_key, other_key].into_iter().flatten() {
        assert_eq!(parse_row_key(&table, &key), Ok(()));
        any_bytes(&table, &key);
        input.mutate(&mut key);
        any_bytes(&table, &key);
    }
}

/// The key is valid exactly if it is written for the values that it seems to have.
fn any_bytes(table: &TableSchema, key: &[u8]) {
    let written = read(table, key).map(|(cells, rowid)| {
        let mut written = key_prefix(&table.name);
        write_key(&cells.iter().collect::<Vec<_>>(), rowid, &mut written);
        written
    });
    match parse_row_key(table, key) {
        Ok(()) => assert_eq!(written.as_deref(), Some(key)),
        Err(error) => {
            assert_ne!(written.as_deref(), Some(key), "{error}");
            assert!(!error.to_string().is_empty());
        }
    }
}

fn key(table: &TableSchema, row: &Row<'_>) -> Option<Vec<u8>> {
    let mut key = Vec::new();
    let has_key = write_row_key(table, row, &mut key);
    let needs_rowid =
        table.key.is_empty() || table.key.iter().any(|at| row.cells[*at] == Cell::Null);
    assert_eq!(has_key, row.rowid.is_some() || !needs_rowid);
    has_key.then_some(key)
}

/// What identifies a row.
fn identity(table: &TableSchema, row: &Row<'_>) -> Vec<String> {
    let cells = || table.key.iter().map(|place| &row.cells[*place]);
    match cells().any(|cell| *cell == Cell::Null) || table.key.is_empty() {
        true => vec![format!("{:?}", row.rowid)],
        false => cells().map(exactly).collect(),
    }
}

/// The values of the key columns and the rowid that a key seems to have. It may be none: whatever
/// is not written in the same way is invalid.
fn read(table: &TableSchema, key: &[u8]) -> Option<(Vec<Cell<'static>>, Option<i64>)> {
    let rest = key.strip_prefix(key_prefix(&table.name).as_slice())?;
    if table.key.is_empty() {
        return Some((Vec::new(), Some(integer(rest)?)));
    }
    if let Some(rowid) = rest.strip_prefix(b"@") {
        let nulls = vec![Cell::Null; table.key.len()];
        return table.rowid.then_some((nulls, Some(integer(rowid)?)));
    }
    let cells: Vec<_> = split(rest).iter().map(|value| cell(value)).collect::<Option<_>>()?;
    (cells.len() == table.key.len()).then_some((cells, None))
}

/// The values, with single colons.
fn split(mut rest: &[u8]) -> Vec<Vec<u8>> {
    let mut values = vec![Vec::new()];
    while let Some((byte, after)) = rest.split_first() {
        rest = after;
        let value = values.last_mut().unwrap();
        match byte {
            b':' if value.first() == Some(&b'\'') && rest.first() == Some(&b':') => {
                rest = &rest[1..];
                value.push(b':');
            }
            b':' => values.push(Vec::new()),
            _ => value.push(*byte),
        }
    }
    values
}

fn cell(value: &[u8]) -> Option<Cell<'static>> {
    let (first, rest) = value.split_first()?;
    let text = || String::from_utf8(rest.to_vec()).ok();
    Some(match first {
        b'\'' => Cell::Text(text()?.into()),
        b'r' => Cell::Real(text()?.parse().ok().filter(|real: &f64| !real.is_nan())?),
        b'x' => Cell::Blob(bytes(rest)?.into()),
        b't' => Cell::IllFormedText(bytes(rest)?.into()),
        _ => Cell::Integer(integer(value)?),
    })
}

fn bytes(hex: &[u8]) -> Option<Vec<u8>> {
    let pair = |pair: &[u8]| u8::from_str_radix(str::from_utf8(pair).ok()?, 16).ok();
    hex.chunks(2).map(pair).collect()
}

fn integer(integer: &[u8]) -> Option<i64> {
    let digits = |digits: &[u8]| match digits.len() {
        1..20 => str::from_utf8(digits).ok()?.parse::<i128>().ok(),
        _ => None,
    };
    let integer = match integer {
        [b'-', _, complement @ ..] => {
            digits(complement)? - (10_i128.pow(complement.len() as u32) - 1)
        }
        [_, rest @ ..] => digits(rest)?,
        [] => return None,
    };
    i64::try_from(integer).ok()
}
