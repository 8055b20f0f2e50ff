use super::counts::KindCounts;
use super::entry_check::EntryCheck;
use super::evidence::Evidence;
use super::fields;
use super::finding::{Finding, Other};
use super::finding_class::Side;
use crate::codec::Entry;
use crate::error::{Error, Result};
use crate::record::RecordKind;
use crate::stream::{Cursor, Item, MergeJoin, SortedStream};

/// Compares all items of a kind and calls `found` for every divergence, ordered by key and then by
/// class. Items without a key come first.
///
/// Returns consistent counts: each item of either side is counted once as equal, on one side only,
/// differing or invalid.
///
/// # Errors
/// A stream can't be read to its end or is out of order, or the error of `found`.
pub fn compare_kind(
    kind: RecordKind,
    left: &mut dyn SortedStream,
    right: &mut dyn SortedStream,
    found: &mut dyn FnMut(Finding) -> Result<()>,
) -> Result<KindCounts> {
    join_kind(kind, left, right, &mut Evidence::default(), found)
}

/// As [`compare_kind`], and collects evidence of which side is newer.
pub(super) fn join_kind(
    kind: RecordKind,
    left: &mut dyn SortedStream,
    right: &mut dyn SortedStream,
    evidence: &mut Evidence,
    found: &mut dyn FnMut(Finding) -> Result<()>,
) -> Result<KindCounts> {
    let mut join = Join {
        kind,
        counts: KindCounts::default(),
        evidence,
        streams: MergeJoin::start(left, right)?,
        found,
    };
    join.run()?;
    match join.counts.is_consistent() {
        true => Ok(join.counts),
        false => Err(Error::Internal(format!("the counts of {kind} don't add up"))),
    }
}

struct Join<'s, 'f> {
    kind: RecordKind,
    counts: KindCounts,
    evidence: &'f mut Evidence,
    streams: MergeJoin<'s>,
    found: &'f mut dyn FnMut(Finding) -> Result<()>,
}

impl Join<'_, '_> {
    fn run(&mut self) -> Result<()> {
        while let Some(order) = self.streams.order() {
            self.settle(order.is_le(), order.is_ge())?;
        }
        self.counts.left = self.streams.left.items();
        self.counts.right = self.streams.right.items();
        Ok(())
    }

    /// Processes the lowest key, which is on the left, on the right or on both sides.
    fn settle(&mut self, on_left: bool, on_right: bool) -> Result<()> {
        let kind = self.kind;
        let left = on_left.then(|| self.streams.left.item()).flatten();
        let right = on_right.then(|| self.streams.right.item()).flatten();
        let is_known_sound =
            self.streams.left.is_known_sound() || self.streams.right.is_known_sound();
        let (counts, evidence) = (&mut self.counts, &mut *self.evidence);
        let is_paired = left.is_some() && right.is_some();
        let (mut findings, other_of_rows) = match (left, right) {
            (Some(Item::Entry(left)), Some(Item::Entry(right))) => {
                // What is known of one of two equal values holds for the other.
                if is_known_sound && left.value == right.value {
                    counts.equal += 1;
                    (Vec::new(), Other::Nothing)
                } else {
                    let findings = both(kind, left, right, counts, evidence);
                    (findings, Other::Nothing)
                }
            }
            (Some(Item::Entry(entry)), _) => {
                one(kind, Side::Left, entry, is_paired, counts, evidence)
            }
            (_, Some(Item::Entry(entry))) => {
                one(kind, Side::Right, entry, is_paired, counts, evidence)
            }
            _ if is_paired => (Vec::new(), Other::Invalid),
            _ => (Vec::new(), Other::Nothing),
        };
        // An entry and the first invalid row with its key are counted together.
        let is_entry = |item: Option<Item<'_>>| matches!(item, Some(Item::Entry(_)));
        let counted = u64::from(is_paired && (is_entry(left) || is_entry(right)));
        findings.sort_by_key(|divergence| (divergence.class, divergence.side));
        let warnings = findings.split_off(findings.partition_point(|d| !d.class.is_warning()));
        findings.into_iter().try_for_each(&mut self.found)?;
        if on_left {
            let rows = pass(&mut self.streams.left, Side::Left, other_of_rows, self.found)?;
            self.counts.invalid_left += rows.saturating_sub(counted);
        }
        if on_right {
            let rows = pass(&mut self.streams.right, Side::Right, other_of_rows, self.found)?;
            self.counts.invalid_right += rows.saturating_sub(counted);
        }
        warnings.into_iter().try_for_each(&mut self.found)
    }
}

