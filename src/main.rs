//! The command-line program: arguments, progress bars and reports. Everything else is in the
//! library.

mod cli;
mod out_of_memory;

fn main() -> std::process::ExitCode {
    out_of_memory::keep_reserve();
    cli::run()
}
