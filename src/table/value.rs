//! Values of carried rows: one JSON array, followed by the bytes that JSON can't represent.

use std::borrow::Cow;

use memchr::memchr;
use serde::Deserialize;
use serde::de::{Deserializer as _, IgnoredAny, SeqAccess, Visitor};
use serde_json::value::RawValue;
use thiserror::Error;

use super::TableSchema;
use super::key::write_own_key;
use crate::codec::{
    Entry, one_line, quoted_short, read_canonical_real, read_integer, read_text, write_number,
    write_text,
};

/// No real has a longer notation.
pub(super) const MAX_REAL_BYTES: usize = 32;

/// A value of a row, of any storage class.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell<'a> {
    /// NULL.
    Null,
    /// An integer.
    Integer(i64),
    /// A float. SQLite has NULL for NaN.
    Real(f64),
    /// Text.
    Text(Cow<'a, str>),
    /// Text that is not valid in the encoding of its database, as the stored bytes.
    IllFormedText(Cow<'a, [u8]>),
    /// A blob.
    Blob(Cow<'a, [u8]>),
}

impl Cell<'_> {
    /// Whether both are the same value of the same storage class; 0.0 and -0.0 are not.
    pub(crate) fn is_same(&self, other: &Cell<'_>) -> bool {
        match (self, other) {
            (Cell::Real(own), Cell::Real(other)) => own.to_bits() == other.to_bits(),
            (own, other) => own == other,
        }
    }

    /// Whether SQLite has NULL for it, as it has for a NaN.
    pub(crate) fn is_null(&self) -> bool {
        match self {
            Cell::Null => true,
            Cell::Real(real) => real.is_nan(),
            _ => false,
        }
    }

    /// The bytes that follow the array.
    fn piece(&self) -> Option<&[u8]> {
        match self {
            Cell::IllFormedText(bytes) | Cell::Blob(bytes) => Some(bytes),
            _ => None,
        }
    }
}

/// A row of a carried table.
#[derive(Debug, Clone, PartialEq)]
pub struct Row<'a> {
    /// The rowid, if the row is stored with it: see [`TableSchema::rowid`].
    pub rowid: Option<i64>,
    /// The values of [`TableSchema::columns`].
    pub cells: Vec<Cell<'a>>,
}

/// Why bytes are not a row: a sentence without a full stop, and without any text from the value.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{0}")]
pub struct RowError(pub(crate) String);

impl RowError {
    pub(super) fn new(problem: impl Into<String>) -> Self {
        RowError(problem.into())
    }

    fn of_cell(column: &str, problem: &str) -> Self {
        RowError(format!("the value of {} {problem}", quoted_short(column)))
    }
}

/// Appends the canonical bytes of a row.
pub fn write_row(row: &Row<'_>, out: &mut Vec<u8>) {
    // With space for the escapes of typical text: growing by doubling would use twice the size of a
    // large row.
    let texts = row.cells.iter().map(|cell| match cell {
        Cell::Text(text) => text.len() + text.len() / 8,
        cell => cell.piece().map_or(0, <[u8]>::len),
    });
    out.reserve(texts.sum::<usize>() + 16 * row.cells.len() + 32);
    out.push(b'[');
    if let Some(rowid) = row.rowid {
        write_number(out, rowid);
    }
    for (place, cell) in row.cells.iter().enumerate() {
        if place > 0 || row.rowid.is_some() {
            out.push(b',');
        }
        write_cell(cell, out);
    }
    out.push(b']');
    let mut pieces = row.cells.iter().filter_map(Cell::piece).peekable();
    if pieces.peek().is_some() {
        out.push(0);
    }
    pieces.for_each(|piece| out.extend_from_slice(piece));
}

