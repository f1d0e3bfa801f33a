//! The signals of the operating system: stop, stop at once, open the log file anew.
//!
//! A thread of its own listens, from the first moment on: whatever the server is busy with, it can
//! be ended.

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc;

use crate::lines;

/// As often SIGTERM may be said before nothing is waited for any more.
const TERMS_MAX: u32 = 2;

/// The wishes to stop, in the order in which they came.
#[derive(Debug)]
pub(crate) struct Stops {
    wishes: mpsc::UnboundedReceiver<()>,
}

impl Stops {
    /// Ends when somebody wants the server to stop.
    pub(crate) async fn next(&mut self) {
        if self.wishes.recv().await.is_none() {
            // The thread lives as long as the process does.
            std::future::pending::<()>().await;
        }
    }
}

/// The signals that mean something. SIGPIPE has been ignored since before `main`.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hang_up: Signal,
    first_user: Signal,
}

/// Begins to listen.
pub(crate) fn listen() -> Result<Stops, String> {
    let failed = |error: std::io::Error| format!("cannot listen for signals: {error}");
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .build()
        .map_err(failed)?;
    let signals = {
        let _entered = runtime.enter();
        let open = |kind: SignalKind| signal(kind).map_err(failed);
        // A write beyond the bound on files (`ulimit -f`) is to be an error, and not the end.
        let _ = open(SignalKind::from_raw(rustix::process::Signal::XFSZ.as_raw()))?;
        Signals {
            terminate: open(SignalKind::terminate())?,
            interrupt: open(SignalKind::interrupt())?,
            hang_up: open(SignalKind::hangup())?,
            first_user: open(SignalKind::user_defined1())?,
        }
    };
    let (sender, wishes) = mpsc::unbounded_channel();
    std::thread::Builder::new()
        .name("signals".into())
        .spawn(move || runtime.block_on(signals.obey(&sender)))
        .map_err(failed)?;
    Ok(Stops { wishes })
}

impl Signals {
    async fn obey(mut self, stops: &mpsc::UnboundedSender<()>) {
        let mut wished: u32 = 0;
        loop {
            let (name, is_person) = tokio::select! {
                _ = self.terminate.recv() => ("SIGTERM", false),
                _ = self.interrupt.recv() => ("SIGINT", true),
                // The terminal is gone, or whoever rotates logs says so: neither wants the server
                // to end.
                _ = self.hang_up.recv() => {
                    lines::reopen();
                    continue;
                }
                _ = self.first_user.recv() => {
                    lines::reopen();
                    continue;
                }
            };
            if wished > 0 && is_person || wished >= TERMS_MAX {
                let why = "told to stop a second time while shutting down: exiting at once";
                tracing::warn!("{why}");
                lines::complain(why);
                lines::finish();
                std::process::exit(crate::EXIT_FAILURE);
            }
            tracing::info!("received {name}: shutting down");
            wished += 1;
            // Nobody listens any more only when the process is ending anyway.
            let _ = stops.send(());
        }
    }
}
