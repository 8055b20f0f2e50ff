//! The code points of texts that look alike, such as é in one character and in two.

use maud::{Markup, html};

use super::markup::{Text, combines};
use super::parts::Part;

/// Maximum number of characters of either side.
const CHARS: usize = 8;

/// The code points of what differs between two lines, if that looks alike. Control and format
/// characters need none, because the page shows them as escapes.
pub(super) fn code_points(left: &[Part<'_>], right: &[Part<'_>]) -> Option<Markup> {
    let (left, right) = (differing(left)?, differing(right)?);
    looks_alike(&left, &right).then(|| {
        html! {
            "code points: " (list(&left)) " on the left, " (list(&right)) " on the right"
        }
    })
}

/// The characters that differ; `None` if they are too many.
fn differing(parts: &[Part<'_>]) -> Option<Vec<char>> {
    let differing = parts.iter().filter(|part| matches!(part, Part::Differs(_)));
    let chars: Vec<char> = differing.flat_map(|part| part.text().chars()).take(CHARS + 1).collect();
    (chars.len() <= CHARS).then_some(chars)
}

/// Whether both have as many letters, and only letters beyond ASCII and combining marks differ.
fn looks_alike(left: &[char], right: &[char]) -> bool {
    let letters =
        |chars: &[char]| chars.iter().copied().filter(|c| !combines(*c)).collect::<Vec<_>>();
    let is_special = left.iter().chain(right).any(|char| !char.is_ascii());
    let (left, right) = (letters(left), letters(right));
    let mut pairs = left.iter().zip(&right);
    is_special
        && left.len() == right.len()
        && pairs.all(|(left, right)| left == right || !left.is_ascii() || !right.is_ascii())
}

fn list(chars: &[char]) -> Markup {
    html! {
        @if chars.is_empty() { "none" }
        @for (nth, char) in chars.iter().enumerate() {
            @if nth > 0 { " " }
            (Text(char.to_string())) " U+" (format!("{:04X}", u32::from(*char)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::html::parts::parts_of_pair;

    fn shown(left: &str, right: &str) -> Option<String> {
        let (left, right) = parts_of_pair(left, right);
        code_points(&left, &right).map(|markup| {
            let text = markup.into_string();
            text.strip_prefix("code points: ").unwrap().to_owned()
        })
    }

    #[test]
    fn texts_that_look_alike_are_shown_with_their_code_points() {
        assert_eq!(
            shown("café", "cafe\u{301}").unwrap(),
            "é U+00E9 on the left, e U+0065 <span class=\"esc\">\\u{301}</span> U+0301 on the right"
        );
        assert_eq!(
            shown("let a = 1", "let \u{430} = 1").unwrap(),
            "a U+0061 on the left, \u{430} U+0430 on the right"
        );
        let sharp = shown("x\u{fe0f}", "x").unwrap();
        assert!(sharp.ends_with("U+FE0F on the left, none on the right"), "{sharp}");
    }

    #[test]
    fn texts_that_look_different_have_no_code_points() {
        for (left, right) in [("tea", "coffee"), ("one", "two"), ("é", "eau"), ("naïve", "other")]
        {
            assert_eq!(shown(left, right), None, "{left} {right}");
        }
    }
}
