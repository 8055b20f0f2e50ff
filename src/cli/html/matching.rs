//! Finds the common parts of two sequences.

use std::collections::{HashMap, HashSet};

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
    // Number only the items that both sequences have. The others are in no common subsequence and
    // would only cost time.
    let in_right: HashSet<&str> = right.iter().copied().collect();
    let mut numbers = HashMap::new();
    for item in left.iter().filter(|item| in_right.contains(**item)) {
        let next = numbers.len();
        numbers.entry(*item).or_insert(next);
    }
    let numbered = |items: &[&str]| -> (Vec<usize>, Vec<usize>) {
        let items = items.iter().enumerate();
        items.filter_map(|(at, item)| Some((at, *numbers.get(*item)?))).unzip()
    };
    let ((left_at, left), (right_at, right)) = (numbered(left), numbered(right));
    let mut runs: Vec<Match> = Vec::new();
    for op in capture_diff_slices(Algorithm::Myers, &left, &right) {
        let DiffOp::Equal { old_index, new_index, len } = op else {
            continue;
        };
        let left = left_at.iter().skip(old_index).take(len);
        for (left, right) in left.copied().zip(right_at.iter().skip(new_index).copied()) {
            match runs.last_mut() {
                Some(run) if (run.left + run.len, run.right + run.len) == (left, right) => {
                    run.len += 1;
                }
                _ => runs.push(Match { left, right, len: 1 }),
            }
        }
    }
    runs
}
