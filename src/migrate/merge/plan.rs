//! What a merge would change, found out without a trace on the target.

use std::collections::BTreeSet;

use super::changes::Changes;
use super::join::{KindJoin, MergeCounts, Step};
use crate::codec::{KindTotals, decode_json};
use crate::error::Result;
use crate::kv::KvFile;
use crate::migrate::job::Job;
use crate::migrate::staged::Staged;
use crate::migrate::target::TargetError;
use crate::progress::Stage;
use crate::record::{PerKind, RecordKind, Sequences};
use crate::sqlite::{IdRegister, OtherTable, SqliteMerge, SqliteSnapshot, is_hot_journal};
use crate::store::{Claims, OpenOptions, Snapshot, StoreKind, digest_kind, pipe};

/// What a merge would change.
pub(super) struct Plan {
    /// The entries to write, in a file of their own in the private folder.
    pub(super) changes: KvFile,
    pub(super) counts: PerKind<MergeCounts>,
    /// Counts and digests of what the source brings.
    pub(super) totals: PerKind<KindTotals>,
    /// Counts and digests of what the target holds in the end.
    pub(super) expected: PerKind<KindTotals>,
    pub(super) sequences: Sequences,
    /// Who has which id in the end.
    pub(super) ids: IdRegister,
    pub(super) left_alone: Vec<OtherTable>,
    /// Whether something else than records changes: a sequence, the manifest.
    pub(super) changes_beside: bool,
    // Dropped last: it removes the file of the changes.
    _folder: Staged,
}

impl Plan {
    /// Joins source and target. Records whose keys are `refused` stay out.
    pub(super) fn make(
        job: &Job<'_>,
        source: &mut dyn Snapshot,
        folder: Staged,
        refused: &BTreeSet<Vec<u8>>,
    ) -> Result<Self> {
        let (mut target, left_alone) = open_target(job)?;
        let target = target.as_mut();
        let mut planned = Planned {
            job,
            refused,
            changes: Changes::create(folder.path(), source.expected_bytes())?,
            ids: IdRegister::create(job.options.temp_dir.as_deref())?,
            counts: PerKind::default(),
            totals: PerKind::default(),
            expected: PerKind::default(),
        };
        for kind in RecordKind::ALL {
            if job.options.asks_for(kind) {
                planned.join(kind, source, target)?;
            } else if target.store() == StoreKind::Kv {
                let progress = job.progress.as_ref();
                let content = digest_kind(target, kind, Stage::Digest(kind), progress)?;
                *planned.expected.get_mut(kind) = content.totals;
            }
        }
        let (claims, before) = (target.claims()?, target.sequences()?);
        target.confirm()?;
        let mut sequences = before;
        let brought = job.source_sequences(source, planned.largest_ids(source)?)?;
        for kind in job.options.kinds() {
            sequences.raise(kind, brought.get(kind));
        }
        let stale = target.store() == StoreKind::Kv && !tells(claims, &planned.expected);
        Ok(Plan {
            changes_beside: sequences != before || stale,
            changes: planned.changes.finish()?,
            counts: planned.counts,
            totals: planned.totals,
            expected: planned.expected,
            sequences,
            ids: planned.ids,
            left_alone,
            _folder: folder,
        })
    }

    pub(super) fn changes_anything(&self) -> bool {
        let mut counts = self.counts.iter();
        self.changes_beside || counts.any(|(_, counts)| counts.changed() > 0)
    }

    /// The kinds of which something is written.
    pub(super) fn changed_kinds(&self) -> Vec<RecordKind> {
        let counts = self.counts.iter();
        let changed = counts.filter(|(_, counts)| counts.changed() > 0);
        changed.map(|(kind, _)| kind).collect()
    }
}

fn tells(claims: Option<Claims>, content: &PerKind<KindTotals>) -> bool {
    claims.is_some_and(|claims| claims.kinds == *content)
}

fn open_target(job: &Job<'_>) -> Result<(Box<dyn Snapshot>, Vec<OtherTable>)> {
    let path = job.destination.given();
    if job.target_store == StoreKind::Kv {
        return Ok((Box::new(KvFile::open_checked(path)?), Vec::new()));
    }
    let options = target_options(job);
    let snapshot = match SqliteSnapshot::open(path, &options, job.progress) {
        Err(error) if is_hot_journal(&error) && !job.options.dry_run => {
            // What is merged into is ours to write: a transaction that a kill cut off, perhaps
            // that of another merge, is rolled back.
            SqliteMerge::roll_back(path, job.progress)?;
            SqliteSnapshot::open(path, &options, job.progress)?
        }
        snapshot => snapshot?,
    };
    let left_alone = snapshot.virtual_tables()?;
    Ok((Box::new(snapshot), left_alone))
}

/// How the target database is read: what it has of its own is none of a merge's business.
pub(super) fn target_options(job: &Job<'_>) -> OpenOptions {
    OpenOptions {
        only: job.options.only.clone(),
        temp_dir: job.options.temp_dir.clone(),
        ignore_unknown_columns: true,
        allow_no_tables: true,
        ..OpenOptions::default()
    }
}

struct Planned<'p> {
    job: &'p Job<'p>,
    refused: &'p BTreeSet<Vec<u8>>,
    changes: Changes,
    ids: IdRegister,
    counts: PerKind<MergeCounts>,
    totals: PerKind<KindTotals>,
    expected: PerKind<KindTotals>,
}

impl Planned<'_> {
    fn join(
        &mut self,
        kind: RecordKind,
        source: &mut dyn Snapshot,
        target: &mut dyn Snapshot,
    ) -> Result<()> {
        let progress = self.job.progress.as_ref();
        progress.start(Stage::Compare(kind), source.expected_records(kind));
        let judges = source.store() == StoreKind::Kv;
        let mut join = KindJoin::new(kind, judges, self.refused);
        let (changes, ids, destination) = (
            &mut self.changes,
            &mut self.ids,
            self.job.destination.given(),
        );
        pipe(source, kind, progress, |source| {
            pipe(target, kind, progress, |target| {
                join.run(source, target, &mut |step| {
                    let (entry, is_change) = match step {
                        Step::Keep(entry) => (entry, false),
                        Step::Write(entry) => (entry, true),
                    };
                    if is_change {
                        changes.push(entry)?;
                    }
                    // What is no record has no id either.
                    let Some(id) = decode_json(kind, entry.value).ok().and_then(|r| r.id()) else {
                        return Ok(());
                    };
                    match ids.register(kind, id, entry.key)? {
                        None => Ok(()),
                        Some(other) => Err(TargetError::IdTaken {
                            path: destination.to_owned(),
                            id,
                            key: String::from_utf8_lossy(entry.key).into_owned(),
                            other: String::from_utf8_lossy(&other).into_owned(),
                        }
                        .into()),
                    }
                })
            })
        })?;
        progress.finish();
        let joined = join.finish();
        *self.counts.get_mut(kind) = joined.counts;
        *self.totals.get_mut(kind) = joined.totals;
        *self.expected.get_mut(kind) = joined.expected;
        Ok(())
    }

    fn largest_ids(&self, source: &dyn Snapshot) -> Result<Sequences> {
        match source.store() {
            // The marks of a database are never below its ids.
            StoreKind::Sqlite => Ok(Sequences::LOWEST),
            _ => self.ids.largest(),
        }
    }
}
