//! Records of one store go into an existing one, by their keys: all of them or none.

mod apply;
mod changes;
mod join;
mod plan;

pub use join::MergeCounts;

use std::collections::BTreeSet;
use std::fs;

use self::apply::{Outcome, Refused};
use self::plan::Plan;
use super::intake::Intake;
use super::job::Job;
use super::json_lines::JsonLines;
use super::rejects::refused_line;
use super::shared_ids::SharedIds;
use super::staged::Staged;
use super::target::TargetError;
use super::{CopySummary, OnInvalid};
use crate::codec::{Entry, combined_digest};
use crate::compare::Divergence;
use crate::error::{Error, IoContext as _, KindError, Result};
use crate::sqlite::SqliteError;
use crate::store::{Snapshot, StoreKind, detect};

/// How often a target that is written while the merge is planned is looked at again.
const ATTEMPTS: usize = 3;

/// Merges what a source holds into the target of a job.
///
/// What changes is found out first, without a trace on the target; only then is it opened for
/// writing, and before the transaction ends all that it holds is read back.
pub(super) fn merge(job: &Job<'_>, source: &mut dyn Snapshot) -> Result<CopySummary> {
    let Taken {
        mut summary,
        mut rejects,
        mut refused,
    } = take(job, source)?;
    source.confirm()?;
    if summary.sha256.is_none() {
        job.publish_rejects(rejects, &mut summary)?;
        return Ok(summary);
    }

    let mut attempt = 1;
    loop {
        let folder = Staged::create(&job.destination)?;
        let mut plan = Plan::make(job, source, folder, &refused)?;
        source.confirm()?;
        summary.totals = plan.totals;
        summary.merged = Some(plan.counts);
        summary.changes_beside = plan.changes_beside;
        summary.sequences = plan.sequences;
        summary.left_alone.clone_from(&plan.left_alone);
        if job.options.dry_run || !plan.changes_anything() {
            break;
        }
        match apply::apply(job, &mut plan, &mut summary)? {
            Outcome::Done => {
                summary.written = true;
                break;
            }
            Outcome::DoneWithoutMarks(lost) => {
                summary.written = true;
                tell_all(job, lost, &mut summary);
                break;
            }
            Outcome::MarksLost(lost) => {
                tell_all(job, lost, &mut summary);
                return give_up(job, rejects, summary);
            }
            Outcome::Diverged => return Ok(summary),
            Outcome::Changed if attempt < ATTEMPTS => attempt += 1,
            Outcome::Changed => return Err(changed(job)),
            Outcome::Refused(rows) => {
                for row in rows {
                    tell_refused(job, &row, &mut summary, rejects.as_mut())?;
                    refused.insert(row.key);
                }
                if job.options.on_invalid == OnInvalid::Fail {
                    return give_up(job, rejects, summary);
                }
            }
        }
    }
    summary.sha256 = Some(combined_digest(&summary.totals));
    job.publish_rejects(rejects, &mut summary)?;
    if !job.options.dry_run {
        let path = job.destination.given();
        let metadata = fs::metadata(path).io_context("look at", path)?;
        summary.target_bytes = Some(metadata.len());
        summary.verified = true;
        job.look_for_old_rejects(&mut summary);
    }
    Ok(summary)
}

/// What is known once a source was read.
struct Taken {
    summary: CopySummary,
    rejects: Option<JsonLines>,
    /// The keys of records that stay out.
    refused: BTreeSet<Vec<u8>>,
}

fn take(job: &Job<'_>, source: &mut dyn Snapshot) -> Result<Taken> {
    let mut shared_ids = SharedIds::default();
    loop {
        let rejects = job.rejects()?;
        let mut intake = Intake::new(job.options, source.store(), None, rejects, &shared_ids)?;
        let totals = job.take_all(source, &mut intake)?;
        if intake.found_shared.is_empty() {
            return Ok(Taken {
                summary: job.summary(source, &intake, totals)?,
                rejects: intake.refusals.rejects.take(),
                refused: intake.keys_of_shared,
            });
        }
        let found = intake.found_shared;
        shared_ids.extend(&found);
    }
}

/// Ends a merge of which nothing was written.
fn give_up(
    job: &Job<'_>,
    rejects: Option<JsonLines>,
    mut summary: CopySummary,
) -> Result<CopySummary> {
    summary.sha256 = None;
    summary.merged = None;
    job.publish_rejects(rejects, &mut summary)?;
    Ok(summary)
}

fn tell_all(job: &Job<'_>, findings: Vec<Divergence>, summary: &mut CopySummary) {
    for finding in findings {
        summary.rejections_total += 1;
        if summary.rejections.len() < job.options.limit {
            summary.rejections.push(finding);
        }
    }
}

/// Takes note of a record that the target's constraints refuse.
fn tell_refused(
    job: &Job<'_>,
    refused: &Refused,
    summary: &mut CopySummary,
    rejects: Option<&mut JsonLines>,
) -> Result<()> {
    *summary.rejected.get_mut(refused.kind) += 1;
    if let Some(rejects) = rejects {
        let (key, value) = (&refused.key, &refused.value);
        rejects.write(&refused_line(Entry { key, value }, &refused.row))?;
    }
    let divergence = Divergence::refused(refused.kind, &refused.key, refused.row);
    tell_all(job, vec![divergence], summary);
    Ok(())
}

/// Fails unless there is a store of the right kind to merge into.
pub(super) fn check_target(job: &Job<'_>) -> Result<()> {
    let path = job.destination.given();
    if !job.destination.exists() {
        let path = path.to_owned();
        return Err(TargetError::NothingToMergeInto { path }.into());
    }
    let found = detect(path)?;
    match job.target_store {
        StoreKind::Sqlite => found.expect_sqlite(path),
        StoreKind::Kv => found.expect_kv(path),
        StoreKind::Ndjson | StoreKind::Empty | StoreKind::Unknown => Err(KindError::Neither {
            path: path.to_owned(),
        }
        .into()),
    }
}

fn changed(job: &Job<'_>) -> Error {
    SqliteError::Changed {
        path: job.destination.given().to_owned(),
    }
    .into()
}
