//! Keys of carried rows: no two rows of a table share one, and no two values look the same.
//!
//! A key is the [prefix](key_prefix) of the table followed by the values of its key columns,
//! separated by `:`. A table without a primary key, and a row with NULL in its key, is identified
//! by the rowid.

use std::cmp::Ordering;
use std::slice;

use memchr::memchr;
use thiserror::Error;

use super::value::{MAX_REAL_BYTES, write_real};
use super::{Cell, Row, TableSchema};
use crate::codec::{double_colons, read_canonical_real};

/// What the keys of all carried tables start with.
const KEY_PREFIX: &str = "table:";

/// Why bytes are not a key of a carried table's row.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{0}")]
pub struct RowKeyError(pub(crate) &'static str);

/// The prefix of a table's keys: `table:` and the table's name, in which `%` and `:` are `%25`
/// and `%3A`, followed by `:`. No prefix starts with that of another table, so the keys of a table
/// are consecutive.
pub fn key_prefix(table: &str) -> Vec<u8> {
    let mut prefix = Vec::with_capacity(KEY_PREFIX.len() + table.len() + 1);
    write_prefix(table, &mut prefix);
    prefix
}

fn write_prefix(table: &str, out: &mut Vec<u8>) {
    out.extend_from_slice(KEY_PREFIX.as_bytes());
    for byte in table.as_bytes() {
        out.extend_from_slice(escape(byte));
    }
    out.push(b':');
}

/// What the prefix of a table has in place of a byte of its name.
fn escape(byte: &u8) -> &[u8] {
    match byte {
        b'%' => b"%25",
        b':' => b"%3A",
        _ => slice::from_ref(byte),
    }
}

/// Appends the key of a row to `out`, which ends with the prefix of its table. `key` are the values
/// of the key columns; without any, or if one is NULL, the rowid is used. A row that needs its rowid
/// but has none has no key: nothing is appended.
pub fn write_key(key: &[&Cell<'_>], rowid: Option<i64>, out: &mut Vec<u8>) {
    write_values(key.iter().copied(), rowid, out);
}

/// Appends the whole key of a row, with the prefix of its table. Returns whether the row has a key:
/// one with NULL in its key needs a rowid.
#[must_use]
pub fn write_row_key(table: &TableSchema, row: &Row<'_>, out: &mut Vec<u8>) -> bool {
    let key = table.key.iter().map(|place| row.cells.get(*place).unwrap_or(&Cell::Null));
    write_own_key(table, key, row.rowid, out)
}

/// As [`write_row_key`], from the values of the key columns.
#[must_use]
pub(super) fn write_own_key<'c>(
    table: &TableSchema,
    key: impl Iterator<Item = &'c Cell<'c>> + Clone,
    rowid: Option<i64>,
    out: &mut Vec<u8>,
) -> bool {
    write_prefix(&table.name, out);
    write_values(key, rowid, out)
}

fn write_values<'c>(
    key: impl Iterator<Item = &'c Cell<'c>> + Clone,
    rowid: Option<i64>,
    out: &mut Vec<u8>,
) -> bool {
    let has_null = key.clone().any(Cell::is_null);
    if has_null || key.clone().next().is_none() {
        let Some(rowid) = rowid else {
            return false;
        };
        if has_null {
            out.push(b'@');
        }
        write_integer(rowid, out);
        return true;
    }
    for (index, cell) in key.enumerate() {
        if index > 0 {
            out.push(b':');
        }
        write_value(cell, out);
    }
    true
}

fn write_value(cell: &Cell<'_>, out: &mut Vec<u8>) {
    match cell {
        // A key with NULL is written from the rowid.
        Cell::Null => {}
        Cell::Integer(integer) => write_integer(*integer, out),
        Cell::Real(real) => {
            out.push(b'r');
            match *real {
                f64::INFINITY => out.extend_from_slice(b"inf"),
                f64::NEG_INFINITY => out.extend_from_slice(b"-inf"),
                real => write_real(real, out),
            }
        }
        Cell::Text(text) => {
            out.push(b'\'');
            double_colons(out, text);
        }
        Cell::IllFormedText(bytes) => {
            out.push(b't');
            write_hex(bytes, out);
        }
        Cell::Blob(bytes) => {
            out.push(b'x');
            write_hex(bytes, out);
        }
    }
}

