//! Reads a text line by line and collects its records in key order, and its invalid lines.

use std::fs::Metadata;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use super::ImportSource;
use super::end_check::{EndCheck, EndLine};
use super::line_reader::Input;
use super::line_splitter::Segment;
use super::parse_line::{
    ParsedLine, judge, no_tables_line, other_tables_line, row_shares, shares, too_long,
};
use super::tables_line::TablesLine;
use crate::codec::{Entry, Line};
use crate::compare::Finding;
use crate::error::{Error, Result};
use crate::migrate::CopyOptions;
use crate::migrate::rejects::{RejectedLine, RejectedLines};
use crate::progress::{Progress, Stage};
use crate::record::IdSequences;
use crate::sqlite::{Duplicate, ScratchEntries, ScratchLine, ScratchLines, ScratchRows};
use crate::stream::pipeline;
use crate::table::{CarriedTables, Kind, RowObject, read_row};

/// A larger segment is one large record.
const LARGE_SEGMENT_BYTES: usize = 4 << 20;

/// The content of a text.
pub(super) struct Lines {
    pub(super) path: PathBuf,
    pub(super) entries: ScratchEntries,
    /// The selected tables that the text carries.
    pub(super) carried: Option<CarriedTables>,
    /// Their rows, if there are any.
    pub(super) rows: Option<ScratchRows>,
    pub(super) sequences: IdSequences,
    /// Total bytes of all keys and values.
    pub(super) bytes: u64,
    pub(super) end_line: EndLine,
}

/// The invalid lines of a text.
pub(super) struct InvalidLines {
    lines: ScratchLines,
    tables: Option<Arc<TablesLine>>,
}

/// Reads a text to its end; `file` is the result of [`ImportSource::file`].
pub(super) fn take_in(
    source: ImportSource<'_>,
    file: Option<Metadata>,
    options: &CopyOptions,
    progress: &Progress,
) -> Result<(Lines, InvalidLines)> {
    let temp_dir = options.temp_dir.as_deref();
    let path = source.path().to_owned();
    let tables = OnceLock::new();
    let mut intake = LineIntake {
        options,
        tables: &tables,
        early: None,
        lines: Lines {
            path,
            entries: ScratchEntries::create(temp_dir)?,
            carried: None,
            rows: None,
            sequences: IdSequences::default(),
            bytes: 0,
            end_line: EndLine::Missing,
        },
        rejected: ScratchLines::create(temp_dir)?,
        line: 0,
        end_check: EndCheck::default(),
        has_rejected: false,
    };
    let mut input = Input::start(source, file)?;
    progress.start(Stage::ReadLines, None);
    let read = |send: &mut dyn FnMut(Segment, usize) -> Result<()>| {
        let mut is_first = true;
        while let Some(mut segment) = input.next(progress)? {
            if std::mem::take(&mut is_first) {
                segment.remove_mark();
            }
            let bytes = segment.len();
            send(segment, bytes)?;
        }
        Ok(())
    };
    let judge = |segment| judge_segment(segment, known(&tables));
    pipeline(options.threads(), read, judge, |results| {
        while let Some((segment, judged)) = results.next()? {
            let before = intake.line;
            match segment {
                Segment::Lines(text) => {
                    let judged =
                        judged.map_or_else(|| JudgedLines::of(&text, known(&tables)), Ok)?;
                    intake.take_lines(&text, judged)?;
                }
                Segment::Start(start) => {
                    intake.line += 1;
                    intake.end_check.take_invalid(None);
                    intake.reject(&start, true)?;
                }
            }
            progress.inc(intake.line - before);
        }
        Ok(())
    })?;
    progress.finish();
    input.confirm()?;
    intake.end()
}

type Judged<'l> = std::result::Result<ParsedLine<'l>, Box<Finding>>;

/// The lines of a segment, as [`judge`] sees them.
#[derive(Default)]
struct JudgedLines<'l> {
    /// Those that are not blank.
    lines: Vec<JudgedLine<'l>>,
    /// Number of lines, with the blank ones.
    count: u64,
    end_check: EndCheck,
}

struct JudgedLine<'l> {
    /// The number of the line, from 1 on.
    number: u64,
    /// Where it is in the segment.
    place: Range<usize>,
    judged: Judged<'l>,
}

impl<'l> JudgedLines<'l> {
    fn of(text: &'l [u8], tables: Option<&TablesLine>) -> Result<Self> {
        let mut all = JudgedLines::default();
        let mut end = 0;
        for line in text.split_inclusive(|byte| *byte == b'\n') {
            let place = end..end + line.len();
            end = place.end;
            all.count += 1;
            if line.trim_ascii().is_empty() {
                continue;
            }
            let judged = judge(line, tables)?;
            all.end_check.take(&judged)?;
            all.lines.push(JudgedLine { number: all.count, place, judged });
        }
        Ok(all)
    }

