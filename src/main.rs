//! The command-line program: arguments, progress bars and reports. Everything else is in the
//! library.

mod cli;
mod memory;

fn main() -> std::process::ExitCode {
    memory::set_up();
    cli::run()
}