/// Appends an integer so that the order of bytes is the order of integers: the number of digits as a
/// letter, then the digits. For a negative integer, after `-`, both count down.
fn write_integer(integer: i64, out: &mut Vec<u8>) {
    let mut buffer = itoa::Buffer::new();
    let digits = buffer.format(integer.unsigned_abs()).as_bytes();
    // At most 19.
    let length = digits.len() as u8;
    if integer < 0 {
        out.extend_from_slice(&[b'-', b'S' - (length - 1)]);
        out.extend(digits.iter().map(|digit| b'0' + (b'9' - digit)));
    } else {
        out.push(b'A' + (length - 1));
        out.extend_from_slice(digits);
    }
}

fn write_hex(bytes: &[u8], out: &mut Vec<u8>) {
    let digit = |nibble: u8| match nibble {
        ..10 => b'0' + nibble,
        _ => b'a' + (nibble - 10),
    };
    out.reserve(2 * bytes.len());
    for byte in bytes {
        out.extend_from_slice(&[digit(byte >> 4), digit(byte & 15)]);
    }
}

/// Checks that `key` is one that [`write_key`] writes for a row of the table.
///
/// # Errors
/// Says what is wrong with it.
pub fn parse_key(table: &TableSchema, key: &[u8]) -> Result<(), RowKeyError> {
    visit_values(table, key, &mut |_| {})
}

/// The key of a row as a reader would write it, such as `ast_nodes id=17` or
/// `edges source='a' target=NULL rowid=5`; `None` if it is not a key of the table.
pub(crate) fn shown_key(table: &TableSchema, key: &[u8]) -> Option<String> {
    let mut columns = table.key.iter().filter_map(|place| table.columns.get(*place));
    let mut shown = table.name.clone();
    let visited = visit_values(table, key, &mut |value| {
        let (column, value) = match value {
            KeyValue::Rowid(rowid) => ("rowid", rowid.to_string()),
            KeyValue::Column(value) => {
                (columns.next().map_or("", String::as_str), shown_value(value))
            }
        };
        shown.extend([" ", column, "=", &value]);
    });
    visited.is_ok().then_some(shown)
}

/// A value of a key as SQL has it.
fn shown_value(value: &[u8]) -> String {
    let text = |bytes| String::from_utf8_lossy(bytes);
    match value {
        [b'\'', quoted @ ..] => {
            format!("'{}'", text(quoted).replace("::", ":").replace('\'', "''"))
        }
        [b'r', real @ ..] => text(real).into_owned(),
        [b'x', hex @ ..] => format!("x'{}'", text(hex)),
        [b't', hex @ ..] => format!("CAST(x'{}' AS TEXT)", text(hex)),
        integer => read_integer(integer).map(|integer| integer.to_string()).unwrap_or_default(),
    }
}

/// What identifies a row.
enum KeyValue<'k> {
    Rowid(i64),
    /// The value of a key column, in the notation of a key.
    Column(&'k [u8]),
}

