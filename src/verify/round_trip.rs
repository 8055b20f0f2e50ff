use std::path::{Path, PathBuf};

use super::findings::Findings;
use super::report::{VerifyOptions, VerifyReport};
use crate::compare::compare_stores;
use crate::error::Result;
use crate::fsio::PrivateFolder;
use crate::fsio::StoreKind;
use crate::fsio::{free_space, private_folder};
use crate::migrate::{CopyOptions, copy_snapshot};
use crate::open::{Candidate, retry_if_changed};
use crate::progress::Progress;
use crate::sqlite::SourceOptions;
use crate::stream::{Source, StoreLabel};

/// Label for the temporary stores of a round trip, in place of a file name.
const FIRST_COPY: &str = "copy";
const SECOND_COPY: &str = "round trip";

/// Verifies a round trip in a temporary directory: a database is copied to a KV file and back to a
/// database, or a KV file to a database and back. Each step is compared record by record.
///
/// The store is not changed. Invalid rows and entries can't make the round trip and are in the
/// report.
///
/// # Errors
/// The store can't be read, or there is not enough disk space for the copies.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use chunkmigrate::record::CodeChunk;
/// use chunkmigrate::store::ChunkStore;
/// use chunkmigrate::verify::{VerifyOptions, verify_round_trip};
/// use chunkmigrate::Progress;
///
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("code.db");
/// ChunkStore::new(&path)?.store_chunk(&CodeChunk::new("a.rs", 0, 2, "fn"))?;
///
/// let progress = Progress::none();
/// let report = verify_round_trip(&path, &VerifyOptions::default(), &progress)?;
/// assert!(report.is_identical());
/// // One comparison per step: there and back.
/// assert_eq!(report.legs.len(), 2);
/// # Ok(())
/// # }
/// ```
pub fn verify_round_trip(
    file: &Path,
    options: &VerifyOptions,
    progress: &Progress,
) -> Result<VerifyReport> {
    retry_if_changed(|| {
        let opening = Candidate::probe(file)?;
        let findings = Findings::create(options, &[file])?;
        let mut source = opening.open(&options.open_options(), progress)?;
        options.check_columns(&[source.as_ref()])?;
        options.check_tables(&[source.as_ref()])?;
        let mut trip = RoundTrip::create(options, source.expected_bytes())?;
        trip.run(source.as_mut(), options, findings, progress)
    })
}

/// The temporary files of a round trip.
pub(super) struct RoundTrip {
    folder: PrivateFolder,
}

impl RoundTrip {
    pub(super) fn create(options: &VerifyOptions, expected_bytes: u64) -> Result<Self> {
        let folder = private_folder(options.temp_dir.as_deref())?;
        free_space::check_target(
            folder.path(),
            &[StoreKind::Kv, StoreKind::Sqlite],
            expected_bytes,
        )?;
        Ok(RoundTrip { folder })
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Path of the first copy.
    pub(super) fn there(&self) -> PathBuf {
        self.path("there")
    }

    /// Runs the round trip.
    pub(super) fn run(
        &mut self,
        source: &mut dyn Source,
        options: &VerifyOptions,
        mut findings: Findings,
        progress: &Progress,
    ) -> Result<VerifyReport> {
        // Two copies and two comparisons.
        progress.plan(source.expected_of(options.only).map(|records| 4 * records));
        let (there, back) = match source.store() {
            StoreKind::Sqlite => (StoreKind::Kv, StoreKind::Sqlite),
            _ => (StoreKind::Sqlite, StoreKind::Kv),
        };
        let copy_options = CopyOptions {
            only: options.only,
            skip_invalid: true,
            // The comparison reads the copy back.
            verify: false,
            temp_dir: options.temp_dir.clone(),
            limit: 0,
            ..CopyOptions::default()
        };
        let mut legs = Vec::new();
        let mut take = |left: &mut dyn Source, right: &mut dyn Source, names| {
            // All copies have the same warnings as the source, so only the first step reports them.
            let warns = legs.is_empty();
            let mut comparison = compare_stores(
                left,
                right,
                &options.compare_options(),
                progress,
                &mut |divergence| match divergence.class.is_warning() && !warns {
                    true => Ok(()),
                    false => findings.take(divergence),
                },
            )?;
            if !warns {
                comparison.counts = comparison.counts.without_warnings();
            }
            (comparison.left, comparison.right) = names;
            legs.push(comparison);
            Ok::<_, crate::Error>(())
        };
        let there_path = self.there();
        // Records that a copy rejects are reported when source and copy are compared.
        let _ = copy_snapshot(source, &there_path, there, &copy_options, progress)?;
        let options_of_copies = SourceOptions::default().following(source.carried());
        let open = |path: &Path| Candidate::probe(path)?.open(&options_of_copies, progress);
        let mut middle = open(&there_path)?;
        let source_name = StoreLabel::of(source);
        take(source, middle.as_mut(), (source_name, StoreLabel::new(FIRST_COPY, there)))?;
        source.confirm()?;

        let back_path = self.path("back");
        let _ = copy_snapshot(middle.as_mut(), &back_path, back, &copy_options, progress)?;
        let mut end = open(&back_path)?;
        let names = (StoreLabel::new(FIRST_COPY, there), StoreLabel::new(SECOND_COPY, back));
        take(middle.as_mut(), end.as_mut(), names)?;
        VerifyReport::of(legs, options, findings)
    }
}
