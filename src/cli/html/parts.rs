//! Splits two lines into the parts they share and those that differ.

use super::matching::{Match, matching};
use crate::cli::report::text_diff::Split;

/// Lines up to this length are compared word by word, longer ones from both ends.
const WORDS_BYTES: usize = 400;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part<'t> {
    Shared(&'t str),
    Differs(&'t str),
}

impl<'t> Part<'t> {
    pub(super) fn text(self) -> &'t str {
        match self {
            Part::Shared(text) | Part::Differs(text) => text,
        }
    }
}

/// The parts of two different lines.
pub(super) fn parts_of_pair<'t>(left: &'t str, right: &'t str) -> (Vec<Part<'t>>, Vec<Part<'t>>) {
    // If only one line ends with a line break, the difference must be visible.
    let (left, right) = match left.ends_with('\n') && right.ends_with('\n') {
        true => (without_break(left), without_break(right)),
        false => (left, right),
    };
    match left.len().max(right.len()) <= WORDS_BYTES {
        true => by_words(left, right).unwrap_or_else(|| from_both_ends(left, right)),
        false => from_both_ends(left, right),
    }
}

pub(super) fn without_break(line: &str) -> &str {
    line.strip_suffix('\n').unwrap_or(line)
}

/// The difference is what remains between the common start and the common end.
fn from_both_ends<'t>(left: &'t str, right: &'t str) -> (Vec<Part<'t>>, Vec<Part<'t>>) {
    let split = Split::of(left, right);
    let parts = |differs: &'t str| {
        let parts = [Part::Shared(split.head), Part::Differs(differs), Part::Shared(split.tail)];
        parts.into_iter().filter(|part| !part.text().is_empty())
    };
    (parts(split.left).collect(), parts(split.right).collect())
}

/// The differences between common words; `None` if few words are common.
fn by_words<'t>(left: &'t str, right: &'t str) -> Option<(Vec<Part<'t>>, Vec<Part<'t>>)> {
    let (left_words, right_words) = (words(left), words(right));
    let (mut left_parts, mut right_parts) = (Vec::new(), Vec::new());
    let (mut left_rest, mut right_rest) = (left, right);
    let (mut old, mut new, mut shared) = (0, 0, 0);
    let end = Match { left: left_words.len(), right: right_words.len(), len: 0 };
    for same in matching(&left_words, &right_words).into_iter().chain([end]) {
        let of_left = take(&mut left_rest, &left_words, old..same.left);
        let of_right = take(&mut right_rest, &right_words, new..same.right);
        let (left, right) = from_both_ends(of_left, of_right);
        left_parts.extend(left);
        right_parts.extend(right);
        (old, new) = (same.left + same.len, same.right + same.len);
        let of_left = take(&mut left_rest, &left_words, same.left..old);
        let of_right = take(&mut right_rest, &right_words, same.right..new);
        shared += of_left.trim().len();
        if !of_left.is_empty() {
            left_parts.push(Part::Shared(of_left));
            right_parts.push(Part::Shared(of_right));
        }
    }
    let longest = left.len().max(right.len());
    (shared * 3 >= longest).then_some((left_parts, right_parts))
}

/// Splits the text of some words off the start of `rest`.
fn take<'t>(rest: &mut &'t str, words: &[&str], range: std::ops::Range<usize>) -> &'t str {
    let words = words.get(range).unwrap_or_default();
    let length = words.iter().map(|word| word.len()).sum();
    let (taken, behind) = rest.split_at_checked(length).unwrap_or((rest, ""));
    *rest = behind;
    taken
}

/// Words, runs of spaces, and single other characters.
fn words(text: &str) -> Vec<&str> {
    let class = |char: char| match char {
        ' ' => 1,
        char if char.is_alphanumeric() || char == '_' => 2,
        _ => 0,
    };
    let mut words = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let end = match class(first) {
            0 => Some(first.len_utf8()),
            own => rest.find(|char| class(char) != own),
        };
        let (word, tail) = rest.split_at_checked(end.unwrap_or(rest.len())).unwrap_or((rest, ""));
        words.push(word);
        rest = tail;
    }
    words
}

#[cfg(test)]
mod tests {
    use super::{Part, parts_of_pair};

    fn marked(left: &str, right: &str) -> [String; 2] {
        let marked = |parts: Vec<Part<'_>>| -> String {
            let parts = parts.iter().map(|part| match part {
                Part::Shared(text) => (*text).to_owned(),
                Part::Differs(text) => format!("[{text}]"),
            });
            parts.collect()
        };
        let (left, right) = parts_of_pair(left, right);
        [marked(left), marked(right)]
    }

    #[test]
    fn differences_are_highlighted_within_words() {
        assert_eq!(
            marked("let sum = total(a, 1);", "let sum = totals(a, 12)?;"),
            ["let sum = total(a, 1);", "let sum = total[s](a, 1[2])[?];"]
        );
        assert_eq!(marked("café", "cafe\u{301}"), ["caf[é]", "caf[e\u{301}]"]);
        assert_eq!(marked("a\r\n", "a\n"), ["a[\r]", "a"]);
        assert_eq!(marked("a\n", "a"), ["a[\n]", "a"]);
    }

    #[test]
    fn lines_with_little_in_common_are_highlighted_whole() {
        assert_eq!(
            marked("a = one(b, c)", "while (true) loop;"),
            ["[a = one(b, c)]", "[while (true) loop;]"]
        );
    }
}
