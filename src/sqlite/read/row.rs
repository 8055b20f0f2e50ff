//! Converts rows to records.

use rusqlite::Row;
use rusqlite::types::ValueRef;

use crate::record::{CodeChunk, ExecutionRecord, FileMetrics, Record, RecordKind, SymbolMetrics};
use crate::sqlite::read::text_encoding::TextEncoding;
use crate::sqlite::schema::{Column, table_spec};
use crate::stream::{InvalidReason, RawValue};

/// What is wrong with one field of a row.
#[derive(Debug, Clone, Copy)]
pub(in crate::sqlite) struct InvalidField {
    pub(in crate::sqlite) column: &'static str,
    pub(in crate::sqlite) reason: InvalidReason,
}

/// Reads a row selected with [`TableColumns::select_list`].
///
/// The outer error is SQLite's; the inner one says why the row is invalid.
///
/// [`TableColumns::select_list`]: crate::sqlite::read::table_columns::TableColumns::select_list
pub(in crate::sqlite) fn read_record(
    kind: RecordKind,
    row: &Row<'_>,
    encoding: TextEncoding,
) -> rusqlite::Result<Result<Record, InvalidField>> {
    let mut fields = Fields {
        row,
        columns: table_spec(kind).columns.iter().enumerate(),
        column_count: table_spec(kind).columns.len(),
        encoding,
        engine_error: None,
    };
    let record = fields.record(kind);
    match fields.engine_error {
        Some(error) => Err(error),
        None => Ok(record),
    }
}

/// All values of such a row, as stored.
pub(in crate::sqlite) fn read_raw(
    kind: RecordKind,
    row: &Row<'_>,
    encoding: TextEncoding,
) -> rusqlite::Result<Vec<(&'static str, RawValue)>> {
    let columns = table_spec(kind).columns;
    let raw = columns.iter().enumerate().map(|(index, column)| {
        let value = match row.get_ref(index)? {
            ValueRef::Null => RawValue::Null,
            ValueRef::Integer(integer) => RawValue::Integer(integer),
            ValueRef::Real(real) => RawValue::Real(real),
            ValueRef::Blob(blob) => RawValue::Blob(blob.to_vec()),
            ValueRef::Text(text) => {
                let bytes = stored_bytes(row, index, columns.len(), encoding, text)?;
                match encoding.decode(bytes) {
                    Some(text) => RawValue::Text(text),
                    None => RawValue::MalformedText(bytes.to_vec()),
                }
            }
        };
        Ok((column.name, value))
    });
    raw.collect()
}

/// The stored bytes of a text value; in a UTF-16 database they are selected as a separate column.
fn stored_bytes<'r>(
    row: &'r Row<'_>,
    index: usize,
    column_count: usize,
    encoding: TextEncoding,
    text: &'r [u8],
) -> rusqlite::Result<&'r [u8]> {
    if !encoding.is_utf16() {
        return Ok(text);
    }
    match row.get_ref(column_count + index)? {
        ValueRef::Blob(bytes) => Ok(bytes),
        other => Err(rusqlite::Error::InvalidColumnType(
            column_count + index,
            "stored bytes of a text".to_owned(),
            other.data_type(),
        )),
    }
}

/// Reads the columns of a row in the order of the record's fields.
struct Fields<'r, 's> {
    row: &'r Row<'s>,
    columns: std::iter::Enumerate<std::slice::Iter<'static, Column>>,
    column_count: usize,
    encoding: TextEncoding,
    engine_error: Option<rusqlite::Error>,
}

type Field<T> = Result<T, InvalidField>;

