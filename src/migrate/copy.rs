//! From a store to a new one of the other kind.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::existing;
use super::intake::{Intake, SharedIds};
use super::json_lines::{JsonLines, LinesKind};
use super::merge;
use super::new_store::{self, Content, NewStore};
use super::read_back::name_divergences;
use super::staged::{Staged, left_behind};
use super::target::{Destination, TargetError};
use super::{CopyOptions, CopySummary, OnInvalid, room};
use crate::codec::{KindTotals, combined_digest};
use crate::compare::{Divergence, DivergenceClass, Side, check_claim};
use crate::error::{Error, IoContext as _, Result};
use crate::kv::{Manifest, ManifestSource};
use crate::progress::{Progress, Stage, check_cancelled};
use crate::record::{PerKind, RecordKind, Sequences};
use crate::store::{Opening, Snapshot, StoreKind, detect, pipe, retry_if_changed};

/// Copies all records of a SQLite database into a new KV file, or merges them into one.
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
    copy_file(source, target, StoreKind::Kv, options, progress)
}

/// Copies all records of a KV file into a new SQLite database, or merges them into one.
///
/// The new database has the tables and indexes of Magellan's newest schema. An entry that is no
/// record is told in the summary, as a row is by [`sqlite_to_kv`]; so is one whose id another
/// record has. A record that is only written in another way than this version writes it is told
/// too, and with [`OnInvalid::Skip`] copied.
///
/// # Errors
/// As [`sqlite_to_kv`].
pub fn kv_to_sqlite(
    source: &Path,
    target: &Path,
    options: &CopyOptions,
    progress: &Arc<dyn Progress>,
) -> Result<CopySummary> {
    detect(source)?.expect_kv(source)?;
    copy_file(source, target, StoreKind::Sqlite, options, progress)
}

fn copy_file(
    source: &Path,
    target: &Path,
    target_store: StoreKind,
    options: &CopyOptions,
    progress: &Arc<dyn Progress>,
) -> Result<CopySummary> {
    let destination = Destination::resolve(target, &[source])?;
    if !options.merge {
        existing::check(&destination, target_store, options.replace)?;
    }
    let copy = Copy {
        source,
        target_store,
        destination,
        options,
        progress,
    };
    retry_if_changed(|| {
        let opening = Opening::look(source)?;
        let mut snapshot = opening.open(&options.open_options(), progress)?;
        match options.merge {
            true => merge::merge(&copy, snapshot.as_mut()),
            false => copy.run(snapshot.as_mut()),
        }
    })
}

/// Copies what an open store holds into a new store in a folder that nobody else knows of.
pub(crate) fn copy_snapshot(
    snapshot: &mut dyn Snapshot,
    target: &Path,
    target_store: StoreKind,
    options: &CopyOptions,
    progress: &Arc<dyn Progress>,
) -> Result<CopySummary> {
    let source = snapshot.path().to_owned();
    let copy = Copy {
        destination: Destination::resolve(target, &[&source])?,
        source: &source,
        target_store,
        options,
        progress,
    };
    copy.run(snapshot)
}

pub(super) struct Copy<'c> {
    pub(super) source: &'c Path,
    pub(super) target_store: StoreKind,
    pub(super) destination: Destination,
    pub(super) options: &'c CopyOptions,
    pub(super) progress: &'c Arc<dyn Progress>,
}

