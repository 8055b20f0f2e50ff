use std::path::{Path, PathBuf};

use super::document::{FindingDocument, Values};
use super::report::VerifyOptions;
use crate::compare::Divergence;
use crate::error::Result;
use crate::migrate::{JsonLines, OutputKind};

/// Takes in findings: the first ones for the report, all of them for its file.
pub(super) struct Findings {
    limit: usize,
    values: Values,
    seen: u64,
    divergences: Vec<(u64, Divergence)>,
    warnings: Vec<(u64, Divergence)>,
    lines: Option<JsonLines>,
}

impl Findings {
    /// The file may be none of the stores, and replaces nothing but another such file.
    pub(super) fn create(options: &VerifyOptions, stores: &[&Path]) -> Result<Self> {
        let lines = options.report.as_deref().map(|path| {
            let mut lines = JsonLines::resolve(OutputKind::Report, path, true, stores)?;
            lines.open()?;
            Ok::<_, crate::Error>(lines)
        });
        Ok(Findings {
            limit: options.limit,
            values: options.values,
            seen: 0,
            divergences: Vec::new(),
            warnings: Vec::new(),
            lines: lines.transpose()?,
        })
    }

    pub(super) fn take(&mut self, divergence: Divergence) -> Result<()> {
        if let Some(lines) = &mut self.lines {
            lines.write(&FindingDocument::new(&divergence, self.values))?;
        }
        self.seen += 1;
        let first = match divergence.class.is_warning() {
            true => &mut self.warnings,
            false => &mut self.divergences,
        };
        if first.len() < self.limit {
            first.push((self.seen, divergence));
        }
        Ok(())
    }

    /// Publishes the file; returns the first findings in order, and where the file is.
    pub(super) fn finish(mut self) -> Result<(Vec<Divergence>, Option<PathBuf>)> {
        let room = self.limit.saturating_sub(self.divergences.len());
        self.warnings.truncate(room);
        let mut first = self.divergences;
        first.append(&mut self.warnings);
        first.sort_by_key(|(seen, _)| *seen);
        let mut place = None;
        if let Some(lines) = self.lines {
            place = Some(lines.destination().given().to_owned());
            if let Some(prepared) = lines.prepare()? {
                prepared.publish()?.sync()?;
            }
        }
        Ok((
            first.into_iter().map(|(_, finding)| finding).collect(),
            place,
        ))
    }
}
