//! Finds the common parts of two sequences.

use similar::{Algorithm, DiffOp, capture_diff_slices};

/// A run of items common to both sequences, with its positions.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Match {
    pub(super) left: usize,
    pub(super) right: usize,
    pub(super) len: usize,
}

/// The runs of a longest common subsequence, in order.
pub(super) fn matching(left: &[&str], right: &[&str]) -> Vec<Match> {
    let ops = capture_diff_slices(Algorithm::Myers, left, right);
    let runs = ops.into_iter().filter_map(|op| match op {
        DiffOp::Equal { old_index: left, new_index: right, len } => {
            Some(Match { left, right, len })
        }
        _ => None,
    });
    runs.collect()
}
