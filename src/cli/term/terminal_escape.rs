//! Escapes text from data for display on a terminal.

use std::borrow::Cow;
use std::path::Path;

/// Replaces control and format characters, including bidi controls, with `\u{…}`, `\n`, `\t` and so
/// on. All other characters, including combining marks, stay unchanged.
pub(crate) fn escaped(text: &str) -> Cow<'_, str> {
    if text.chars().all(is_plain) {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len());
    for char in text.chars() {
        match is_plain(char) {
            true => escaped.push(char),
            false => escaped.extend(char.escape_debug()),
        }
    }
    Cow::Owned(escaped)
}

/// A path with the same escapes; bytes that are not UTF-8 become replacement characters.
pub(crate) fn escaped_path(path: &Path) -> String {
    escaped(&path.to_string_lossy()).into_owned()
}

/// Whether a character may be written to a terminal unescaped.
pub(crate) fn is_plain(char: char) -> bool {
    if char.is_ascii() {
        return !char.is_ascii_control();
    }
    // `escape_debug` escapes a combining mark at the start of a text, but not after a letter.
    let mut behind_a_letter = [b'a'; 5];
    let [_, rest @ ..] = &mut behind_a_letter;
    let len = 1 + char.encode_utf8(rest).len();
    let text = behind_a_letter.get(..len).map(str::from_utf8);
    text.is_some_and(|text| text.is_ok_and(|text| text.escape_debug().count() == 2))
}

#[cfg(test)]
mod tests {
    use super::escaped;

    #[test]
    fn control_and_format_characters_never_reach_a_terminal() {
        let text = "a\u{1b}[31m\u{9b}\u{202e}\u{2066}\u{200b}\u{feff}\u{2028}\r\n\t\u{7f}\0";
        assert_eq!(
            escaped(text),
            "a\\u{1b}[31m\\u{9b}\\u{202e}\\u{2066}\\u{200b}\\u{feff}\\u{2028}\\r\\n\\t\\u{7f}\\0"
        );
    }

    #[test]
    fn letters_combining_marks_quotes_and_emoji_are_kept() {
        let text = "cafe\u{301} \"naïve\" 'x' C:\\dir 日本語 😀";
        assert_eq!(escaped(text), text);
    }
}