fn write_cell(cell: &Cell<'_>, out: &mut Vec<u8>) {
    let write_length = |name: &[u8], length: usize, out: &mut Vec<u8>| {
        out.extend_from_slice(name);
        write_number(out, length);
        out.push(b'}');
    };
    match cell {
        Cell::Null => out.extend_from_slice(b"null"),
        Cell::Integer(integer) => write_number(out, *integer),
        Cell::Real(f64::INFINITY) => out.extend_from_slice(br#"{"real":"inf"}"#),
        Cell::Real(f64::NEG_INFINITY) => out.extend_from_slice(br#"{"real":"-inf"}"#),
        Cell::Real(real) => write_real(*real, out),
        Cell::Text(text) => write_text(text, out),
        Cell::IllFormedText(bytes) => write_length(br#"{"text":"#, bytes.len(), out),
        Cell::Blob(bytes) => write_length(br#"{"blob":"#, bytes.len(), out),
    }
}

/// Appends a finite real; NaN is written as `null`.
pub(super) fn write_real(real: f64, out: &mut Vec<u8>) {
    // It can't fail: a vector takes all bytes.
    let _ = serde_json::to_writer(out, &real);
}

/// Whether an entry is exactly what would be written for a row of the table: a canonical value under
/// the row's own key. `buffer` is overwritten.
pub fn is_canonical_row(table: &TableSchema, entry: Entry<'_>, buffer: &mut Vec<u8>) -> bool {
    let in_key = |place| table.key.iter().position(|column| *column == place);
    let mut key = vec![Cell::Null; table.key.len()];
    let wanted = |place| in_key(place).is_some();
    let rowid = read_canonical(table, entry.value, wanted, |place, cell| {
        if let Some(slot) = in_key(place).and_then(|index| key.get_mut(index)) {
            *slot = cell;
        }
    });
    let Some(rowid) = rowid else {
        return false;
    };
    buffer.clear();
    write_own_key(table, key.iter(), rowid, buffer) && buffer == entry.key
}

/// Reads a row in any notation; it is canonical if and only if [`write_row`] writes the same bytes.
///
/// # Errors
/// Says why `value` is not a row of the table.
pub fn read_row<'v>(table: &TableSchema, value: &'v [u8]) -> Result<Row<'v>, RowError> {
    // Each value takes two bytes at least.
    let mut cells = Vec::with_capacity(table.columns.len().min(value.len() / 2));
    match read_canonical(table, value, |_| true, |_, cell| cells.push(cell)) {
        Some(rowid) => Ok(Row { rowid, cells }),
        None => {
            drop(cells);
            read_any_notation(table, value)
        }
    }
}

/// Reads canonical bytes: calls `visit` with the place and value of each column, and returns the
/// rowid; `None` if [`write_row`] would write anything else. The texts of columns that are not
/// `wanted` are checked but may be empty.
fn read_canonical<'v>(
    table: &TableSchema,
    value: &'v [u8],
    wanted: impl Fn(usize) -> bool,
    mut visit: impl FnMut(usize, Cell<'v>),
) -> Option<Option<i64>> {
    let (json, mut tail) = split_tail(value);
    let mut rest = str::from_utf8(json).ok()?.strip_prefix('[')?;
    let mut separator = "";
    let mut rowid = None;
    if table.rowid {
        let (integer, after) = read_integer(rest)?;
        (rowid, rest, separator) = (Some(integer), after, ",");
    }
    for place in 0..table.columns.len() {
        let (cell, after) =
            canonical_cell(rest.strip_prefix(separator)?, wanted(place), &mut tail)?;
        visit(place, cell);
        (rest, separator) = (after, ",");
    }
    (rest == "]" && tail.is_complete()).then_some(rowid)
}

/// The value at the start of `rest`, and what follows it.
fn canonical_cell<'v>(
    rest: &'v str,
    wanted: bool,
    tail: &mut Tail<'v>,
) -> Option<(Cell<'v>, &'v str)> {
    match rest.as_bytes().first()? {
        b'"' => {
            let (text, after) = read_text(rest.get(1..)?, wanted)?;
            Some((Cell::Text(without_spare_capacity(text)), after))
        }
        b'n' => Some((Cell::Null, rest.strip_prefix("null")?)),
        b'{' => canonical_object(rest, tail),
        _ => {
            if let Some((integer, after)) = read_integer(rest)
                && after.starts_with([',', ']'])
            {
                return Some((Cell::Integer(integer), after));
            }
            let mut start = rest.bytes().take(MAX_REAL_BYTES);
            let end = start.position(|byte| matches!(byte, b',' | b']'))?;
            let (real, after) = rest.split_at_checked(end)?;
            Some((Cell::Real(read_canonical_real(real)?), after))
        }
    }
}

fn canonical_object<'v>(rest: &'v str, tail: &mut Tail<'v>) -> Option<(Cell<'v>, &'v str)> {
    let mut piece = |length| {
        let (length, after) = read_integer(length)?;
        Some((tail.take(u64::try_from(length).ok()?), after.strip_prefix('}')?))
    };
    if let Some(length) = rest.strip_prefix(r#"{"blob":"#) {
        let (bytes, after) = piece(length)?;
        return Some((Cell::Blob(Cow::Borrowed(bytes)), after));
    }
    if let Some(length) = rest.strip_prefix(r#"{"text":"#) {
        let (bytes, after) = piece(length)?;
        return Some((Cell::IllFormedText(Cow::Borrowed(bytes)), after));
    }
    let infinity = |json, real| Some((Cell::Real(real), rest.strip_prefix(json)?));
    infinity(r#"{"real":"inf"}"#, f64::INFINITY)
        .or_else(|| infinity(r#"{"real":"-inf"}"#, f64::NEG_INFINITY))
}

/// The rows of a table may have thousands of texts: the memory reserved for all of them must not be
/// a multiple of the value's size.
fn without_spare_capacity(text: Cow<'_, str>) -> Cow<'_, str> {
    match text {
        Cow::Owned(mut text) if text.capacity() > 2 * text.len() => {
            text.shrink_to_fit();
            Cow::Owned(text)
        }
        text => text,
    }
}

/// The JSON array of a value, and its tail. No JSON contains the byte 0x00.
fn split_tail(value: &[u8]) -> (&[u8], Tail<'_>) {
    let (json, tail) = match memchr(0, value).and_then(|end| value.split_at_checked(end)) {
        Some((json, tail)) => (json, tail.get(1..)),
        None => (value, None),
    };
    (json, Tail { bytes: tail, rest: tail.unwrap_or_default(), required: None })
}

/// The bytes after the array.
struct Tail<'v> {
    /// All of them; `None` without the byte 0x00.
    bytes: Option<&'v [u8]>,
    /// Those that were not taken yet.
    rest: &'v [u8],
    /// How many must be there, according to the lengths in the array; `None` without any length.
    required: Option<u64>,
}

impl<'v> Tail<'v> {
    /// The next piece; empty if it is not there, after which the tail is not complete.
    fn take(&mut self, length: u64) -> &'v [u8] {
        self.required = Some(self.required.unwrap_or(0).saturating_add(length));
        let pieces = usize::try_from(length).ok().and_then(|at| self.rest.split_at_checked(at));
        let (piece, rest) = pieces.unwrap_or_default();
        self.rest = rest;
        piece
    }

    fn is_complete(&self) -> bool {
        self.bytes.map(|bytes| bytes.len() as u64) == self.required
    }

    fn check(&self) -> Result<(), RowError> {
        match (self.bytes, self.required) {
            _ if self.is_complete() => Ok(()),
            (Some(_), None) => Err(RowError::new("it has a tail, but no value needs one")),
            (None, _) => Err(RowError::new("the tail is missing")),
            (Some(bytes), Some(required)) => Err(RowError(format!(
                "the tail has {}, must be {required}",
                count(bytes.len(), "byte")
            ))),
        }
    }
}

fn count(count: usize, one: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {one}{plural}")
}

/// As [`read_row`], by way of serde_json.
fn read_any_notation<'v>(table: &TableSchema, value: &'v [u8]) -> Result<Row<'v>, RowError> {
    let (json, mut tail) = split_tail(value);
    let json = str::from_utf8(json).map_err(|error| {
        RowError(format!("the JSON is not valid UTF-8 at byte {}", error.valid_up_to()))
    })?;
    if json.trim_ascii_start().as_bytes().first() != Some(&b'[') {
        return Err(RowError::new("the value is not a JSON array"));
    }
    let expected = table.columns.len() + usize::from(table.rowid);
    let mut elements = Elements { limit: expected, found: Vec::new(), count: 0 };
    let mut deserializer = serde_json::Deserializer::from_str(json);
    deserializer
        .deserialize_seq(&mut elements)
        .and_then(|()| deserializer.end())
        .map_err(|error| RowError(format!("not valid JSON: {}", one_line(&error))))?;
    if elements.count != expected {
        let found = count(elements.count, "value");
        return Err(RowError(format!("it has {found}, must be {expected}")));
    }
    let mut elements = elements.found.into_iter();
    let rowid = match table.rowid {
        true => match elements.next().map(read_number) {
            Some(Ok(Cell::Integer(rowid))) => Some(rowid),
            _ => return Err(RowError::new("the rowid is not an integer")),
        },
        false => None,
    };
    let columns = table.columns.iter().zip(elements);
    let cells = columns.map(|(column, json)| {
        read_cell(json, &mut tail).map_err(|problem| RowError::of_cell(column, &problem))
    });
    let cells = cells.collect::<Result<_, _>>()?;
    tail.check()?;
    Ok(Row { rowid, cells })
}

