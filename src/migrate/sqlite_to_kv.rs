//! From a SQLite database to a new KV file.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use super::kv_target::{check_existing, check_kind_and_lock};
use super::rejects::Rejects;
use super::staged::{Staged, left_behind};
use super::target::{Destination, TargetError};
use super::{CopyOptions, CopySummary, OnInvalid, RejectedRow, read_back, room};
use crate::codec::{KindDigest, KindTotals, combined_digest};
use crate::error::{Error, IoContext as _, Result};
use crate::kv::{BulkLoad, KvFile, Manifest, ManifestSource};
use crate::progress::{Progress, Stage, check_cancelled};
use crate::record::{PerKind, RecordKind};
use crate::sqlite::{InvalidRow, SqliteError, SqliteSnapshot, SqliteSnapshotOptions};
use crate::store::{Item, detect, pipe};

/// How often a source that is written while it is read without a lock is read again.
const ATTEMPTS: usize = 3;

/// Copies all records of a SQLite database into a new KV file.
///
/// The source is read in one transaction and not changed, nor does anything appear beside it. The
/// target is built out of sight, read back, and only then published; it appears whole or not at
/// all. A row that is no record, or a difference that the read-back finds, is not an error but
/// told in the summary: see [`CopySummary::is_complete`].
///
/// # Errors
/// Everything that keeps the copy from being made or its outcome from being known. Nothing is
/// published then, and nothing is left behind.
pub fn sqlite_to_kv(
    source: &Path,
    target: &Path,
    options: &CopyOptions,
    progress: &Arc<dyn Progress>,
) -> Result<CopySummary> {
    detect(source)?.expect_sqlite(source)?;
    let destination = Destination::resolve(target, source)?;
    if destination.exists() {
        check_existing(target, options.replace)?;
    }
    let copy = Copy {
        source,
        target,
        destination,
        options,
        progress,
    };
    let mut attempt = 1;
    loop {
        match copy.run() {
            Err(Error::Sqlite(error))
                if matches!(*error, SqliteError::Changed { .. }) && attempt < ATTEMPTS =>
            {
                attempt += 1;
            }
            result => return result,
        }
    }
}

struct Copy<'c> {
    source: &'c Path,
    target: &'c Path,
    destination: Destination,
    options: &'c CopyOptions,
    progress: &'c Arc<dyn Progress>,
}

