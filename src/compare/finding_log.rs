//! Collects the findings that a report keeps.

use serde_json::Value;

use super::finding::Finding;
use super::finding_counts::FindingCounts;
use super::values::Values;

/// Maximum total size of values that are kept in full, except for those of the first finding.
const VALUE_BYTES: usize = 16 << 20;

/// Total size of keys and messages above which no more findings are kept, except for the first.
const TEXT_BYTES: usize = 16 << 20;

/// Limits the number of kept findings and the size of their text.
#[derive(Debug, Default)]
pub(crate) struct Room {
    findings: usize,
    bytes: usize,
}

impl Room {
    /// Whether another finding fits within the limits; if so, counts it.
    pub(crate) fn take(&mut self, finding: &Finding, limit: usize) -> bool {
        let key = finding.key.as_ref().map_or(0, Vec::len);
        let texts = [&finding.row_key, &finding.without_values].into_iter().flatten();
        let texts: usize = texts.map(String::len).sum();
        let bytes = self.bytes + key + finding.message.len() + texts;
        let has_room = self.findings < limit && (self.findings == 0 || bytes <= TEXT_BYTES);
        if has_room {
            (self.findings, self.bytes) = (self.findings + 1, bytes);
        }
        has_room
    }
}

/// Keeps the first findings and counts all of them. Memory is bounded: values beyond
/// [`VALUE_BYTES`] are kept in their short form, and keys and messages have limits of their own.
#[derive(Debug)]
pub(crate) struct FindingLog {
    limit: usize,
    values: Values,
    counts: FindingCounts,
    seen: u64,
    divergences: Vec<(u64, Finding)>,
    warnings: Vec<(u64, Finding)>,
    room_for_divergences: Room,
    room_for_warnings: Room,
    /// Total bytes of values kept in full.
    bytes: usize,
}

impl FindingLog {
    /// Creates a log that keeps `limit` findings and displays their values as `values`.
    pub(crate) fn new(limit: usize, values: Values) -> Self {
        FindingLog {
            limit,
            values,
            counts: FindingCounts::default(),
            seen: 0,
            divergences: Vec::new(),
            warnings: Vec::new(),
            room_for_divergences: Room::default(),
            room_for_warnings: Room::default(),
            bytes: 0,
        }
    }

    pub(crate) fn take(&mut self, mut finding: Finding) {
        self.counts.count(finding.class, finding.kind.as_ref());
        self.seen += 1;
        let room = match finding.class.is_warning() {
            true => &mut self.room_for_warnings,
            false => &mut self.room_for_divergences,
        };
        if !room.take(&finding, self.limit) {
            return;
        }
        self.bound(&mut finding);
        match finding.class.is_warning() {
            true => self.warnings.push((self.seen, finding)),
            false => self.divergences.push((self.seen, finding)),
        }
    }

    pub(crate) fn into_parts(self) -> (FindingCounts, Vec<Finding>) {
        (self.counts.clone(), self.into_first())
    }

    pub(crate) fn counts(&self) -> &FindingCounts {
        &self.counts
    }

    /// The first findings in order; if not all are kept, divergences take precedence over warnings.
    pub(crate) fn into_first(mut self) -> Vec<Finding> {
        let room = self.limit.saturating_sub(self.divergences.len());
        self.warnings.truncate(room);
        let mut first = self.divergences;
        first.append(&mut self.warnings);
        first.sort_by_key(|(seen, _)| *seen);
        first.into_iter().map(|(_, finding)| finding).collect()
    }

    /// Shortens the values of a finding if they exceed the limit, or redacts them.
    fn bound(&mut self, finding: &mut Finding) {
        let is_redacted = self.values == Values::Redacted;
        let bytes = |value: &Value| value.as_str().map_or(0, str::len);
        let fields = finding.fields.iter();
        let wanted: usize = fields.map(|field| bytes(&field.left) + bytes(&field.right)).sum();
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
    use super::super::finding_class::FindingClass;
    use super::*;
    use crate::record::RecordKind;
    use crate::table::Kind;

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
        let first = log.into_first();
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
        assert_eq!(log.into_first().len(), 2);
        let longest = Finding::new(FindingClass::Field, None::<Kind>, "m".repeat(TEXT_BYTES + 1));
        let mut room = Room::default();
        assert!(room.take(&longest, 2) && !room.take(&longest, 2));
    }

    #[test]
    fn findings_over_the_budget_are_counted() {
        let mut log = FindingLog::new(2, Values::Full);
        let kind = Some(Kind::Record(RecordKind::Chunk));
        for class in [
            FindingClass::ContentHash,
            FindingClass::Field,
            FindingClass::Field,
            FindingClass::OnlyLeft,
        ] {
            log.take(Finding::new(class, kind.clone(), String::new()));
        }
        let counts: Vec<_> = log.counts().iter().collect();
        assert_eq!(
            counts,
            [
                (FindingClass::OnlyLeft, kind.as_ref(), 1),
                (FindingClass::Field, kind.as_ref(), 2),
                (FindingClass::ContentHash, kind.as_ref(), 1),
            ]
        );
        let classes = log.into_first();
        let classes: Vec<_> = classes.iter().map(|finding| finding.class).collect();
        assert_eq!(classes, [FindingClass::Field; 2]);
    }
}