/// The elements of an array, of which only a limited number is kept.
struct Elements<'v> {
    limit: usize,
    found: Vec<&'v str>,
    count: usize,
}

impl<'v> Visitor<'v> for &mut Elements<'v> {
    type Value = ();

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'v>>(self, mut sequence: A) -> Result<(), A::Error> {
        while self.found.len() < self.limit {
            let Some(element) = sequence.next_element::<&RawValue>()? else {
                return Ok(());
            };
            self.found.push(element.get());
            self.count += 1;
        }
        while sequence.next_element::<IgnoredAny>()?.is_some() {
            self.count += 1;
        }
        Ok(())
    }
}

/// An object in place of a value.
#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Object {
    Blob(u64),
    Text(u64),
    Real(String),
}

/// A value from valid JSON, or what is wrong with it.
fn read_cell<'v>(json: &str, tail: &mut Tail<'v>) -> Result<Cell<'v>, String> {
    match json.as_bytes().first() {
        Some(b'n') => Ok(Cell::Null),
        Some(b't' | b'f') => Err("is a boolean".to_owned()),
        Some(b'[') => Err("is an array".to_owned()),
        Some(b'"') => match serde_json::from_str(json) {
            Ok(text) => Ok(Cell::Text(Cow::Owned(text))),
            Err(error) => Err(format!("is not valid text: {}", one_line(&error))),
        },
        Some(b'{') => {
            let infinity = match serde_json::from_str(json) {
                Ok(Object::Blob(length)) => return Ok(Cell::Blob(tail.take(length).into())),
                Ok(Object::Text(length)) => {
                    return Ok(Cell::IllFormedText(tail.take(length).into()));
                }
                Ok(Object::Real(name)) => read_infinity(&name),
                Err(_) => None,
            };
            infinity.ok_or_else(|| {
                r#"is an object, but not {"blob":N}, {"text":N}, {"real":"inf"} or {"real":"-inf"}"#
                    .to_owned()
            })
        }
        _ => read_number(json).map_err(|problem| format!("is {problem}")),
    }
}

