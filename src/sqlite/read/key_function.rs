//! SQL functions that compute a row's key, so that SQLite can sort rows in key order.

use rusqlite::Connection;
use rusqlite::functions::{Context, FunctionFlags};
use rusqlite::types::ValueRef;

use crate::codec;
use crate::record::RecordKind;
use crate::sqlite::read::text_encoding::TextEncoding;
use crate::sqlite::schema::table_spec;

/// Registers the key function of each table.
///
/// The arguments are the stored bytes of the first key column (NULL unless the database is UTF-16)
/// and the key columns. The result is the key as a BLOB, or NULL for a row without a valid key.
pub(in crate::sqlite) fn register(
    connection: &Connection,
    encoding: TextEncoding,
) -> rusqlite::Result<()> {
    for kind in RecordKind::ALL {
        let spec = table_spec(kind);
        let arguments = i32::try_from(spec.key.len() + 1).unwrap_or(i32::MAX);
        connection.create_scalar_function(
            spec.key_function,
            arguments,
            FunctionFlags::SQLITE_UTF8
                | FunctionFlags::SQLITE_DETERMINISTIC
                | FunctionFlags::SQLITE_DIRECTONLY,
            move |context| Ok(key(kind, context, encoding)),
        )?;
    }
    Ok(())
}

fn key(kind: RecordKind, context: &Context<'_>, encoding: TextEncoding) -> Option<Vec<u8>> {
    match kind {
        RecordKind::Chunk => {
            let path = text(context, encoding)?;
            let (start, end) = (integer(context, 2)?, integer(context, 3)?);
            let (start, end) = (u64::try_from(start).ok()?, u64::try_from(end).ok()?);
            Some(codec::chunk_key(&path, start, end))
        }
        RecordKind::ExecutionLog => Some(codec::execution_log_key(&text(context, encoding)?)),
        RecordKind::FileMetrics => Some(codec::file_metrics_key(&text(context, encoding)?)),
        RecordKind::SymbolMetrics => Some(codec::symbol_metrics_key(integer(context, 1)?)),
    }
}

fn text<'c>(context: &'c Context<'_>, encoding: TextEncoding) -> Option<std::borrow::Cow<'c, str>> {
    match (context.get_raw(1), context.get_raw(0)) {
        (ValueRef::Text(text), _) if !encoding.is_utf16() => {
            std::str::from_utf8(text).ok().map(Into::into)
        }
        (ValueRef::Text(_), ValueRef::Blob(bytes)) => encoding.decode(bytes).map(Into::into),
        _ => None,
    }
}

fn integer(context: &Context<'_>, index: usize) -> Option<i64> {
    match context.get_raw(index) {
        ValueRef::Integer(integer) => Some(integer),
        _ => None,
    }
}
