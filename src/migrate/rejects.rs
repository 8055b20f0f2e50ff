//! The rejects file: every row that is no record, with its values as SQLite stores them, one JSON
//! object a line.

use std::fs::File;
use std::io::{BufRead as _, BufReader, BufWriter, Read as _, Write as _};
use std::path::Path;

use serde_json::{Value, json};

use super::staged::{Prepared, Staged};
use super::target::{Destination, TargetError};
use crate::error::{IoContext as _, Result};
use crate::sqlite::{InvalidRow, RawValue};

/// A rejects file that is written as rows come up.
#[derive(Debug)]
pub(super) struct Rejects {
    destination: Destination,
    open: Option<(Staged, BufWriter<File>)>,
}

impl Rejects {
    /// Resolves the place; nothing is made before the first row.
    pub(super) fn resolve(path: &Path, replace: bool, source: &Path) -> Result<Self> {
        let destination = Destination::resolve(path, source)?;
        if destination.exists() {
            may_replace(path)?;
            if !replace {
                return Err(TargetError::Exists {
                    path: path.to_owned(),
                }
                .into());
            }
        }
        Ok(Rejects {
            destination,
            open: None,
        })
    }

    pub(super) fn destination(&self) -> &Destination {
        &self.destination
    }

    pub(super) fn write(&mut self, row: &InvalidRow) -> Result<()> {
        let (staged, file) = match &mut self.open {
            Some(open) => open,
            None => {
                let staged = Staged::create(&self.destination)?;
                let file = File::create_new(staged.path()).io_context("create", staged.path())?;
                self.open.insert((staged, BufWriter::new(file)))
            }
        };
        serde_json::to_writer(&mut *file, &reject_line(row))
            .map_err(std::io::Error::from)
            .and_then(|()| file.write_all(b"\n"))
            .io_context("write", staged.path())
    }

    /// Finishes the file; `None` if there was no row.
    pub(super) fn prepare(self) -> Result<Option<Prepared>> {
        let Some((staged, file)) = self.open else {
            return Ok(None);
        };
        file.into_inner()
            .map_err(std::io::IntoInnerError::into_error)
            .and_then(|file| file.sync_all())
            .io_context("write", staged.path())?;
        staged.prepare(may_replace).map(Some)
    }
}

/// Fails unless a file is a rejects file.
fn may_replace(path: &Path) -> Result<()> {
    match looks_like_rejects(path)? {
        true => Ok(()),
        false => Err(TargetError::NotReplaceable {
            path: path.to_owned(),
            found: "no rejects file".to_owned(),
        }
        .into()),
    }
}

/// An empty file, or one that begins as [`reject_line`] does.
fn looks_like_rejects(path: &Path) -> Result<bool> {
    let mut line = Vec::new();
    File::open(path)
        .and_then(|file| BufReader::new(file.take(64)).read_until(b'\n', &mut line))
        .io_context("read", path)?;
    Ok(line.is_empty() || line.starts_with(b"{\"table\":"))
}

/// A row as one line of the file: table, row id, key columns, column, reason and values.
fn reject_line(row: &InvalidRow) -> impl serde::Serialize + use<'_> {
    Line {
        table: row.table,
        rowid: row.rowid,
        key: row.key.as_deref().map(String::from_utf8_lossy),
        key_columns: row.key_columns,
        column: row.column,
        reason: row.reason.name(),
        values: Values(&row.values),
    }
}

#[derive(serde::Serialize)]
struct Line<'r> {
    table: &'r str,
    rowid: i64,
    key: Option<std::borrow::Cow<'r, str>>,
    key_columns: &'r [&'static str],
    column: &'r str,
    reason: &'r str,
    values: Values<'r>,
}

struct Values<'r>(&'r [(&'static str, RawValue)]);

impl serde::Serialize for Values<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(
            self.0
                .iter()
                .map(|(column, value)| (column, raw_json(value))),
        )
    }
}

/// A value with its storage class; what JSON can't hold stands in hex or as a word.
fn raw_json(value: &RawValue) -> Value {
    let class = value.storage_class();
    match value {
        RawValue::Null => json!({"class": class, "value": null}),
        RawValue::Integer(integer) => json!({"class": class, "value": integer}),
        RawValue::Real(real) if real.is_finite() => json!({"class": class, "value": real}),
        RawValue::Real(real) => json!({"class": class, "value": real.to_string()}),
        RawValue::Text(text) => json!({"class": class, "value": text}),
        RawValue::MalformedText(bytes) | RawValue::Blob(bytes) => {
            json!({"class": class, "hex": hex(bytes)})
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    const DIGITS: [char; 16] = [
        '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f',
    ];
    let digit = |nibble: u8| DIGITS.get(usize::from(nibble)).copied().unwrap_or('?');
    bytes
        .iter()
        .flat_map(|byte| [digit(byte >> 4), digit(byte & 15)])
        .collect()
}
