//! Collects the invalid items of a source: reports and counts them, and writes them to the rejects
//! file.

use std::path::Path;

use super::rejects::{RejectedLine, entry_line, row_line, text_line};
use super::{CopyOptions, OnInvalid};
use crate::codec::Entry;
use crate::compare::{Finding, FindingCounts, Room, Side};
use crate::error::Result;
use crate::fsio::JsonLines;
use crate::record::{PerKind, RecordKind};
use crate::stream::InvalidRow;

pub(super) struct RejectLog<'o> {
    options: &'o CopyOptions,
    pub(super) rejects: Option<JsonLines>,
    /// Whether an invalid item fails the copy.
    pub(super) has_failed: bool,
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
    pub(super) fn new(options: &'o CopyOptions, rejects: Option<JsonLines>) -> Self {
        RejectLog {
            options,
            rejects,
            has_failed: false,
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
        self.refuse(Finding::invalid_row(Side::Left, row));
        match &mut self.rejects {
            Some(rejects) => rejects.write(&row_line(row)),
            None => Ok(()),
        }
    }

    /// Rejects an entry that is not copied.
    pub(super) fn reject_entry(&mut self, entry: Entry<'_>, why: Finding) -> Result<()> {
        if let Some(rejects) = &mut self.rejects {
            rejects.write(&entry_line(entry, &why))?;
        }
        self.refuse(why);
        Ok(())
    }

    /// Rejects an invalid line of text.
    pub(super) fn reject_line(&mut self, line: RejectedLine<'_>) -> Result<()> {
        match line.why.kind {
            Some(kind) => self.count(kind),
            None => self.unknown_keys += 1,
        }
        if let Some(rejects) = &mut self.rejects {
            rejects.write(&text_line(&line))?;
        }
        self.refuse(line.why);
        Ok(())
    }

    /// Records a finding that fails the copy unless invalid items may be skipped.
    pub(super) fn refuse(&mut self, divergence: Finding) {
        // Without `Skip`, the rest is read only to report it.
        self.has_failed |= self.options.on_invalid == OnInvalid::Fail;
        self.tell(divergence);
    }

    /// Records a finding.
    pub(super) fn tell(&mut self, divergence: Finding) {
        self.counts.count(divergence.class, divergence.kind);
        if self.room.take(&divergence, self.options.limit) {
            self.first.push(divergence);
        }
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
