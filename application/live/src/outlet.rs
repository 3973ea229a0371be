//! How a viewer hears that there may be something for it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, OnceLock, Weak};
use std::task::Waker;

use futures::task::AtomicWaker;

/// Where what is due to a viewer goes out: its socket, given with [`crate::Session::attach`].
///
/// Without one the task that waits in [`crate::Session::poll_due`] is woken for each frame, which costs a good part of what
/// sending the frame costs. An outlet is asked first, by whoever tells all viewers of a topic in turn, and nobody has to
/// be woken for a frame that can be written there and then.
pub trait Outlet: Send + Sync {
    /// There may be something to be sent: writes what [`crate::Session::due`] hands out, as far as that can be done
    /// at once. It must not wait, for others wait behind it.
    ///
    /// `false` if the task of the viewer has to see to it, which is then woken.
    fn offer(&self) -> bool;
}

/// What a viewer is called by.
#[derive(Default)]
pub(crate) struct Bell {
    task: AtomicWaker,
    outlet: OnceLock<Weak<dyn Outlet>>,
}

impl Bell {
    /// The task that is to be woken.
    pub(crate) fn register(&self, task: &Waker) {
        self.task.register(task);
    }

    /// The first one given stays.
    pub(crate) fn attach(&self, outlet: Weak<dyn Outlet>) {
        drop(self.outlet.set(outlet));
    }

    /// Wakes the task.
    pub(crate) fn wake(&self) {
        self.task.wake();
    }

    /// The way to call it from now on.
    pub(crate) fn call(self: &Arc<Self>) -> Call {
        Call { outlet: self.outlet.get().cloned(), bell: Arc::clone(self) }
    }
}

/// A way to call a viewer. Whoever calls thousands reads these one after another, and of most viewers touches nothing
/// else but their outlets: what else would have to be fetched from memory costs as much as all the work.
#[derive(Clone)]
pub(crate) struct Call {
    outlet: Option<Weak<dyn Outlet>>,
    bell: Arc<Bell>,
}

impl Call {
    /// There is a new frame. No lock is to be held meanwhile: the outlet takes those of the session.
    pub(crate) fn make(&self) {
        let outlet = self.outlet.as_ref().and_then(Weak::upgrade);
        // A panic is that of one viewer, whose task finds what it left; it is reported where all panics are.
        let offer = || outlet.is_some_and(|outlet| outlet.offer());
        if !catch_unwind(AssertUnwindSafe(offer)).unwrap_or(false) {
            self.bell.wake();
        }
    }
}
