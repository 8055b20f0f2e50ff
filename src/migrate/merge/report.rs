//! Collects what a merge rejects, and its final summary.

use crate::codec::Entry;
use crate::compare::{Finding, Room, RowLocation};
use crate::error::Result;
use crate::fsio::OutputFile;
use crate::migrate::copy_job::Job;
use crate::migrate::rejects::{entry_line, rejected_line};
use crate::migrate::{CopyOutcome, CopySummary};
use crate::record::RecordKind;
use crate::sqlite::{Rejection, ScratchSet};
use crate::table::TableSchema;

/// Collects the records that a merge does not write, and the summary.
pub(super) struct MergeReport<'j> {
    job: &'j Job<'j>,
    pub(super) summary: CopySummary,
    rejects: Option<OutputFile>,
    /// The keys of all rejected records.
    rejected: ScratchSet,
    /// Number of records that the target rejects.
    by_target: u64,
    room: Room,
}

impl<'j> MergeReport<'j> {
    /// `rejected` are the keys of records that are already rejected.
    pub(super) fn new(
        job: &'j Job<'j>,
        summary: CopySummary,
        rejects: Option<OutputFile>,
        rejected: ScratchSet,
    ) -> Self {
        let mut room = Room::default();
        for finding in &summary.rejections {
            room.take(finding, job.options.limit);
        }
        MergeReport { room, job, summary, rejects, rejected, by_target: 0 }
    }

    pub(super) fn is_rejected(&self, key: &[u8]) -> Result<bool> {
        self.rejected.contains(key)
    }

    /// Number of records that the target rejects.
    pub(super) fn by_target(&self) -> u64 {
        self.by_target
    }

    /// Whether a finding prevents the merge from writing anything.
    pub(super) fn fails(&self) -> bool {
        self.job.options.fails_for(&self.summary.rejection_counts)
    }

    /// Records a rejection by the target; `rowid` is the row id that the record requires.
    pub(super) fn reject(
        &mut self,
        kind: RecordKind,
        entry: Entry<'_>,
        rowid: Option<i64>,
        why: Rejection,
    ) -> Result<()> {
        if !self.rejected.insert(entry.key)? {
            return Ok(());
        }
        self.by_target += 1;
        *self.summary.rejected.get_mut(kind) += 1;
        let row =
            RowLocation { table: kind.table(), rowid, column: why.column, reason: why.reason };
        if let Some(rejects) = &mut self.rejects {
            rejects.write_line(&rejected_line(entry, &row, &why.message))?;
        }
        self.find(Finding::rejected(kind, entry.key, row, why.message));
        Ok(())
    }

    /// Rejects a row of a table that is merged.
    pub(super) fn reject_row(
        &mut self,
        table: &TableSchema,
        entry: Entry<'_>,
        why: &str,
    ) -> Result<()> {
        if !self.rejected.insert(entry.key)? {
            return Ok(());
        }
        self.by_target += 1;
        let mut tables = self.summary.tables.iter_mut();
        if let Some(table) = tables.find(|of| of.name == table.name) {
            table.rejected += 1;
        }
        let finding = Finding::refused_row(table, entry.key, why);
        if let Some(rejects) = &mut self.rejects {
            rejects.write_line(&entry_line(entry, &finding))?;
        }
        self.find(finding);
        Ok(())
    }

    /// Records a finding that is not about a single record.
    pub(super) fn find(&mut self, finding: Finding) {
        self.summary.rejection_counts.count(finding.class, finding.kind.as_ref());
        if self.room.take(&finding, self.job.options.limit) {
            self.summary.rejections.push(finding);
        }
    }

    /// Ends a merge that writes nothing.
    pub(super) fn give_up(mut self) -> Result<CopySummary> {
        self.summary.outcome = CopyOutcome::Rejected;
        self.publish_rejects()?;
        Ok(self.summary)
    }

    pub(super) fn publish_rejects(&mut self) -> Result<()> {
        let rejects = self.rejects.take();
        self.job.publish_rejects(rejects, &mut self.summary)
    }
}
