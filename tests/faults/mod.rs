//! The bad day: calls that fail, are cut short or never return, at every step of every command that
//! writes. The program that is run is the one that users run; what disturbs it stands between it and
//! the kernel (`shim.c`), so this is for Linux.
//!
//! After each: the target is as it was, or whole. Sources are as they were, nothing else is left
//! after an error, and the error tells its cause and its file.

mod commands;
mod disk;
mod limits;
mod order;
mod page;
mod shim;
mod spill;
mod stops;
