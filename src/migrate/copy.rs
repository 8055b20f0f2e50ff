//! Copies a store into a new store of the other kind.

use std::fs;
use std::path::Path;

use super::copy_job::{Job, Sums};
use super::copy_sink::CopySink;
use super::merge;
use super::read_back::{Content, find_divergences};
use super::target_check;
use super::target_writer::{self, FilledTarget, Finished, TargetWriter};
use super::{CopyOptions, CopyOutcome, CopySummary};
use crate::compare::{Finding, FindingClass, Side};
use crate::error::{Error, IoContext as _, Result};
use crate::fsio::free_space;
use crate::fsio::{Destination, OutputFile, Staged};
use crate::fsio::{StoreKind, detect};
use crate::open::{Candidate, retry_if_changed};
use crate::progress::Progress;
use crate::sqlite::{Refusals, Refused, Restored, try_schema};
use crate::stream::Source;
use crate::table::{CarriedTables, Kind};

/// Copies all records of a SQLite database into a new KV file, or merges them into an existing one.
///
/// The source is read in one transaction and not changed, and no file appears next to it. The
/// target is built in a private directory, read back, and only then published: it is complete or
/// not created. Invalid rows, and differences found by the read-back, are not an error but are
/// reported in the summary: see [`CopySummary::is_complete`].
///
/// # Errors
/// The copy failed or its result is unknown. In that case nothing is published, and no files are
/// left.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use chunkmigrate::migrate::{CopyOptions, sqlite_to_kv};
/// use chunkmigrate::record::CodeChunk;
/// use chunkmigrate::store::ChunkStore;
/// use chunkmigrate::Progress;
///
/// # let folder = tempfile::tempdir()?;
/// # let (source, target) = (folder.path().join("code.db"), folder.path().join("code.kv"));
/// ChunkStore::new(&source)?.store_chunk(&CodeChunk::new("a.rs", 0, 2, "fn"))?;
///
/// let progress = Progress::none();
/// let summary = sqlite_to_kv(&source, &target, &CopyOptions::default(), &progress)?;
/// assert!(summary.is_complete() && summary.is_verified());
/// assert_eq!(summary.records(), 1);
/// // Without `replace`, an existing target is an error.
/// assert!(sqlite_to_kv(&source, &target, &CopyOptions::default(), &progress).is_err());
/// # Ok(())
/// # }
/// ```
pub fn sqlite_to_kv(
    source: &Path,
    target: &Path,
    options: &CopyOptions,
    progress: &Progress,
) -> Result<CopySummary> {
    detect(source)?.expect(StoreKind::Sqlite, source)?;
    copy_file(source, target, StoreKind::Kv, options, progress)
}

/// Copies all records of a KV file into a new SQLite database, or merges them into an existing one.
///
/// The new database has the tables and indexes of Magellan's newest schema. Invalid entries are
/// reported in the summary, as rows are by [`sqlite_to_kv`]; so are entries whose id is a
/// duplicate. A valid record that is not in canonical form is reported too, but copied with
/// [`skip_invalid`](CopyOptions::skip_invalid).
///
/// # Errors
/// As [`sqlite_to_kv`].
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use chunkmigrate::verify::FindingClass;
/// use chunkmigrate::kv::{KvBackend, RedbBackend};
/// use chunkmigrate::migrate::{CopyOptions, CopyOutcome, kv_to_sqlite};
/// use chunkmigrate::Progress;
///
/// # let folder = tempfile::tempdir()?;
/// # let (source, target) = (folder.path().join("code.kv"), folder.path().join("code.db"));
/// RedbBackend::open_or_create(&source)?.put(b"chunk:a.rs:0:2", b"fn")?;
///
/// let progress = Progress::none();
/// let summary = kv_to_sqlite(&source, &target, &CopyOptions::default(), &progress)?;
/// assert_eq!(summary.rejections[0].class, FindingClass::Undecodable);
/// assert!(matches!(summary.outcome, CopyOutcome::Rejected));
///
/// // Copy the valid records, and write the rest to a rejects file.
/// let options = CopyOptions::default().skip_invalid(true);
/// let summary = kv_to_sqlite(&source, &target, &options, &progress)?;
/// assert!(matches!(summary.outcome, CopyOutcome::Created { verified: true, .. }));
/// assert!(!summary.is_complete());
/// assert!(summary.rejects.is_some_and(|rejects| rejects.exists()));
/// # Ok(())
/// # }
/// ```
pub fn kv_to_sqlite(
    source: &Path,
    target: &Path,
    options: &CopyOptions,
    progress: &Progress,
) -> Result<CopySummary> {
    detect(source)?.expect(StoreKind::Kv, source)?;
    copy_file(source, target, StoreKind::Sqlite, options, progress)
}

