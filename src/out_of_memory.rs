//! Ends the program in good order when there is no memory left: it removes what it has not published.
//! The standard library would abort it, and leave private folders behind.

#![expect(unsafe_code, reason = "there is no other way to write an allocator")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::io::Write as _;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

#[global_allocator]
static ALLOCATOR: Allocator = Allocator;

/// The allocator of the system, which returns only if there is memory.
struct Allocator;

// SAFETY: everything is left to the allocator of the system.
unsafe impl GlobalAlloc for Allocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller keeps to the same contract.
        unless_null(unsafe { System.alloc(layout) }, layout.size())
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        // SAFETY: the caller keeps to the same contract.
        unsafe { System.dealloc(memory, layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller keeps to the same contract.
        unless_null(unsafe { System.alloc_zeroed(layout) }, layout.size())
    }

    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: the caller keeps to the same contract.
        unless_null(unsafe { System.realloc(memory, layout, size) }, size)
    }
}

fn unless_null(memory: *mut u8, size: usize) -> *mut u8 {
    match memory.is_null() {
        true => end(size),
        false => memory,
    }
}

/// Ends the program. What it takes to do that is small, and mostly there: it is large allocations that
/// fail.
fn end(size: usize) -> ! {
    static IS_ENDING: AtomicBool = AtomicBool::new(false);
    thread_local!(static IS_HERE: Cell<bool> = const { Cell::new(false) });
    const STATUS: i32 = 2;

    if IS_HERE.replace(true) {
        // Not even that is there.
        signal_hook::low_level::exit(STATUS);
    }
    if IS_ENDING.swap(true, Ordering::Relaxed) {
        // Another thread is ending the program. Parking needs a thread handle, which this thread may not
        // have while it starts or ends.
        loop {
            std::thread::sleep(Duration::MAX);
        }
    }
    let mut stderr = std::io::stderr();
    let _ = writeln!(
        stderr,
        "error: out of memory: {size} more bytes are not available\n\
         hint: a record takes up to six times its size: raise the limit of the process (`ulimit -v`, a \
         container's memory), or close other programs"
    );
    chunkmigrate::migrate::remove_private_folders();
    signal_hook::low_level::exit(STATUS)
}
