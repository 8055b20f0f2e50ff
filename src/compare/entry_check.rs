//! Checks a single entry: whether its value is the canonical record of its key.

use std::borrow::Cow;

use super::finding::{Finding, Other};
use super::finding_class::{FindingClass, Side};
use crate::codec::encode_json;
use crate::codec::{Digest, Entry, decode_content, decode_json, is_canonical, record_key_into};
use crate::error::{Error, Result};
use crate::record::{Record, RecordKind};

/// The result of checking a value.
#[derive(Debug)]
pub(crate) struct EntryCheck {
    /// The record that the value decodes to.
    pub(crate) record: Option<Record>,
    /// Why the value is not the canonical record of its key.
    pub(crate) faults: Vec<Fault>,
}

/// One problem of a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) class: FindingClass,
    pub(crate) message: String,
    /// As [`Finding::without_values`].
    pub(crate) without_values: Option<String>,
}

impl EntryCheck {
    pub(crate) fn of(kind: RecordKind, entry: Entry<'_>) -> Self {
        let record = match decode_json(kind, entry.value) {
            Ok(record) => record,
            Err(error) => {
                return EntryCheck {
                    record: None,
                    faults: vec![Fault {
                        class: FindingClass::Undecodable,
                        message: format!("the value is not a valid record: {error}"),
                        without_values: Some(format!(
                            "the value is not a valid record: {}",
                            error.without_values()
                        )),
                    }],
                };
            }
        };
        let mut faults = Vec::new();
        if !is_canonical(&record, entry.value) {
            faults.push(Fault {
                class: FindingClass::Noncanonical,
                message: "the value is this record, but not in its canonical bytes".to_owned(),
                without_values: None,
            });
        }
        let mut own_key = Vec::with_capacity(entry.key.len());
        record_key_into(&record, &mut own_key);
        if own_key != entry.key {
            let own_key = String::from_utf8_lossy(&own_key);
            faults.push(Fault {
                class: FindingClass::KeyMismatch,
                message: format!("the record belongs to the key {own_key}"),
                without_values: Some("the record belongs to another key".to_owned()),
            });
        }
        EntryCheck {
            record: Some(record),
            faults,
        }
    }

    pub(crate) fn is_sound(&self) -> bool {
        self.faults.is_empty()
    }

    /// How the other side of a comparison sees this value.
    pub(super) fn as_other(&self) -> Other {
        match self.record_if_key_matches() {
            Some(_) => Other::Record,
            None => Other::Invalid,
        }
    }

    fn has(&self, class: FindingClass) -> bool {
        self.faults.iter().any(|fault| fault.class == class)
    }

    /// The record if its key is the one it is stored under, whether or not its encoding is
    /// canonical.
    pub(crate) fn record_if_key_matches(&self) -> Option<&Record> {
        let record = self.record.as_ref();
        record.filter(|_| !self.has(FindingClass::KeyMismatch))
    }

    /// The canonical bytes of [`EntryCheck::record_if_key_matches`]; `value` is the checked value.
    pub(crate) fn canonical_of_its_key<'v>(
        &self,
        value: &'v [u8],
    ) -> Result<Option<Cow<'v, [u8]>>> {
        let Some(record) = self.record_if_key_matches() else {
            return Ok(None);
        };
        Ok(Some(match self.is_sound() {
            true => Cow::Borrowed(value),
            false => Cow::Owned(encode_json(record)?),
        }))
    }

    /// As [`EntryCheck::record_if_key_matches`], by value.
    pub(crate) fn into_record_of_its_key(self) -> Option<Record> {
        let is_its_own = !self.has(FindingClass::KeyMismatch);
        self.record.filter(|_| is_its_own)
    }

    /// The problems as findings on one side.
    pub(crate) fn divergences(
        &self,
        kind: RecordKind,
        side: Side,
        key: &[u8],
    ) -> impl Iterator<Item = Finding> {
        self.faults.iter().map(move |fault| Finding {
            without_values: fault.without_values.clone(),
            ..Finding::new(fault.class, Some(kind), fault.message.clone())
                .on(side)
                .of_key(key)
        })
    }

    /// The warning that the stored hash is not the SHA-256 of the content.
    pub(crate) fn hash_warning(&self, key: &[u8]) -> Option<Finding> {
        match &self.record {
            Some(Record::Chunk(chunk)) => warn_of_hash(key, &chunk.content, &chunk.content_hash),
            _ => None,
        }
    }
}

/// As [`EntryCheck::hash_warning`], for a value known to be a canonical record.
pub(crate) fn hash_warning(kind: RecordKind, entry: Entry<'_>) -> Result<Option<Finding>> {
    if kind != RecordKind::Chunk {
        return Ok(None);
    }
    let chunk = decode_content(entry.value).map_err(|error| Error::Internal(error.to_string()))?;
    Ok(warn_of_hash(entry.key, &chunk.content, &chunk.content_hash))
}

fn warn_of_hash(key: &[u8], content: &str, stated: &str) -> Option<Finding> {
    let digest = Digest::of(content);
    if stated.as_bytes().eq_ignore_ascii_case(&digest.hex()) {
        return None;
    }
    let message = format!("content_hash is not the SHA-256 of content, which is {digest}");
    let class = FindingClass::ContentHash;
    Some(Finding::new(class, Some(RecordKind::Chunk), message).of_key(key))
}
