//! Viewers who leave before they are answered.

use std::sync::Arc;

use futures::FutureExt as _;
use futures::future::join_all;
use processor_directus::DirectusAccess;
use processor_domain::Viewer;
use processor_domain::ports::Access as _;
use tokio::task::JoinHandle;

use crate::stub::{Reply, Stub};
use crate::{USER, access, credential};

fn identify(access: &Arc<DirectusAccess>, token: &'static str) -> JoinHandle<Option<Viewer>> {
    let access = Arc::clone(access);
    tokio::spawn(async move { access.identify(&credential(token)).await.expect("an answer") })
}

#[tokio::test]
async fn who_asked_first_may_leave_and_the_others_are_answered_all_the_same() {
    let stub = Stub::always(Reply::user(USER).held()).await;
    let access = Arc::new(access(&stub));
    let first = identify(&access, "token");
    stub.asked(1).await;
    let credential = credential("token");
    let mut others: Vec<_> = (0..10).map(|_| access.identify(&credential)).collect();
    assert!(others.iter_mut().all(|other| other.now_or_never().is_none()));
    first.abort();
    assert!(first.await.unwrap_err().is_cancelled());
    stub.release();
    for answer in join_all(others).await {
        assert!(answer.unwrap().is_some());
    }
    assert_eq!(stub.count(), 1);
}

#[tokio::test]
async fn an_answer_that_nobody_waits_for_holds_up_nobody() {
    let stub = Stub::always(Reply::Silence).await;
    let access = Arc::new(access(&stub));
    // More than may be under way at once, fewer than may start within a second.
    for round in 1..=30 {
        let alone = identify(&access, "token");
        stub.asked(round).await;
        alone.abort();
        assert!(alone.await.unwrap_err().is_cancelled());
    }
    stub.now_answers(Reply::user(USER));
    assert!(identify(&access, "token").await.unwrap().is_some());
}
