//! The end of a run: everything has ended, which is proved, and every line has found its reader.

use std::time::{Duration, Instant};

use rustix::process::Signal;

use super::machine::{Ended, Machine, MachineError, SIGNALS, token};
use crate::events::{Happening, seconds};
use crate::os::{Ready, has_children};

impl Machine<'_> {
    /// Everything ended: proves it, and tells what is left.
    pub(super) fn finish(&mut self) -> Result<Ended, MachineError> {
        self.end_strays();
        for (index, process) in self.engine.processes().iter().enumerate() {
            if process.has_survivors {
                self.io.warn(format!("{} could not be ended", self.project.processes[index].name));
            }
        }
        let code = self.ended.unwrap_or(0);
        let code = if self.survivors.is_empty() { code } else { 4 };
        if let Some((events, t)) = self.output.events() {
            events.tell(&Happening::End { t: seconds(t), exit_code: code });
        }
        self.output.flush(self.io);
        self.wait_for_readers()?;
        self.output.flush(self.io);
        self.output.close(self.io);
        Ok(Ended { code, survivors: self.survivors.clone() })
    }

    /// Lines still wait for their reader; a signal ends the wait.
    pub(super) fn wait_for_readers(&mut self) -> Result<(), MachineError> {
        // Who asked twice to be gone waits for nobody who stands still.
        let end = (self.interrupts >= 2).then(|| Instant::now() + Duration::from_secs(1));
        while !self.output.is_idle() && end.is_none_or(|end| Instant::now() < end) {
            let ready =
                self.poller.wait(Some(Duration::from_millis(20))).map_err(MachineError::Wait)?;
            if ready.contains(&Ready(token(SIGNALS, 0))) {
                while let Some(received) = self.signals.next() {
                    if received.number != Signal::CHILD.as_raw() {
                        return Ok(());
                    }
                }
            }
            self.woken.clear();
        }
        Ok(())
    }

    /// Whether the leaders and helpers have all ended.
    pub(super) fn nobody_runs(&self) -> bool {
        let leaders = self.bodies.iter().flatten().all(|body| body.code.is_some());
        leaders && self.helpers.is_empty()
    }

    /// When all leaders have ended and we have no child left, nothing is left: one call proves it.
    pub(super) fn bury_all(&mut self) -> bool {
        if !self.nobody_runs() {
            return false;
        }
        for body in self.bodies.iter_mut().flatten().filter(|body| !body.is_reaped) {
            body.handle.reap();
            body.is_reaped = true;
        }
        !has_children()
    }
}
