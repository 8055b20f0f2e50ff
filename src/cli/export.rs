use std::io::{self, BufWriter, ErrorKind, IsTerminal as _, Write};
use std::path::PathBuf;

use chunkmigrate::codec::Line;
use chunkmigrate::compare::Divergence;
use chunkmigrate::migrate::{ExportFlow, ExportOptions, Exported, export};

use super::exit::Exit;
use super::failure::Failure;
use super::kind::{Kind, record_kinds};
use super::safe_json::write_safe_json;
use super::ui::Ui;

/// Write the records of a store to stdout, one JSON object a line (NDJSON)
///
/// Each line is {"kind":…,"key":…,"value":{…}}, in the order of the keys. `chunkmigrate import`
/// makes a store of them again. If ids were given that no record has any more, a last line of the
/// kind "sequences" tells the highest ones, unless only some records are exported. What is no
/// record is named on stderr and makes the exit status 1.
#[derive(Debug, clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub(super) struct Args {
    /// A database or KV file
    file: PathBuf,
    /// Export only these kinds of records
    #[arg(long, value_name = "KIND", value_delimiter = ',')]
    only: Vec<Kind>,
    /// Export only records whose key starts so
    #[arg(long, value_name = "KEYPREFIX", default_value = "")]
    prefix: String,
    /// Where to sort what does not fit into memory
    #[arg(long, value_name = "DIR")]
    temp_dir: Option<PathBuf>,
}

const EXAMPLES: &str = "\
Examples:
    chunkmigrate export code.db > code.ndjson
    chunkmigrate export code.kv --only file-metrics
    chunkmigrate export code.kv --prefix chunk:src/lib.rs:";

pub(super) fn run(args: &Args, ui: &Ui) -> Result<Exit, Failure> {
    let options = ExportOptions {
        only: record_kinds(&args.only),
        prefix: args.prefix.clone().into_bytes(),
        temp_dir: args.temp_dir.clone(),
    };
    let stdout = io::stdout().lock();
    let to_terminal = stdout.is_terminal();
    let mut out = BufWriter::with_capacity(1 << 16, stdout);
    let mut written = Ok(());
    let mut findings: u64 = 0;
    let progress = ui.progress();
    export(&args.file, &options, &progress, &mut |exported| {
        match exported {
            Exported::Record { kind, entry } => {
                written = Line::of(kind, entry)
                    .map_err(io::Error::other)
                    .and_then(|line| write_line(&mut out, &line, to_terminal));
            }
            Exported::Sequences(marks) => {
                written = write_line(&mut out, &Line::Sequences(marks), to_terminal);
            }
            Exported::Finding(finding) => {
                findings += 1;
                tell(ui, &finding);
            }
        }
        Ok(match written {
            Ok(()) => ExportFlow::Continue,
            Err(_) => ExportFlow::Stop,
        })
    })?;
    drop(progress);
    match written.and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            return Err(Failure::output(&error));
        }
        _ => {}
    }
    Ok(match findings {
        0 => Exit::Done,
        _ => Exit::Diverged,
    })
}

/// Writes a record as it stands in a KV file, unless somebody would see it on a terminal.
fn write_line(out: &mut dyn Write, line: &Line<'_>, to_terminal: bool) -> io::Result<()> {
    match to_terminal {
        true => write_safe_json(out, line)?,
        false => serde_json::to_writer(&mut *out, line)?,
    }
    out.write_all(b"\n")
}

fn tell(ui: &Ui, finding: &Divergence) {
    let key = finding.key.as_deref().unwrap_or_default();
    let key = String::from_utf8_lossy(key);
    ui.warn(&format!("{} {key}: {}", finding.class, finding.message));
}
