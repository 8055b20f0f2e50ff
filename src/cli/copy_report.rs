//! What a copy did, for people.

use std::io::{self, Write};
use std::path::Path;

use chunkmigrate::migrate::CopySummary;
use chunkmigrate::sqlite::table_name;
use indicatif::{HumanBytes, HumanCount};

use super::escape::escaped;
use super::table::write_table;

/// Renders the summary of a copy.
pub(super) struct CopyReport<'s> {
    summary: &'s CopySummary,
}

impl<'s> CopyReport<'s> {
    pub(super) fn new(summary: &'s CopySummary) -> Self {
        CopyReport { summary }
    }

    /// The summary for people.
    pub(super) fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        let summary = self.summary;
        let schema = match summary.schema_version {
            Some(version) => format!(" (SQLite, Magellan schema {version})"),
            None => " (SQLite)".to_owned(),
        };
        writeln!(
            out,
            "{}{schema} to {} (KV)\n",
            shown(&summary.source),
            shown(&summary.target)
        )?;
        self.write_kinds(out)?;
        let mut facts = Vec::new();
        self.write_facts(&mut facts)?;
        if !facts.is_empty() {
            writeln!(out)?;
            out.write_all(&facts)?;
        }
        self.write_rejected(out)?;
        self.write_divergences(out)?;
        writeln!(out, "\n{}", self.verdict())
    }

    fn write_facts(&self, out: &mut dyn Write) -> io::Result<()> {
        let summary = self.summary;
        if let Some(digest) = &summary.sha256 {
            writeln!(out, "sha256       {digest}")?;
        }
        if let Some(bytes) = summary.target_bytes {
            writeln!(out, "size         {}", HumanBytes(bytes))?;
        }
        for kind in &summary.missing {
            writeln!(out, "no table     {}: zero records", table_name(*kind))?;
        }
        for column in &summary.without_columns {
            writeln!(out, "left out     column {}", escaped(column))?;
        }
        self.write_not_copied(out)?;
        if let Some(path) = &summary.old_rejects {
            writeln!(out, "old rejects  {} is of an earlier run", shown(path))?;
        }
        for folder in &summary.left_behind {
            writeln!(
                out,
                "left behind  {} by a run that was killed; remove it",
                shown(folder)
            )?;
        }
        Ok(())
    }

    fn write_kinds(&self, out: &mut dyn Write) -> io::Result<()> {
        let mut rows = vec![vec![
            "kind".to_owned(),
            "records".to_owned(),
            "rejected".to_owned(),
        ]];
        let (mut records, mut rejected) = (0, 0);
        for (kind, totals) in self.summary.asked_for() {
            let rejects = *self.summary.rejected.get(kind);
            rows.push(kind_row(kind.name(), totals.records, rejects));
            records += totals.records;
            rejected += rejects;
        }
        rows.push(kind_row("total", records, rejected));
        write_table(out, &rows)
    }

    fn write_not_copied(&self, out: &mut dyn Write) -> io::Result<()> {
        let tables = &self.summary.not_copied;
        let (empty, full): (Vec<_>, Vec<_>) =
            tables.iter().partition(|table| table.rows == Some(0));
        let mut label = "not copied   ";
        for table in full {
            let rows = match table.rows {
                Some(rows) => format!("{} {}", HumanCount(rows), plural(rows, "row", "rows")),
                None => "rows can't be counted".to_owned(),
            };
            writeln!(out, "{label}{} ({rows})", escaped(&table.name))?;
            label = "             ";
        }
        let names: Vec<_> = empty.iter().map(|table| escaped(&table.name)).collect();
        match names.len() {
            0 => Ok(()),
            count => writeln!(
                out,
                "{label}{count} empty {}: {}",
                plural(count as u64, "table", "tables"),
                names.join(", ")
            ),
        }
    }

    fn write_rejected(&self, out: &mut dyn Write) -> io::Result<()> {
        let total: u64 = self.summary.rejected.iter().map(|(_, rows)| rows).sum();
        if total == 0 {
            return Ok(());
        }
        writeln!(out, "\nRows that are no records:")?;
        for row in &self.summary.rejected_rows {
            let key = row.key.as_deref().map(String::from_utf8_lossy);
            let key = key.map(|key| format!(" ({})", escaped(&key)));
            writeln!(
                out,
                "  {} row {}: {} in {}{}",
                row.table,
                row.rowid,
                row.reason,
                row.column,
                key.unwrap_or_default()
            )?;
        }
        write_rest(out, total, self.summary.rejected_rows.len())?;
        match &self.summary.rejects {
            Some(path) => writeln!(out, "  with their values in {}", shown(path)),
            None => Ok(()),
        }
    }

    fn write_divergences(&self, out: &mut dyn Write) -> io::Result<()> {
        let divergences = &self.summary.divergences;
        if self.summary.divergences_total == 0 {
            return Ok(());
        }
        writeln!(out, "\nThe target, read back, differs from the source:")?;
        for divergence in divergences {
            let key = String::from_utf8_lossy(divergence.key.as_deref().unwrap_or_default());
            writeln!(out, "  {}  {}", divergence.class, escaped(&key))?;
            writeln!(out, "    {}", escaped(&divergence.message))?;
        }
        write_rest(out, self.summary.divergences_total, divergences.len())
    }

    fn verdict(&self) -> String {
        let summary = self.summary;
        let records: u64 = summary
            .totals
            .iter()
            .map(|(_, totals)| totals.records)
            .sum();
        let rejected: u64 = summary.rejected.iter().map(|(_, rows)| rows).sum();
        let count = HumanCount(records);
        let copied = format!("{count} {}", plural(records, "record was", "records were"));
        let no_records = format!(
            "{} {} no {}",
            HumanCount(rejected),
            plural(rejected, "row is", "rows are"),
            plural(rejected, "record", "records")
        );
        if summary.divergences_total > 0 {
            return "No target was made: what was written could not be read back as it was."
                .to_owned();
        }
        let target = shown(&summary.target);
        match (summary.dry_run, rejected, summary.target_bytes) {
            (true, 0, _) => format!(
                "Dry run: {count} {} would be copied; nothing was written.",
                plural(records, "record", "records")
            ),
            (true, ..) if summary.sha256.is_some() => format!(
                "Dry run: {count} {} would be copied; {no_records} and would stay behind; nothing \
                 was written.",
                plural(records, "record", "records")
            ),
            (true, ..) => {
                format!("Dry run: no target would be made: {no_records}; nothing was written.")
            }
            (false, _, None) => format!("No target was made: {no_records}."),
            (false, 0, Some(_)) => match (summary.verified, records) {
                (false, _) => format!("{copied} copied. Not verified."),
                (true, 0) => {
                    "The source holds no records; the target was read back and holds none."
                        .to_owned()
                }
                (true, 1) => {
                    "The 1 record was read back from the target and compared: identical.".to_owned()
                }
                (true, _) => format!(
                    "All {count} records were read back from the target and compared: identical."
                ),
            },
            (false, _, Some(_)) => match summary.verified {
                true => format!(
                    "{copied} copied, read back from {target} and compared: identical. \
                     But {no_records} and stayed behind."
                ),
                false => {
                    format!("{copied} copied. Not verified. And {no_records} and stayed behind.")
                }
            },
        }
    }
}

fn kind_row(name: &str, records: u64, rejected: u64) -> Vec<String> {
    let count = |number| HumanCount(number).to_string();
    vec![name.to_owned(), count(records), count(rejected)]
}

fn write_rest(out: &mut dyn Write, total: u64, shown: usize) -> io::Result<()> {
    match total.saturating_sub(shown as u64) {
        0 => Ok(()),
        more => writeln!(out, "  and {} more", HumanCount(more)),
    }
}

fn shown(path: &Path) -> String {
    escaped(&path.to_string_lossy()).into_owned()
}

fn plural<'w>(count: u64, one: &'w str, many: &'w str) -> &'w str {
    if count == 1 { one } else { many }
}
