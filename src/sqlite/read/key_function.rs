//! SQL functions that compute a row's key, so that SQLite can sort rows in key order.

use rusqlite::Connection;
use rusqlite::functions::{Context, FunctionFlags};
use rusqlite::types::ValueRef;

use crate::codec::write_key;
use crate::record::{KindSchema, RecordKind};
use crate::sqlite::read::row::field_value;
use crate::sqlite::read::text_encoding::TextEncoding;
use crate::sqlite::schema::key_function;

/// Memory for a key of usual length.
const USUAL_KEY_BYTES: usize = 128;

/// Registers the key function of each table.
///
/// The arguments are the stored bytes of the first key column (NULL unless the database is UTF-16)
/// and the key columns. The result is the key as a BLOB, or NULL for a row without a valid key.
pub(crate) fn register(connection: &Connection, encoding: TextEncoding) -> rusqlite::Result<()> {
    for kind in RecordKind::ALL {
        let schema = kind.schema();
        let arguments = i32::try_from(schema.key.len() + 1).unwrap_or(i32::MAX);
        connection.create_scalar_function(
            key_function(schema).as_str(),
            arguments,
            FunctionFlags::SQLITE_UTF8
                | FunctionFlags::SQLITE_DETERMINISTIC
                | FunctionFlags::SQLITE_DIRECTONLY,
            move |context| Ok(key(schema, context, encoding)),
        )?;
    }
    Ok(())
}

fn key(schema: &KindSchema, context: &Context<'_>, encoding: TextEncoding) -> Option<Vec<u8>> {
    let mut values = Vec::with_capacity(schema.key.len());
    for (index, place) in (1..).zip(schema.key) {
        let stored = match (context.get_raw(index), context.get_raw(0)) {
            (ValueRef::Text(_), ValueRef::Blob(bytes)) if encoding.is_utf16() => {
                ValueRef::Text(bytes)
            }
            (ValueRef::Text(_), _) if encoding.is_utf16() => return None,
            (stored, _) => stored,
        };
        values.push(field_value(schema.field(*place), stored, encoding).ok()?);
    }
    let mut key = Vec::with_capacity(USUAL_KEY_BYTES);
    write_key(schema, values.iter(), &mut key);
    Some(key)
}