impl<'r> Fields<'r, '_> {
    fn record(&mut self, kind: RecordKind) -> Field<Record> {
        // Fields are evaluated in the order in which they are written.
        Ok(match kind {
            RecordKind::Chunk => Record::Chunk(CodeChunk {
                id: self.integer()?,
                file_path: self.text()?,
                byte_start: self.offset()?,
                byte_end: self.offset()?,
                content: self.text()?,
                content_hash: self.text()?,
                symbol_name: self.optional_text()?,
                symbol_kind: self.optional_text()?,
                created_at: self.integer()?,
            }),
            RecordKind::ExecutionLog => Record::ExecutionLog(ExecutionRecord {
                id: self.integer()?,
                execution_id: self.text()?,
                tool_version: self.text()?,
                args: self.text()?,
                root: self.optional_text()?,
                db_path: self.text()?,
                started_at: self.integer()?,
                finished_at: self.optional_integer()?,
                duration_ms: self.optional_integer()?,
                outcome: self.text()?,
                error_message: self.optional_text()?,
                files_indexed: self.optional_integer()?,
                symbols_indexed: self.optional_integer()?,
                references_indexed: self.optional_integer()?,
            }),
            RecordKind::FileMetrics => Record::FileMetrics(FileMetrics {
                file_path: self.text()?,
                symbol_count: self.optional_integer()?,
                loc: self.optional_integer()?,
                estimated_loc: self.optional_real()?,
                fan_in: self.optional_integer()?,
                fan_out: self.optional_integer()?,
                complexity_score: self.optional_real()?,
                last_updated: self.integer()?,
            }),
            RecordKind::SymbolMetrics => Record::SymbolMetrics(SymbolMetrics {
                symbol_id: self.integer()?,
                symbol_name: self.text()?,
                kind: self.text()?,
                file_path: self.text()?,
                loc: self.optional_integer()?,
                estimated_loc: self.optional_real()?,
                fan_in: self.optional_integer()?,
                fan_out: self.optional_integer()?,
                cyclomatic_complexity: self.optional_integer()?,
                last_updated: self.integer()?,
            }),
        })
    }

    fn text(&mut self) -> Field<String> {
        let (column, value) = self.present()?;
        value.text(column)
    }

    fn optional_text(&mut self) -> Field<Option<String>> {
        let (column, value) = self.next()?;
        value.map(|value| value.text(column)).transpose()
    }

    fn integer(&mut self) -> Field<i64> {
        let (column, value) = self.present()?;
        value.integer(column)
    }

    fn optional_integer(&mut self) -> Field<Option<i64>> {
        let (column, value) = self.next()?;
        value.map(|value| value.integer(column)).transpose()
    }

    fn offset(&mut self) -> Field<u64> {
        let (column, value) = self.present()?;
        u64::try_from(value.integer(column)?).map_err(|_| column.fault(InvalidReason::Range))
    }

    fn optional_real(&mut self) -> Field<Option<f64>> {
        let (column, value) = self.next()?;
        value.map(|value| value.real(column)).transpose()
    }

    fn present(&mut self) -> Field<(&'static Column, Value<'r>)> {
        let (column, value) = self.next()?;
        Ok((
            column,
            value.ok_or_else(|| column.fault(InvalidReason::Null))?,
        ))
    }

    fn next(&mut self) -> Field<(&'static Column, Option<Value<'r>>)> {
        let Some((index, column)) = self.columns.next() else {
            // The table spec has as many columns as its record has fields.
            return Err(InvalidField {
                column: "",
                reason: InvalidReason::Null,
            });
        };
        let value = self.row.get_ref(index).and_then(|stored| {
            Ok(match stored {
                ValueRef::Null => None,
                ValueRef::Text(text) => Some(Value::Text(
                    self.encoding,
                    stored_bytes(self.row, index, self.column_count, self.encoding, text)?,
                )),
                other => Some(Value::Other(other)),
            })
        });
        match value {
            Ok(value) => Ok((column, value)),
            Err(error) => {
                self.engine_error = Some(error);
                Err(column.fault(InvalidReason::Null))
            }
        }
    }
}

enum Value<'r> {
    Text(TextEncoding, &'r [u8]),
    Other(ValueRef<'r>),
}

impl Value<'_> {
    fn text(self, column: &'static Column) -> Field<String> {
        match self {
            Value::Text(encoding, bytes) => encoding
                .decode(bytes)
                .ok_or_else(|| column.fault(InvalidReason::NotUtf8)),
            Value::Other(_) => Err(column.fault(InvalidReason::StorageClass)),
        }
    }

    fn integer(self, column: &'static Column) -> Field<i64> {
        match self {
            Value::Other(ValueRef::Integer(integer)) => Ok(integer),
            _ => Err(column.fault(InvalidReason::StorageClass)),
        }
    }

    fn real(self, column: &'static Column) -> Field<f64> {
        match self {
            Value::Other(ValueRef::Real(real)) if real.is_finite() => Ok(real + 0.0),
            Value::Other(ValueRef::Real(_)) => Err(column.fault(InvalidReason::NotFinite)),
            _ => Err(column.fault(InvalidReason::StorageClass)),
        }
    }
}

impl Column {
    fn fault(&self, reason: InvalidReason) -> InvalidField {
        InvalidField {
            column: self.name,
            reason,
        }
    }
}
