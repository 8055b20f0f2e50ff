//! Where two texts differ.

/// Two texts, split into the common start and end, in whole characters, and the differing middle.
pub(crate) struct Split<'t> {
    pub(crate) head: &'t str,
    pub(crate) left: &'t str,
    pub(crate) right: &'t str,
    pub(crate) tail: &'t str,
}

impl<'t> Split<'t> {
    pub(crate) fn of(left: &'t str, right: &'t str) -> Self {
        let pairs = left.bytes().zip(right.bytes());
        let head = floor(left, pairs.take_while(|(left, right)| left == right).count());
        let room = left.len().min(right.len()) - head;
        let pairs = left.bytes().rev().zip(right.bytes().rev()).take(room);
        let tail = pairs.take_while(|(left, right)| left == right).count();
        let mut tails = (0..=tail).rev();
        let is_whole = |tail: &usize| left.is_char_boundary(left.len() - tail);
        let tail = tails.find(is_whole).unwrap_or(0);
        let middle = |text: &'t str| text.get(head..text.len() - tail).unwrap_or_default();
        Split {
            head: left.get(..head).unwrap_or_default(),
            left: middle(left),
            right: middle(right),
            tail: left.get(left.len() - tail..).unwrap_or_default(),
        }
    }
}

/// The last character boundary at or before an offset.
pub(crate) fn floor(text: &str, at: usize) -> usize {
    let mut before = (0..=at.min(text.len())).rev();
    before.find(|at| text.is_char_boundary(*at)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::Split;

    #[test]
    fn texts_are_split_where_they_differ() {
        let split = |left, right| {
            let Split { head, tail, left, right } = Split::of(left, right);
            (head, left, right, tail)
        };
        assert_eq!(split("fn main", "fn mian"), ("fn m", "ai", "ia", "n"));
        assert_eq!(split("aa", "aaa"), ("aa", "", "a", ""));
        assert_eq!(split("", "x"), ("", "", "x", ""));
        assert_eq!(split("é", "è"), ("", "é", "è", ""));
        assert_eq!(split("same", "same"), ("same", "", "", ""));
    }
}