/// An infinity by its name.
pub(super) fn read_infinity<'c>(name: &str) -> Option<Cell<'c>> {
    match name {
        "inf" => Some(Cell::Real(f64::INFINITY)),
        "-inf" => Some(Cell::Real(f64::NEG_INFINITY)),
        _ => None,
    }
}

/// A number from valid JSON: with a point or an exponent a real, otherwise an integer. Or what it is
/// instead.
pub(super) fn read_number<'c>(json: &str) -> Result<Cell<'c>, &'static str> {
    let number = match json.contains(['.', 'e', 'E']) {
        true => json.parse().ok().filter(|real: &f64| real.is_finite()).map(Cell::Real),
        // Some programs write the real like that.
        false if json == "-0" => return Err("-0, must be 0 or -0.0"),
        false => json.parse().ok().map(Cell::Integer),
    };
    number.ok_or("a number out of range")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::table::test_rows::{any_table, any_table_and_row, table};
    use crate::table::{key_prefix, write_row_key};

    fn bytes_of(row: &Row<'_>) -> Vec<u8> {
        let mut bytes = Vec::new();
        write_row(row, &mut bytes);
        bytes
    }

    /// Compares everything that reads a value.
    fn check(table: &TableSchema, value: &[u8]) -> Result<(), TestCaseError> {
        let row = read_row(table, value);
        let rewritten = row.as_ref().map(bytes_of);
        let is_canonical = rewritten.as_deref() == Ok(value);
        if let (Ok(row), Ok(rewritten)) = (&row, &rewritten) {
            let read_again = read_row(table, rewritten).unwrap();
            prop_assert_eq!(bytes_of(&read_again), &rewritten[..]);
            prop_assert_eq!(&read_again, row);
        }
        let fast = read_canonical(table, value, |_| true, |_, _| {});
        prop_assert_eq!(fast.is_some(), is_canonical);
        let slow = read_any_notation(table, value);
        prop_assert_eq!(&slow, &row);
        prop_assert_eq!(slow.as_ref().map(bytes_of), rewritten);
        let mut key = Vec::new();
        let has_key = row.is_ok_and(|row| write_row_key(table, &row, &mut key));
        let mut buffer = b"from before".to_vec();
        let entry = Entry { key: &key, value };
        prop_assert_eq!(is_canonical_row(table, entry, &mut buffer), is_canonical && has_key);
        Ok(())
    }

    /// These bytes are the file format.
    #[test]
    fn rows_have_these_bytes() {
        let row = |rowid, cells| Row { rowid, cells };
        let blob = |bytes: &'static [u8]| Cell::Blob(bytes.into());
        let ill_formed = |bytes: &'static [u8]| Cell::IllFormedText(bytes.into());
        let rows: [(Row<'_>, &[u8]); 10] = [
            (row(None, vec![Cell::Null]), b"[null]"),
            (row(Some(-1), vec![]), b"[-1]"),
            (
                row(Some(7), vec![Cell::Integer(i64::MIN), Cell::Integer(0)]),
                b"[7,-9223372036854775808,0]",
            ),
            (
                row(None, [0.0, -0.0, 1.0, -1.5, 1e15, 1e16, 1e300, 5e-324].map(Cell::Real).into()),
                b"[0.0,-0.0,1.0,-1.5,1000000000000000.0,1e+16,1e+300,5e-324]",
            ),
            (
                row(None, [f64::INFINITY, f64::NEG_INFINITY].map(Cell::Real).into()),
                br#"[{"real":"inf"},{"real":"-inf"}]"#,
            ),
            (
                row(None, ["", "a\"\\/\n\0\u{7f}é🦀"].map(|text| Cell::Text(text.into())).into()),
                "[\"\",\"a\\\"\\\\/\\n\\u0000\u{7f}é🦀\"]".as_bytes(),
            ),
            (row(None, vec![blob(b"")]), b"[{\"blob\":0}]\0"),
            (row(None, vec![blob(b"\0a")]), b"[{\"blob\":2}]\0\0a"),
            (row(None, vec![ill_formed(b"\xff")]), b"[{\"text\":1}]\0\xff"),
            (
                row(
                    Some(1),
                    vec![blob(b"ab"), Cell::Text("c".into()), ill_formed(b"\xff"), blob(b"]")],
                ),
                b"[1,{\"blob\":2},\"c\",{\"text\":1},{\"blob\":1}]\0ab\xff]",
            ),
        ];
        for (row, expected) in rows {
            assert_eq!(bytes_of(&row), expected, "{}", expected.escape_ascii());
            let table =
                TableSchema { rowid: row.rowid.is_some(), ..table("t", row.cells.len(), &[]) };
            assert_eq!(read_row(&table, expected), Ok(row));
            check(&table, expected).unwrap();
        }
    }

    #[test]
    fn other_notations_are_read_too() {
        let values: [(&str, &str); 12] = [
            (" [ 1 , \"a\" ] ", r#"[1,"a"]"#),
            ("\t[\n1,\"a\"\r]", r#"[1,"a"]"#),
            (r#"[1,"\u0061\/\u000a\ud83e\udd80"]"#, "[1,\"a/\\n🦀\"]"),
            ("[1,1.50]", "[1,1.5]"),
            ("[1,1e2]", "[1,100.0]"),
            ("[1,1E+2]", "[1,100.0]"),
            ("[1,-0e0]", "[1,-0.0]"),
            ("[1,1e-400]", "[1,0.0]"),
            ("[1,0.1000000000000000055511151231257827]", "[1,0.1]"),
            (r#"[1, {"real": "-\u0069nf"}]"#, r#"[1,{"real":"-inf"}]"#),
            ("[1,{ \"bl\\u006fb\" : 1 }]\0x", "[1,{\"blob\":1}]\0x"),
            ("[1,{\"text\":1} ]\0x", "[1,{\"text\":1}]\0x"),
        ];
        let table = table("t", 2, &[]);
        for (value, canonical) in values {
            let row = read_row(&table, value.as_bytes()).unwrap();
            assert_eq!(bytes_of(&row), canonical.as_bytes(), "{value}");
            check(&table, value.as_bytes()).unwrap();
        }
    }

    #[test]
    fn what_is_not_a_row_is_explained_in_a_sentence() {
        let two = table("t", 2, &[0]);
        let with_rowid = TableSchema { rowid: true, ..table("t", 1, &[0]) };
        let explain = |table: &TableSchema, value: &[u8], expected: &str| {
            let error = read_row(table, value).unwrap_err();
            assert_eq!(error.to_string(), expected, "{}", value.escape_ascii());
            check(table, value).unwrap();
        };
        let values: [(&[u8], &str); 45] = [
            (b"", "the value is not a JSON array"),
            (b"null", "the value is not a JSON array"),
            (b"{\"blob\":1}", "the value is not a JSON array"),
            (b"\0", "the value is not a JSON array"),
            (b"[1,2", "not valid JSON: EOF while parsing a list at column 4"),
            (b"[1,2]]", "not valid JSON: trailing characters at column 6"),
            (b"[1,2],", "not valid JSON: trailing characters at column 6"),
            (b"[1,,2]", "not valid JSON: expected value at column 4"),
            (b"[1,\"secret]", "not valid JSON: EOF while parsing a string at column 11"),
            (b"[1,nul]", "not valid JSON: expected ident at column 7"),
            (b"[1,01]", "not valid JSON: invalid number at column 5"),
            (b"[1,1.]", "not valid JSON: invalid number at column 6"),
            (b"[1,\"\xff\"]", "the JSON is not valid UTF-8 at byte 4"),
            (b"\xef\xbb\xbf[1,2]", "the value is not a JSON array"),
            (b"[]", "it has 0 values, must be 2"),
            (b"[1]", "it has 1 value, must be 2"),
            (b"[1,2,3]", "it has 3 values, must be 2"),
            (b"[1,true]", r#"the value of "c1" is a boolean"#),
            (b"[1,[2]]", r#"the value of "c1" is an array"#),
            (
                b"[1,{}]",
                r#"the value of "c1" is an object, but not {"blob":N}, {"text":N}, {"real":"inf"} or {"real":"-inf"}"#,
            ),
            (
                b"[1,{\"blob\":1,\"blob\":1}]\0x",
                r#"the value of "c1" is an object, but not {"blob":N}, {"text":N}, {"real":"inf"} or {"real":"-inf"}"#,
            ),
            (
                b"[1,{\"blob\":1,\"text\":1}]\0xx",
                r#"the value of "c1" is an object, but not {"blob":N}, {"text":N}, {"real":"inf"} or {"real":"-inf"}"#,
            ),
            (
                b"[1,{\"secret\":1}]\0x",
                r#"the value of "c1" is an object, but not {"blob":N}, {"text":N}, {"real":"inf"} or {"real":"-inf"}"#,
            ),
            (
                b"[1,{\"blob\":-1}]\0",
                r#"the value of "c1" is an object, but not {"blob":N}, {"text":N}, {"real":"inf"} or {"real":"-inf"}"#,
            ),
            (
                b"[1,{\"blob\":1.0}]\0x",
                r#"the value of "c1" is an object, but not {"blob":N}, {"text":N}, {"real":"inf"} or {"real":"-inf"}"#,
            ),
            (
                b"[1,{\"blob\":\"1\"}]\0x",
                r#"the value of "c1" is an object, but not {"blob":N}, {"text":N}, {"real":"inf"} or {"real":"-inf"}"#,
            ),
            (
                b"[1,{\"blob\":null}]\0x",
                r#"the value of "c1" is an object, but not {"blob":N}, {"text":N}, {"real":"inf"} or {"real":"-inf"}"#,
            ),
            (
                b"[1,{\"blob\":18446744073709551616}]\0x",
                r#"the value of "c1" is an object, but not {"blob":N}, {"text":N}, {"real":"inf"} or {"real":"-inf"}"#,
            ),
            (
                b"[1,{\"real\":\"nan\"}]",
                r#"the value of "c1" is an object, but not {"blob":N}, {"text":N}, {"real":"inf"} or {"real":"-inf"}"#,
            ),
            (
                b"[1,{\"real\":1.5}]",
                r#"the value of "c1" is an object, but not {"blob":N}, {"text":N}, {"real":"inf"} or {"real":"-inf"}"#,
            ),
            (
                b"[1,{\"real\":{\"inf\":null}}]",
                r#"the value of "c1" is an object, but not {"blob":N}, {"text":N}, {"real":"inf"} or {"real":"-inf"}"#,
            ),
            (b"[1,{\"blob\":1}]", "the tail is missing"),
            (b"[1,{\"blob\":0}]", "the tail is missing"),
            (b"[1,{\"blob\":3}]\0x", "the tail has 1 byte, must be 3"),
            (b"[1,{\"blob\":3}]\0abcd", "the tail has 4 bytes, must be 3"),
            (
                b"[{\"blob\":18446744073709551615},{\"blob\":18446744073709551615}]\0abcd",
                "the tail has 4 bytes, must be 18446744073709551615",
            ),
            (
                b"[{\"blob\":9223372036854775807},{\"text\":0}]\0abcd",
                "the tail has 4 bytes, must be 9223372036854775807",
            ),
            (b"[1,2]\0", "it has a tail, but no value needs one"),
            (b"[1,2]\0x", "it has a tail, but no value needs one"),
            (b"[1,NaN]", "not valid JSON: expected value at column 4"),
            (b"[1,1e999]", r#"the value of "c1" is a number out of range"#),
            (b"[1,-0]", r#"the value of "c1" is -0, must be 0 or -0.0"#),
            (b"[1,9223372036854775808]", r#"the value of "c1" is a number out of range"#),
            (b"[1,-9223372036854775809]", r#"the value of "c1" is a number out of range"#),
            (
                b"[1,\"\\ud83e\"]",
                r#"the value of "c1" is not valid text: unexpected end of hex escape at column 8"#,
            ),
        ];
        values.iter().for_each(|(value, expected)| explain(&two, value, expected));
        let values: [&[u8]; 6] = [
            b"[1.0,2]",
            b"[null,2]",
            b"[\"1\",2]",
            b"[-0,2]",
            b"[9223372036854775808,2]",
            b"[{\"blob\":1},2]\0x",
        ];
        values.iter().for_each(|v| explain(&with_rowid, v, "the rowid is not an integer"));
        explain(&with_rowid, b"[1]", "it has 1 value, must be 2");
    }

    #[test]
    fn a_row_needs_its_own_key() {
        let table = table("t", 2, &[1, 0]);
        let is_canonical = |key: &[u8], value: &[u8]| {
            let key = [&key_prefix("t"), key].concat();
            is_canonical_row(&table, Entry { key: &key, value }, &mut Vec::new())
        };
        assert!(is_canonical(b"'a::\n:A1", br#"[1,"a:\n"]"#));
        assert!(!is_canonical(b"'a::\n:A2", br#"[1,"a:\n"]"#));
        assert!(!is_canonical(b"A1:'a::\n", br#"[1,"a:\n"]"#));
        assert!(!is_canonical(b"'a::\n:A1", br#"[1, "a:\n"]"#));
        assert!(!is_canonical(b"@A1", br#"[1,null]"#));
        assert!(!is_canonical(b"@", br#"[1,null]"#));
        assert!(!is_canonical(b"", br#"[1,null]"#));
    }

    #[test]
    fn texts_with_escapes_take_no_more_memory_than_the_value() {
        let row = Row { rowid: None, cells: vec![Cell::Text("\n".into()); 2000] };
        let value = bytes_of(&row);
        let read = read_row(&table("t", 2000, &[]), &value).unwrap();
        let reserved = read.cells.iter().map(|cell| match cell {
            Cell::Text(Cow::Owned(text)) => text.capacity(),
            _ => 0,
        });
        assert!(reserved.sum::<usize>() <= value.len());
    }

    /// A value of the table, changed at one place or more.
    fn changed_value() -> impl Strategy<Value = (TableSchema, Vec<u8>)> {
        let byte = prop_oneof![
            4 => prop::sample::select(b"[]{},:\"\\ 0123456789.eE+-\0nulbotxrifa".to_vec()),
            1 => any::<u8>(),
        ];
        let change = (any::<prop::sample::Index>(), 0..3_usize, prop::collection::vec(byte, 0..3));
        (any_table_and_row(), prop::collection::vec(change, 1..3)).prop_map(
            |((table, row), changes)| {
                let mut value = bytes_of(&row);
                for (place, removed, added) in changes {
                    let start = place.index(value.len() + 1);
                    let end = value.len().min(start + removed);
                    value.splice(start..end, added);
                }
                (table, value)
            },
        )
    }

    proptest! {
        #[test]
        fn rows_make_a_round_trip((table, row) in any_table_and_row()) {
            let value = bytes_of(&row);
            check(&table, &value)?;
            let read = read_row(&table, &value).unwrap();
            prop_assert_eq!(&read, &row);
            prop_assert_eq!(bytes_of(&read), value);
        }

        #[test]
        fn changed_values_are_invalid_or_other_rows((table, value) in changed_value()) {
            check(&table, &value)?;
        }

        #[test]
        fn any_bytes_can_be_read(
            table in any_table(),
            value in prop::collection::vec(any::<u8>(), 0..40),
        ) {
            check(&table, &value)?;
        }
    }
}