impl Copy<'_> {
    fn run(&self, snapshot: &mut dyn Snapshot) -> Result<CopySummary> {
        let mut shared_ids = SharedIds::default();
        loop {
            let (summary, found) = self.attempt(snapshot, &shared_ids)?;
            if found.iter().all(|(_, ids)| ids.is_empty()) {
                return Ok(summary);
            }
            // Only the second record with an id shows that it is shared; the first is named, and
            // left out, in another attempt.
            for kind in RecordKind::ALL {
                shared_ids.get_mut(kind).extend(found.get(kind));
            }
        }
    }

    fn attempt(
        &self,
        snapshot: &mut dyn Snapshot,
        shared_ids: &SharedIds,
    ) -> Result<(CopySummary, SharedIds)> {
        let rejects = self.rejects()?;
        let temp_dir = self.options.temp_dir.as_deref();
        room::check_sorting(temp_dir, snapshot.sorting_bytes())?;
        let staged = match self.options.dry_run {
            true => None,
            false => {
                room::check_target(self.destination.folder(), snapshot.expected_bytes())?;
                Some(Staged::create(&self.destination)?)
            }
        };
        let new = staged.as_ref().map(|staged| {
            let expected = snapshot.expected_bytes();
            let (store, path) = (self.target_store, staged.path());
            NewStore::create(store, path, expected, self.options, self.progress)
        });
        let new = new.transpose()?;
        let store = snapshot.store();
        let mut intake = Intake::new(self.options, store, new, rejects, shared_ids)?;
        let totals = self.take_all(snapshot, &mut intake)?;
        if intake.found_shared.iter().any(|(_, ids)| !ids.is_empty()) {
            return Ok((
                self.summary(snapshot, &intake, totals)?,
                intake.found_shared,
            ));
        }
        let mut summary = self.summary(snapshot, &intake, totals)?;
        snapshot.confirm()?;

        let new = intake.take_new();
        let rejects = intake.rejects.take();
        match (staged, new) {
            (Some(staged), Some(new)) => {
                self.finish(snapshot, staged, new, rejects, &mut summary)?;
            }
            _ => self.publish_rejects(rejects, &mut summary)?,
        }
        Ok((summary, SharedIds::default()))
    }

    /// Reads the source to its end.
    pub(super) fn take_all(
        &self,
        snapshot: &mut dyn Snapshot,
        intake: &mut Intake<'_>,
    ) -> Result<PerKind<KindTotals>> {
        let claims = snapshot.claims()?;
        let mut totals = PerKind::default();
        let mut counted = 0;
        for kind in RecordKind::ALL {
            if !self.options.asks_for(kind) {
                continue;
            }
            let (copied, read) = self.take_kind(snapshot, kind, intake)?;
            *totals.get_mut(kind) = copied;
            counted += read.records;
            if let Some(claims) = claims {
                let mut told = None;
                check_claim(kind, Side::Left, claims.kinds.get(kind), &read, &mut |d| {
                    told = Some(d);
                    Ok(())
                })?;
                if let Some(divergence) = told {
                    intake.tell(divergence);
                    intake.fail_if_asked();
                }
            }
        }
        let keys = snapshot.total_keys()?;
        if self.options.only.is_empty() && keys.is_some_and(|keys| keys != counted) {
            snapshot.visit_unknown(&mut |entry| {
                let message = "the key is that of no record".to_owned();
                let class = DivergenceClass::UnknownKey;
                let why = Divergence::new(class, None, message);
                intake.unknown_keys += 1;
                intake.reject_entry(entry, why.on(Side::Left).of_key(entry.key))
            })?;
        }
        Ok(totals)
    }

    fn take_kind(
        &self,
        snapshot: &mut dyn Snapshot,
        kind: RecordKind,
        intake: &mut Intake<'_>,
    ) -> Result<(KindTotals, KindTotals)> {
        let progress = self.progress.as_ref();
        progress.start(Stage::Copy(kind), snapshot.expected_records(kind));
        pipe(snapshot, kind, progress, |stream| {
            while let Some(batch) = stream.next_batch()? {
                check_cancelled(progress)?;
                intake.take(kind, &batch)?;
                progress.inc(batch.len() as u64);
            }
            Ok(())
        })?;
        progress.finish();
        Ok(intake.finish_kind())
    }

    /// Everything that is known once the source was read.
    pub(super) fn summary(
        &self,
        snapshot: &dyn Snapshot,
        intake: &Intake<'_>,
        totals: PerKind<KindTotals>,
    ) -> Result<CopySummary> {
        let copied = intake.told == 0 || self.options.on_invalid == OnInvalid::Skip;
        Ok(CopySummary {
            source: self.source.to_owned(),
            source_store: snapshot.store(),
            schema_version: snapshot.schema_version(),
            only: self.options.only.clone(),
            missing: snapshot.missing().to_vec(),
            without_columns: self.options.without_columns.clone(),
            target: self.destination.given().to_owned(),
            target_store: self.target_store,
            written: false,
            target_bytes: None,
            verified: false,
            totals,
            rejected: intake.rejected,
            unknown_keys: intake.unknown_keys,
            sha256: copied.then(|| combined_digest(&totals)),
            sequences: self.source_sequences(snapshot, intake.largest_ids)?,
            not_copied: snapshot.other_tables()?,
            rejections: intake.first.clone(),
            rejections_total: intake.told,
            rejects: None,
            old_rejects: None,
            divergences: Vec::new(),
            divergences_total: 0,
            dry_run: self.options.dry_run,
            merge: self.options.merge,
            merged: None,
            left_alone: Vec::new(),
            left_behind: self.left_behind(intake.rejects_folder())?,
        })
    }

    /// The marks of the kinds that were asked for, which are never below the largest id.
    pub(super) fn source_sequences(
        &self,
        snapshot: &dyn Snapshot,
        largest_ids: Sequences,
    ) -> Result<Sequences> {
        let told = snapshot.sequences()?;
        let mut sequences = largest_ids;
        for kind in RecordKind::ALL {
            if self.options.asks_for(kind) {
                sequences.raise(kind, told.get(kind));
            }
        }
        Ok(sequences)
    }

    /// What runs that were killed left where this one writes.
    fn left_behind(&self, rejects: Option<&Path>) -> Result<Vec<PathBuf>> {
        let mut left = left_behind(self.destination.folder())?;
        if let Some(folder) = rejects.filter(|folder| *folder != self.destination.folder()) {
            left.extend(left_behind(folder)?);
        }
        Ok(left)
    }

    /// Closes the target, proves it and publishes it.
    fn finish(
        &self,
        snapshot: &mut dyn Snapshot,
        staged: Staged,
        new: NewStore,
        rejects: Option<JsonLines>,
        summary: &mut CopySummary,
    ) -> Result<()> {
        let progress = self.progress.as_ref();
        let content = Content {
            totals: &summary.totals,
            sequences: &summary.sequences,
            manifest: &self.manifest_of(summary, &summary.totals)?,
        };
        new.finish(&content, progress)?;
        check_cancelled(progress)?;
        if self.options.verify {
            let (store, path, options) = (self.target_store, staged.path(), self.options);
            if !new_store::holds(store, path, &content, options, self.progress)? {
                let mut target = new_store::open(store, path, options, self.progress)?;
                return name_divergences(snapshot, target.as_mut(), options, progress, summary);
            }
            summary.verified = true;
        }
        let metadata = fs::metadata(staged.path()).io_context("look at", staged.path())?;
        check_cancelled(progress)?;
        // All that can fail comes first; what is left are two renames.
        let target = staged.prepare(|destination| {
            existing::check_again(destination, self.target_store, self.options.replace)
        })?;
        let published_rejects = self.publish_rejects_first(rejects, summary)?;
        if let Err(error) = target.publish() {
            let unpublished = !is_not_synced(&error);
            if let Some(rejects) = published_rejects.filter(|_| unpublished) {
                rejects.undo();
            }
            return Err(error);
        }
        summary.written = true;
        summary.target_bytes = Some(metadata.len());
        self.look_for_old_rejects(summary);
        Ok(())
    }

    /// A manifest for content that came from the source.
    pub(super) fn manifest_of(
        &self,
        summary: &CopySummary,
        totals: &PerKind<KindTotals>,
    ) -> Result<Manifest> {
        let file_name = self.source.file_name().unwrap_or(self.source.as_os_str());
        let source = ManifestSource {
            file_name: file_name.to_string_lossy().into_owned(),
            store: summary.source_store.name().to_owned(),
            schema_version: summary.schema_version,
        };
        let created_at = self.options.created_at_text()?;
        Ok(Manifest::new(source, created_at, totals))
    }

    fn default_rejects(&self) -> PathBuf {
        let mut path = self.destination.given().as_os_str().to_owned();
        path.push(".rejects.jsonl");
        PathBuf::from(path)
    }

    pub(super) fn rejects(&self) -> Result<Option<JsonLines>> {
        let path = match (&self.options.rejects, self.options.on_invalid) {
            _ if self.options.dry_run => return Ok(None),
            (Some(path), _) => path.clone(),
            (None, OnInvalid::Skip) => self.default_rejects(),
            (None, OnInvalid::Fail) => return Ok(None),
        };
        let replace = self.options.replace;
        let rejects = JsonLines::resolve(LinesKind::Rejects, &path, replace, &[self.source])?;
        if rejects.destination().path() == self.destination.path() {
            return Err(TargetError::RejectsIsTarget { path }.into());
        }
        Ok(Some(rejects))
    }

    /// Publishes the rejects file before the target; what came of it can still be undone.
    fn publish_rejects_first(
        &self,
        rejects: Option<JsonLines>,
        summary: &mut CopySummary,
    ) -> Result<Option<super::staged::Published>> {
        let Some(rejects) = rejects else {
            return Ok(None);
        };
        let place = rejects.destination().given().to_owned();
        let Some(prepared) = rejects.prepare()? else {
            return Ok(None);
        };
        let published = prepared.publish()?;
        summary.rejects = Some(place);
        Ok(Some(published))
    }

    pub(super) fn publish_rejects(
        &self,
        rejects: Option<JsonLines>,
        summary: &mut CopySummary,
    ) -> Result<()> {
        self.publish_rejects_first(rejects, summary).map(|_| ())
    }

    pub(super) fn look_for_old_rejects(&self, summary: &mut CopySummary) {
        if summary.rejects.is_none() {
            let old = self.options.rejects.clone();
            let old = old.unwrap_or_else(|| self.default_rejects());
            summary.old_rejects = Some(old).filter(|path| path.exists());
        }
    }
}

/// Whether a target was published after all.
fn is_not_synced(error: &Error) -> bool {
    matches!(error, Error::Target(error) if matches!(**error, TargetError::NotSynced { .. }))
}
