//! The command-line program. Everything but flags, progress bars and rendering is in the library.

mod cli;
mod out_of_memory;

fn main() -> std::process::ExitCode {
    cli::run()
}
