//! Collects the findings that a report keeps.

use std::collections::BTreeMap;

use super::finding::Finding;
use super::finding_class::FindingClass;
use super::finding_counts::FindingCounts;
use super::values::Values;

/// Maximum total size of values that are kept in full, except for those of the first finding.
const VALUE_BYTES: usize = 16 << 20;

/// Total size of keys and messages above which no more findings are kept, except for the first.
const TEXT_BYTES: usize = 16 << 20;

/// Limits the number of kept findings of each class, and the size of their text.
#[derive(Debug, Default)]
pub(crate) struct Room {
    of_class: BTreeMap<FindingClass, usize>,
    bytes: usize,
}

impl Room {
    /// Whether another finding fits within the limits; if so, counts it. The first finding of a class
    /// may be of any size.
    pub(crate) fn take(&mut self, finding: &Finding, limit: usize) -> bool {
        let key = finding.key.as_ref().map_or(0, Vec::len);
        let texts =
            [&finding.row_key, &finding.file_path, &finding.without_values].into_iter().flatten();
        let texts: usize = texts.map(String::len).sum();
        let bytes = self.bytes + key + finding.message.len() + texts;
        let kept = self.of_class.entry(finding.class).or_default();
        let has_room = *kept < limit && (*kept == 0 || bytes <= TEXT_BYTES);
        if has_room {
            *kept += 1;
            self.bytes = bytes;
        }
        has_room
    }
}

/// Keeps the first findings of each class and counts all of them. Memory is bounded: values beyond
/// [`VALUE_BYTES`] are kept in their short form, and keys and messages have limits of their own.
#[derive(Debug)]
pub(crate) struct FindingLog {
    limit: usize,
    values: Values,
    counts: FindingCounts,
    kept: Vec<Finding>,
    room: Room,
    /// Total bytes of values kept in full.
    bytes: usize,
}

impl FindingLog {
    /// Creates a log that keeps `limit` findings of each class and displays their values as `values`.
    pub(crate) fn new(limit: usize, values: Values) -> Self {
        FindingLog {
            limit,
            values,
            counts: FindingCounts::default(),
            kept: Vec::new(),
            room: Room::default(),
            bytes: 0,
        }
    }

    pub(crate) fn take(&mut self, mut finding: Finding) {
        self.counts.count(finding.class, finding.kind.as_ref());
        if self.room.take(&finding, self.limit) {
            self.bound(&mut finding);
            self.kept.push(finding);
        }
    }

    /// The counts of all findings, and those that were kept, in order.
    pub(crate) fn into_parts(self) -> (FindingCounts, Vec<Finding>) {
        (self.counts, self.kept)
    }

    pub(crate) fn counts(&self) -> &FindingCounts {
        &self.counts
    }

    /// Shortens the values of a finding if they exceed the limit, or redacts them.
    fn bound(&mut self, finding: &mut Finding) {
        let is_redacted = self.values == Values::Redacted;
        let wanted = finding.values_len();
        if !is_redacted && (self.bytes == 0 || self.bytes + wanted <= VALUE_BYTES) {
            self.bytes += wanted;
            return;
        }
        finding.show_as(match is_redacted {
            true => Values::Redacted,
            false => Values::Short,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::super::finding::FieldDifference;
    use super::*;
    use crate::record::RecordKind;
    use crate::table::Kind;
    use serde_json::Value;

    fn finding(bytes: usize) -> Finding {
        let field = FieldDifference {
            field: "content".to_owned(),
            left: Value::String("a".repeat(bytes)),
            right: Value::String("b".repeat(bytes)),
            first_difference: Some(0),
        };
        Finding::fields(RecordKind::Chunk, vec![field]).of_key(b"chunk:a:0:1")
    }

    fn kept(values: Values, sizes: &[usize]) -> Vec<bool> {
        let mut log = FindingLog::new(9, values);
        sizes.iter().for_each(|bytes| log.take(finding(*bytes)));
        let (_, first) = log.into_parts();
        let is_full = |finding: &Finding| finding.fields[0].left.is_string();
        first.iter().map(is_full).collect()
    }

    #[test]
    fn values_are_kept_in_full_within_the_budget_and_always_for_one_record() {
        let half = VALUE_BYTES / 4;
        assert_eq!(kept(Values::Full, &[half, half, 100, 10]), [true, true, false, true]);
        assert_eq!(kept(Values::Full, &[VALUE_BYTES, 100]), [true, false]);
        assert_eq!(kept(Values::Redacted, &[100, 10]), [false, false]);
    }

    #[test]
    fn only_some_findings_with_very_long_keys_are_kept() {
        let mut log = FindingLog::new(9, Values::Full);
        let key = vec![b'k'; TEXT_BYTES / 2 - 100];
        for _ in 0..9 {
            let finding = Finding::new(FindingClass::OnlyLeft, None::<Kind>, String::new());
            log.take(finding.of_key(&key));
        }
        assert_eq!(log.counts().divergences(), 9);
        assert_eq!(log.into_parts().1.len(), 2);
        let longest = Finding::new(FindingClass::Field, None::<Kind>, "m".repeat(TEXT_BYTES + 1));
        let mut room = Room::default();
        assert!(room.take(&longest, 2) && !room.take(&longest, 2));
    }

    #[test]
    fn some_findings_of_each_class_are_kept_and_all_are_counted() {
        use FindingClass::{ContentHash, Field, OnlyLeft};
        let mut log = FindingLog::new(2, Values::Full);
        let kind = Some(Kind::Record(RecordKind::Chunk));
        for class in [Field, ContentHash, Field, Field, OnlyLeft] {
            log.take(Finding::new(class, kind.clone(), String::new()));
        }
        let (counts, kept) = log.into_parts();
        let counts: Vec<_> = counts.iter().collect();
        let kind = kind.as_ref();
        assert_eq!(counts, [(OnlyLeft, kind, 1), (Field, kind, 3), (ContentHash, kind, 1)]);
        let classes: Vec<_> = kept.iter().map(|finding| finding.class).collect();
        assert_eq!(classes, [Field, ContentHash, Field, OnlyLeft]);
    }
}
