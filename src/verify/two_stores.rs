use std::path::Path;

use super::findings::Findings;
use super::report::{VerifyOptions, VerifyReport};
use crate::compare::compare_stores;
use crate::error::Result;
use crate::open::{Candidate, open_pair, retry_if_changed};
use crate::progress::Progress;

/// Compares two stores of any kind.
///
/// Neither is changed. A store that can't be read to its end is always an error; differences are
/// not an error, they are in the report.
///
/// # Errors
/// A store can't be read, or the file of findings can't be written.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use chunkmigrate::verify::FindingClass;
/// use chunkmigrate::migrate::{CopyOptions, sqlite_to_kv};
/// use chunkmigrate::record::CodeChunk;
/// use chunkmigrate::store::ChunkStore;
/// use chunkmigrate::verify::{VerifyOptions, verify_pair};
/// use chunkmigrate::Progress;
///
/// # let folder = tempfile::tempdir()?;
/// # let (database, kv) = (folder.path().join("code.db"), folder.path().join("code.kv"));
/// let store = ChunkStore::new(&database)?;
/// store.store_chunk(&CodeChunk::new("a.rs", 0, 2, "fn"))?;
/// let progress = Progress::none();
/// sqlite_to_kv(&database, &kv, &CopyOptions::default(), &progress)?;
/// assert!(verify_pair(&database, &kv, &VerifyOptions::default(), &progress)?.is_identical());
///
/// // The tool adds a chunk.
/// store.store_chunk(&CodeChunk::new("a.rs", 2, 3, " "))?;
/// let report = verify_pair(&database, &kv, &VerifyOptions::default(), &progress)?;
/// assert_eq!((report.equal(), report.divergences()), (1, 2));
/// assert_eq!(report.findings[0].class, FindingClass::OnlyLeft);
/// assert_eq!(report.findings[0].key.as_deref(), Some(&b"chunk:a.rs:2:3"[..]));
/// assert_eq!(report.findings[1].class, FindingClass::Sequence);
/// # Ok(())
/// # }
/// ```
pub fn verify_pair(
    left: &Path,
    right: &Path,
    options: &VerifyOptions,
    progress: &Progress,
) -> Result<VerifyReport> {
    retry_if_changed(|| {
        // Both are probed before either is opened: they may be the same file.
        let (left, right) = (Candidate::probe(left)?, Candidate::probe(right)?);
        let mut findings = Findings::create(options, &[left.path(), right.path()])?;
        let open_options = options.open_options();
        let (mut left, mut right) = open_pair(left, right, &open_options, progress)?;
        options.check_columns(&[left.as_ref(), right.as_ref()])?;
        options.check_tables(&[left.as_ref(), right.as_ref()])?;
        let comparison = compare_stores(
            left.as_mut(),
            right.as_mut(),
            &options.compare_options(),
            progress,
            &mut |divergence| findings.take(divergence),
        )?;
        left.confirm()?;
        right.confirm()?;
        VerifyReport::of(vec![comparison], options, findings)
    })
}
