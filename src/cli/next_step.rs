//! What to do next: the last lines of a report for people.

use std::ffi::OsString;
use std::io::{self, Write};
use std::path::Path;

use anstyle::Style;
use chunkmigrate::compare::DivergenceClass;
use chunkmigrate::migrate::CopySummary;
use chunkmigrate::record::RecordKind;
use chunkmigrate::store::StoreKind;
use chunkmigrate::verify::{Hop, VerifyReport};

use super::shell::{pasted, path_argument};
use super::verify_verdict::total;

const BOLD: Style = Style::new().bold();

/// Some words, and the commands that they speak of.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct NextStep {
    what: &'static str,
    commands: Vec<String>,
}

impl NextStep {
    fn new(what: &'static str, commands: impl IntoIterator<Item = String>) -> Self {
        let commands = commands.into_iter().collect();
        NextStep { what, commands }
    }

    pub(super) fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        let end = if self.commands.is_empty() { "." } else { ":" };
        writeln!(out, "{BOLD}Next:{BOLD:#} {}{end}", self.what)?;
        let mut commands = self.commands.iter();
        commands.try_for_each(|command| writeln!(out, "    {command}"))
    }
}

/// What follows a copy.
pub(super) fn after_copy(summary: &CopySummary) -> Option<NextStep> {
    if summary.divergences_total > 0 {
        let what = "try again; if it ends like this again, the disk or the memory may be failing";
        return Some(NextStep::new(what, []));
    }
    if summary.sha256.is_none() {
        let what = match summary.merge {
            true => "mend it, or merge the rest with --on-invalid skip",
            false => "mend it where it came from, or copy the rest with --on-invalid skip",
        };
        return Some(NextStep::new(what, []));
    }
    if summary.dry_run {
        let step = NextStep::new("do it, by the same command without --dry-run", []);
        let changes = summary.changed() != Some(0) || summary.changes_beside;
        return changes.then_some(step);
    }
    let stores = [
        (summary.source.as_path(), summary.source_store),
        (summary.target.as_path(), summary.target_store),
    ];
    if summary.rejected_total() > 0 {
        let what = match summary.merge {
            // The target may have refused it.
            true => "mend what stayed behind, here or where it came from, then add it",
            false => "mend what stayed behind where it came from, then add it",
        };
        let command = merge(stores, &summary.only, &summary.without_columns);
        return Some(NextStep::new(what, command));
    }
    if summary.merged.is_some() || summary.records() == 0 {
        return None;
    }
    let [(source, source_store), (target, _)] = stores;
    if summary.verified {
        let what = "hand it on; where it arrives, this tells the same sha256";
        let command = command("inspect", &[target], &[], &[])?;
        return Some(NextStep::new(what, [command]));
    }
    let can_verify = matches!(source_store, StoreKind::Sqlite | StoreKind::Kv);
    let options = without(&summary.without_columns);
    let command =
        can_verify.then(|| command("verify", &[source, target], &options, &summary.only))??;
    Some(NextStep::new("compare it with its source", [command]))
}

/// What follows a verification: where a merge is the cure, which.
pub(super) fn after_verify(report: &VerifyReport) -> Option<NextStep> {
    use DivergenceClass::{ContentHash, Field, OnlyLeft, OnlyRight, Sequence};
    let [hop] = report.hops.as_slice() else {
        return None;
    };
    let found = report.divergences() + report.warnings();
    if report.is_identical() || found > report.findings.len() as u64 {
        return None;
    }
    let total = total(&hop.comparison);
    let mut classes = report.findings.iter().map(|finding| finding.class);
    let is_cured =
        classes.all(|class| matches!(class, OnlyLeft | OnlyRight | Field | Sequence | ContentHash));
    let faulty = total.invalid_left + total.invalid_right + hop.comparison.unknown_keys;
    if !is_cured || faulty > 0 || ids_may_clash(report, hop) {
        return None;
    }
    let left = (hop.left.path.as_path(), hop.left.store);
    let right = (hop.right.path.as_path(), hop.right.store);
    let without = report.without_columns.as_slice();
    let to_right = merge([left, right], &report.only, without)?;
    let to_left = merge([right, left], &report.only, without)?;
    match (total.only_left, total.only_right, total.differing) {
        (0, 0, 0) => None,
        (_, 0, 0) => Some(NextStep::new("add to the right what it lacks", [to_right])),
        (0, _, 0) => Some(NextStep::new("add to the left what it lacks", [to_left])),
        _ => {
            let what = "merge the side that you trust into the other";
            Some(NextStep::new(what, [to_right, to_left]))
        }
    }
}

/// Whether the records of both sides together may have an id twice: a chunk whose span was moved is
/// on either side only, with the same id.
fn ids_may_clash(report: &VerifyReport, hop: &Hop) -> bool {
    let moved = hop
        .comparison
        .kinds
        .iter()
        .any(|(kind, counts)| kind.has_ids() && counts.only_left > 0 && counts.only_right > 0);
    let mut fields = report.findings.iter().flat_map(|finding| &finding.fields);
    moved || fields.any(|field| field.field == "id")
}

/// A merge of a store into one of the other kind.
fn merge(
    stores: [(&Path, StoreKind); 2],
    only: &[RecordKind],
    without_columns: &[String],
) -> Option<String> {
    let [(source, source_store), (target, target_store)] = stores;
    let name = match (source_store, target_store) {
        (StoreKind::Sqlite, StoreKind::Kv) => "sqlite-to-kv",
        (StoreKind::Kv, StoreKind::Sqlite) => "kv-to-sqlite",
        _ => return None,
    };
    let mut options = vec!["--merge"];
    if source_store == StoreKind::Sqlite {
        options.extend(without(without_columns));
    }
    command(name, &[source, target], &options, only)
}

fn without(columns: &[String]) -> Vec<&str> {
    let options = columns.iter().map(|column| ["--without-column", column]);
    options.flatten().collect()
}

fn command(name: &str, paths: &[&Path], options: &[&str], only: &[RecordKind]) -> Option<String> {
    let mut words = vec![OsString::from(name)];
    words.extend(paths.iter().map(|path| path_argument(path).into_owned()));
    words.extend(options.iter().map(OsString::from));
    if !only.is_empty() {
        let names: Vec<&str> = only.iter().map(|kind| kind.name()).collect();
        words.extend(["--only".into(), names.join(",").into()]);
    }
    pasted(words.iter().map(OsString::as_os_str))
}

#[cfg(test)]
mod tests {
    use super::*;

    const DATABASE: (&str, StoreKind) = ("code.db", StoreKind::Sqlite);
    const KV_FILE: (&str, StoreKind) = ("my code.kv", StoreKind::Kv);

    fn merging(from: (&str, StoreKind), into: (&str, StoreKind)) -> Option<String> {
        let stores = [from, into].map(|(path, store)| (Path::new(path), store));
        merge(stores, &[], &[])
    }

    #[test]
    fn a_merge_is_offered_where_there_is_a_command_for_it() {
        assert_eq!(
            merging(DATABASE, KV_FILE).as_deref(),
            Some("chunkmigrate sqlite-to-kv code.db 'my code.kv' --merge")
        );
        assert_eq!(
            merging(KV_FILE, DATABASE).as_deref(),
            Some("chunkmigrate kv-to-sqlite 'my code.kv' code.db --merge")
        );
        assert_eq!(merging(DATABASE, DATABASE), None);
        assert_eq!(merging(("line\nbreak", StoreKind::Sqlite), KV_FILE), None);
    }
}
