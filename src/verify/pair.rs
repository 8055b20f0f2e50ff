use std::path::Path;
use std::sync::Arc;

use super::findings::Findings;
use super::report::{Hop, StoreName, VerifyOptions, VerifyReport};
use crate::compare::compare_stores;
use crate::error::Result;
use crate::progress::Progress;
use crate::store::{Opening, open_pair, retry_if_changed};

/// Compares two stores of any kind.
///
/// Neither is changed. A store that can't be read to its end is an error and never the end of its
/// data; what differs is no error but in the report.
///
/// # Errors
/// A store can't be read, or the file of findings can't be written.
pub fn verify_pair(
    left: &Path,
    right: &Path,
    options: &VerifyOptions,
    progress: &Arc<dyn Progress>,
) -> Result<VerifyReport> {
    retry_if_changed(|| {
        // Both are looked at before either is opened: they may be one file.
        let (left, right) = (Opening::look(left)?, Opening::look(right)?);
        let mut findings = Findings::create(options, &[left.path(), right.path()])?;
        let open_options = options.open_options();
        let (mut left, mut right) = open_pair(left, right, &open_options, progress)?;
        let comparison = compare_stores(
            left.as_mut(),
            right.as_mut(),
            &options.compare_options(),
            progress.as_ref(),
            &mut |divergence| findings.take(divergence),
        )?;
        left.confirm()?;
        right.confirm()?;
        let hop = Hop {
            left: StoreName::of(left.as_ref()),
            right: StoreName::of(right.as_ref()),
            comparison,
        };
        let (findings, report) = findings.finish()?;
        Ok(VerifyReport {
            hops: vec![hop],
            only: options.only.clone(),
            quick: options.quick,
            strict: options.strict,
            findings,
            report,
        })
    })
}
