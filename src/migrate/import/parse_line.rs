//! Parses one line: a record, a row, a description of tables, the id sequences, or neither.

use std::borrow::Cow;
use std::sync::Arc;

use serde_json::value::RawValue;

use super::tables_line::TablesLine;
use crate::codec::{Entry, ExportEnd, Line, canonical_id, key_kind, quoted_short};
use crate::compare::{EntryCheck, Finding, FindingClass, RowCheck, RowLocation, Side};
use crate::error::{Error, Result};
use crate::record::{IdSequences, RecordKind};
use crate::sqlite::Unique;
use crate::stream::InvalidReason;
use crate::table::{Kind, TableSchema, read_row_object, write_row, write_row_key};

/// A valid line.
#[derive(Debug)]
pub(super) enum ParsedLine<'l> {
    /// A record, with its key and its canonical bytes.
    Record {
        kind: RecordKind,
        key: Cow<'l, str>,
        value: Cow<'l, [u8]>,
    },
    /// A row of a carried table, with its key and its canonical bytes.
    Row {
        table: Arc<TableSchema>,
        key: Cow<'l, str>,
        value: Vec<u8>,
    },
    /// A row that can't be read before the `tables` line.
    UndescribedRow {
        key: Cow<'l, str>,
    },
    Tables(Box<TablesLine>),
    IdSequences(IdSequences),
    End(ExportEnd),
}

impl ParsedLine<'_> {
    pub(super) fn into_owned(self) -> ParsedLine<'static> {
        match self {
            ParsedLine::Record { kind, key, value } => ParsedLine::Record {
                kind,
                key: Cow::Owned(key.into_owned()),
                value: Cow::Owned(value.into_owned()),
            },
            ParsedLine::Row { table, key, value } => {
                ParsedLine::Row { table, key: Cow::Owned(key.into_owned()), value }
            }
            ParsedLine::UndescribedRow { key } => {
                ParsedLine::UndescribedRow { key: Cow::Owned(key.into_owned()) }
            }
            ParsedLine::Tables(tables) => ParsedLine::Tables(tables),
            ParsedLine::IdSequences(sequences) => ParsedLine::IdSequences(sequences),
            ParsedLine::End(end) => ParsedLine::End(end),
        }
    }
}

/// Validates a line like an entry of a KV file, except that its JSON may be formatted in any way,
/// since it may come from other programs. Rows are read as the `tables` line describes them.
///
/// The inner error says why the line is invalid.
pub(super) fn judge<'l>(
    text: &'l [u8],
    tables: Option<&TablesLine>,
) -> Result<std::result::Result<ParsedLine<'l>, Box<Finding>>> {
    let (kind, key, value) = match Line::parse(text) {
        Ok(Line::Record { kind, key, value }) => (kind, key, value.get().as_bytes()),
        Ok(Line::Row { table, key, value }) => {
            return match tables {
                Some(tables) => Ok(judge_row(tables, &table, key, value)),
                None => Ok(Ok(ParsedLine::UndescribedRow { key })),
            };
        }
        Ok(Line::Tables(description)) => {
            let tables = TablesLine::read(description).map(Box::new).map(ParsedLine::Tables);
            return Ok(tables.map_err(|why| fault(FindingClass::Undecodable, None, why)));
        }
        Ok(Line::IdSequences(sequences)) => return Ok(Ok(ParsedLine::IdSequences(sequences))),
        Ok(Line::End(end)) => return Ok(Ok(ParsedLine::End(end))),
        Err(error) => {
            let class = FindingClass::Undecodable;
            return Ok(Err(fault(class, None, error.to_string())));
        }
    };
    let of_key = |class, message| Ok(Err(fault(class, Some((kind, key.as_bytes())), message)));
    match key_kind(key.as_bytes()) {
        Ok(found) if found == kind => {}
        Ok(found) => {
            let message = format!("the key is that of a {found} record");
            return of_key(FindingClass::KeyMismatch, message);
        }
        Err(error) => return of_key(FindingClass::UnknownKey, error.to_string()),
    }
    let judged = EntryCheck::of(kind, key.as_bytes(), value);
    let Some(value) = judged.canonical_of_its_key(value)? else {
        let mut faults = judged.divergences(kind, Side::Left, key.as_bytes());
        let fault = faults.find(|fault| fault.class != FindingClass::Noncanonical);
        let no_fault = || Error::Internal("an invalid line has no reason".to_owned());
        return Ok(Err(Box::new(fault.ok_or_else(no_fault)?)));
    };
    Ok(Ok(ParsedLine::Record { kind, key, value }))
}

