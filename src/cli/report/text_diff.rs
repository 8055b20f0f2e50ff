//! The common start and end of two texts.

/// Length of the common start in bytes, in whole characters.
pub(crate) fn common_head(left: &str, right: &str) -> usize {
    let pairs = left.bytes().zip(right.bytes());
    floor(
        left,
        pairs.take_while(|(left, right)| left == right).count(),
    )
}

/// Length of the common end after the common start in bytes, in whole characters.
pub(crate) fn common_tail(left: &str, right: &str, head: usize) -> usize {
    let room = left.len().min(right.len()) - head;
    let pairs = left.bytes().rev().zip(right.bytes().rev()).take(room);
    let tail = pairs.take_while(|(left, right)| left == right).count();
    let mut tails = (0..=tail).rev();
    let is_whole = |tail: &usize| left.is_char_boundary(left.len() - tail);
    tails.find(is_whole).unwrap_or(0)
}

/// The last character boundary at or before an offset.
pub(crate) fn floor(text: &str, at: usize) -> usize {
    let mut before = (0..=at.min(text.len())).rev();
    before.find(|at| text.is_char_boundary(*at)).unwrap_or(0)
}
