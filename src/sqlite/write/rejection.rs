//! Why a table rejects a record.

use rusqlite::ffi;

use crate::record::KindSchema;
use crate::stream::InvalidReason;

/// Why a table rejects a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Rejection {
    /// The column that caused it, if there is one that records have.
    pub(crate) column: &'static str,
    pub(crate) reason: InvalidReason,
    /// One sentence without a full stop.
    pub(crate) message: String,
}

impl Rejection {
    pub(crate) fn new(column: &'static str, reason: InvalidReason, message: String) -> Self {
        Rejection { column, reason, message }
    }

    /// A violated constraint of the table, with SQLite's message.
    pub(crate) fn constraint(schema: &KindSchema, error: &rusqlite::Error) -> Self {
        let code = error.sqlite_error().map(|error| error.extended_code);
        let text = error.to_string();
        let column = named_column(schema, code, &text).unwrap_or_default();
        let reason = match code {
            Some(ffi::SQLITE_CONSTRAINT_NOTNULL) => InvalidReason::Null,
            Some(ffi::SQLITE_CONSTRAINT_DATATYPE) => InvalidReason::StorageClass,
            _ if schema.id() == Some(column) => InvalidReason::DuplicateId,
            _ => InvalidReason::Constraint,
        };
        let message = format!("the target's table {} rejects it: {text}", schema.table);
        Rejection::new(column, reason, message)
    }
}

/// The single column that SQLite's message names, if that is its format for the constraint: as in
/// `NOT NULL constraint failed: file_metrics.loc` and `cannot store TEXT value in INTEGER column
/// t.c`. A CHECK is named by its expression, in which any word may be a column name.
fn named_column(schema: &KindSchema, code: Option<i32>, text: &str) -> Option<&'static str> {
    let named = match code? {
        ffi::SQLITE_CONSTRAINT_DATATYPE => text.rsplit_once(' ')?.1,
        ffi::SQLITE_CONSTRAINT_NOTNULL
        | ffi::SQLITE_CONSTRAINT_UNIQUE
        | ffi::SQLITE_CONSTRAINT_PRIMARYKEY
        | ffi::SQLITE_CONSTRAINT_ROWID => text.split_once("constraint failed: ")?.1,
        _ => return None,
    };
    let (table, name) = named.split_once('.')?;
    let mut names = schema.fields.iter().map(|column| column.name);
    names.find(|column| {
        column.eq_ignore_ascii_case(name) && table.eq_ignore_ascii_case(schema.table)
    })
}

#[cfg(test)]
mod tests {
    use rusqlite::Connection;

    use super::*;
    use crate::record::RecordKind;
    use crate::stream::InvalidReason::{Constraint, Null, StorageClass};

    fn rejection(table: &str, insert: &str) -> Rejection {
        let db = Connection::open_in_memory().unwrap();
        db.execute_batch(table).unwrap();
        db.execute_batch("INSERT INTO file_metrics (file_path, loc) VALUES ('a', 1)").unwrap();
        let error = db.execute_batch(insert).unwrap_err();
        Rejection::constraint(RecordKind::FileMetrics.schema(), &error)
    }

    #[test]
    fn the_reported_column_is_the_one_sqlite_names() {
        for (columns, values, column, reason) in [
            ("file_path, loc NOT NULL", "'b', NULL", "loc", Null),
            ("file_path UNIQUE, loc", "'a', 2", "file_path", Constraint),
            ("file_path, loc UNIQUE", "'b', 1", "loc", Constraint),
            ("file_path, loc, UNIQUE (file_path, loc)", "'a', 1", "", Constraint),
            ("file_path, loc CHECK (loc < length(file_path) + 9)", "'b', 99", "", Constraint),
            (
                "file_path, loc, CONSTRAINT loc CHECK (length(file_path) < 2)",
                "'bb', 1",
                "",
                Constraint,
            ),
        ] {
            let found = rejection(
                &format!("CREATE TABLE File_Metrics ({columns})"),
                &format!("INSERT INTO file_metrics (file_path, loc) VALUES ({values})"),
            );
            assert_eq!((found.column, found.reason), (column, reason), "{columns}");
            assert!(found.message.contains("constraint failed"), "{}", found.message);
        }
        let found = rejection(
            "CREATE TABLE file_metrics (file_path TEXT, loc INTEGER) STRICT",
            "INSERT INTO file_metrics VALUES ('b', 'many')",
        );
        assert_eq!((found.column, found.reason), ("loc", StorageClass));
    }
}