impl Copy<'_> {
    fn run(&self) -> Result<CopySummary> {
        let rejects = self.rejects()?;
        let mut snapshot =
            SqliteSnapshot::open(self.source, &self.snapshot_options(), self.progress)?;
        let surveys = RecordKind::ALL.map(|kind| snapshot.survey(kind));
        let expected = surveys.iter().map(room::expected_bytes).sum();
        room::check_sorting(self.options.temp_dir.as_deref(), surveys.iter())?;

        let mut work = Work {
            load: None,
            rejects,
            rejected: PerKind::default(),
            first_rejected: Vec::new(),
        };
        if !self.options.dry_run {
            room::check_target(self.destination.folder(), expected)?;
            let staged = Staged::create(&self.destination)?;
            let load = BulkLoad::create(staged.path(), expected)?;
            work.load = Some((staged, load));
        }
        let mut totals = PerKind::default();
        for kind in RecordKind::ALL {
            *totals.get_mut(kind) = self.copy_kind(&mut snapshot, kind, &mut work)?;
        }
        let mut summary = self.summarize(&snapshot, totals, &mut work)?;
        snapshot.confirm()?;

        match work.load.take() {
            Some((staged, load)) => {
                self.finish(&mut snapshot, staged, load, work.rejects, &mut summary)?;
            }
            None => {
                if let Some(rejects) = work.rejects {
                    let place = rejects.destination().given().to_owned();
                    if let Some(rejects) = rejects.prepare()? {
                        rejects.publish()?;
                        summary.rejects = Some(place);
                    }
                }
            }
        }
        Ok(summary)
    }

    fn copy_kind(
        &self,
        snapshot: &mut SqliteSnapshot,
        kind: RecordKind,
        work: &mut Work,
    ) -> Result<KindTotals> {
        let progress = self.progress.as_ref();
        progress.start(Stage::Copy(kind), Some(snapshot.survey(kind).rows));
        let mut digest = KindDigest::default();
        pipe(snapshot, kind, progress, |stream| {
            while let Some(batch) = stream.next_batch()? {
                check_cancelled(progress)?;
                for item in batch.iter() {
                    match item {
                        Item::Entry(entry) => digest.update(entry),
                        Item::Invalid(row) => work.reject(row, self.options)?,
                    }
                }
                if let Some((_, load)) = &mut work.load {
                    load.append(batch.entries())?;
                }
                progress.inc(batch.len() as u64);
            }
            Ok(())
        })?;
        progress.finish();
        Ok(digest.finish())
    }

    /// Everything that is known once the source was read.
    fn summarize(
        &self,
        snapshot: &SqliteSnapshot,
        totals: PerKind<KindTotals>,
        work: &mut Work,
    ) -> Result<CopySummary> {
        let rejected_any = work.rejected.iter().any(|(_, rows)| *rows > 0);
        let copied = !rejected_any || self.options.on_invalid == OnInvalid::Skip;
        Ok(CopySummary {
            source: self.source.to_owned(),
            schema_version: snapshot.schema_version(),
            only: self.options.only.clone(),
            missing: snapshot.missing().to_vec(),
            without_columns: self.options.without_columns.clone(),
            target: self.target.to_owned(),
            target_bytes: None,
            verified: false,
            totals,
            rejected: work.rejected,
            sha256: copied.then(|| combined_digest(&totals)),
            sequences: snapshot.sequences()?,
            not_copied: snapshot.other_tables()?,
            rejected_rows: std::mem::take(&mut work.first_rejected),
            rejects: None,
            old_rejects: None,
            divergences: Vec::new(),
            divergences_total: 0,
            dry_run: self.options.dry_run,
            left_behind: self.left_behind(work.rejects.as_ref())?,
        })
    }

    /// What runs that were killed left where this one writes.
    fn left_behind(&self, rejects: Option<&Rejects>) -> Result<Vec<PathBuf>> {
        let mut left = left_behind(self.destination.folder())?;
        if let Some(rejects) = rejects
            && rejects.destination().folder() != self.destination.folder()
        {
            left.extend(left_behind(rejects.destination().folder())?);
        }
        Ok(left)
    }

    /// Closes the target, proves it and publishes it.
    fn finish(
        &self,
        snapshot: &mut SqliteSnapshot,
        staged: Staged,
        load: BulkLoad,
        rejects: Option<Rejects>,
        summary: &mut CopySummary,
    ) -> Result<()> {
        let progress = self.progress.as_ref();
        let manifest = self.manifest(summary)?;
        load.finish(&summary.sequences, &manifest)?;
        check_cancelled(progress)?;
        if self.options.verify {
            let mut file = KvFile::open_trusted(staged.path())?;
            let (totals, sequences) = (&summary.totals, &summary.sequences);
            if !read_back::holds(&mut file, totals, sequences, &manifest, progress)? {
                drop(file);
                return self.name_divergences(snapshot, &staged, summary);
            }
            summary.verified = true;
        }
        let metadata = fs::metadata(staged.path()).io_context("look at", staged.path())?;
        check_cancelled(progress)?;
        // All that can fail comes first; what is left are two renames.
        let target = staged.prepare(check_kind_and_lock)?;
        let mut published_rejects = None;
        if let Some(rejects) = rejects {
            let place = rejects.destination().given().to_owned();
            if let Some(rejects) = rejects.prepare()? {
                published_rejects = Some(rejects.publish()?);
                summary.rejects = Some(place);
            }
        }
        if let Err(error) = target.publish() {
            let unpublished = !is_not_synced(&error);
            if let Some(rejects) = published_rejects.filter(|_| unpublished) {
                rejects.undo();
            }
            return Err(error);
        }
        summary.target_bytes = Some(metadata.len());
        if summary.rejects.is_none() {
            let old = self.options.rejects.clone();
            let old = old.unwrap_or_else(|| self.default_rejects());
            summary.old_rejects = Some(old).filter(|path| path.exists());
        }
        Ok(())
    }

    fn name_divergences(
        &self,
        snapshot: &mut SqliteSnapshot,
        staged: &Staged,
        summary: &mut CopySummary,
    ) -> Result<()> {
        let limit = self.options.limit;
        let progress = self.progress.as_ref();
        let (first, total) = read_back::name_divergences(snapshot, staged.path(), limit, progress)?;
        snapshot.confirm()?;
        if total == 0 {
            return Err(Error::Internal(
                "the target differs from what was written, but not from the source".to_owned(),
            ));
        }
        summary.divergences = first;
        summary.divergences_total = total;
        summary.sha256 = None;
        Ok(())
    }

    fn manifest(&self, summary: &CopySummary) -> Result<Manifest> {
        let created_at = self.options.created_at.unwrap_or_else(SystemTime::now);
        let mut text = String::new();
        write!(text, "{}", humantime::format_rfc3339_seconds(created_at))
            .map_err(|_| Error::Internal("the time of creation can't be written".to_owned()))?;
        let file_name = self.source.file_name().unwrap_or(self.source.as_os_str());
        let source = ManifestSource {
            file_name: file_name.to_string_lossy().into_owned(),
            store: "sqlite".to_owned(),
            schema_version: summary.schema_version,
        };
        Ok(Manifest::new(source, text, &summary.totals))
    }

    fn snapshot_options(&self) -> SqliteSnapshotOptions {
        SqliteSnapshotOptions {
            only: self.options.only.clone(),
            without_columns: self.options.without_columns.clone(),
            temp_dir: self.options.temp_dir.clone(),
            check_integrity: self.options.check_source,
        }
    }

    fn default_rejects(&self) -> PathBuf {
        let mut path = self.target.as_os_str().to_owned();
        path.push(".rejects.jsonl");
        PathBuf::from(path)
    }

    fn rejects(&self) -> Result<Option<Rejects>> {
        let path = match (&self.options.rejects, self.options.on_invalid) {
            _ if self.options.dry_run => return Ok(None),
            (Some(path), _) => path.clone(),
            (None, OnInvalid::Skip) => self.default_rejects(),
            (None, OnInvalid::Fail) => return Ok(None),
        };
        let rejects = Rejects::resolve(&path, self.options.replace, self.source)?;
        if rejects.destination().path() == self.destination.path() {
            return Err(TargetError::RejectsIsTarget { path }.into());
        }
        Ok(Some(rejects))
    }
}

/// Whether a target was published after all.
fn is_not_synced(error: &Error) -> bool {
    matches!(error, Error::Target(error) if matches!(**error, TargetError::NotSynced { .. }))
}

/// What a copy has in hand while the source is read.
struct Work {
    /// The target; none for a dry run, or once an invalid row has failed the copy.
    load: Option<(Staged, BulkLoad)>,
    rejects: Option<Rejects>,
    rejected: PerKind<u64>,
    first_rejected: Vec<RejectedRow>,
}

impl Work {
    fn reject(&mut self, row: &InvalidRow, options: &CopyOptions) -> Result<()> {
        *self.rejected.get_mut(row.kind) += 1;
        if self.first_rejected.len() < options.limit {
            self.first_rejected.push(RejectedRow {
                table: row.table,
                rowid: row.rowid,
                column: row.column,
                reason: row.reason,
                key: row.key.clone(),
            });
        }
        if options.on_invalid == OnInvalid::Fail {
            // The rest is read only to tell of it.
            self.load = None;
        }
        match &mut self.rejects {
            Some(rejects) => rejects.write(row),
            None => Ok(()),
        }
    }
}