    fn into_owned(self) -> JudgedLines<'static> {
        let lines = self.lines.into_iter().map(|line| JudgedLine {
            number: line.number,
            place: line.place,
            judged: line.judged.map(ParsedLine::into_owned),
        });
        JudgedLines { lines: lines.collect(), count: self.count, end_check: self.end_check }
    }
}

/// Judges the lines of a segment, unless they are large: these are judged later to save memory.
fn judge_segment(
    segment: Segment,
    tables: Option<&TablesLine>,
) -> Result<(Segment, Option<JudgedLines<'static>>)> {
    let judged = match &segment {
        Segment::Lines(text) if text.len() <= LARGE_SEGMENT_BYTES => {
            Some(JudgedLines::of(text, tables)?.into_owned())
        }
        Segment::Lines(_) | Segment::Start(_) => None,
    };
    Ok((segment, judged))
}

/// The `tables` line, once it was taken.
fn known(tables: &OnceLock<Arc<TablesLine>>) -> Option<&TablesLine> {
    tables.get().map(|tables| &**tables)
}

struct LineIntake<'o> {
    options: &'o CopyOptions,
    /// The first `tables` line. The threads that judge lines see it too; what they judged without it
    /// is judged again.
    tables: &'o OnceLock<Arc<TablesLine>>,
    /// The lines with rows before it.
    early: Option<ScratchLines>,
    lines: Lines,
    rejected: ScratchLines,
    line: u64,
    end_check: EndCheck,
    has_rejected: bool,
}

impl LineIntake<'_> {
    fn take_lines(&mut self, text: &[u8], judged: JudgedLines<'_>) -> Result<()> {
        self.end_check.add(&judged.end_check);
        let before = self.line;
        for JudgedLine { number, place, judged } in judged.lines {
            self.line = before + number;
            self.take_line(text.get(place).unwrap_or_default(), judged)?;
        }
        self.line = before + judged.count;
        Ok(())
    }

    fn take_line(&mut self, text: &[u8], judged: Judged<'_>) -> Result<()> {
        let is_selected = |why: &Finding| match &why.kind {
            Some(Kind::Record(kind)) => self.options.only.contains(*kind),
            Some(Kind::Table(table)) => self.is_selected(table),
            None => true,
        };
        match judged {
            Ok(ParsedLine::UndescribedRow { .. }) => self.take_undescribed(text),
            Ok(ParsedLine::Tables(tables)) => {
                let tables = Arc::new(*tables);
                match *self.tables.get_or_init(|| Arc::clone(&tables)) == tables {
                    true => Ok(()),
                    false => self.reject(text, false),
                }
            }
            Ok(good) => self.keep(good),
            Err(why) if is_selected(&why) => self.reject(text, false),
            Err(_) => Ok(()),
        }
    }

    /// Whether the rows of a table are imported.
    fn is_selected(&self, table: &str) -> bool {
        self.options.tables.is_none() || self.options.tables.contains(table)
    }

    /// Takes a row that was judged without the `tables` line.
    fn take_undescribed(&mut self, text: &[u8]) -> Result<()> {
        if let Some(tables) = known(self.tables) {
            let judged = judge(text, Some(tables))?;
            self.end_check.take(&judged)?;
            return self.take_line(text, judged);
        }
        let early = match &mut self.early {
            Some(early) => early,
            None => {
                let created = ScratchLines::create(self.options.temp_dir.as_deref())?;
                self.early.insert(created)
            }
        };
        early.add(ScratchLine { line: self.line, text, is_cut: false, shared: None })
    }

    /// Takes the rows before the `tables` line, now that all lines were read.
    fn take_early(&mut self) -> Result<()> {
        let Some(early) = self.early.take() else {
            return Ok(());
        };
        let has_tables = self.tables.get().is_some();
        early.visit(&mut |ScratchLine { line, text, .. }| {
            self.line = line;
            match has_tables {
                true => self.take_undescribed(text),
                false => self.reject(text, false),
            }
        })
    }

    fn keep(&mut self, good: ParsedLine<'_>) -> Result<()> {
        match good {
            ParsedLine::Record { kind, .. } if !self.options.only.contains(kind) => Ok(()),
            ParsedLine::Record { kind, key, value } => {
                let entry = Entry { key: key.as_bytes(), value: &value };
                self.lines.bytes += (entry.key.len() + entry.value.len()) as u64;
                self.lines.entries.add(kind, self.line, entry)
            }
            ParsedLine::IdSequences(sequences) => {
                self.lines.sequences = self.lines.sequences.max(sequences);
                Ok(())
            }
            ParsedLine::Row { table, .. } if !self.is_selected(&table.name) => Ok(()),
            ParsedLine::Row { table, key, value } => {
                let entry = Entry { key: key.as_bytes(), value: &value };
                self.lines.bytes += (entry.key.len() + entry.value.len()) as u64;
                let rows = match &mut self.lines.rows {
                    Some(rows) => rows,
                    None => {
                        let created = ScratchRows::create(self.options.temp_dir.as_deref())?;
                        self.lines.rows.insert(created)
                    }
                };
                rows.add(&table.name, self.line, entry)
            }
            ParsedLine::End(_) | ParsedLine::Tables(_) | ParsedLine::UndescribedRow { .. } => {
                Ok(())
            }
        }
    }

    fn reject(&mut self, text: &[u8], is_cut: bool) -> Result<()> {
        let text = text.strip_suffix(b"\n").unwrap_or(text);
        self.has_rejected = true;
        self.rejected.add(ScratchLine { line: self.line, text, is_cut, shared: None })
    }

    fn end(mut self) -> Result<(Lines, InvalidLines)> {
        self.take_early()?;
        let LineIntake { mut lines, mut rejected, end_check, options, has_rejected, .. } = self;
        let tables = self.tables.get().cloned();
        let selected = tables.as_ref().map(|line| line.selected(&options.tables, &lines.path));
        lines.carried = selected.transpose()?;
        lines.end_line = end_check.finish(&lines.path, options, has_rejected)?;
        lines.entries.settle(&mut |kind, sharing| {
            let Duplicate { line, shared, other, entry } = sharing;
            let text = Line::of(kind, entry).map_err(internal)?;
            let text = serde_json::to_vec(&text).map_err(internal)?;
            rejected.add(ScratchLine {
                line,
                text: &text,
                is_cut: false,
                shared: Some((shared, other)),
            })
        })?;
        if let (Some(rows), Some(tables)) = (&mut lines.rows, &tables) {
            rows.settle(&mut |sharing| {
                let Duplicate { line, shared, other, entry } = sharing;
                let text = row_line(tables, entry)?;
                let shared = Some((shared, other));
                rejected.add(ScratchLine { line, text: &text, is_cut: false, shared })
            })?;
        }
        Ok((lines, InvalidLines { lines: rejected, tables }))
    }
}

