//! Canonical JSON strings, written and read sixteen bytes at a time.

use std::borrow::Cow;

use memchr::memchr2;
use wide::u8x16;

/// For a longer rest, the end of a string is searched before memory is reserved for it.
const LONG_BYTES: usize = 64 << 10;

/// Appends a text as a JSON string, with the shortest escapes and only those that JSON requires.
pub(crate) fn write_text(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    let mut rest = text.as_bytes();
    while let Some((block, after_block)) = rest.split_first_chunk() {
        let plain = first_special(*block);
        out.extend_from_slice(block);
        let Some(plain) = plain else {
            rest = after_block;
            continue;
        };
        out.truncate(out.len() - (block.len() - plain));
        if let Some(special) = block.get(plain) {
            write_escape(*special, out);
        }
        rest = rest.get(plain + 1..).unwrap_or_default();
    }
    for byte in rest {
        match byte {
            b'"' | b'\\' | ..b' ' => write_escape(*byte, out),
            plain => out.push(*plain),
        }
    }
    out.push(b'"');
}

fn write_escape(special: u8, out: &mut Vec<u8>) {
    let escape = match special {
        b'\n' => b'n',
        b'"' | b'\\' => special,
        b'\t' => b't',
        b'\r' => b'r',
        0x08 => b'b',
        0x0c => b'f',
        control => {
            const DIGITS: &[u8; 16] = b"0123456789abcdef";
            out.extend_from_slice(b"\\u00");
            let digit = |nibble: u8| DIGITS.get(usize::from(nibble)).copied();
            out.extend(digit(control >> 4).into_iter().chain(digit(control & 15)));
            return;
        }
    };
    out.extend_from_slice(&[b'\\', escape]);
}

/// The text of a string that `rest` continues after its opening quote, and what follows the string;
/// `None` if [`write_text`] would write it differently. If the text is not `wanted`, only checks it.
pub(crate) fn read_text(rest: &str, wanted: bool) -> Option<(Cow<'_, str>, &str)> {
    let mut at = special(rest.as_bytes())?;
    if rest.as_bytes().get(at) == Some(&b'"') {
        return Some((Cow::Borrowed(rest.get(..at)?), rest.get(at + 1..)?));
    }
    let mut text = String::new();
    if wanted {
        text.reserve(capacity(rest, at));
    }
    let mut rest = rest;
    loop {
        let (plain, after) = rest.split_at_checked(at)?;
        if wanted {
            text.push_str(plain);
        }
        let (character, length) = match after.as_bytes() {
            [b'"', ..] => return Some((Cow::Owned(text), after.get(1..)?)),
            [b'\\', escape, ..] => match escape {
                b'n' => (b'\n', 2),
                b'"' | b'\\' => (*escape, 2),
                b't' => (b'\t', 2),
                b'r' => (b'\r', 2),
                b'b' => (0x08, 2),
                b'f' => (0x0c, 2),
                b'u' => (control(after.get(2..6)?)?, 6),
                _ => return None,
            },
            _ => return None,
        };
        if wanted {
            text.push(char::from(character));
        }
        rest = after.get(length..)?;
        at = special(rest.as_bytes())?;
    }
}

/// The control character with these four hexadecimal digits, if it has no shorter escape.
fn control(digits: &str) -> Option<u8> {
    let digits = digits.strip_prefix("00")?;
    let is_lower_hex = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    let control = u8::from_str_radix(digits, 16).ok()?;
    let has_shorter = matches!(control, 0x08 | b'\t' | b'\n' | 0x0c | b'\r');
    (digits.bytes().all(is_lower_hex) && control < b' ' && !has_shorter).then_some(control)
}

/// How much to reserve for the text of a string whose first escape is at `at`. A large text must not
/// cost twice its size.
fn capacity(rest: &str, at: usize) -> usize {
    if rest.len() <= LONG_BYTES {
        return rest.len();
    }
    let mut end = at;
    while let Some(found) = rest.as_bytes().get(end..).and_then(|r| memchr2(b'"', b'\\', r)) {
        end += found;
        if rest.as_bytes().get(end) == Some(&b'"') {
            break;
        }
        end += 2;
    }
    end
}

/// The place of the first quote, backslash or control character.
fn special(bytes: &[u8]) -> Option<usize> {
    let (blocks, rest) = bytes.as_chunks();
    for (index, block) in blocks.iter().enumerate() {
        if let Some(place) = first_special(*block) {
            return Some(index * block.len() + place);
        }
    }
    let is_special = |byte: &u8| matches!(byte, b'"' | b'\\' | ..b' ');
    let in_rest = rest.iter().position(is_special);
    in_rest.map(|at| bytes.len() - rest.len() + at)
}

/// As [`special`], of a block.
#[inline]
fn first_special(block: [u8; 16]) -> Option<usize> {
    let block = u8x16::new(block);
    let is_control = block.min(u8x16::splat(b' ' - 1)).simd_eq(block);
    let is_quote = block.simd_eq(u8x16::splat(b'"'));
    let is_backslash = block.simd_eq(u8x16::splat(b'\\'));
    let places = (is_control | is_quote | is_backslash).to_bitmask();
    (places != 0).then_some(places.trailing_zeros() as usize)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Texts with many characters that need escapes, at any place within sixteen bytes.
    fn text() -> impl Strategy<Value = String> {
        let parts = prop_oneof![
            "[ -~]{0,40}",
            "[\u{0}-\u{1f}\"\\\\]{1,3}",
            "[\u{7f}-\u{ff}\u{800}\u{10000}]{1,4}",
        ];
        prop::collection::vec(parts, 0..8).prop_map(|parts| parts.concat())
    }

    proptest! {
        #[test]
        fn texts_are_written_as_serde_json_writes_them_and_read_back(text in text()) {
            let mut written = Vec::new();
            write_text(&text, &mut written);
            let expected = serde_json::to_vec(&text).unwrap();
            prop_assert_eq!(&written, &expected);
            let json = String::from_utf8(written).unwrap() + ",rest";
            for wanted in [true, false] {
                let (read, rest) = read_text(&json[1..], wanted).unwrap();
                prop_assert_eq!(rest, ",rest");
                prop_assert!(!wanted || read == text);
            }
        }

        #[test]
        fn a_string_is_read_if_and_only_if_it_is_written_like_that(
            text in text(),
            place: prop::sample::Index,
            byte in prop::sample::select(b"\"\\u0a1fFnb \n\x01x".to_vec()),
        ) {
            let mut json = serde_json::to_vec(&text).unwrap();
            let at = place.index(json.len());
            json[at] = byte;
            let Ok(json) = String::from_utf8(json) else { return Ok(()) };
            let read = json.strip_prefix('"').and_then(|rest| read_text(rest, true));
            let read = read.filter(|(_, rest)| rest.is_empty()).map(|(text, _)| text);
            let expected = serde_json::from_str::<String>(&json).ok();
            let expected = expected.filter(|text| serde_json::to_string(text).unwrap() == json);
            prop_assert_eq!(read.as_deref(), expected.as_deref());
            let checked = json.strip_prefix('"').and_then(|rest| read_text(rest, false));
            prop_assert_eq!(checked.is_some_and(|(_, rest)| rest.is_empty()), read.is_some());
        }
    }
}
