//! The memory of the process. Without memory, it removes unpublished files before it ends; the
//! standard library would abort it and leave private directories behind.

#![expect(unsafe_code, reason = "there is no other way to write and set up an allocator")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::io::Write as _;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Memory that is freed for the clean-up when nothing else is left.
const RESERVED_BYTES: usize = 1 << 20;

static RESERVE: Mutex<Option<Vec<u8>>> = Mutex::new(None);

/// Sets up the heap and reserves memory for the clean-up. Call it before a thread is started.
pub(crate) fn set_up() {
    share_one_heap();
    let memory = Vec::with_capacity(RESERVED_BYTES);
    if let Ok(mut reserve) = RESERVE.lock() {
        *reserve = Some(memory);
    }
}

#[global_allocator]
static ALLOCATOR: Allocator = Allocator;

/// Lets all threads allocate from one heap. Batches of records are allocated in one thread and freed
/// in another: with a heap for each thread, glibc keeps up to twice as much memory. A heap that gave
/// free memory back at once would have to get it again for every batch.
fn share_one_heap() {
    #[cfg(target_env = "gnu")]
    for (parameter, value) in [
        (libc::M_ARENA_MAX, 1),
        (libc::M_MMAP_THRESHOLD, 4 << 20),
        (libc::M_TRIM_THRESHOLD, 64 << 20),
    ] {
        // SAFETY: it only sets a number. If it fails, more memory is used.
        unsafe { libc::mallopt(parameter, value) };
    }
}

/// The system allocator; an allocation failure ends the process instead of returning null.
struct Allocator;

// SAFETY: every call is forwarded to the system allocator.
unsafe impl GlobalAlloc for Allocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller upholds the same contract.
        unless_null(unsafe { System.alloc(layout) }, layout.size())
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        // SAFETY: the caller upholds the same contract.
        unsafe { System.dealloc(memory, layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller upholds the same contract.
        unless_null(unsafe { System.alloc_zeroed(layout) }, layout.size())
    }

    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: the caller upholds the same contract.
        unless_null(unsafe { System.realloc(memory, layout, size) }, size)
    }
}

fn unless_null(memory: *mut u8, size: usize) -> *mut u8 {
    match memory.is_null() {
        true => end(size),
        false => memory,
    }
}

/// Ends the process. This needs little memory, which the reserve provides.
fn end(size: usize) -> ! {
    static IS_ENDING: AtomicBool = AtomicBool::new(false);
    thread_local!(static IS_HERE: Cell<bool> = const { Cell::new(false) });
    const STATUS: i32 = 2;

    if IS_HERE.replace(true) {
        // Not even a small allocation succeeded.
        signal_hook::low_level::exit(STATUS);
    }
    if IS_ENDING.swap(true, Ordering::Relaxed) {
        // Another thread is already ending the process. Parking needs a thread handle, which this
        // thread may lack during its start or exit.
        loop {
            std::thread::sleep(Duration::MAX);
        }
    }
    if let Ok(mut reserve) = RESERVE.try_lock() {
        *reserve = None;
    }
    let mut stderr = std::io::stderr();
    let _ = writeln!(
        stderr,
        "error: out of memory: {size} more bytes are not available\n\
         hint: a record takes up to six times its size: raise the limit of the process (`ulimit -v`, a \
         container's memory), or close other programs"
    );
    chunkmigrate::internal::remove_private_folders();
    signal_hook::low_level::exit(STATUS)
}
