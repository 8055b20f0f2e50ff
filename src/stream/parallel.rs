use std::thread;

use crate::error::{Error, Result};

/// Runs two functions in parallel, `other` in a new thread, and waits for both.
///
/// # Errors
/// The error of `other`, otherwise that of `work`.
pub(crate) fn join2<A: Send, B>(
    name: &str,
    other: impl FnOnce() -> Result<A> + Send,
    work: impl FnOnce() -> Result<B>,
) -> Result<(A, B)> {
    thread::scope(|scope| {
        let other = thread::Builder::new()
            .name(name.to_owned())
            .spawn_scoped(scope, other)
            .map_err(Error::Thread)?;
        let worked = work();
        let other = other.join();
        let other = other.map_err(|_| Error::Internal(format!("the {name}'s thread panicked")))?;
        Ok((other?, worked?))
    })
}
