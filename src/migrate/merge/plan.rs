//! What a merge would change, found out without a trace on the target.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::BTreeSet;

use super::changes::Changes;
use crate::codec::{Entry, KindDigest, KindTotals, decode_json, encode_json};
use crate::compare::Judged;
use crate::error::{Error, Result};
use crate::kv::KvFile;
use crate::migrate::copy::Copy;
use crate::migrate::staged::Staged;
use crate::migrate::target::TargetError;
use crate::progress::Stage;
use crate::record::{PerKind, RecordKind, Sequences};
use crate::sqlite::{IdRegister, OtherTable, SqliteError, SqliteMerge, SqliteSnapshot};
use crate::store::{
    Claims, Item, OpenOptions, RecordStream, Snapshot, SortedItems as _, StoreKind, digest_kind,
    pipe,
};

/// What a merge does with the records of a kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct MergeCounts {
    /// Records that the target did not have.
    pub inserted: u64,
    /// Records that the target had otherwise.
    pub updated: u64,
    /// Records that the target had just so.
    pub unchanged: u64,
}

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
    changes_beside: bool,
    // Dropped last: it removes the file of the changes.
    _folder: Staged,
}

impl Plan {
    /// Joins source and target. Records whose keys are `refused` stay out.
    pub(super) fn make(
        copy: &Copy<'_>,
        source: &mut dyn Snapshot,
        folder: Staged,
        refused: &BTreeSet<Vec<u8>>,
    ) -> Result<Self> {
        let (mut target, left_alone) = open_target(copy)?;
        let target = target.as_mut();
        let mut planned = Planned {
            copy,
            refused,
            changes: Changes::create(folder.path(), source.expected_bytes())?,
            ids: IdRegister::create(copy.options.temp_dir.as_deref())?,
            counts: PerKind::default(),
            totals: PerKind::default(),
            expected: PerKind::default(),
        };
        for kind in RecordKind::ALL {
            if copy.options.asks_for(kind) {
                planned.join(kind, source, target)?;
            } else if target.store() == StoreKind::Kv {
                let progress = copy.progress.as_ref();
                let content = digest_kind(target, kind, Stage::Digest(kind), progress)?;
                *planned.expected.get_mut(kind) = content.totals;
            }
        }
        let (claims, before) = (target.claims()?, target.sequences()?);
        target.confirm()?;
        let mut sequences = before;
        let brought = copy.source_sequences(source, planned.largest_ids(source)?)?;
        for kind in RecordKind::ALL {
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
        self.changes_beside || counts.any(|(_, counts)| counts.inserted + counts.updated > 0)
    }

    /// The kinds of which something is written.
    pub(super) fn changed_kinds(&self) -> Vec<RecordKind> {
        let counts = self.counts.iter();
        let changed = counts.filter(|(_, counts)| counts.inserted + counts.updated > 0);
        changed.map(|(kind, _)| kind).collect()
    }
}

fn tells(claims: Option<Claims>, content: &PerKind<KindTotals>) -> bool {
    claims.is_some_and(|claims| claims.kinds == *content)
}

fn open_target(copy: &Copy<'_>) -> Result<(Box<dyn Snapshot>, Vec<OtherTable>)> {
    let path = copy.destination.given();
    if copy.target_store == StoreKind::Kv {
        return Ok((Box::new(KvFile::open_checked(path)?), Vec::new()));
    }
    let options = target_options(copy);
    let snapshot = match SqliteSnapshot::open(path, &options, copy.progress) {
        Err(error) if is_hot_journal(&error) && !copy.options.dry_run => {
            // What is merged into is ours to write: a transaction that a kill cut off, perhaps
            // that of another merge, is rolled back.
            SqliteMerge::roll_back(path, copy.progress)?;
            SqliteSnapshot::open(path, &options, copy.progress)?
        }
        snapshot => snapshot?,
    };
    let left_alone = snapshot.virtual_tables()?;
    Ok((Box::new(snapshot), left_alone))
}

fn is_hot_journal(error: &Error) -> bool {
    matches!(error, Error::Sqlite(error) if matches!(**error, SqliteError::HotJournal { .. }))
}

/// How the target database is read: what it has of its own is none of a merge's business.
pub(super) fn target_options(copy: &Copy<'_>) -> OpenOptions {
    OpenOptions {
        only: copy.options.only.clone(),
        temp_dir: copy.options.temp_dir.clone(),
        ignore_unknown_columns: true,
        allow_no_tables: true,
        ..OpenOptions::default()
    }
}

struct Planned<'p> {
    copy: &'p Copy<'p>,
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
        let progress = self.copy.progress.as_ref();
        progress.start(Stage::Compare(kind), source.expected_records(kind));
        let judges = source.store() == StoreKind::Kv;
        let mut join = KindJoin {
            kind,
            judges,
            refused: self.refused,
            totals: KindDigest::default(),
            expected: KindDigest::default(),
            counts: MergeCounts::default(),
        };
        let (changes, ids, destination) = (
            &mut self.changes,
            &mut self.ids,
            self.copy.destination.given(),
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
        *self.counts.get_mut(kind) = join.counts;
        *self.totals.get_mut(kind) = join.totals.finish();
        *self.expected.get_mut(kind) = join.expected.finish();
        Ok(())
    }