/// Calls `visit` for each value of a key.
fn visit_values(
    table: &TableSchema,
    key: &[u8],
    visit: &mut dyn FnMut(KeyValue<'_>),
) -> Result<(), RowKeyError> {
    let rest = after_prefix(&table.name, key)
        .ok_or(RowKeyError("the key does not start with the prefix of the table"))?;
    if table.key.is_empty() {
        let rowid = read_integer(rest).ok_or(RowKeyError("the key is not a valid rowid"))?;
        visit(KeyValue::Rowid(rowid));
        return Ok(());
    }
    if let Some(rowid) = rest.strip_prefix(b"@") {
        if !table.rowid {
            return Err(RowKeyError("the key has a rowid, but the rows of the table do not"));
        }
        let rowid =
            read_integer(rowid).ok_or(RowKeyError("the key has '@' without a valid rowid"))?;
        visit(KeyValue::Rowid(rowid));
        return Ok(());
    }
    let mut values = 0;
    let mut rest = Some(rest);
    while let Some(from) = rest {
        let (value, after) = split_value(from)?;
        visit(KeyValue::Column(value));
        values += 1;
        rest = after;
    }
    match values.cmp(&table.key.len()) {
        Ordering::Less => {
            Err(RowKeyError("the key has fewer values than the table has key columns"))
        }
        Ordering::Greater => {
            Err(RowKeyError("the key has more values than the table has key columns"))
        }
        Ordering::Equal => Ok(()),
    }
}

/// What follows the prefix of a table in a key.
fn after_prefix<'k>(table: &str, key: &'k [u8]) -> Option<&'k [u8]> {
    let rest = key.strip_prefix(KEY_PREFIX.as_bytes())?;
    let rest = table.bytes().try_fold(rest, |rest, byte| rest.strip_prefix(escape(&byte)))?;
    rest.strip_prefix(b":")
}

/// The value at the start of `rest`, and what follows it and its `:` unless it is the last one.
fn split_value(rest: &[u8]) -> Result<(&[u8], Option<&[u8]>), RowKeyError> {
    let is_text = rest.first() == Some(&b'\'');
    let mut length = 0;
    while let Some(plain) = rest.get(length..).and_then(|rest| memchr(b':', rest)) {
        length += plain;
        let is_doubled = is_text && rest.get(length + 1) == Some(&b':');
        if !is_doubled {
            break;
        }
        length += 2;
    }
    if rest.get(length) != Some(&b':') {
        length = rest.len();
    }
    let (value, after) = rest.split_at_checked(length).unwrap_or((rest, &[]));
    let is_valid = match value {
        [b'\'', text @ ..] => match str::from_utf8(text) {
            Ok(_) => true,
            Err(_) => return Err(RowKeyError("a text in the key is not valid UTF-8")),
        },
        [b'r', real @ ..] => is_real(real),
        [b'x' | b't', hex @ ..] => is_hex(hex),
        integer => read_integer(integer).is_some(),
    };
    match is_valid {
        true => Ok((value, after.strip_prefix(b":"))),
        false => Err(RowKeyError("a value in the key is not in the notation of any type")),
    }
}

fn is_real(real: &[u8]) -> bool {
    let canonical = |real| str::from_utf8(real).ok().and_then(read_canonical_real);
    matches!(real, b"inf" | b"-inf") || real.len() <= MAX_REAL_BYTES && canonical(real).is_some()
}

