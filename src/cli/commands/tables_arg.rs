use chunkmigrate::table::TableSelection;

/// Parses `all`, or a comma-separated list of names, each in double quotes if it has a comma or is
/// `all` itself.
pub(crate) fn parse(list: &str) -> Result<TableSelection, String> {
    let names = split(list)?;
    if names.iter().any(|(name, is_quoted)| name.eq_ignore_ascii_case("all") && !is_quoted) {
        return Ok(TableSelection::All);
    }
    Ok(TableSelection::Named(names.into_iter().map(|(name, _)| name).collect()))
}

/// A selection as the value of `--tables`; `None` if it has no tables.
pub(crate) fn format(selection: &TableSelection) -> Option<String> {
    let quoted = |name: &String| {
        let is_plain = !name.contains([',', '"']) && !name.eq_ignore_ascii_case("all");
        match is_plain {
            true => name.clone(),
            false => format!("\"{}\"", name.replace('"', "\"\"")),
        }
    };
    match selection {
        TableSelection::Named(names) => {
            Some(names.iter().map(quoted).collect::<Vec<_>>().join(","))
        }
        TableSelection::All => Some("all".to_owned()),
        _ => None,
    }
}

/// The names in a list, and whether each was quoted.
fn split(list: &str) -> Result<Vec<(String, bool)>, String> {
    let mut names = Vec::new();
    let mut rest = list;
    loop {
        let (name, is_quoted, after) = match rest.strip_prefix('"') {
            Some(quoted) => {
                let (name, after) = unquote(quoted)?;
                (name, true, after)
            }
            None => {
                let (name, after) = rest.split_at(rest.find(',').unwrap_or(rest.len()));
                (name.to_owned(), false, after)
            }
        };
        if name.is_empty() {
            return Err("the name of a table is empty".to_owned());
        }
        names.push((name, is_quoted));
        match after.strip_prefix(',') {
            Some(next) => rest = next,
            None if after.is_empty() => return Ok(names),
            None => return Err("a comma must follow a quoted name".to_owned()),
        }
    }
}

/// The name up to the closing quote, in which quotes are doubled, and what follows it.
fn unquote(text: &str) -> Result<(String, &str), String> {
    let mut name = String::new();
    let mut rest = text;
    loop {
        let Some((part, after)) = rest.split_once('"') else {
            return Err("the closing quote is missing".to_owned());
        };
        name.push_str(part);
        match after.strip_prefix('"') {
            Some(next) => {
                name.push('"');
                rest = next;
            }
            None => return Ok((name, after)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(values: &[&str]) -> Result<TableSelection, String> {
        values.iter().map(|value| parse(value)).collect()
    }

    fn named(names: &[&str]) -> Result<TableSelection, String> {
        Ok(TableSelection::Named(names.iter().map(|name| (*name).to_owned()).collect()))
    }

    #[test]
    fn names_are_separated_by_commas_and_quoted_as_in_sql() {
        assert_eq!(of(&[]), Ok(TableSelection::None));
        assert_eq!(of(&["all"]), Ok(TableSelection::All));
        assert_eq!(of(&["ALL"]), Ok(TableSelection::All));
        assert_eq!(of(&["files,all"]), Ok(TableSelection::All));
        assert_eq!(of(&["\"all\""]), named(&["all"]));
        assert_eq!(of(&["chunks,files", "more"]), named(&["chunks", "files", "more"]));
        assert_eq!(of(&["\"a,b\",c d"]), named(&["a,b", "c d"]));
        assert_eq!(of(&["\"say \"\"hi\"\"\""]), named(&["say \"hi\""]));
    }

    #[test]
    fn a_selection_is_formatted_as_it_is_parsed() {
        for list in ["all", "a,b", "\"all\",\"a,b\",\"\"\"\",c d"] {
            assert_eq!(format(&parse(list).unwrap()).as_deref(), Some(list));
        }
        assert_eq!(format(&TableSelection::None), None);
    }

    #[test]
    fn a_list_that_is_no_list_is_an_error() {
        for list in ["", "a,", ",a", "\"a", "\"a\"b", "\"\""] {
            assert!(of(&[list]).is_err(), "{list}");
        }
    }
}
