//! What a source holds that is no record: told, counted, and kept in the rejects file.

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
    /// Whether something was refused that fails the copy.
    pub(super) have_failed: bool,
    /// Number of records that are not copied.
    pub(super) rejected: PerKind<u64>,
    /// Number of what is not copied and of no kind.
    pub(super) unknown_keys: u64,
    /// The first of all that was told, its number, and numbers by class and kind.
    pub(super) first: Vec<Finding>,
    pub(super) told: u64,
    room: Room,
    pub(super) counts: FindingCounts,
}

impl<'o> RejectLog<'o> {
    pub(super) fn new(options: &'o CopyOptions, rejects: Option<JsonLines>) -> Self {
        RejectLog {
            options,
            rejects,
            have_failed: false,
            rejected: PerKind::default(),
            unknown_keys: 0,
            first: Vec::new(),
            told: 0,
            room: Room::default(),
            counts: FindingCounts::default(),
        }
    }

    /// Takes note of a row that is no record.
    pub(super) fn reject_row(&mut self, row: &InvalidRow) -> Result<()> {
        self.count(row.kind);
        self.refuse(Finding::invalid_row(Side::Left, row));
        match &mut self.rejects {
            Some(rejects) => rejects.write(&row_line(row)),
            None => Ok(()),
        }
    }

    /// Takes note of an entry that is not copied.
    pub(super) fn reject_entry(&mut self, entry: Entry<'_>, why: Finding) -> Result<()> {
        if let Some(rejects) = &mut self.rejects {
            rejects.write(&entry_line(entry, &why))?;
        }
        self.refuse(why);
        Ok(())
    }

    /// Takes note of a line of text that is no record.
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

    /// Takes note of something that fails the copy unless it may be skipped.
    pub(super) fn refuse(&mut self, divergence: Finding) {
        // Without leave to skip anything the rest is read only to tell of it.
        self.have_failed |= self.options.on_invalid == OnInvalid::Fail;
        self.tell(divergence);
    }

    /// Takes note of something that is not as it should be.
    pub(super) fn tell(&mut self, divergence: Finding) {
        self.told += 1;
        self.counts.count(divergence.class, divergence.kind);
        if self.room.take(&divergence, self.options.limit) {
            self.first.push(divergence);
        }
    }

    /// Counts a record that is not copied.
    pub(super) fn count(&mut self, kind: RecordKind) {
        *self.rejected.get_mut(kind) += 1;
    }

    /// The folder of the rejects file.
    pub(super) fn rejects_folder(&self) -> Option<&Path> {
        self.rejects.as_ref().map(|r| r.destination().folder())
    }
}