fn is_hex(hex: &[u8]) -> bool {
    hex.len().is_multiple_of(2) && hex.iter().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// An integer as [`write_integer`] writes it.
fn read_integer(integer: &[u8]) -> Option<i64> {
    let (is_negative, length, digits) = match integer {
        [b'-', letter @ b'A'..=b'S', digits @ ..] => (true, b'S' - letter + 1, digits),
        [letter @ b'A'..=b'S', digits @ ..] => (false, letter - b'A' + 1, digits),
        _ => return None,
    };
    if digits.len() != usize::from(length) || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let digits = digits.iter().map(|digit| match is_negative {
        true => b'9' - digit,
        false => digit - b'0',
    });
    let is_padded = digits.clone().next() == Some(0) && (length > 1 || is_negative);
    // Nineteen digits are no overflow.
    let magnitude = digits.fold(0, |magnitude, digit| 10 * magnitude + u64::from(digit));
    match (is_padded, is_negative) {
        (true, _) => None,
        (false, false) => i64::try_from(magnitude).ok(),
        (false, true) => 0_i64.checked_sub_unsigned(magnitude),
    }
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use proptest::prelude::*;

    use super::*;
    use crate::table::test_rows::{any_cell, any_table, any_table_and_row, table};

    fn key(cells: &[Cell<'_>], rowid: Option<i64>) -> String {
        let mut key = Vec::new();
        write_key(&cells.iter().collect::<Vec<_>>(), rowid, &mut key);
        String::from_utf8(key).unwrap()
    }

    fn text(text: &str) -> Cell<'_> {
        Cell::Text(Cow::Borrowed(text))
    }

    fn blob(bytes: &[u8]) -> Cell<'_> {
        Cell::Blob(Cow::Borrowed(bytes))
    }

    /// These bytes are the file format.
    #[test]
    fn keys_have_these_bytes() {
        let integers = [
            (0, "A0"),
            (7, "A7"),
            (10, "B10"),
            (17, "B17"),
            (999, "C999"),
            (1_234_567, "G1234567"),
            (i64::MAX - 1, "S9223372036854775806"),
            (i64::MAX, "S9223372036854775807"),
            (-1, "-S8"),
            (-9, "-S0"),
            (-10, "-R89"),
            (-17, "-R82"),
            (-100, "-Q899"),
            (i64::MIN + 1, "-A0776627963145224192"),
            (i64::MIN, "-A0776627963145224191"),
        ];
        for (integer, expected) in integers {
            assert_eq!(key(&[Cell::Integer(integer)], None), expected);
            assert_eq!(key(&[], Some(integer)), expected);
            assert_eq!(key(&[Cell::Null], Some(integer)), format!("@{expected}"));
        }
        let reals = [
            (0.0, "r0.0"),
            (-0.0, "r-0.0"),
            (1.0, "r1.0"),
            (1.5, "r1.5"),
            (-0.1, "r-0.1"),
            (1e15, "r1000000000000000.0"),
            (1e16, "r1e+16"),
            (1e300, "r1e+300"),
            (5e-324, "r5e-324"),
            (f64::INFINITY, "rinf"),
            (f64::NEG_INFINITY, "r-inf"),
        ];
        for (real, expected) in reals {
            assert_eq!(key(&[Cell::Real(real)], None), expected);
        }
        let others = [
            (text(""), "'"),
            (text("a b"), "'a b"),
            (text("it's"), "'it's"),
            (text(":"), "'::"),
            (text("a:b::"), "'a::b::::"),
            (text("%🦀\n\0"), "'%🦀\n\0"),
            (text("B17"), "'B17"),
            (blob(b""), "x"),
            (blob(b"\x00\x0f\xa0\xff:"), "x000fa0ff3a"),
            (Cell::IllFormedText(Cow::Borrowed(b"a\xff")), "t61ff"),
        ];
        for (cell, expected) in others {
            assert_eq!(key(&[cell], Some(1)), expected);
        }
        assert_eq!(key(&[text("a:"), Cell::Integer(2), text("")], None), "'a:::A2:'");
        assert_eq!(key(&[text(""), text(":"), blob(b":")], None), "':':::x3a");
        assert_eq!(key(&[text("a"), Cell::Null, blob(b"b")], Some(-1)), "@-S8");
        assert_eq!(key(&[Cell::Null], None), "");
        assert_eq!(key(&[], None), "");
    }

    #[test]
    fn prefixes_have_these_bytes() {
        for (name, expected) in [
            ("chunks", "table:chunks:"),
            ("", "table::"),
            ("a:b", "table:a%3Ab:"),
            ("100%", "table:100%25:"),
            ("a%3Ab", "table:a%253Ab:"),
            ("Größe \"x\"", "table:Größe \"x\":"),
        ] {
            assert_eq!(String::from_utf8(key_prefix(name)).unwrap(), expected);
        }
    }

    #[test]
    fn what_is_never_written_is_not_accepted() {
        let one = TableSchema { rowid: true, ..table("t", 2, &[1]) };
        let two = table("t", 2, &[1, 0]);
        let by_rowid = TableSchema { rowid: true, ..table("t", 2, &[]) };
        let is_key = |table: &TableSchema, key: &str| {
            let key = [key_prefix(&table.name), key.as_bytes().to_vec()].concat();
            parse_key(table, &key).is_ok()
        };
        let valid =
            ["A0", "B17", "-S8", "'", "'::", "r1.0", "r-0.0", "rinf", "x", "xff", "t", "tff"];
        for key in valid {
            assert!(is_key(&one, key), "{key}");
            assert!(!is_key(&two, key), "{key}");
            assert!(is_key(&two, &format!("{key}:{key}")), "{key}");
            assert!(!is_key(&one, &format!("{key}:{key}")), "{key}");
            assert!(!is_key(&two, &format!("{key}:{key}:{key}")), "{key}");
            assert!(!is_key(&one, &format!("{key}:")), "{key}");
            assert!(!is_key(&two, &format!(":{key}")), "{key}");
            assert_eq!(is_key(&by_rowid, key), ["A0", "B17", "-S8"].contains(&key), "{key}");
        }
        let invalid = [
            "",
            ":",
            "0",
            "17",
            "A",
            "A17",
            "B1",
            "B01",
            "B00",
            "-S9",
            "-S",
            "-R98",
            "-R8",
            "S9223372036854775808",
            "S9999999999999999999",
            "-A0776627963145224190",
            "-A0000000000000000000",
            "T10000000000000000000",
            "a0",
            "A:",
            "A/",
            "-A",
            "-",
            "--S8",
            "A0 ",
            "@",
            "@@A0",
            "@B1",
            "@'a",
            "r",
            "r1",
            "r1.",
            "r01.0",
            "r1.50",
            "r1e300",
            "r1E+300",
            "rnan",
            "rNaN",
            "r+1.5",
            "rInf",
            "rinfinity",
            "r+inf",
            "r-nan",
            "rnull",
            "r0.1000000000000000055511151231257827",
            "xf",
            "xFF",
            "x ",
            "tg0",
            "':",
            "':'",
            "':a",
            "'a:::",
            "\"a",
            "N",
            "null",
        ];
        for key in invalid {
            assert!(!is_key(&one, key), "{key}");
            assert!(!is_key(&by_rowid, key), "{key}");
            assert!(!is_key(&two, &format!("A0:{key}")), "{key}");
        }
        assert!(is_key(&one, "@A0") && is_key(&one, "@-S8"));
        assert!(!is_key(&two, "@A0"), "its rows have no rowid");
        assert!(!is_key(&by_rowid, "@A0"));
        assert!(!is_key(&by_rowid, "'a"));
        for key in
            ["", "table:", "table:t", "table:u:A0", "table:t%:A0", "chunk:t:A0", "Table:t:A0"]
        {
            assert!(parse_key(&one, key.as_bytes()).is_err(), "{key}");
        }
        assert!(parse_key(&one, b"table:t:'\xff").is_err());
    }

    #[test]
    fn a_shown_key_has_the_names_of_its_columns() {
        let table = TableSchema { rowid: true, ..table("ast_nodes", 3, &[2, 0]) };
        let shown = |table: &TableSchema, key: &str| {
            let key = [key_prefix(&table.name), key.as_bytes().to_vec()].concat();
            shown_key(table, &key)
        };
        let by_rowid = TableSchema { key: Vec::new(), ..table.clone() };
        assert_eq!(shown(&table, "B17:'a::b'"), Some("ast_nodes c2=17 c0='a:b\'\''".to_owned()));
        assert_eq!(shown(&table, "r-0.0:x00ff"), Some("ast_nodes c2=-0.0 c0=x'00ff'".to_owned()));
        assert_eq!(
            shown(&table, "-S8:tff"),
            Some("ast_nodes c2=-1 c0=CAST(x'ff' AS TEXT)".to_owned())
        );
        assert_eq!(shown(&table, "@B17"), Some("ast_nodes rowid=17".to_owned()));
        assert_eq!(shown(&by_rowid, "B17"), Some("ast_nodes rowid=17".to_owned()));
        assert_eq!(shown(&table, "B17"), None);
    }

    /// Keys that look as if they could be confused with others.
    fn tricky_cell() -> impl Strategy<Value = Cell<'static>> {
        let texts =
            ["", ":", "::", "'", "':'", "a", "a:", ":a", "A0", "r0.0", "x", "@A0", " ", "🦀", "é:"];
        prop_oneof![
            4 => prop::sample::select(texts.to_vec()).prop_map(|text| Cell::Text(text.into())),
            1 => (-2..12_i64).prop_map(Cell::Integer),
            1 => prop::sample::select(vec![0.0, -0.0, 1.0]).prop_map(Cell::Real),
            1 => prop::collection::vec(prop::sample::select(b":a".to_vec()), 0..2).prop_map(|b| Cell::Blob(b.into())),
            1 => prop::collection::vec(prop::sample::select(b":a".to_vec()), 0..2).prop_map(|b| Cell::IllFormedText(b.into())),
            2 => any_cell(),
        ]
    }

    fn tricky_keys() -> impl Strategy<Value = (Vec<Cell<'static>>, Vec<Cell<'static>>)> {
        let key = |length| prop::collection::vec(tricky_cell(), length);
        (1..4_usize).prop_flat_map(move |length| (key(length), key(length)))
    }

    /// Whether two values are the same for SQLite's `typeof` and bit by bit.
    fn same(left: &Cell<'_>, right: &Cell<'_>) -> bool {
        match (left, right) {
            (Cell::Real(left), Cell::Real(right)) => left.to_bits() == right.to_bits(),
            _ => left == right,
        }
    }

    proptest! {
        #[test]
        fn the_order_of_keys_is_the_order_of_integers(left: i64, right: i64, shift in 0..64_u32) {
            for (left, right) in [(left, right), (left >> shift, right >> shift), (left >> shift, right)] {
                let (left_key, right_key) =
                    (key(&[Cell::Integer(left)], None), key(&[Cell::Integer(right)], None));
                prop_assert_eq!(left_key.cmp(&right_key), left.cmp(&right));
                let next = key(&[Cell::Integer(left.saturating_add(1))], None);
                prop_assert!(left_key < next || left == i64::MAX);
            }
        }

        #[test]
        fn two_keys_are_equal_only_if_all_their_values_are((left, right) in tricky_keys()) {
            let has_null = |key: &[Cell<'_>]| key.iter().any(Cell::is_null);
            let are_equal = key(&left, Some(1)) == key(&right, Some(1));
            let expected = match (has_null(&left), has_null(&right)) {
                (false, false) => left.iter().zip(&right).all(|(left, right)| same(left, right)),
                // These have the same rowid, which no two rows have.
                (left, right) => left == right,
            };
            prop_assert_eq!(are_equal, expected);
            prop_assert!(!has_null(&left) || key(&left, Some(1)) != key(&left, Some(2)));
        }

        #[test]
        fn the_key_of_a_row_is_accepted((table, row) in any_table_and_row()) {
            let mut written = Vec::new();
            let has_key = write_row_key(&table, &row, &mut written);
            let needs_rowid = table.key.is_empty() || table.key.iter().any(|place| row.cells[*place].is_null());
            prop_assert_eq!(has_key, row.rowid.is_some() || !needs_rowid);
            prop_assert_eq!(parse_key(&table, &written).is_ok(), has_key);
            prop_assert!(written.starts_with(&key_prefix(&table.name)));
            let cells: Vec<_> = table.key.iter().map(|place| &row.cells[*place]).collect();
            let mut expected = key_prefix(&table.name);
            write_key(&cells, row.rowid, &mut expected);
            prop_assert_eq!(written, expected);
        }

        #[test]
        fn any_bytes_can_be_parsed(
            table in any_table(),
            bytes in prop::collection::vec(prop_oneof![any::<u8>(), prop::sample::select(b":'@-rxtASB0189.e".to_vec())], 0..24),
        ) {
            let _ = parse_key(&table, &bytes);
            let key = [key_prefix(&table.name), bytes].concat();
            let _ = parse_key(&table, &key);
        }

        /// A key that was changed is either invalid or that of another row: never a second key of one.
        #[test]
        fn a_changed_key_is_invalid_or_that_of_other_values(
            (table, row) in any_table_and_row(),
            place: prop::sample::Index,
            byte in prop::sample::select(b":'@-rxtASB0189.ef".to_vec()),
        ) {
            let mut key = Vec::new();
            if !write_row_key(&table, &row, &mut key) {
                return Ok(());
            }
            let start = key_prefix(&table.name).len();
            let at = start + place.index(key.len() - start);
            key[at] = byte;
            if parse_key(&table, &key).is_ok() {
                prop_assert_eq!(rewritten(&table, &key[start..]), &key[start..]);
            }
        }

        #[test]
        fn the_keys_of_two_tables_are_in_separate_ranges(left in "[a:%A0-9🦀]{0,4}", right in "[a:%A0-9🦀]{0,4}") {
            if left == right {
                return Ok(());
            }
            let (left, right) = (key_prefix(&left), key_prefix(&right));
            prop_assert!(!left.starts_with(&right) && !right.starts_with(&left));
            let end = |prefix: &[u8]| [prefix, &[0xff]].concat();
            prop_assert!(end(&left) < right || end(&right) < left);
        }
    }

    /// Reads a valid key the slow way, and writes its values.
    fn rewritten(table: &TableSchema, key: &[u8]) -> Vec<u8> {
        if table.key.is_empty() || key.starts_with(b"@") {
            let (mark, rowid) = key.split_at(usize::from(!table.key.is_empty()));
            let mut out = mark.to_vec();
            write_integer(integer_of(rowid), &mut out);
            return out;
        }
        let mut cells = Vec::new();
        let mut rest = key;
        loop {
            let mut value = Vec::new();
            let is_text = rest[0] == b'\'';
            while let Some((byte, after)) = rest.split_first() {
                if *byte == b':' && !(is_text && after.first() == Some(&b':')) {
                    break;
                }
                value.push(*byte);
                rest = &after[usize::from(*byte == b':')..];
            }
            let number = || str::from_utf8(&value[1..]).unwrap().parse::<f64>().unwrap();
            let bytes = || {
                let pairs = value[1..].chunks(2).map(|pair| str::from_utf8(pair).unwrap());
                pairs.map(|pair| u8::from_str_radix(pair, 16).unwrap()).collect::<Vec<_>>()
            };
            cells.push(match value[0] {
                b'\'' => Cell::Text(String::from_utf8(value[1..].to_vec()).unwrap().into()),
                b'r' => Cell::Real(number()),
                b'x' => Cell::Blob(bytes().into()),
                b't' => Cell::IllFormedText(bytes().into()),
                _ => Cell::Integer(integer_of(&value)),
            });
            match rest.split_first() {
                Some((_, after)) => rest = after,
                None => break,
            }
        }
        let mut out = Vec::new();
        write_key(&cells.iter().collect::<Vec<_>>(), None, &mut out);
        out
    }

    fn integer_of(integer: &[u8]) -> i64 {
        let digits = |digits: &[u8]| str::from_utf8(digits).unwrap().parse::<i128>().unwrap();
        let integer = match integer {
            [b'-', _, complement @ ..] => {
                digits(complement) - (10_i128.pow(complement.len().try_into().unwrap()) - 1)
            }
            _ => digits(&integer[1..]),
        };
        i64::try_from(integer).unwrap()
    }
}
