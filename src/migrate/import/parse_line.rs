//! Parses one line: a record, the id sequences, or neither.

use std::borrow::Cow;

use crate::codec::{Entry, ExportEnd, Line, canonical_id, key_kind};
use crate::compare::{EntryCheck, Finding, FindingClass, RowLocation, Side};
use crate::error::{Error, Result};
use crate::record::{IdSequences, RecordKind};
use crate::sqlite::Unique;
use crate::stream::InvalidReason;

/// A valid line.
#[derive(Debug)]
pub(super) enum ParsedLine<'l> {
    /// A record, with its key and its canonical bytes.
    Record {
        kind: RecordKind,
        key: Cow<'l, str>,
        value: Cow<'l, [u8]>,
    },
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
            ParsedLine::IdSequences(sequences) => ParsedLine::IdSequences(sequences),
            ParsedLine::End(end) => ParsedLine::End(end),
        }
    }
}

/// Validates a line like an entry of a KV file, except that its JSON may be formatted in any way,
/// since it may come from other programs.
///
/// The inner error says why the line is invalid.
pub(super) fn judge(text: &[u8]) -> Result<std::result::Result<ParsedLine<'_>, Box<Finding>>> {
    let (kind, key, value) = match Line::parse(text) {
        Ok(Line::Record { kind, key, value }) => (kind, key, value.get().as_bytes()),
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