impl RejectedLines for InvalidLines {
    fn visit(&self, visit: &mut dyn FnMut(RejectedLine<'_>) -> Result<()>) -> Result<()> {
        self.lines.visit(&mut |spooled| {
            let ScratchLine { line, text, .. } = spooled;
            let mut why = reason_of(&spooled, self.tables.as_deref())?;
            why.message = format!("line {line}: {}", why.message);
            let key = why.key.clone();
            let key = key.as_deref().and_then(|key| str::from_utf8(key).ok());
            visit(RejectedLine { line, key, text, why })
        })
    }
}

/// The line of a row from its entry.
fn row_line(tables: &TablesLine, entry: Entry<'_>) -> Result<Vec<u8>> {
    let table = tables.of_key(entry.key).ok_or_else(|| internal("a row has no table"))?;
    let row = read_row(table, entry.value).map_err(internal)?;
    let object = serde_json::to_vec(&RowObject { table, row: &row }).map_err(internal)?;
    let line = Line::of_row(&table.name, entry.key, &object).map_err(internal)?;
    serde_json::to_vec(&line).map_err(internal)
}

fn reason_of(spooled: &ScratchLine<'_>, tables: Option<&TablesLine>) -> Result<Finding> {
    let text = spooled.text;
    match spooled.shared {
        _ if spooled.is_cut => Ok(too_long(text)),
        Some((shared, other)) => match Line::parse(text).map_err(internal)? {
            Line::Record { kind, key, value } => {
                let (key, value) = (key.as_bytes(), value.get().as_bytes());
                Ok(shares(kind, Entry { key, value }, shared, other))
            }
            Line::Row { table, key, .. } => {
                let table = tables.and_then(|tables| tables.table(&table));
                let table = table.ok_or_else(|| internal("a row has no table"))?;
                Ok(row_shares(table, &key, other))
            }
            Line::Tables(_) | Line::IdSequences(_) | Line::End(_) => {
                Err(internal("only records and rows share keys and ids"))
            }
        },
        None => match judge(text, tables)? {
            Err(why) => Ok(*why),
            Ok(ParsedLine::UndescribedRow { key }) => Ok(no_tables_line(&key)),
            Ok(ParsedLine::Tables(_)) => Ok(other_tables_line()),
            Ok(_) => Err(internal("an invalid line became valid")),
        },
    }
}

fn internal(error: impl ToString) -> Error {
    Error::Internal(error.to_string())
}
