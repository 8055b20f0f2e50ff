//! The command-line program. Everything but flags, progress bars and rendering is in the library.

mod cli;

fn main() -> std::process::ExitCode {
    cli::run()
}
