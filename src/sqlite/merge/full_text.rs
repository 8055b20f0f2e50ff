//! Full-text tables that index the rows of other tables (`content=`) and become stale when those
//! change without them.

use rusqlite::types::ValueRef;
use rusqlite::{Connection, ErrorCode};
use serde::Serialize;

use crate::sqlite::merge::Derived;
use crate::sqlite::read::other_tables::shown_name;
use crate::sqlite::schema::quoted;
use crate::table::{CarriedTables, ObjectType};

/// A full-text table that no longer matches the rows that it indexes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct StaleIndex {
    /// Its name.
    pub table: String,
    /// Why it could not be rebuilt.
    pub why: String,
    /// The SQL statement that rebuilds it in a program with the required extensions.
    pub statement: String,
}

/// Rebuilds every full-text table whose content is one of the changed tables.
///
/// # Errors
/// The database can't be written. A full-text table that can't be rebuilt is left unchanged.
pub(crate) fn rebuild(connection: &Connection, changed: &[&str]) -> rusqlite::Result<Derived> {
    let mut found = Derived::default();
    let views = views_over(connection, changed)?;
    for index in external_content_tables(connection)? {
        let is = |name: &str| name.eq_ignore_ascii_case(&index.content);
        let over_view = views.iter().any(|view| is(view));
        if !over_view && !changed.iter().any(|table| is(table)) {
            continue;
        }
        let why = match over_view {
            true => Some(format!("its content {} is a view", index.content)),
            false => index.rebuild(connection)?,
        };
        match why {
            None => found.rebuilt.push(index.table),
            Some(why) => found.stale.push(StaleIndex {
                statement: index.statement("rebuild"),
                table: index.table,
                why,
            }),
        }
    }
    Ok(found)
}

/// The full-text tables over the tables in `changed` that a KV file carries. They are out of date when
/// it is restored: a file has an index only as rows.
pub(crate) fn stale_in(carried: &CarriedTables, changed: &[&str]) -> Vec<StaleIndex> {
    let objects = || carried.whole.iter().flat_map(|whole| &whole.objects);
    let reads_changed = |content: &str| {
        let is = |name: &str| name.eq_ignore_ascii_case(content);
        let view = objects().find(|of| of.object_type == ObjectType::View && is(&of.name));
        // As of a database: a name anywhere in the statement counts.
        let in_view = |name: &str| {
            view.is_some_and(|view| view.sql.to_lowercase().contains(&name.to_lowercase()))
        };
        changed.iter().any(|name| is(name) || in_view(name))
    };
    let virtual_tables = objects().filter(|of| of.object_type == ObjectType::VirtualTable);
    let indexes = virtual_tables.filter_map(|of| {
        let (is_fts5, content) = external_content(&of.sql)?;
        Some(ExternalContent { table: of.name.clone(), is_fts5, content })
    });
    let stale = indexes.filter(|index| reads_changed(&index.content));
    stale
        .map(|index| StaleIndex {
            statement: index.statement("rebuild"),
            table: index.table,
            why: "a KV file has its index as rows: rebuild it in a database".to_owned(),
        })
        .collect()
}

/// A full-text table that doesn't store its own text.
struct ExternalContent {
    table: String,
    is_fts5: bool,
    /// The table or view whose rows it indexes.
    content: String,
}

impl ExternalContent {
    fn statement(&self, command: &str) -> String {
        let table = quoted(&self.table);
        format!("INSERT INTO {table}({table}) VALUES('{command}');")
    }

    /// Rebuilds the table and checks it against its content; returns the reason if that fails.
    fn rebuild(&self, connection: &Connection) -> rusqlite::Result<Option<String>> {
        let table = quoted(&self.table);
        let mut sql = format!("SAVEPOINT rebuild; {}", self.statement("rebuild"));
        if self.is_fts5 {
            // With rank 1, the check compares the index with the rows of the content table.
            let check = format!("INSERT INTO {table}({table}, rank) VALUES('integrity-check', 1);");
            sql.push_str(&check);
        }
        match connection.execute_batch(&format!("{sql} RELEASE rebuild;")) {
            Ok(()) => Ok(None),
            Err(error) if is_environment_error(&error) => Err(error),
            Err(error) => {
                connection.execute_batch("ROLLBACK TO rebuild; RELEASE rebuild;")?;
                Ok(Some(error.to_string()))
            }
        }
    }
}

