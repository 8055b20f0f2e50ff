//! Imports JSON Lines into a store.

mod collect;
mod end_check;
mod line_reader;
mod line_splitter;
mod parse_line;
mod source;
mod tables_line;

use std::fmt;
use std::fs::Metadata;
use std::io::Read;
use std::path::Path;

pub use self::end_check::EndLine;
use super::copy_job::Job;
use super::{CopyOptions, CopySummary};
use crate::error::Result;
use crate::fsio::Destination;
use crate::fsio::StoreKind;
use crate::fsio::free_space;
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

/// Imports records, and rows of carried tables, into a new KV file, or merges records into one.
///
/// The text is JSON Lines, as `chunkmigrate export` writes them (`docs/ndjson.md`): in any order and
/// any JSON formatting, with blank lines in between.
/// The whole text is first read into a temporary file of about the same size. From then on the
/// import works as [`sqlite_to_kv`](super::sqlite_to_kv): the target is built in a private
/// directory, read back, and only then published. Invalid lines are reported in the summary with
/// their number, and so are lines that share their key or id. An end line must match all lines,
/// including those of kinds that are not selected.
///
/// The options for columns and the integrity of a database have no effect.
///
/// # Errors
/// As [`sqlite_to_kv`](super::sqlite_to_kv), and for text without lines, without its end line, or with other lines than the end line counts.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use std::{path::Path, sync::Arc};
/// use chunkmigrate::migrate::{CopyOptions, ImportSource, import_to_kv};
/// use chunkmigrate::Progress;
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
/// let progress = Progress::none();
/// let summary = import_to_kv(source, &target, &CopyOptions::default(), &progress)?;
/// assert_eq!(summary.totals.file_metrics.records, 1);
/// # Ok(())
/// # }
/// ```
pub fn import_to_kv(
    source: ImportSource<'_>,
    target: &Path,
    options: &CopyOptions,
    progress: &Progress,
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
    progress: &Progress,
) -> Result<CopySummary> {
    import(source, target, StoreKind::Sqlite, options, progress)
}

fn import(
    source: ImportSource<'_>,
    target: &Path,
    target_store: StoreKind,
    options: &CopyOptions,
    progress: &Progress,
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
    let (mut lines, rejected) = collect::take_in(source, file, options, progress)?;
    job.rejected_lines = Some(&rejected);
    let mut summary = job.run(&mut lines)?;
    summary.end_line = Some(lines.end_line);
    Ok(summary)
}
