//! Ctrl-C between two pieces of work, and at once where it is pressed again. Where networks are at work
//! libtorch's threads must not lose what they work with.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context, Result};

use super::INTERRUPTED;

/// Whether Ctrl-C was pressed.
#[derive(Debug, Clone)]
pub(super) struct Stop(Arc<AtomicBool>);

impl Stop {
    /// Listens from now on.
    pub(super) fn listen() -> Result<Self> {
        Self::listen_and(|| ())
    }

    /// Listens from now on. Where Ctrl-C is pressed again, and the piece of work at hand is not waited for,
    /// `last` is done before the program ends.
    pub(super) fn listen_and(last: impl Fn() + Send + 'static) -> Result<Self> {
        let pressed = Arc::new(AtomicBool::new(false));
        let set = Arc::clone(&pressed);
        let handler = move || {
            if set.swap(true, Ordering::Relaxed) {
                last();
                std::process::exit(INTERRUPTED.into());
            }
        };
        ctrlc::set_handler(handler).context("cannot listen for Ctrl-C")?;
        Ok(Self(pressed))
    }

    /// Whether it was.
    pub(super) fn is_pressed(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// Ends the program here if Ctrl-C was pressed, after `last` has said what there is to say.
    pub(super) fn here(&self, last: impl FnOnce()) {
        if self.is_pressed() {
            last();
            std::process::exit(INTERRUPTED.into());
        }
    }
}
