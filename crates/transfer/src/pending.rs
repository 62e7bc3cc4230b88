//! The answer behind a broken pipe.
//!
//! A server that refuses a body answers, closes, and resets what still comes in. Then writing fails while the answer
//! lies ready to be read. The transport here reads it before it gives up: the rest of the body goes nowhere, and the
//! request ends with the answer as if all had been sent.

use std::cell::Cell;
use std::time::Duration;

use ureq::Error;
use ureq::unversioned::transport::{Buffers, ConnectionDetails, Connector, NextTimeout, Transport};

/// How long an answer may be on its way after the connection broke.
const LINGER: Duration = Duration::from_secs(2);

thread_local! {
    /// Whether the request that this thread is sending was answered before its body had gone out. A request is sent and
    /// answered on one thread.
    static CUT: Cell<bool> = const { Cell::new(false) };
}

/// Begins a request on this thread.
pub(crate) fn begin() {
    CUT.set(false);
}

/// Whether the answer came before the body had gone out.
pub(crate) fn is_cut() -> bool {
    CUT.get()
}

/// The last of the connectors.
#[derive(Debug)]
pub(crate) struct PendingConnector;

impl<In: Transport> Connector<In> for PendingConnector {
    type Out = Pending<In>;

    fn connect(
        &self,
        _: &ConnectionDetails<'_>,
        chained: Option<In>,
    ) -> Result<Option<Pending<In>>, Error> {
        Ok(chained.map(|inner| Pending { inner, cut: false }))
    }
}

/// A connection that may have an answer when it cannot be written to any more.
#[derive(Debug)]
pub(crate) struct Pending<T> {
    inner: T,
    cut: bool,
}

impl<T: Transport> Transport for Pending<T> {
    fn buffers(&mut self) -> &mut dyn Buffers {
        self.inner.buffers()
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        if self.cut {
            return Ok(());
        }
        let Err(error) = self.inner.transmit_output(amount, timeout) else { return Ok(()) };
        let wait = NextTimeout {
            after: LINGER.into(),
            per_read: Some(LINGER.into()),
            ..NextTimeout::default()
        };
        if matches!(self.inner.maybe_await_input(wait), Ok(true)) {
            self.cut = true;
            CUT.set(true);
            return Ok(());
        }
        Err(error)
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        self.inner.await_input(timeout)
    }

    fn is_open(&mut self) -> bool {
        !self.cut && self.inner.is_open()
    }

    fn is_tls(&self) -> bool {
        self.inner.is_tls()
    }
}
