//! Injected faults: calls that fail, are cut short or never return, at every step of every command
//! that writes. The program is the one that users run; what disturbs it is a shim between it and
//! the kernel (`shim.c`), so this is for Linux.
//!
//! After each: the target is unchanged or complete. Sources are unchanged, nothing else is left
//! after an error, and the error reports its cause and its file.

mod commands;
mod disk;
mod limits;
mod order;
mod page;
mod shim;
mod spill;
mod stops;
