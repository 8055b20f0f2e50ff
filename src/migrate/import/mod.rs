//! Imports JSON Lines into a store.

mod collect;
mod end_check;
mod line_reader;
mod line_splitter;
mod parse_line;
mod source;

use std::fmt;
use std::fs::Metadata;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use thiserror::Error;

pub use self::end_check::EndLine;
use super::copy_job::Job;
use super::target::Destination;
use super::{CopyOptions, CopySummary, free_space};
use crate::error::Result;
use crate::fsio::StoreKind;
use crate::progress::Progress;

/// The source of the lines.
pub enum ImportSource<'s> {
    /// A file or a named pipe.
    File(&'s Path),
    /// Any other reader, such as stdin.
    Reader {
        /// Name in messages and in the manifest.
        name: &'s Path,
        /// The text. It is read in a separate thread that runs until the end of the text: a
        /// cancelled import doesn't wait for a blocked pipe.
        reader: Box<dyn Read + Send>,
    },
}

impl fmt::Debug for ImportSource<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ImportSource").field(&self.path()).finish()
    }
}

/// Why text can't be imported.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ImportError {
    /// A store stands where lines of JSON should.
    #[error("{} is {found}, not JSON Lines", path.display())]
    IsStore {
        /// The file.
        path: PathBuf,
        /// What it is, with its article.
        found: &'static str,
    },
    /// There is no line, as where the export failed that was to write them.
    #[error("{} has no lines", path.display())]
    NoLines {
        /// What was read.
        path: PathBuf,
    },
    /// No end line tells whether the text is complete, and one is required.
    #[error("{} has no end line: completeness unknown", path.display())]
    NoEndLine {
        /// What was read.
        path: PathBuf,
    },
    /// There are not as many lines as the end line tells.
    #[error("{} {}", path.display(), line_count(*found, *told))]
    LineCount {
        /// What was read.
        path: PathBuf,
        /// How many lines it has.
        found: u64,
        /// How many the end line tells of.
        told: u64,
    },
    /// There are as many lines as the end line tells, and not the same ones.
    #[error("{} has all {told} lines its end line counts, but some differ from what was exported", path.display())]
    OtherLines {
        /// What was read.
        path: PathBuf,
        /// How many lines it has.
        told: u64,
    },
    /// Somebody wrote the file.
    #[error("{} changed while it was being read", path.display())]
    Changed {
        /// The file.
        path: PathBuf,
    },
}

fn line_count(found: u64, told: u64) -> String {
    match found < told {
        true => format!("is incomplete: it has {found} of {told} lines"),
        false => format!("has {found} lines, but its end line counts {told}"),
    }
}

/// Imports records into a new KV file, or merges them into an existing one.
///
/// The text is JSON Lines, as written by [`export`](super::export()) and parsed by
/// [`Line`](crate::codec::Line): in any order and any JSON formatting, with blank lines in between.
/// The whole text is first read into a temporary file of about the same size. From then on the
/// import works as [`sqlite_to_kv`](super::sqlite_to_kv): the target is built in a private
/// directory, read back, and only then published. Invalid lines are reported in the summary with
/// their number, and so are lines that share their key or id. An [end
/// line](crate::codec::ExportEnd) must match all lines, including those of kinds that are not
/// selected.
///
/// The options for columns and the integrity of a database have no effect.
///
/// # Errors
/// As [`sqlite_to_kv`](super::sqlite_to_kv), and [`ImportError`].
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use std::{path::Path, sync::Arc};
/// use chunkmigrate::migrate::{CopyOptions, ImportSource, import_to_kv};
/// use chunkmigrate::{NoProgress, Progress};
///
/// # let folder = tempfile::tempdir()?;
/// # let target = folder.path().join("code.kv");
/// let text = concat!(
///     r#"{"kind":"file-metrics","key":"metrics:file:a.rs","value":{"file_path":"a.rs","#,
///     r#""symbol_count":1,"loc":7,"estimated_loc":null,"fan_in":0,"fan_out":2,"#,
///     r#""complexity_score":1.5,"last_updated":0}}"#,
/// );
/// let source = ImportSource::Reader {
///     name: Path::new("metrics.ndjson"),
///     reader: Box::new(text.as_bytes()),
/// };
/// let progress: Arc<dyn Progress> = Arc::new(NoProgress);
/// let summary = import_to_kv(source, &target, &CopyOptions::default(), &progress)?;
/// assert_eq!(summary.totals.file_metrics.records, 1);
/// # Ok(())
/// # }
/// ```
pub fn import_to_kv(
    source: ImportSource<'_>,
    target: &Path,
    options: &CopyOptions,
    progress: &Arc<dyn Progress>,
) -> Result<CopySummary> {
    import(source, target, StoreKind::Kv, options, progress)
}

/// Imports records into a new SQLite database, or merges them into an existing one, as
/// [`import_to_kv`] does into a KV file.
///
/// # Errors
/// As [`import_to_kv`].
pub fn import_to_sqlite(
    source: ImportSource<'_>,
    target: &Path,
    options: &CopyOptions,
    progress: &Arc<dyn Progress>,
) -> Result<CopySummary> {
    import(source, target, StoreKind::Sqlite, options, progress)
}

fn import(
    source: ImportSource<'_>,
    target: &Path,
    target_store: StoreKind,
    options: &CopyOptions,
    progress: &Arc<dyn Progress>,
) -> Result<CopySummary> {
    let path = source.path().to_owned();
    let file = source.file()?;
    let protected_path = file.as_ref().map(|_| path.as_path());
    let mut job = Job {
        source: &path,
        protected_path,
        target_store,
        destination: Destination::resolve(target, protected_path.as_slice())?,
        rejected_lines: None,
        options,
        progress,
    };
    job.check_target()?;
    let expected = file.as_ref().map_or(0, Metadata::len);
    free_space::check_lines(options.temp_dir.as_deref(), expected)?;
    let (mut lines, rejected) = collect::take_in(source, file, options, progress.as_ref())?;
    job.rejected_lines = Some(&rejected);
    Ok(CopySummary {
        end_line: Some(lines.end_line),
        ..job.run(&mut lines)?
    })
}
