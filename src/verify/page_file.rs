use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::error::{Error, IoContext as _, Result};
use crate::fsio::{Destination, OutputFile, OutputKind};
use crate::progress::Progress;

/// The destination of an HTML report on a verification. The file is written atomically.
#[derive(Debug)]
pub struct HtmlReportFile(OutputFile);

impl HtmlReportFile {
    /// Checks, before the work starts, that the file can be created. An existing file is replaced
    /// only if it is such a report, or empty.
    ///
    /// # Errors
    /// The path is one of the stores, a sidecar file of one, or the file of findings; it names
    /// something else that exists; or no file can be created.
    pub fn create(path: &Path, stores: &[&Path], report: Option<&Path>) -> Result<Self> {
        let mut file = OutputFile::resolve(OutputKind::Page, path, true, stores)?;
        if let Some(report) = report
            && file.destination().is(&Destination::resolve(report, &[])?)?
        {
            return Err(Error::HtmlIsReport { path: path.to_owned() });
        }
        file.open()?;
        Ok(HtmlReportFile(file))
    }

    /// Publishes what `render` writes after the doctype, and returns the path as specified by the
    /// caller.
    ///
    /// # Errors
    /// The file can't be written or published, in which case an earlier report is kept; or the work
    /// was cancelled.
    pub fn publish(
        mut self,
        progress: &Progress,
        render: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> Result<PathBuf> {
        let path = self.0.destination().given().to_owned();
        let file = self.0.open()?;
        file.write_all(OutputKind::Page.first_bytes())
            .and_then(|()| file.write_all(b"\n"))
            .and_then(|()| render(file))
            .io_context("write", &path)?;
        let prepared = self.0.prepare()?;
        progress.check_cancelled()?;
        if let Some(prepared) = prepared {
            prepared.publish()?.sync()?;
        }
        Ok(path)
    }
}
