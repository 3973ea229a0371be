//! Viewers whose sockets are offered what there is.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use processor_domain::Credential;
use processor_live::{Close, Outgoing, Outlet, Session};

use crate::scene::{Scene, good, settings};
use crate::viewer::{Watcher, subscribe};

/// What a socket does with what it is offered.
#[derive(Clone, Copy)]
enum Does {
    WritesIt,
    CannotWriteIt,
    Panics,
}

/// A socket that is offered frames.
struct Socket {
    session: Session,
    does: Mutex<Does>,
    offered: AtomicUsize,
    written: AtomicUsize,
    woken: Arc<Woken>,
}

/// How often the task of a socket was woken.
#[derive(Default)]
struct Woken(AtomicUsize);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

impl Outlet for Socket {
    fn offer(&self) -> bool {
        self.offered.fetch_add(1, Ordering::SeqCst);
        let does = *self.does.lock().unwrap();
        match does {
            Does::WritesIt => {
                if let Some(Outgoing::Messages(messages)) = self.session.due() {
                    self.written.fetch_add(messages.len(), Ordering::SeqCst);
                    self.session.written();
                }
                true
            }
            Does::CannotWriteIt => false,
            Does::Panics => panic!("a bug"),
        }
    }
}

impl Socket {
    /// A socket that watches an event and has been told of its beginning.
    async fn watching(scene: &Scene, event: &str, does: Does) -> Arc<Self> {
        let session = scene.live.admit(Credential::new("ann")).await.expect("it may come in");
        let socket = Arc::new(Self {
            session,
            does: Mutex::new(does),
            offered: AtomicUsize::new(0),
            written: AtomicUsize::new(0),
            woken: Arc::default(),
        });
        socket.session.attach(Arc::<Self>::downgrade(&socket));
        socket.session.handle(subscribe(event, None));
        assert!(matches!(socket.session.next().await, Outgoing::Messages(_)));
        socket.session.written();
        assert_eq!(socket.wait(), Poll::Pending);
        socket
    }

    /// Its task looks, and waits if there is nothing.
    fn wait(&self) -> Poll<Outgoing> {
        let waker = Waker::from(Arc::clone(&self.woken));
        self.session.poll_due(&Context::from_waker(&waker))
    }

    fn woken(&self) -> usize {
        self.woken.0.load(Ordering::SeqCst)
    }

    fn written(&self) -> usize {
        self.written.load(Ordering::SeqCst)
    }

    fn does(&self, does: Does) {
        *self.does.lock().unwrap() = does;
    }
}

#[tokio::test(start_paused = true)]
async fn nobody_is_woken_for_a_frame_that_is_written_when_it_is_offered() {
    let scene = Scene::with(&[(1, "a")], settings());
    let mut sockets = Vec::new();
    // More than are called in one go.
    for _ in 0..200 {
        sockets.push(Socket::watching(&scene, "a", Does::WritesIt).await);
    }
    for at in 1..=5 {
        scene.publish(vec![good(1, at)]);
        scene.settle().await;
    }
    for socket in &sockets {
        assert_eq!((socket.written(), socket.woken()), (5, 0));
    }
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_written_when_it_is_offered_is_left_to_the_task() {
    let scene = Scene::with(&[(1, "a")], settings());
    let socket = Socket::watching(&scene, "a", Does::CannotWriteIt).await;
    scene.publish(vec![good(1, 1)]);
    scene.settle().await;
    assert_eq!(socket.woken(), 1);
    assert!(matches!(socket.wait(), Poll::Ready(Outgoing::Messages(_))));
    socket.does(Does::WritesIt);
    for at in 2..=5 {
        scene.publish(vec![good(1, at)]);
        scene.settle().await;
    }
    assert_eq!(socket.written(), 0, "what was handed out before is not written");
    socket.session.written();
    scene.publish(vec![good(1, 6)]);
    scene.settle().await;
    assert_eq!((socket.written(), socket.woken()), (5, 1));
}

#[tokio::test(start_paused = true)]
async fn a_socket_that_panics_harms_no_other_and_its_task_is_woken() {
    let scene = Scene::with(&[(1, "a")], settings());
    let before = Socket::watching(&scene, "a", Does::WritesIt).await;
    let broken = Socket::watching(&scene, "a", Does::Panics).await;
    let after = Socket::watching(&scene, "a", Does::WritesIt).await;
    for at in 1..=5 {
        scene.publish(vec![good(1, at)]);
        scene.settle().await;
    }
    assert_eq!((before.written(), after.written(), broken.written()), (5, 5, 0));
    assert_eq!(broken.woken(), 1);
    assert!(scene.end().await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_socket_that_is_gone_is_not_offered_anything() {
    let scene = Scene::with(&[(1, "a")], settings());
    let gone = Socket::watching(&scene, "a", Does::WritesIt).await;
    let mut stays = Watcher::of(&scene, "bob", "a").await;
    let gone = Arc::into_inner(gone).expect("nobody else keeps it");
    scene.publish(vec![good(1, 1)]);
    stays.read().await;
    assert_eq!(gone.offered.load(Ordering::SeqCst), 0);
}

#[tokio::test(start_paused = true)]
async fn the_end_is_left_to_the_task_even_while_something_is_being_written() {
    let scene = Scene::with(&[(1, "a")], settings());
    let socket = Socket::watching(&scene, "a", Does::CannotWriteIt).await;
    scene.publish(vec![good(1, 1)]);
    scene.settle().await;
    assert!(matches!(socket.wait(), Poll::Ready(Outgoing::Messages(_))));
    assert_eq!(socket.wait(), Poll::Pending, "until that is written");
    let (woken, patience) = (socket.woken(), settings().patience);
    tokio::time::sleep(patience + Duration::from_secs(1)).await;
    assert_eq!(socket.woken(), woken + 1);
    assert_eq!(socket.wait(), Poll::Ready(Outgoing::Close(Close::TooSlow)));
}
