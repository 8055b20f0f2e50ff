//! The part common to every copy: source, target and options, and the summary once the source was
//! read.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::copy_sink::{CopySink, SoundBatch};
use super::dual_digest::Totals;
use super::rejects::RejectedLines;
use super::{CarriedTable, CopyOptions, CopyOutcome, CopySummary};
use crate::codec::{EntrySum, KindTotals, may_be_of};
use crate::compare::{Finding, FindingClass, ManifestCheck, Side, is_sound_batch};
use crate::error::{Error, Result};
use crate::fsio::StoreKind;
use crate::fsio::leftover_dirs;
use crate::fsio::{Destination, OutputFile, OutputKind, Published};
use crate::kv::{Manifest, ManifestSource};
use crate::progress::{Progress, Stage};
use crate::record::{IdSequences, PerKind, RecordKind};
use crate::stream::{Batch, Source, StoreLabel, UncopiedTable, check_kind, check_table};
use crate::table::{CarriedTables, Kind, TableSchema};

/// A requested copy.
pub(super) struct Job<'c> {
    /// Name of the source in messages and in the manifest.
    pub(super) source: &'c Path,
    /// The source file, which must not be overwritten; `None` for a pipe.
    pub(super) protected_path: Option<&'c Path>,
    pub(super) target_store: StoreKind,
    pub(super) destination: Destination,
    /// The invalid lines of an imported text.
    pub(super) rejected_lines: Option<&'c dyn RejectedLines>,
    pub(super) options: &'c CopyOptions,
    pub(super) progress: &'c Progress,
}

/// What was copied.
pub(super) struct Copied {
    pub(super) kinds: PerKind<KindTotals>,
    pub(super) tables: Vec<CarriedTable>,
    /// The sums of the entries, by kind and by table, for a target that is read back by them.
    pub(super) sums: Sums,
}

/// The sums of the entries copied.
#[derive(Default)]
pub(super) struct Sums {
    pub(super) kinds: PerKind<EntrySum>,
    pub(super) tables: BTreeMap<String, EntrySum>,
}