/// Whether an error is caused by the environment and not by the table, such as a full disk.
fn is_environment_error(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(
            ErrorCode::CannotOpen
                | ErrorCode::DatabaseBusy
                | ErrorCode::DatabaseLocked
                | ErrorCode::DiskFull
                | ErrorCode::OperationInterrupted
                | ErrorCode::OutOfMemory
                | ErrorCode::ReadOnly
                | ErrorCode::SystemIoFailure
        )
    )
}

fn external_content_tables(connection: &Connection) -> rusqlite::Result<Vec<ExternalContent>> {
    let mut statement = connection.prepare(
        "SELECT name, sql FROM main.sqlite_schema
         WHERE type = 'table' AND sql LIKE 'CREATE VIRTUAL%' ORDER BY name",
    )?;
    let mut rows = statement.query([])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let (ValueRef::Text(_), ValueRef::Text(sql)) = (row.get_ref(0)?, row.get_ref(1)?) else {
            continue;
        };
        let table = shown_name(row.get_ref(0)?);
        let sql = String::from_utf8_lossy(sql);
        if let Some((is_fts5, content)) = external_content(&sql) {
            found.push(ExternalContent { table, is_fts5, content });
        }
    }
    Ok(found)
}

/// The `content=` of a full-text table, and whether it is an FTS5 table; `None` for all other
/// statements, and for tables that store their own text or none.
fn external_content(sql: &str) -> Option<(bool, String)> {
    let mut tokens = Tokens(sql);
    tokens.find(|token| token.eq_ignore_ascii_case("USING"))?;
    let is_fts5 = match tokens.next()?.to_ascii_lowercase().as_str() {
        "fts5" => true,
        "fts4" => false,
        _ => return None,
    };
    let is_option = |name: &str| match is_fts5 {
        // FTS5 accepts any prefix of the option name.
        true => name.len() <= 7 && "content"[..name.len()].eq_ignore_ascii_case(name),
        false => name.eq_ignore_ascii_case("content"),
    };
    if tokens.next()? != "(" {
        return None;
    }
    let mut depth = 1;
    let mut is_start = true;
    while let Some(token) = tokens.next() {
        match token {
            "(" => depth += 1,
            ")" => depth -= 1,
            "," if depth == 1 => {
                is_start = true;
                continue;
            }
            _ => {}
        }
        if is_start && depth == 1 && is_option(token) && tokens.clone().next() == Some("=") {
            let content = unquoted(tokens.nth(1)?);
            return (!content.is_empty()).then_some((is_fts5, content));
        }
        is_start = false;
        if depth == 0 {
            break;
        }
    }
    None
}

/// The views that read one of the tables, directly or through other views. A view is included if
/// its SQL contains the name anywhere: false positives are harmless.
fn views_over(connection: &Connection, tables: &[&str]) -> rusqlite::Result<Vec<String>> {
    let mut statement =
        connection.prepare("SELECT name, sql FROM main.sqlite_schema WHERE type = 'view'")?;
    let mut rows = statement.query([])?;
    let mut views = Vec::new();
    while let Some(row) = rows.next()? {
        views.push((shown_name(row.get_ref(0)?), shown_name(row.get_ref(1)?)));
    }
    let mut names: Vec<String> = tables.iter().map(|table| (*table).to_owned()).collect();
    loop {
        let (reading, others): (Vec<_>, Vec<_>) = views.into_iter().partition(|(_, sql)| {
            Tokens(sql).any(|token| names.iter().any(|n| n.eq_ignore_ascii_case(&unquoted(token))))
        });
        views = others;
        if reading.is_empty() {
            return Ok(names.split_off(tables.len()));
        }
        names.extend(reading.into_iter().map(|(name, _)| name));
    }
}

/// The tokens of an SQL statement, without whitespace and comments.
#[derive(Clone)]
struct Tokens<'s>(&'s str);

impl<'s> Iterator for Tokens<'s> {
    type Item = &'s str;

