//! Checks a single entry: whether its value is the canonical record of its key.

use std::borrow::Cow;

use super::finding::{Finding, Other};
use super::finding_class::{FindingClass, Side};
use crate::codec::{
    Digest, canonical_values, decode_values, encode_values, read_canonical_of, write_own_key,
};
use crate::error::Result;
use crate::record::{FieldValues, KindSchema, RecordKind};
use crate::stream::{Batch, Content};

/// The result of checking a value.
#[derive(Debug)]
pub(crate) struct EntryCheck<'v> {
    /// The record that the value decodes to.
    pub(crate) record: Option<FieldValues<'v>>,
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

impl<'v> EntryCheck<'v> {
    pub(crate) fn of(kind: RecordKind, key: &[u8], value: &'v [u8]) -> Self {
        let schema = kind.schema();
        let mut faults = Vec::new();
        let record = match canonical_values(schema, value) {
            Some(record) => record,
            None => match decode_values(schema, value) {
                Ok(record) => {
                    faults.push(Fault {
                        class: FindingClass::Noncanonical,
                        message: "the value is this record, but not in its canonical bytes"
                            .to_owned(),
                        without_values: None,
                    });
                    record
                }
                Err(error) => {
                    let what = "the value is not a valid record";
                    faults.push(Fault {
                        class: FindingClass::Undecodable,
                        message: format!("{what}: {error}"),
                        without_values: Some(format!("{what}: {}", error.without_values)),
                    });
                    return EntryCheck { record: None, faults };
                }
            },
        };
        let mut own_key = Vec::with_capacity(key.len());
        write_own_key(&record, &mut own_key);
        if own_key != key {
            let own_key = String::from_utf8_lossy(&own_key);
            faults.push(Fault {
                class: FindingClass::KeyMismatch,
                message: format!("the record belongs to the key {own_key}"),
                without_values: Some("the record belongs to another key".to_owned()),
            });
        }
        EntryCheck { record: Some(record), faults }
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
    pub(crate) fn record_if_key_matches(&self) -> Option<&FieldValues<'v>> {
        let record = self.record.as_ref();
        record.filter(|_| !self.has(FindingClass::KeyMismatch))
    }

    /// The canonical bytes of [`EntryCheck::record_if_key_matches`]; `value` is the checked value.
    pub(crate) fn canonical_of_its_key(&self, value: &'v [u8]) -> Result<Option<Cow<'v, [u8]>>> {
        let Some(record) = self.record_if_key_matches() else {
            return Ok(None);
        };
        Ok(Some(match self.is_sound() {
            true => Cow::Borrowed(value),
            false => {
                let mut value = Vec::new();
                encode_values(record, &mut value)?;
                Cow::Owned(value)
            }
        }))
    }

    /// As [`EntryCheck::record_if_key_matches`], by value.
    pub(crate) fn into_record_of_its_key(self) -> Option<FieldValues<'v>> {
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
            ..Finding::new(fault.class, Some(kind), fault.message.clone()).on(side).of_key(key)
        })
    }

    /// The warning that the stored hash is not the SHA-256 of the content.
    pub(crate) fn hash_warning(&self, key: &[u8]) -> Option<Finding> {
        self.record.as_ref().and_then(|record| warn_of_hash(key, record))
    }
}

fn warn_of_hash(key: &[u8], record: &FieldValues<'_>) -> Option<Finding> {
    let schema = record.schema;
    let [content, hash] = schema.hashed?;
    let digest = Digest::of(record.text(content));
    if is_hash(&digest, record.text(hash)) {
        return None;
    }
    let (content, hash) = (schema.field(content).name, schema.field(hash).name);
    let message = format!("{hash} is not the SHA-256 of {content}, which is {digest}");
    let class = FindingClass::ContentHash;
    Some(Finding::new(class, Some(RecordKind::Chunk), message).of_key(key))
}

fn is_hash(digest: &Digest, stated: &str) -> bool {
    stated.as_bytes().eq_ignore_ascii_case(&digest.hex())
}

/// Whether the hash of a record, if its kind has one, is that of its content.
fn has_its_hash<'r>(schema: &KindSchema, text: impl Fn(usize) -> &'r str) -> bool {
    schema.hashed.is_none_or(|[content, hash]| is_hash(&Digest::of(text(content)), text(hash)))
}

/// For each item of a batch, whether it is an entry or a row without any fault or warning. This is
/// the fast form of [`EntryCheck`].
pub(super) fn sound_items(kind: RecordKind, batch: &Batch) -> Vec<bool> {
    let schema = kind.schema();
    let mut own_key = Vec::new();
    let is_hashed = |place| schema.hashed.is_some_and(|hashed| hashed.contains(&place));
    let are_sound = batch.contents().map(|content| match content {
        Content::Entry(entry) => {
            let record = read_canonical_of(schema, entry, &mut own_key, is_hashed);
            record.is_some_and(|record| has_its_hash(schema, |place| record.text(place)))
        }
        // Its entry will be canonical, because it is built from the row.
        Content::Row(row) => has_its_hash(schema, |place| row.text(place)),
        Content::Invalid => false,
    });
    are_sound.collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proptest::strategy::ValueTree as _;
    use proptest::test_runner::TestRunner;

    use super::*;
    use crate::codec::test_entries::{TestEntry, any_entry, entries_of_a_kind};
    use crate::stream::test_batch::{Form, batch_of, forms};

    fn check(entry: &TestEntry) -> EntryCheck<'_> {
        EntryCheck::of(entry.kind, &entry.key, &entry.value)
    }

    proptest! {
        #[test]
        fn an_entry_has_a_fault_if_and_only_if_serde_or_its_key_says_so(entry in any_entry()) {
            let checked = check(&entry);
            prop_assert_eq!(checked.is_sound(), entry.is_sound());
            prop_assert_eq!(checked.record.is_some(), entry.record().is_some());
            prop_assert_eq!(checked.hash_warning(&entry.key).is_none(), entry.has_right_hash());
        }

        #[test]
        fn items_are_known_to_be_sound_if_and_only_if_they_have_no_fault_and_no_warning(
            entries in entries_of_a_kind(),
            forms in forms(),
        ) {
            let kind = entries.first().map_or(RecordKind::Chunk, |entry| entry.kind);
            let batch = batch_of(entries.iter().zip(&forms));
            let is_sound = |(entry, form): (&TestEntry, &Form)| {
                let checked = check(entry);
                let has_warning = checked.hash_warning(&entry.key).is_some();
                *form != Form::Invalid && checked.is_sound() && !has_warning
            };
            let expected: Vec<bool> = entries.iter().zip(&forms).map(is_sound).collect();
            prop_assert_eq!(sound_items(kind, &batch), expected);
        }
    }

    #[test]
    fn generated_entries_have_every_fault_and_none() {
        let mut runner = TestRunner::deterministic();
        let mut found = std::collections::BTreeMap::new();
        for _ in 0..400 {
            let entry = any_entry().new_tree(&mut runner).unwrap().current();
            let checked = check(&entry);
            let classes: Vec<_> = checked.faults.iter().map(|fault| fault.class).collect();
            *found.entry(classes).or_insert(0) += 1;
        }
        for class in
            [FindingClass::Noncanonical, FindingClass::Undecodable, FindingClass::KeyMismatch]
        {
            assert!(found.get(&vec![class]).is_some_and(|count| *count >= 10), "{found:?}");
        }
        assert!(found.get(&vec![]).is_some_and(|count| *count >= 50), "{found:?}");
    }
}