fn judge_row<'l>(
    tables: &TablesLine,
    table: &str,
    key: Cow<'l, str>,
    value: &RawValue,
) -> std::result::Result<ParsedLine<'l>, Box<Finding>> {
    let Some(table) = tables.table(table) else {
        let message = format!("the tables line describes no table {}", quoted_short(table));
        let fault = fault(FindingClass::Undecodable, None, message);
        return Err(Box::new(fault.of_key(key.as_bytes())));
    };
    let row = read_row_object(table, value.get()).map_err(|error| {
        let message = format!("the value is not a valid row: {error}");
        let kind = Kind::table(&table.name);
        let fault = Finding::new(FindingClass::Undecodable, Some(kind), message);
        Box::new(fault.on(Side::Left).of_row(table, key.as_bytes()))
    })?;
    let mut value = Vec::new();
    write_row(&row, &mut value);
    let mut own_key = Vec::with_capacity(key.len());
    if !write_row_key(table, &row, &mut own_key) || own_key != key.as_bytes() {
        let checked = RowCheck::of(table, Entry { key: key.as_bytes(), value: &value });
        if let Some(fault) = checked.findings(table, Side::Left, key.as_bytes()).next() {
            return Err(Box::new(fault));
        }
    }
    Ok(ParsedLine::Row { table: Arc::clone(table), key, value })
}

/// The finding for a row of a text that does not describe its tables.
pub(super) fn no_tables_line(key: &str) -> Finding {
    let message = "the tables line, which describes the columns of the row, is missing".to_owned();
    fault(FindingClass::Undecodable, None, message).of_key(key.as_bytes())
}

/// The finding for a `tables` line that contradicts an earlier one.
pub(super) fn other_tables_line() -> Finding {
    let message = "an earlier tables line describes other tables".to_owned();
    *fault(FindingClass::Undecodable, None, message)
}

/// The finding for a valid row that shares its key with another line.
pub(super) fn row_shares(table: &TableSchema, key: &str, other: u64) -> Finding {
    let message = format!("line {other} has the same key");
    let finding = Finding::new(FindingClass::InvalidRow, Some(Kind::table(&table.name)), message);
    finding.on(Side::Left).of_row(table, key.as_bytes())
}

fn fault(class: FindingClass, of: Option<(RecordKind, &[u8])>, message: String) -> Box<Finding> {
    let fault = Finding::new(class, of.map(|(kind, _)| kind), message).on(Side::Left);
    Box::new(match of {
        Some((_, key)) => fault.of_key(key),
        None => fault,
    })
}

/// The finding for a valid record that shares its key or its id with another line.
pub(super) fn shares(kind: RecordKind, entry: Entry<'_>, shared: Unique, other: u64) -> Finding {
    let key_column = kind.schema().first_of_key().name;
    let (column, reason, what) = match shared {
        Unique::Key => (key_column, InvalidReason::DuplicateKey, "key"),
        Unique::Id => ("id", InvalidReason::DuplicateId, "id"),
    };
    let row = RowLocation {
        table: kind.table(),
        rowid: canonical_id(entry.value).filter(|_| shared == Unique::Id),
        column,
        reason,
    };
    Finding {
        message: format!("line {other} has the same {what}"),
        ..Finding::refused(kind, entry.key, row)
    }
}

/// The finding for a line that is too long.
pub(super) fn too_long(start: &[u8]) -> Finding {
    let message = match start.trim_ascii_start().first() {
        Some(b'{') => "the line is longer than any record can be",
        _ => "not a JSON object",
    };
    *fault(FindingClass::Undecodable, None, message.to_owned())
}
