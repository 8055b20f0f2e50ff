//! Progress bars on a terminal, and lines elsewhere.

use std::io::Write as _;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use chunkmigrate::{ProgressSink, Stage};
use indicatif::{HumanCount, ProgressBar, ProgressDrawTarget};

use crate::cli::term::progress_bar::bar;
use crate::cli::term::signals::SignalFlag;

/// Work that ends sooner shows no progress.
const QUIET_START: Duration = Duration::from_millis(250);
/// How often to redraw a bar while the count doesn't change.
const TICK: Duration = Duration::from_millis(250);
/// How often to write a line without a terminal.
const LINE_INTERVAL: Duration = Duration::from_secs(1);

/// How to show progress.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ProgressMode {
    Hidden,
    Bars,
    Lines,
}

/// Shows progress on stderr, and cancels the work after a signal.
pub(crate) struct TerminalProgress {
    mode: ProgressMode,
    begun: Instant,
    stop: SignalFlag,
    stage: Mutex<Option<Current>>,
    overall: Mutex<Option<Overall>>,
}

/// The one bar of work whose number of records is known.
struct Overall {
    bar: ProgressBar,
    stage: Arc<Mutex<String>>,
}

struct Current {
    stage: Stage,
    total: Option<u64>,
    done: u64,
    last_line: Instant,
    bar: Option<ProgressBar>,
}

impl TerminalProgress {
    pub(crate) fn new(mode: ProgressMode, stop: SignalFlag) -> Self {
        let (stage, overall) = (Mutex::new(None), Mutex::new(None));
        TerminalProgress { mode, begun: Instant::now(), stop, stage, overall }
    }

    /// Shows a hidden bar once the work has taken long enough.
    fn show(&self, bar: &ProgressBar) {
        if bar.is_hidden() && self.begun.elapsed() > QUIET_START {
            bar.set_draw_target(ProgressDrawTarget::stderr_with_hz(5));
            bar.enable_steady_tick(TICK);
        }
    }

    fn stage(&self) -> MutexGuard<'_, Option<Current>> {
        locked(&self.stage)
    }

    /// The bar of a stage: that of all the work, or its own.
    fn bar(&self, stage: Stage, total: Option<u64>) -> ProgressBar {
        match &*locked(&self.overall) {
            Some(overall) => {
                *locked(&overall.stage) = stage.to_string();
                overall.bar.clone()
            }
            None => bar(Arc::new(Mutex::new(stage.to_string())), total),
        }
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl ProgressSink for TerminalProgress {
    fn plan(&self, records: u64) {
        let mut overall = locked(&self.overall);
        if self.mode == ProgressMode::Bars && overall.is_none() {
            let stage = Arc::new(Mutex::new(String::new()));
            *overall = Some(Overall { bar: bar(stage.clone(), Some(records)), stage });
        }
    }

    fn start(&self, stage: Stage, total: Option<u64>) {
        if self.mode == ProgressMode::Hidden {
            return;
        }
        let bar = (self.mode == ProgressMode::Bars).then(|| self.bar(stage, total));
        if let Some(bar) = &bar {
            self.show(bar);
        }
        *self.stage() = Some(Current { stage, total, done: 0, last_line: Instant::now(), bar });
    }

    fn inc(&self, records: u64) {
        let mut stage = self.stage();
        let Some(current) = &mut *stage else { return };
        current.done += records;
        if let Some(bar) = &current.bar {
            self.show(bar);
            bar.inc(records);
        } else if current.last_line.elapsed() > LINE_INTERVAL {
            current.write_line();
        }
    }

    fn finish(&self) {
        if let Some(mut current) = self.stage().take() {
            match &current.bar {
                Some(_) if locked(&self.overall).is_some() => {}
                Some(bar) => bar.finish_and_clear(),
                None => current.write_line(),
            }
        }
    }

    fn is_cancelled(&self) -> bool {
        self.stop.signal().is_some()
    }
}

impl Current {
    fn write_line(&mut self) {
        self.last_line = Instant::now();
        let (stage, done) = (self.stage, HumanCount(self.done));
        let mut stderr = std::io::stderr().lock();
        // A failure to show progress is not a failure of the work.
        let _ = match self.total {
            Some(total) => writeln!(stderr, "{stage}: {done} of {}", HumanCount(total)),
            None if self.done > 0 => writeln!(stderr, "{stage}: {done}"),
            None => writeln!(stderr, "{stage}: done"),
        };
    }
}

impl Drop for TerminalProgress {
    fn drop(&mut self) {
        let of_stage = self.stage().take().and_then(|current| current.bar);
        let of_all = locked(&self.overall).take().map(|overall| overall.bar);
        for bar in [of_stage, of_all].into_iter().flatten() {
            bar.finish_and_clear();
        }
    }
}