/// Checks an entry whose key no entry on the other side has, though an invalid row may. Also
/// returns what the entry is to such a row.
fn one(
    kind: RecordKind,
    side: Side,
    entry: Entry<'_>,
    row_has_key: bool,
    counts: &mut KindCounts,
    evidence: &mut Evidence,
) -> (Vec<Finding>, Other) {
    let checked = EntryCheck::of(kind, entry.key, entry.value);
    let other = match row_has_key {
        true => Other::Invalid,
        false => Other::Nothing,
    };
    let faults = checked.divergences(kind, side, entry.key);
    let mut findings: Vec<Finding> = faults.map(|fault| fault.beside(other)).collect();
    let (only, invalid) = match side {
        Side::Left => (&mut counts.only_left, &mut counts.invalid_left),
        Side::Right => (&mut counts.only_right, &mut counts.invalid_right),
    };
    match checked.record_if_key_matches() {
        _ if row_has_key => counts.differing += 1,
        None => *invalid += 1,
        Some(record) => {
            *only += 1;
            evidence.of_mut(side).only(kind, record);
            let fields = fields::record_fields(record);
            findings.push(Finding::only(kind, side, fields).of_key(entry.key));
        }
    }
    findings.extend(checked.hash_warning(entry.key).map(|w| w.on(side)));
    if let Some(record) = &checked.record {
        findings.iter_mut().for_each(|finding| finding.in_file_of(record));
    }
    (findings, checked.as_other())
}

/// Compares two values with the same key.
fn both(
    kind: RecordKind,
    left: Entry<'_>,
    right: Entry<'_>,
    counts: &mut KindCounts,
    evidence: &mut Evidence,
) -> Vec<Finding> {
    let key = left.key;
    let checked_left = EntryCheck::of(kind, left.key, left.value);
    let mut findings = Vec::new();
    let report_faults =
        |findings: &mut Vec<Finding>, checked: &EntryCheck<'_>, side, other: &EntryCheck<'_>| {
            let faults = checked.divergences(kind, side, key);
            findings.extend(faults.map(|fault| fault.beside(other.as_other())));
        };
    if left.value == right.value {
        match checked_left.is_sound() {
            true => counts.equal += 1,
            false => counts.differing += 1,
        }
        report_faults(&mut findings, &checked_left, Side::Left, &checked_left);
        report_faults(&mut findings, &checked_left, Side::Right, &checked_left);
        findings.extend(checked_left.hash_warning(key));
        return findings;
    }
    counts.differing += 1;
    let checked_right = EntryCheck::of(kind, right.key, right.value);
    report_faults(&mut findings, &checked_left, Side::Left, &checked_right);
    report_faults(&mut findings, &checked_right, Side::Right, &checked_left);
    // The fields of a record with the wrong key aren't compared with those of the key's record.
    let records = (checked_left.record_if_key_matches(), checked_right.record_if_key_matches());
    if let (Some(left), Some(right)) = records {
        let fields = fields::differences(left, right);
        if !fields.is_empty() {
            evidence.left.differs(kind, left);
            evidence.right.differs(kind, right);
            evidence.ids_differ |= left.id() != right.id();
            findings.push(Finding::fields(kind, fields).of_key(key));
        }
    }
    findings.extend(checked_left.hash_warning(key).map(|w| w.on(Side::Left)));
    findings.extend(checked_right.hash_warning(key).map(|w| w.on(Side::Right)));
    if let Some(record) = checked_left.record.as_ref().or(checked_right.record.as_ref()) {
        findings.iter_mut().for_each(|finding| finding.in_file_of(record));
    }
    findings
}

/// Skips an entry, or all rows with the same key, which are reported with what the other side has;
/// returns the number of these rows.
fn pass(
    stream: &mut Cursor<'_>,
    side: Side,
    beside: Other,
    found: &mut dyn FnMut(Finding) -> Result<()>,
) -> Result<u64> {
    let Some(row) = stream.row() else {
        stream.advance()?;
        return Ok(0);
    };
    let key = row.key.clone();
    let mut rows = 0;
    while let Some(row) = stream.row().filter(|row| row.key == key) {
        found(Finding::invalid_row(side, row).beside(beside))?;
        rows += 1;
        stream.advance()?;
    }
    Ok(rows)
}