fn copy_file(
    source: &Path,
    target: &Path,
    target_store: StoreKind,
    options: &CopyOptions,
    progress: &Progress,
) -> Result<CopySummary> {
    let destination = Destination::resolve(target, &[source])?;
    let job = Job {
        source,
        protected_path: Some(source),
        target_store,
        destination,
        rejected_lines: None,
        options,
        progress,
    };
    job.check_target()?;
    retry_if_changed(|| {
        let opening = Candidate::probe(source)?;
        let mut snapshot = opening.open(&options.open_options(), progress)?;
        job.run(snapshot.as_mut())
    })
}

/// Copies an open store into a new store in a private directory.
pub(crate) fn copy_snapshot(
    snapshot: &mut dyn Source,
    target: &Path,
    target_store: StoreKind,
    options: &CopyOptions,
    progress: &Progress,
) -> Result<CopySummary> {
    let source = snapshot.path().to_owned();
    let job = Job {
        destination: Destination::resolve(target, &[&source])?,
        source: &source,
        protected_path: Some(&source),
        target_store,
        rejected_lines: None,
        options,
        progress,
    };
    job.run(snapshot)
}

impl Job<'_> {
    /// Checks that this job may create the target or write into it.
    pub(super) fn check_target(&self) -> Result<()> {
        match self.options.merge {
            true => merge::check_target(self),
            false => {
                target_check::check(&self.destination, self.target_store, self.options.replace)
            }
        }
    }

    /// Copies or merges the content of a store.
    pub(super) fn run(&self, snapshot: &mut dyn Source) -> Result<CopySummary> {
        match self.options.merge {
            true => merge::merge(self, snapshot),
            false => self.copy(snapshot),
        }
    }

    fn copy(&self, snapshot: &mut dyn Source) -> Result<CopySummary> {
        let mut known = Refusals::new(self.options.temp_dir.as_deref());
        loop {
            match self.attempt(snapshot, &known)? {
                Ok(summary) => return Ok(summary),
                Err(found) => {
                    log::info!("the target refuses some rows: copied again without them");
                    known.extend(&found)?;
                }
            }
        }
    }

    /// Copies everything except what the target is known to refuse. Returns what else it refuses, if
    /// it does.
    fn attempt(
        &self,
        snapshot: &mut dyn Source,
        known: &Refusals,
    ) -> Result<std::result::Result<CopySummary, Refusals>> {
        let rejects = self.rejects()?;
        let mut restored = self.restored(snapshot)?;
        if let Some(restored) = &mut restored {
            restored.indexes_first = known.by_index;
        }
        let temp_dir = self.options.temp_dir.as_deref();
        free_space::check_sorting(temp_dir, snapshot.sorting_bytes())?;
        let staged = match self.options.dry_run {
            true => {
                Staged::check(&self.destination)?;
                None
            }
            false => {
                let stores = [self.target_store];
                let expected = snapshot.expected_bytes();
                free_space::check_target(self.destination.folder(), &stores, expected)?;
                Some(Staged::create(&self.destination)?)
            }
        };
        let new = staged.as_ref().map(|staged| {
            let expected = snapshot.expected_bytes();
            let (store, path) = (self.target_store, staged.path());
            let restored = restored.clone();
            TargetWriter::create(store, path, expected, restored, self.options, self.progress)
        });
        let new = new.transpose()?;
        let store = snapshot.store();
        let mut sink = CopySink::new(self.options, store, new, rejects, known);
        for impossible in restored.iter().flat_map(|restored| &restored.impossible) {
            if impossible.object_type == "table" {
                sink.left_out.insert(impossible.name.clone());
            }
            sink.reject_log.record(impossible_finding(impossible));
        }
        let reads_back = self.options.verify && !self.options.dry_run;
        let records = snapshot.expected_of(self.options.only);
        self.progress.plan(records.map(|records| records * if reads_back { 2 } else { 1 }));
        let copied = self.take_all(snapshot, &mut sink)?;
        let filled = sink.fill()?;
        if !sink.new_refusals.is_empty() {
            return Ok(Err(sink.new_refusals));
        }
        let mut summary = self.summary(snapshot, &sink, &copied)?;
        snapshot.confirm()?;

        let rejects = sink.reject_log.rejects.take();
        summary.outcome = match (staged, filled) {
            (Some(staged), Some(filled)) => {
                let carried = restored.map(|restored| restored.carried);
                let carried = carried.or_else(|| snapshot.carried().cloned());
                let carried = carried.as_ref();
                let read_back = (carried, &copied.sums);
                match self.finish(snapshot, staged, filled, read_back, rejects, &mut summary)? {
                    Some(outcome) => outcome,
                    None => return Ok(Err(Refusals { by_index: true, ..Refusals::default() })),
                }
            }
            _ => {
                self.publish_rejects(rejects, &mut summary)?;
                match sink.reject_log.has_failed() {
                    true => CopyOutcome::Rejected,
                    false => CopyOutcome::DryRun { merge: None },
                }
            }
        };
        Ok(Ok(summary))
    }

    /// The tables that a new database is to have, after their statements were tried. `None` if the
    /// source carries none, or the target is not a database.
    fn restored(&self, snapshot: &dyn Source) -> Result<Option<Restored>> {
        let Some(carried) = snapshot.carried().filter(|_| self.target_store == StoreKind::Sqlite)
        else {
            return Ok(None);
        };
        let longest = snapshot.expected_bytes();
        let trial =
            try_schema(carried, longest).map_err(|source| Error::TempDatabase { source })?;
        if !trial.refused.is_empty() {
            return Err(Error::UntrustedSchema {
                path: self.source.to_owned(),
                problems: trial.refused.iter().map(ToString::to_string).collect(),
            });
        }
        Restored::new(carried, trial.impossible, longest).map(Some)
    }

    /// Closes the target, reads it back and publishes it. Returns `None` if its indexes refuse some
    /// of the rows.
    fn finish(
        &self,
        snapshot: &mut dyn Source,
        staged: Staged,
        filled: FilledTarget,
        (carried, sums): (Option<&CarriedTables>, &Sums),
        rejects: Option<OutputFile>,
        summary: &mut CopySummary,
    ) -> Result<Option<CopyOutcome>> {
        let progress = self.progress;
        let tables = summary.tables.iter().map(|table| (table.name.clone(), table.totals));
        let content = Content {
            totals: &summary.totals,
            tables: &summary.tables,
            sums,
            sequences: &summary.sequences,
            carried,
            manifest: &self.manifest_of(summary, &summary.totals, tables.collect())?,
        };
        let (store, path, options) = (self.target_store, staged.path(), self.options);
        let finished = filled.finish(path, &content, options, self.progress)?;
        progress.check_cancelled()?;
        match finished {
            Finished::Complete => {}
            Finished::Refused => return Ok(None),
            Finished::Differs => {
                let mut target = target_writer::open(store, path, carried, options, self.progress)?;
                return find_divergences(snapshot, target.as_mut(), options, progress).map(Some);
            }
        }
        let metadata = fs::metadata(staged.path()).io_context("stat", staged.path())?;
        progress.check_cancelled()?;
        // Everything that can fail comes first; only two renames remain.
        let target = staged.prepare(|destination| {
            target_check::check_again(destination, self.target_store, self.options.replace)
        })?;
        let lost_access = target.lost_access.clone();
        let published_rejects = self.publish_rejects_first(rejects, summary)?;
        match target.publish() {
            Ok(published) => published.sync()?,
            Err(error) => {
                if let Some(rejects) = published_rejects {
                    rejects.undo();
                }
                return Err(error);
            }
        }
        self.look_for_old_rejects(summary);
        Ok(Some(CopyOutcome::Created {
            file_bytes: metadata.len(),
            verified: options.verify,
            lost_access,
        }))
    }
}

/// Something of a schema that this build of SQLite can't create.
fn impossible_finding(impossible: &Refused) -> Finding {
    let kind = Kind::table(&impossible.name);
    let message = format!("cannot create {impossible}");
    Finding::new(FindingClass::Schema, Some(kind), message).on(Side::Left)
}
