//! The next step: the last lines of a text report.

use std::borrow::Cow;
use std::ffi::OsString;
use std::io::{self, Write};
use std::iter;
use std::path::Path;

use anstyle::Style;
use chunkmigrate::migrate::{CopyOutcome, CopySummary, MergeSummary};
use chunkmigrate::record::KindSet;
use chunkmigrate::store::StoreKind;
use chunkmigrate::table::TableSelection;
use chunkmigrate::verify::{Finding, FindingClass};

use crate::cli::commands::tables_arg;
use crate::cli::term::output::Output;
use crate::cli::term::shell::{path_arg, shell_command};

/// The name of stdin on a command line.
const STDIN: &str = "-";

const BOLD: Style = Style::new().bold();

/// A suggestion with its commands.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct NextStep {
    what: Cow<'static, str>,
    commands: Vec<String>,
    /// An alternative.
    other: Option<Box<NextStep>>,
}

impl NextStep {
    pub(crate) fn new(
        what: impl Into<Cow<'static, str>>,
        commands: impl IntoIterator<Item = String>,
    ) -> Self {
        NextStep { what: what.into(), commands: commands.into_iter().collect(), other: None }
    }

    pub(crate) fn or(mut self, other: Option<NextStep>) -> Self {
        self.other = other.map(Box::new);
        self
    }

    pub(crate) fn write(&self, out: &mut Output<'_>) -> io::Result<()> {
        let mut start = format!("{BOLD}Next:{BOLD:#} ");
        for (what, commands) in self.steps() {
            out.paragraph(&format_args!("{start}{what}"), "  ")?;
            start.clear();
            commands.iter().try_for_each(|command| writeln!(out, "    {command}"))?;
        }
        Ok(())
    }

    /// The steps with their commands: this one, then the alternatives.
    pub(crate) fn steps(&self) -> impl Iterator<Item = (String, &[String])> {
        let steps = iter::successors(Some(self), |step| step.other.as_deref());
        steps.map(|step| {
            let end = if step.commands.is_empty() { "." } else { ":" };
            (format!("{}{end}", step.what), step.commands.as_slice())
        })
    }
}

pub(crate) fn after_copy(summary: &CopySummary) -> Option<NextStep> {
    match &summary.outcome {
        CopyOutcome::ReadBackDiffers { .. } => {
            let what = "try again; if the read-back differs again, the disk or the memory may be \
                failing";
            Some(NextStep::new(what, []))
        }
        CopyOutcome::Rejected => Some(after_rejected(summary)),
        CopyOutcome::DryRun { merge } => {
            let changes = |merge: &MergeSummary| merge.changed() > 0 || merge.changes_metadata;
            let step = NextStep::new("rerun without --dry-run to write it", []);
            merge.as_ref().is_none_or(changes).then_some(step)
        }
        _ if summary.rejected_total() > 0 => Some(add_rejected(summary)),
        CopyOutcome::Created { verified, .. } if summary.records() > 0 => {
            check_copy(summary, *verified)
        }
        CopyOutcome::Created { .. }
        | CopyOutcome::Merged { .. }
        | CopyOutcome::Unchanged { .. } => None,
    }
}

fn after_rejected(summary: &CopySummary) -> NextStep {
    let mut rejections = summary.rejections.iter();
    let is_wrong_symbol = |finding: &Finding| finding.class == FindingClass::WrongSymbol;
    let what = match summary.merge {
        true if rejections.any(is_wrong_symbol) => {
            "reindex the files of these symbols, or rerun with --on-invalid skip"
        }
        true => "fix the source or the target, or rerun with --on-invalid skip",
        false if summary.source.store == StoreKind::Sqlite && !summary.tables.is_empty() => {
            "fix the source, or rerun with --on-invalid skip, or with --only none, which carries all \
             tables as they are"
        }
        false => "fix the source, or rerun with --on-invalid skip",
    };
    NextStep::new(what, [])
}

fn add_rejected(summary: &CopySummary) -> NextStep {
    let what = match summary.merge {
        // The target may have rejected it.
        true => "fix the rejected items in the source or the target, then add them",
        false => "fix the rejected items in the source, then add them",
    };
    let stores = [&summary.source, &summary.target];
    let stores = stores.map(|store| (store.path.as_path(), store.store));
    let columns = &summary.without_columns;
    NextStep::new(what, transfer(stores, "--merge", summary.only, columns))
}