    fn next(&mut self) -> Option<&'s str> {
        loop {
            self.0 = self.0.trim_start();
            let comment_end = match self.0 {
                rest if rest.starts_with("--") => rest.find('\n'),
                rest if rest.starts_with("/*") => rest.find("*/").map(|end| end + 2),
                _ => break,
            };
            self.0 = comment_end.and_then(|end| self.0.get(end..)).unwrap_or("");
        }
        let first = self.0.chars().next()?;
        let is_word = |char: char| char.is_alphanumeric() || matches!(char, '_' | '$');
        let end = match first {
            '\'' | '"' | '`' => quoted_len(self.0, first),
            '[' => self.0.find(']').map_or(self.0.len(), |end| end + 1),
            _ if is_word(first) => self.0.find(|c| !is_word(c)).unwrap_or(self.0.len()),
            _ => first.len_utf8(),
        };
        let (token, rest) = self.0.split_at_checked(end)?;
        self.0 = rest;
        Some(token)
    }
}

/// The length of a quoted token, in which the quote character is doubled.
fn quoted_len(text: &str, quote: char) -> usize {
    let mut inside = true;
    let mut chars = text.char_indices().skip(1).peekable();
    while let Some((at, char)) = chars.next() {
        if char == quote {
            inside = !inside;
            if !inside && chars.peek().is_none_or(|(_, next)| *next != quote) {
                return at + quote.len_utf8();
            }
        }
    }
    text.len()
}

/// A name or string without its quotes.
fn unquoted(token: &str) -> String {
    let mut chars = token.chars();
    let quote = match chars.next() {
        Some('[') => return token.trim_matches(['[', ']']).to_owned(),
        Some(quote @ ('\'' | '"' | '`')) => quote,
        _ => return token.to_owned(),
    };
    let inner = chars.as_str();
    let inner = inner.strip_suffix(quote).unwrap_or(inner);
    inner.replace(&format!("{quote}{quote}"), &quote.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_content_table_of_a_full_text_table_is_found_in_any_spelling() {
        for (sql, expected) in [
            ("f USING fts5(a, content='code_chunks')", Some((true, "code_chunks"))),
            ("f USING FTS5 ( a , cont = \"code_chunks\" )", Some((true, "code_chunks"))),
            ("f USING fts5(a, content=[my chunks], b)", Some((true, "my chunks"))),
            ("f USING fts5(a, content=`it's`)", Some((true, "it's"))),
            ("f USING fts5(a, content='it''s')", Some((true, "it's"))),
            ("f USING fts5(a, /* , */ content=t -- )\n)", Some((true, "t"))),
            ("'using' USING fts4(content=\"t\", a)", Some((false, "t"))),
            ("f USING fts4(cont=\"t\", a)", None),
            ("f USING fts5(content, tokenize='unicode61')", None),
            ("f USING fts5(a, content='')", None),
            ("f USING fts5(a, tokenize=(content='t'))", None),
            ("f USING fts5(a, tokenize=\"x, content='t'\")", None),
            ("f USING rtree(id, content='t')", None),
            ("f USING fts5", None),
            ("f USING fts5(a, content='t", Some((true, "t"))),
        ] {
            let sql = format!("CREATE VIRTUAL TABLE {sql}");
            let expected = expected.map(|(is_fts5, content)| (is_fts5, content.to_owned()));
            assert_eq!(external_content(&sql), expected, "{sql}");
        }
        assert_eq!(external_content(""), None);
    }

    #[test]
    fn views_are_resolved_to_the_tables_they_read() {
        let db = Connection::open_in_memory().unwrap();
        db.execute_batch(
            "CREATE TABLE code_chunks (a); CREATE TABLE other (code);
             CREATE VIEW near AS SELECT a FROM \"Code_Chunks\";
             CREATE VIEW far AS SELECT * FROM near;
             CREATE VIEW unrelated AS SELECT code, 'code_chunks' FROM other;
             CREATE VIEW away AS SELECT code FROM other -- near",
        )
        .unwrap();
        let mut views = views_over(&db, &["code_chunks"]).unwrap();
        views.sort();
        // A string with the name is a false positive.
        assert_eq!(views, ["far", "near", "unrelated"]);
    }
}
