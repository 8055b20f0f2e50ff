use clap_complete::{Shell, generate};

use crate::cli::command_line::{NAME, command};
use crate::cli::exit_status::Exit;
use crate::cli::failure::CliError;
use crate::cli::help_sections::after_help;
use crate::cli::term::ui::Ui;

/// elvish's completer offers only commands and options, and elvish has no fallback to file names.
const ELVISH_FILES: &str = r"
# Arguments may be files, which the completer above does not offer.
var chunkmigrate-with-files~ = {|completer|
    put {|@words|
        $completer $@words
        if (and (> (count $words) 2) (not (str:has-prefix $words[-1] -))) {
            edit:complete-filename $words[-1]
        }
    }
}
set edit:completion:arg-completer[chunkmigrate] = (chunkmigrate-with-files $edit:completion:arg-completer[chunkmigrate])
";

/// Print a shell completion script
///
/// The script goes to stdout; it ignores --format and --quiet.
#[derive(Debug, clap::Args)]
#[command(after_long_help = after_help(&[AFTER_HELP]))]
pub(crate) struct Args {
    /// The shell to generate the script for
    #[arg(value_enum)]
    shell: Shell,
}

const AFTER_HELP: &str = r#"
What to add to the startup file of a shell:
  bash, in ~/.bashrc:
      eval "$(chunkmigrate completions bash)"
  zsh, in ~/.zshrc, below compinit:
      eval "$(chunkmigrate completions zsh)"
  fish, in ~/.config/fish/config.fish:
      chunkmigrate completions fish | source
  elvish, in ~/.config/elvish/rc.elv:
      eval (chunkmigrate completions elvish | slurp)
  PowerShell, in the file named by $PROFILE:
      chunkmigrate completions powershell | Out-String | Invoke-Expression

Exit status:
  0
      the script was printed
  2
      error: bad usage or I/O failure

Examples:
  Write the script to a file:
      chunkmigrate completions bash > chunkmigrate.bash
  Write the script as a file for a directory in zsh's $fpath:
      chunkmigrate completions zsh > _chunkmigrate
"#;

pub(crate) fn run(args: &Args, ui: &Ui) -> Result<Exit, CliError> {
    let mut script = Vec::new();
    generate(args.shell, &mut command(), NAME, &mut script);
    if args.shell == Shell::Elvish {
        script.extend_from_slice(ELVISH_FILES.as_bytes());
    }
    ui.print_raw(&script)?;
    Ok(Exit::Done)
}
