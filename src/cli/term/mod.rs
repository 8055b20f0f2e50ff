//! The terminal: output, progress, signals and escaping.

pub(super) mod json;
mod logger;
pub(super) mod output;
pub(super) mod progress;
pub(super) mod progress_bar;
pub(super) mod shell;
pub(super) mod signals;
pub(super) mod terminal_escape;
pub(super) mod ui;