fn check_copy(summary: &CopySummary, is_verified: bool) -> Option<NextStep> {
    let (source, target) = (summary.source.path.as_path(), summary.target.path.as_path());
    if is_verified {
        let what = "to check a copy elsewhere, compare its digest with";
        // The digest of a database is that of all its tables only if they are read.
        let tables = match (summary.target.store, &summary.tables_selected) {
            (StoreKind::Sqlite, selection) => tables_arg::format(selection),
            _ => None,
        };
        let options = tables.as_deref().map(|tables| ["--tables", tables]);
        let options = options.as_ref().map_or(&[][..], |options| options);
        let command = command("inspect", &[target], options, KindSet::ALL)?;
        return Some(NextStep::new(what, [command]));
    }
    let can_verify = matches!(summary.source.store, StoreKind::Sqlite | StoreKind::Kv);
    let options = without(&summary.without_columns);
    let command =
        can_verify.then(|| command("verify", &[source, target], &options, summary.only))??;
    Some(NextStep::new("compare it with its source", [command]))
}

/// The next step after writing the built-in sample: copying it.
pub(crate) fn after_sample(database: &Path) -> Option<NextStep> {
    let target = database.with_extension("kv");
    if target == database {
        return None;
    }
    let command = command("sqlite-to-kv", &[database, &target], &[], KindSet::ALL)?;
    Some(NextStep::new("copy it into a KV file", [command]))
}

/// A command that brings the records of one store into another, existing one.
pub(crate) fn transfer(
    stores: [(&Path, StoreKind); 2],
    option: &str,
    only: KindSet,
    without_columns: &[String],
) -> Option<String> {
    use StoreKind::{Kv, Sqlite};
    let [(source, source_store), (target, target_store)] = stores;
    let name = match (source_store, target_store) {
        (Sqlite, Kv) => "sqlite-to-kv",
        (Kv, Sqlite) => "kv-to-sqlite",
        (Kv | Sqlite, Kv | Sqlite) => {
            // An export ignores no columns.
            let needs_none = without_columns.is_empty() || source_store == Kv;
            let export = needs_none.then(|| command("export", &[source], &[], only))??;
            let import = ["--to", target_store.name(), option];
            let import = command("import", &[Path::new(STDIN), target], &import, KindSet::ALL)?;
            return Some(format!("{export} | {import}"));
        }
        _ => return None,
    };
    let mut options = vec![option];
    if source_store == Sqlite {
        options.extend(without(without_columns));
    }
    command(name, &[source, target], &options, only)
}

/// A command that replaces a KV file by a copy of a database with its tables.
pub(crate) fn copy_with_tables(
    [database, kv]: [&Path; 2],
    only: KindSet,
    selection: &TableSelection,
) -> Option<String> {
    let tables = tables_arg::format(selection)?;
    let options = ["--replace", "--tables", &tables];
    command("sqlite-to-kv", &[database, kv], &options, only)
}

fn without(columns: &[String]) -> Vec<&str> {
    let options = columns.iter().map(|column| ["--without-column", column]);
    options.flatten().collect()
}

/// A command of this program; `None` if a path can't be written in a shell.
pub(crate) fn command(
    name: &str,
    paths: &[&Path],
    options: &[&str],
    only: KindSet,
) -> Option<String> {
    let mut words = vec![OsString::from(name)];
    let argument = |path: &&Path| match *path == Path::new(STDIN) {
        true => STDIN.into(),
        false => path_arg(path).into_owned(),
    };
    words.extend(paths.iter().map(argument));
    words.extend(options.iter().map(OsString::from));
    if only != KindSet::ALL {
        let names: Vec<&str> = only.iter().map(|kind| kind.name()).collect();
        let names = if names.is_empty() { "none".to_owned() } else { names.join(",") };
        words.extend(["--only".into(), names.into()]);
    }
    shell_command(words.iter().map(OsString::as_os_str))
}

#[cfg(test)]
mod tests {
    use super::*;

    const DATABASE: (&str, StoreKind) = ("code.db", StoreKind::Sqlite);
    const KV_FILE: (&str, StoreKind) = ("my code.kv", StoreKind::Kv);

    fn merging(from: (&str, StoreKind), into: (&str, StoreKind)) -> Option<String> {
        let stores = [from, into].map(|(path, store)| (Path::new(path), store));
        transfer(stores, "--merge", KindSet::ALL, &[])
    }

    #[test]
    fn a_merge_is_suggested_only_if_a_command_exists_for_it() {
        assert_eq!(
            merging(DATABASE, KV_FILE).as_deref(),
            Some("chunkmigrate sqlite-to-kv code.db 'my code.kv' --merge")
        );
        assert_eq!(
            merging(KV_FILE, DATABASE).as_deref(),
            Some("chunkmigrate kv-to-sqlite 'my code.kv' code.db --merge")
        );
        assert_eq!(
            merging(KV_FILE, ("-x.kv", StoreKind::Kv)).as_deref(),
            Some(
                "chunkmigrate export 'my code.kv' | chunkmigrate import - ./-x.kv --to kv --merge"
            )
        );
        assert_eq!(merging(("line\nbreak", StoreKind::Sqlite), KV_FILE), None);
        assert_eq!(merging(("text", StoreKind::Ndjson), KV_FILE), None);
    }
}