impl Job<'_> {
    /// Reads the source to its end.
    pub(super) fn take_all(
        &self,
        snapshot: &mut dyn Source,
        sink: &mut CopySink<'_>,
    ) -> Result<Copied> {
        let mut claims = ManifestCheck::new(Side::Left, snapshot.manifest_totals()?);
        let mut totals = PerKind::default();
        let mut sums = Sums::default();
        let mut counted = 0;
        for kind in self.options.only.iter() {
            let Totals { copied, read, sum } = self.take_kind(snapshot, kind, sink)?;
            *totals.get_mut(kind) = copied;
            *sums.kinds.get_mut(kind) = sum;
            counted += read.records;
            if let Some(wrong) = claims.kind(kind, &read) {
                sink.reject_log.record(wrong);
            }
        }
        for table in snapshot.left_out().iter().filter(|table| table.is_lost) {
            sink.reject_log.record(Finding::left_out(table).on(Side::Left));
        }
        let mut tables = Vec::new();
        let carried = snapshot.carried().map(CarriedTables::in_key_order).unwrap_or_default();
        for table in carried.into_iter().filter(|table| self.takes_table(table)) {
            let (Totals { copied, read, sum }, rejected) =
                self.take_table(snapshot, &table, sink)?;
            sums.tables.insert(table.name.clone(), sum);
            counted += read.records;
            if let Some(wrong) = claims.table(&table.name, &read) {
                sink.reject_log.record(wrong);
            }
            if !sink.left_out.contains(&table.name) {
                tables.push(CarriedTable { name: table.name.clone(), totals: copied, rejected });
            }
        }
        if let Some(wrong) = claims.combined() {
            sink.reject_log.record(wrong);
        }
        if let Some(lines) = self.rejected_lines {
            lines.visit(&mut |line| {
                if let Some(Kind::Table(name)) = &line.why.kind
                    && let Some(table) = tables.iter_mut().find(|table| *table.name == **name)
                {
                    table.rejected += 1;
                }
                sink.reject_log.reject_line(line)
            })?;
        }
        let keys = snapshot.total_keys()?;
        if keys.is_some_and(|keys| keys != counted) {
            snapshot.visit_unknown(&mut |entry| {
                if !may_be_of(entry.key, self.options.only) {
                    return Ok(());
                }
                let message = "the key is not that of a record".to_owned();
                let class = FindingClass::UnknownKey;
                let why = Finding::new(class, None::<RecordKind>, message);
                sink.reject_log.unknown_keys += 1;
                sink.reject_log.reject_entry(entry, why.on(Side::Left).of_key(entry.key))
            })?;
        }
        Ok(Copied { kinds: totals, tables, sums })
    }

    /// Whether the rows of a carried table are copied or merged.
    fn takes_table(&self, table: &TableSchema) -> bool {
        !self.options.merge || self.options.tables.contains(&table.name)
    }

    fn take_kind(
        &self,
        snapshot: &mut dyn Source,
        kind: RecordKind,
        sink: &mut CopySink<'_>,
    ) -> Result<Totals> {
        let progress = self.progress;
        let stage = match self.options.merge {
            true => Stage::Digest(kind),
            false => Stage::Copy(kind),
        };
        progress.start(stage, snapshot.expected_records(kind));
        let is_checked = !snapshot.entries_are_canonical() && sink.takes_sound_batches();
        let check = is_checked.then_some(|batch: &mut Batch| Ok(SoundBatch::of(kind, batch)));
        check_kind(snapshot, kind, self.options.threads(), progress, check, |stream| {
            while let Some((batch, sound)) = stream.next_checked()? {
                progress.check_cancelled()?;
                let items = batch.len() as u64;
                sink.take(kind, batch, sound)?;
                progress.inc(items);
            }
            Ok(())
        })?;
        progress.finish();
        Ok(sink.finish_kind())
    }

    /// Copies a carried table; also returns the number of rejected rows.
    fn take_table(
        &self,
        snapshot: &mut dyn Source,
        table: &Arc<TableSchema>,
        sink: &mut CopySink<'_>,
    ) -> Result<(Totals, u64)> {
        let progress = self.progress;
        progress.start(Stage::CopyTables, None);
        let are_canonical = snapshot.entries_are_canonical();
        let check =
            (!are_canonical).then_some(|batch: &mut Batch| Ok(is_sound_batch(table, batch)));
        let mut rejected = 0;
        check_table(snapshot, table, self.options.threads(), progress, check, |stream| {
            while let Some((batch, is_sound)) = stream.next_checked()? {
                progress.check_cancelled()?;
                let items = batch.len() as u64;
                rejected += sink.take_rows(table, batch, are_canonical || is_sound)?;
                progress.inc(items);
            }
            Ok(())
        })?;
        progress.finish();
        Ok((sink.finish_kind(), rejected))
    }

    /// The summary of what is known once the source was read.
    pub(super) fn summary(
        &self,
        snapshot: &dyn Source,
        sink: &CopySink<'_>,
        copied: &Copied,
    ) -> Result<CopySummary> {
        let reject_log = &sink.reject_log;
        Ok(CopySummary {
            source: StoreLabel { path: self.source.to_owned(), ..StoreLabel::of(snapshot) },
            schema_version: snapshot.schema_version(),
            missing: snapshot.missing().to_vec(),
            end_line: None,
            without_columns: self.options.without_columns.clone(),
            target: StoreLabel::new(self.destination.given(), self.target_store),
            only: self.options.only,
            // Until something is written.
            outcome: CopyOutcome::Rejected,
            totals: copied.kinds,
            tables: copied.tables.clone(),
            tables_selected: match self.options.merge {
                true => self.options.tables.clone(),
                false => snapshot.carried().map(CarriedTables::selection).unwrap_or_default(),
            },
            rejected: reject_log.rejected,
            unknown_keys: reject_log.unknown_keys,
            sequences: self.source_sequences(snapshot, sink.largest_ids)?,
            uncopied_tables: self.uncopied_tables(snapshot)?,
            rejections: reject_log.first.clone(),
            rejection_counts: reject_log.counts.clone(),
            rejects: None,
            stale_rejects_file: None,
            dry_run: self.options.dry_run,
            merge: self.options.merge,
            leftover_dirs: self.leftover_dirs(reject_log.rejects_folder())?,
        })
    }

    /// The tables that this copy leaves behind.
    fn uncopied_tables(&self, snapshot: &dyn Source) -> Result<Vec<UncopiedTable>> {
        let mut tables = snapshot.other_tables()?;
        if let (true, Some(carried)) = (self.options.merge, snapshot.carried()) {
            let claims = snapshot.manifest_totals()?.map(|claims| claims.tables);
            for table in carried.in_key_order() {
                if self.takes_table(&table) {
                    continue;
                }
                let totals = claims.as_ref().and_then(|claims| claims.get(&table.name));
                let rows = totals.map(|totals| totals.records);
                tables.push(UncopiedTable::new(table.name.clone(), rows));
            }
        }
        Ok(tables)
    }

    /// The id sequences of the selected kinds, which are never below the largest id.
    pub(super) fn source_sequences(
        &self,
        snapshot: &dyn Source,
        largest_ids: IdSequences,
    ) -> Result<IdSequences> {
        let sequences = snapshot.sequences()?.max(largest_ids);
        Ok(sequences.of_kinds(self.options.only))
    }

    /// Directories left by killed runs where this one writes.
    fn leftover_dirs(&self, rejects: Option<&Path>) -> Result<Vec<PathBuf>> {
        let mut left = leftover_dirs(self.destination.folder())?;
        if let Some(folder) = rejects.filter(|folder| *folder != self.destination.folder()) {
            left.extend(leftover_dirs(folder)?);
        }
        Ok(left)
    }

    /// A manifest for content copied from the source.
    pub(super) fn manifest_of(
        &self,
        summary: &CopySummary,
        totals: &PerKind<KindTotals>,
        tables: BTreeMap<String, KindTotals>,
    ) -> Result<Manifest> {
        let file_name = self.source.file_name().unwrap_or(self.source.as_os_str());
        let source = ManifestSource {
            file_name: file_name.to_string_lossy().into_owned(),
            store: summary.source.store.name().to_owned(),
            schema_version: summary.schema_version,
        };
        let created_at = self.options.created_at_text()?;
        Ok(Manifest::new(source, created_at, totals, tables))
    }

    fn default_rejects(&self) -> PathBuf {
        let mut path = self.destination.given().as_os_str().to_owned();
        path.push(".rejects.jsonl");
        PathBuf::from(path)
    }

    /// The rejects file, if one is configured. A dry run fails in the same cases as a real run.
    pub(super) fn rejects(&self) -> Result<Option<OutputFile>> {
        let path = match &self.options.rejects {
            Some(path) => path.clone(),
            None if self.options.skip_invalid => self.default_rejects(),
            None => return Ok(None),
        };
        // A merge has no --replace, and its source still contains everything that an earlier merge
        // rejected.
        let replace = self.options.replace || self.options.merge;
        let protected_path = self.protected_path.as_slice();
        let rejects = OutputFile::resolve(OutputKind::Rejects, &path, replace, protected_path)?;
        if rejects.destination().path() == self.destination.path() {
            return Err(Error::RejectsFileIsTarget { path });
        }
        Ok((!self.options.dry_run).then_some(rejects))
    }

    /// Publishes the rejects file before the target; the result allows it to be undone.
    pub(super) fn publish_rejects_first(
        &self,
        rejects: Option<OutputFile>,
        summary: &mut CopySummary,
    ) -> Result<Option<Published>> {
        let Some(rejects) = rejects else {
            return Ok(None);
        };
        let place = rejects.destination().given().to_owned();
        let Some(prepared) = rejects.prepare()? else {
            return Ok(None);
        };
        prepared.mark_provisional();
        let published = prepared.publish()?.sync_or_undo()?;
        summary.rejects = Some(place);
        Ok(Some(published))
    }

    pub(super) fn publish_rejects(
        &self,
        rejects: Option<OutputFile>,
        summary: &mut CopySummary,
    ) -> Result<()> {
        self.publish_rejects_first(rejects, summary).map(|_| ())
    }

    pub(super) fn look_for_old_rejects(&self, summary: &mut CopySummary) {
        if summary.rejects.is_none() {
            let old = self.options.rejects.clone();
            let old = old.unwrap_or_else(|| self.default_rejects());
            summary.stale_rejects_file = Some(old).filter(|path| path.exists());
        }
    }
}