    fn largest_ids(&self, source: &dyn Snapshot) -> Result<Sequences> {
        match source.store() {
            // The marks of a database are never below its ids.
            StoreKind::Sqlite => Ok(Sequences::default()),
            _ => self.ids.largest(),
        }
    }
}

/// What the target is to have under a key.
enum Step<'e> {
    /// What it has.
    Keep(Entry<'e>),
    /// What the source has.
    Write(Entry<'e>),
}

struct KindJoin<'j> {
    kind: RecordKind,
    /// Whether the source's entries may be anything.
    judges: bool,
    refused: &'j BTreeSet<Vec<u8>>,
    totals: KindDigest,
    expected: KindDigest,
    counts: MergeCounts,
}

impl KindJoin<'_> {
    fn run(
        &mut self,
        source: &mut RecordStream<'_>,
        target: &mut RecordStream<'_>,
        settle: &mut dyn FnMut(Step<'_>) -> Result<()>,
    ) -> Result<()> {
        let mut brought = self.next_brought(source)?;
        let mut kept = next_entry(target)?;
        while brought.is_some() || kept {
            let there = entry(target).filter(|_| kept);
            let order = match (&brought, there) {
                (Some((key, _)), Some(there)) => key.as_slice().cmp(there.key),
                (Some(_), None) => Ordering::Less,
                _ => Ordering::Greater,
            };
            let new = brought.as_ref().map(|(key, value)| Entry { key, value });
            let step = match (order, new, there) {
                (Ordering::Greater, _, Some(there)) => Step::Keep(there),
                (Ordering::Equal, Some(new), Some(there)) if new.value == there.value => {
                    self.counts.unchanged += 1;
                    Step::Keep(there)
                }
                (Ordering::Equal, Some(new), _) => {
                    self.counts.updated += 1;
                    Step::Write(new)
                }
                (_, Some(new), _) => {
                    self.counts.inserted += 1;
                    Step::Write(new)
                }
                _ => break,
            };
            let (Step::Keep(last) | Step::Write(last)) = &step;
            self.expected.update(*last);
            if let Some(new) = new.filter(|_| order.is_le()) {
                self.totals.update(new);
            }
            settle(step)?;
            if order.is_le() {
                brought = self.next_brought(source)?;
            }
            if order.is_ge() {
                kept = next_entry(target)?;
            }
        }
        Ok(())
    }

    /// The next record of the source that takes part, in its canonical bytes.
    fn next_brought(&self, source: &mut RecordStream<'_>) -> Result<Option<(Vec<u8>, Vec<u8>)>> {
        while next_entry(source)? {
            let Some(entry) = entry(source) else { break };
            if self.refused.contains(entry.key) {
                continue;
            }
            let Some(value) = self.canonical(entry)? else {
                continue;
            };
            return Ok(Some((entry.key.to_vec(), value.into_owned())));
        }
        Ok(None)
    }

    fn canonical<'e>(&self, entry: Entry<'e>) -> Result<Option<Cow<'e, [u8]>>> {
        if !self.judges {
            return Ok(Some(Cow::Borrowed(entry.value)));
        }
        let judged = Judged::of(self.kind, entry);
        let Some(record) = judged.record_of_its_key() else {
            return Ok(None);
        };
        if judged.is_sound() {
            return Ok(Some(Cow::Borrowed(entry.value)));
        }
        encode_json(record)
            .map(|value| Some(Cow::Owned(value)))
            .map_err(|error| Error::Internal(error.to_string()))
    }
}

/// Moves to the next entry, past rows that are no records.
fn next_entry(stream: &mut RecordStream<'_>) -> Result<bool> {
    while stream.advance()? {
        if entry(stream).is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

fn entry<'s>(stream: &'s RecordStream<'_>) -> Option<Entry<'s>> {
    match stream.current() {
        Some(Item::Entry(entry)) => Some(entry),
        _ => None,
    }
}
