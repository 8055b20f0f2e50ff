//! Commands that can be pasted into a shell.

use std::borrow::Cow;
use std::ffi::OsStr;
use std::path::Path;

use crate::cli::command_line::NAME;
use crate::cli::term::terminal_escape::is_plain;

/// The command line with these arguments; `None` if one of them can't be represented exactly.
pub(crate) fn shell_command<'w>(arguments: impl IntoIterator<Item = &'w OsStr>) -> Option<String> {
    let words = arguments.into_iter().map(quoted);
    let words: Option<Vec<String>> = std::iter::once(Some(NAME.to_owned())).chain(words).collect();
    Some(words?.join(" "))
}

/// An argument, quoted for a shell if necessary; `None` if it can't be represented exactly.
pub(crate) fn quoted(argument: &OsStr) -> Option<String> {
    let text = argument.to_str()?;
    if !text.chars().all(is_plain) {
        return None;
    }
    let is_safe = |char: char| char.is_ascii_alphanumeric() || "_-+,./:@".contains(char);
    if !text.is_empty() && text.chars().all(is_safe) {
        return Some(text.to_owned());
    }
    Some(format!("'{}'", text.replace('\'', r"'\''")))
}

/// A path as an argument that can't be mistaken for an option.
pub(crate) fn path_arg(path: &Path) -> Cow<'_, OsStr> {
    match path.as_os_str().as_encoded_bytes() {
        [b'-', ..] => Path::new(".").join(path).into_os_string().into(),
        _ => path.as_os_str().into(),
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt as _;
    use std::path::Path;
    use std::process::Command;

    use super::{path_arg, shell_command};

    #[test]
    fn a_shell_parses_pasted_commands_as_intended() {
        let names = [
            "code.db", "", "a b", "it's", "~", "$HOME", "`id`", "a\\b", "*", "!!", "#x", "=ls",
            "a;b", "größe", "日本", "{a,b}", "\"", "-x",
        ];
        let line = shell_command(names.map(OsStr::new)).unwrap();
        let script = format!("chunkmigrate() {{ printf '%s\\n' \"$@\"; }}; {line}");
        let output = Command::new("sh").args(["-c", &script]).output().unwrap();
        let told = String::from_utf8(output.stdout).unwrap();
        assert_eq!(told.lines().collect::<Vec<_>>(), names);
    }

    #[test]
    fn unprintable_paths_are_not_suggested_in_commands() {
        for name in [&b"bell\x07"[..], b"line\nbreak", b"\xff", "\u{202e}".as_bytes()] {
            assert_eq!(shell_command([OsStr::from_bytes(name)]), None);
        }
    }

    #[test]
    fn a_path_is_never_parsed_as_an_option() {
        assert_eq!(&*path_arg(Path::new("-x.db")), "./-x.db");
        assert_eq!(&*path_arg(Path::new("x/-y.db")), "x/-y.db");
    }
}
