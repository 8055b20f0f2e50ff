use std::path::{Path, PathBuf};

use super::report::VerifyOptions;
use crate::compare::{Finding, FindingLog, Values};
use crate::error::Result;
use crate::fsio::{OutputFile, OutputKind};

/// Collects findings: the first ones for the report, all of them for the report file.
pub(super) struct Findings {
    values: Values,
    first: FindingLog,
    lines: Option<OutputFile>,
}

impl Findings {
    /// The report file must not be one of the stores, and may replace only another such file.
    pub(super) fn create(options: &VerifyOptions, stores: &[&Path]) -> Result<Self> {
        let lines = options.report.as_deref().map(|path| {
            let mut lines = OutputFile::resolve(OutputKind::Report, path, true, stores)?;
            lines.open()?;
            Ok::<_, crate::Error>(lines)
        });
        Ok(Findings {
            values: options.values,
            first: FindingLog::new(options.limit, options.values),
            lines: lines.transpose()?,
        })
    }

    pub(super) fn take(&mut self, finding: Finding) -> Result<()> {
        if let Some(lines) = &mut self.lines {
            lines.write_line(&finding.shown(self.values))?;
        }
        self.first.take(finding);
        Ok(())
    }

    /// Publishes the report file; returns the first findings in order, and the file's path.
    pub(super) fn finish(self) -> Result<(Vec<Finding>, Option<PathBuf>)> {
        let mut place = None;
        if let Some(lines) = self.lines {
            place = Some(lines.destination().given().to_owned());
            if let Some(prepared) = lines.prepare()? {
                prepared.publish()?.sync()?;
            }
        }
        Ok((self.first.into_parts().1, place))
    }
}
