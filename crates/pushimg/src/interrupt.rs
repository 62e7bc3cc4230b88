//! Ctrl-C: what is in flight stops, uploads that have begun are given up, no tag moves.

use std::sync::atomic::{AtomicI32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::{Handle, Signals};
use signal_hook::low_level::emulate_default_handler;
use transfer::{Cancel, Client};

/// Stops the work of this run when somebody asks for it.
#[derive(Debug, Default)]
pub(crate) struct Interrupt {
    shared: Arc<Shared>,
    handle: Option<Handle>,
}

#[derive(Debug, Default)]
struct Shared {
    cancel: Cancel,
    signal: AtomicI32,
    clients: Mutex<Vec<Arc<Client>>>,
}

impl Interrupt {
    /// Listens from now on. A second signal ends the process at once.
    pub(crate) fn listen() -> Self {
        let shared = Arc::new(Shared::default());
        // Without a thread or a handler a signal ends the process as ever.
        let Ok(mut signals) = Signals::new([SIGINT, SIGTERM]) else {
            return Self { shared, handle: None };
        };
        let handle = signals.handle();
        let listener = Arc::clone(&shared);
        let started = thread::Builder::new().name("signals".to_owned()).spawn(move || {
            for signal in signals.forever() {
                if listener.signal.swap(signal, Ordering::SeqCst) != 0 {
                    let _dead = emulate_default_handler(signal);
                }
                listener.stop();
            }
        });
        Self { shared, handle: started.is_ok().then_some(handle) }
    }

    /// Stops this client, too, when it comes to that.
    pub(crate) fn watch(&self, client: &Arc<Client>) {
        self.shared.clients().push(Arc::clone(client));
        if self.signal().is_some() {
            client.stop();
        }
    }

    /// Tells the work to stop.
    pub(crate) fn cancel(&self) -> &Cancel {
        &self.shared.cancel
    }

    /// The signal that came, if one did.
    pub(crate) fn signal(&self) -> Option<u8> {
        u8::try_from(self.shared.signal.load(Ordering::SeqCst)).ok().filter(|signal| *signal != 0)
    }
}

impl Shared {
    fn clients(&self) -> std::sync::MutexGuard<'_, Vec<Arc<Client>>> {
        self.clients.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn stop(&self) {
        self.cancel.cancel();
        for client in self.clients().iter() {
            client.stop();
        }
    }
}

impl Drop for Interrupt {
    fn drop(&mut self) {
        if let Some(handle) = &self.handle {
            handle.close();
        }
    }
}
