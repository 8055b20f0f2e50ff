use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::error::{Error, IoContext as _, Result};
use crate::fsio::{Destination, OutputFile, OutputKind};
use crate::progress::{Progress, check_cancelled};

/// The place for a page of HTML about a verification. The page appears there whole or not at all.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use chunkmigrate::NoProgress;
/// use chunkmigrate::verify::HtmlReportFile;
///
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("report.html");
/// let page = HtmlReportFile::create(&path, &[], None)?;
/// // The work; then:
/// page.publish(&NoProgress, |out| writeln!(out, "<title>Report</title>"))?;
/// assert!(std::fs::read_to_string(&path)?.ends_with("<title>Report</title>\n"));
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct HtmlReportFile(OutputFile);

impl HtmlReportFile {
    /// Finds the place and makes sure, before the work, that a file can be made there. What is
    /// there already will be replaced if it is such a page, or empty.
    ///
    /// # Errors
    /// The place is one of the stores or SQLite takes it for a part of one, or it is that of the
    /// file of findings; there is something else; or no file can be made.
    pub fn create(path: &Path, stores: &[&Path], report: Option<&Path>) -> Result<Self> {
        let mut file = OutputFile::resolve(OutputKind::Page, path, true, stores)?;
        if let Some(report) = report
            && file.destination().is(&Destination::resolve(report, &[])?)?
        {
            return Err(Error::HtmlIsReport {
                path: path.to_owned(),
            });
        }
        file.open()?;
        Ok(HtmlReportFile(file))
    }

    /// Publishes what `render` writes behind the doctype, and returns the path as it was given.
    ///
    /// # Errors
    /// The page can't be written, or brought to its place: there is none then, or the old one. Or
    /// the work is to stop.
    pub fn publish(
        mut self,
        progress: &dyn Progress,
        render: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> Result<PathBuf> {
        let path = self.0.destination().given().to_owned();
        let file = self.0.open()?;
        file.write_all(OutputKind::Page.first_bytes())
            .and_then(|()| file.write_all(b"\n"))
            .and_then(|()| render(file))
            .io_context("write", &path)?;
        let prepared = self.0.prepare()?;
        check_cancelled(progress)?;
        if let Some(prepared) = prepared {
            prepared.publish()?.sync()?;
        }
        Ok(path)
    }
}
