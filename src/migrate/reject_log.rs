//! Collects the invalid items of a source: reports and counts them, and writes them to the rejects
//! file.

use std::path::Path;

use super::CopyOptions;
use super::rejects::{RejectedLine, entry_line, row_line, text_line};
use crate::codec::Entry;
use crate::compare::{Finding, FindingCounts, Room, Side};
use crate::error::Result;
use crate::fsio::OutputFile;
use crate::record::{PerKind, RecordKind};
use crate::stream::InvalidRow;
use crate::table::Kind;

pub(super) struct RejectLog<'o> {
    options: &'o CopyOptions,
    pub(super) rejects: Option<OutputFile>,
    /// Number of records that are not copied.
    pub(super) rejected: PerKind<u64>,
    /// Number of items without a kind that are not copied.
    pub(super) unknown_keys: u64,
    /// The first findings, and their numbers by class and kind.
    pub(super) first: Vec<Finding>,
    room: Room,
    pub(super) counts: FindingCounts,
}

impl<'o> RejectLog<'o> {
    pub(super) fn new(options: &'o CopyOptions, rejects: Option<OutputFile>) -> Self {
        RejectLog {
            options,
            rejects,
            rejected: PerKind::default(),
            unknown_keys: 0,
            first: Vec::new(),
            room: Room::default(),
            counts: FindingCounts::default(),
        }
    }

    /// Rejects an invalid row.
    pub(super) fn reject_row(&mut self, row: &InvalidRow) -> Result<()> {
        self.count(row.kind);
        self.record(Finding::invalid_row(Side::Left, row));
        match &mut self.rejects {
            Some(rejects) => rejects.write_line(&row_line(row)),
            None => Ok(()),
        }
    }

    /// Rejects an entry that is not copied.
    pub(super) fn reject_entry(&mut self, entry: Entry<'_>, why: Finding) -> Result<()> {
        self.write_entry(entry, &why)?;
        self.record(why);
        Ok(())
    }

    /// Writes an entry that is not copied to the rejects file, without recording a finding.
    pub(super) fn write_entry(&mut self, entry: Entry<'_>, why: &Finding) -> Result<()> {
        match &mut self.rejects {
            Some(rejects) => rejects.write_line(&entry_line(entry, why)),
            None => Ok(()),
        }
    }

    /// Rejects an invalid line of text.
    pub(super) fn reject_line(&mut self, line: RejectedLine<'_>) -> Result<()> {
        match &line.why.kind {
            Some(Kind::Record(kind)) => self.count(*kind),
            // Counted with the rows of its table.
            Some(Kind::Table(_)) => {}
            None => self.unknown_keys += 1,
        }
        if let Some(rejects) = &mut self.rejects {
            rejects.write_line(&text_line(&line))?;
        }
        self.record(line.why);
        Ok(())
    }

    /// Records a finding.
    pub(super) fn record(&mut self, finding: Finding) {
        self.counts.count(finding.class, finding.kind.as_ref());
        if self.room.take(&finding, self.options.limit) {
            self.first.push(finding);
        }
    }

    /// Whether the findings fail the copy, and the rest is read only to report it.
    pub(super) fn has_failed(&self) -> bool {
        self.options.fails_for(&self.counts)
    }

    /// Counts a record that is not copied.
    pub(super) fn count(&mut self, kind: RecordKind) {
        *self.rejected.get_mut(kind) += 1;
    }

    /// The directory of the rejects file.
    pub(super) fn rejects_folder(&self) -> Option<&Path> {
        self.rejects.as_ref().map(|r| r.destination().folder())
    }
}
