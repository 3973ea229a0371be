use std::collections::BTreeSet;

use anyhow::{Context, ensure};
use processor_domain::ports::DeadLetterQueue;
use processor_domain::{
    DeadLetter, DeadLetterMark, DeadLetterOrder, DeadLetterReason, DeadLetterSelection, DeadPayload, EntryId,
    KeptDeadLetter,
};

use crate::dead_letters::{DeadLetterFixture, INSTANCE};

const STREAM: &str = "telemetry:teltonika";

const OLDEST: DeadLetterSelection = DeadLetterSelection { reason: None, order: DeadLetterOrder::OldestFirst };
const NEWEST: DeadLetterSelection = DeadLetterSelection { reason: None, order: DeadLetterOrder::NewestFirst };

fn letter(fixture: &impl DeadLetterFixture, number: u64) -> DeadLetter {
    DeadLetter {
        stream: fixture.stream(STREAM).into(),
        entry_id: EntryId { millis: 1_777_629_600_000 + number / 10, sequence: number % 10 },
        reason: DeadLetterReason::InvalidTime,
        detail: format!("the time of number {number} is none").into(),
        payload: DeadPayload::Raw([b"\xFF\x00payload ", number.to_string().as_bytes()].concat().into()),
        deliveries: 3,
    }
}

/// Keeps letters with these numbers, a few at a time.
async fn keep(fixture: &impl DeadLetterFixture, numbers: std::ops::Range<u64>) -> anyhow::Result<()> {
    let letters: Vec<_> = numbers.map(|number| letter(fixture, number)).collect();
    for some in letters.chunks(70) {
        fixture.dead_letters().keep(some).await?;
    }
    Ok(())
}

/// Pages through all letters; after each page `meanwhile` is done, and told the page.
async fn pages(
    queue: &dyn DeadLetterQueue,
    stream: &str,
    selection: DeadLetterSelection,
    limit: usize,
    mut meanwhile: impl AsyncFnMut(&[KeptDeadLetter]) -> anyhow::Result<()>,
) -> anyhow::Result<Vec<KeptDeadLetter>> {
    let (mut all, mut after): (Vec<_>, Option<DeadLetterMark>) = (Vec::new(), None);
    loop {
        let page = queue.page(stream, selection, after, limit).await?;
        ensure!(page.letters.len() <= limit, "{} letters on a page", page.letters.len());
        meanwhile(&page.letters).await?;
        all.extend(page.letters);
        let Some(next) = page.next else { return Ok(all) };
        ensure!(after != Some(next), "the next page begins where this one began");
        after = Some(next);
    }
}

async fn all(
    fixture: &impl DeadLetterFixture,
    selection: DeadLetterSelection,
    limit: usize,
) -> anyhow::Result<Vec<KeptDeadLetter>> {
    let (queue, stream) = (fixture.dead_letter_queue(), fixture.stream(STREAM));
    pages(&*queue, &stream, selection, limit, async |_| Ok(())).await
}

fn entries(letters: &[KeptDeadLetter]) -> BTreeSet<EntryId> {
    letters.iter().filter_map(|letter| letter.entry_id).collect()
}

pub(super) async fn a_letter_is_listed_without_its_payload_and_opened_with_it(
    fixture: &impl DeadLetterFixture,
) -> anyhow::Result<()> {
    for (number, reason) in (0..).zip(DeadLetterReason::ALL) {
        fixture.dead_letters().keep(&[DeadLetter { reason, ..letter(fixture, number) }]).await?;
    }
    let (queue, stream) = (fixture.dead_letter_queue(), fixture.stream(STREAM));
    let listed = all(fixture, OLDEST, 100).await?;
    ensure!(listed.len() == DeadLetterReason::ALL.len(), "{listed:?}");
    for kept in &listed {
        let number = listed.iter().filter(|other| other.entry_id < kept.entry_id).count();
        let said = letter(fixture, number as u64);
        let DeadPayload::Raw(payload) = said.payload else { unreachable!("it is made of bytes") };
        let expected = KeptDeadLetter {
            stream: stream.as_str().into(),
            id: kept.id,
            kept_at: kept.kept_at,
            entry_id: Some(said.entry_id),
            reason: DeadLetterReason::ALL[number].name().into(),
            detail: said.detail,
            deliveries: 3,
            instance: kept.instance.as_ref().map(|_| INSTANCE.into()),
            payload_bytes: payload.len() as u64,
        };
        ensure!(*kept == expected, "{kept:?} of {expected:?}");
        let opened = queue.find(&stream, kept.id).await?.context("it was listed")?;
        ensure!((&opened.letter, &opened.payload) == (kept, &payload), "{opened:?}");
    }
    Ok(())
}

pub(super) async fn pages_have_every_letter_once_in_either_order(
    fixture: &impl DeadLetterFixture,
) -> anyhow::Result<()> {
    keep(fixture, 0..350).await?;
    let oldest = all(fixture, OLDEST, 1_000).await?;
    ensure!(oldest.len() == 350 && entries(&oldest).len() == 350, "{} letters", oldest.len());
    ensure!(oldest.is_sorted_by_key(|letter| letter.kept_at));
    for limit in [1, 7, 35, 100, 350] {
        ensure!(all(fixture, OLDEST, limit).await? == oldest, "with {limit} on a page");
        let mut newest = all(fixture, NEWEST, limit).await?;
        newest.reverse();
        ensure!(newest == oldest, "newest first, with {limit} on a page");
    }
    Ok(())
}

pub(super) async fn what_is_kept_or_discarded_on_the_way_changes_nothing_of_the_rest(
    fixture: &impl DeadLetterFixture,
) -> anyhow::Result<()> {
    let (queue, stream) = (fixture.dead_letter_queue(), fixture.stream(STREAM));
    for (selection, numbers) in [(OLDEST, 0..100), (NEWEST, 1_000..1_100)] {
        keep(fixture, numbers.clone()).await?;
        let before = entries(&all(fixture, selection, 1_000).await?);
        let mut more = numbers.end..numbers.end + 5;
        let seen = pages(&*queue, &stream, selection, 10, async |page| {
            if let Some(number) = more.next() {
                keep(fixture, number..number + 1).await?;
            }
            let ids: Vec<_> = page.iter().map(|letter| letter.id).collect();
            ensure!(queue.discard(&stream, &ids).await? == ids.len() as u64);
            Ok(())
        })
        .await?;
        ensure!(entries(&seen).len() == seen.len(), "a letter was seen twice");
        ensure!(entries(&seen).is_superset(&before), "a letter was not seen");
        let left = all(fixture, OLDEST, 1_000).await?;
        let ids: Vec<_> = left.iter().map(|letter| letter.id).collect();
        queue.discard(&stream, &ids).await?;
    }
    Ok(())
}

pub(super) async fn only_letters_of_the_reason_are_listed(
    fixture: &impl DeadLetterFixture,
) -> anyhow::Result<()> {
    let rare = DeadLetterReason::RefusedByStore;
    // More than are looked at for one page.
    let many: Vec<_> = (0..6_000).map(|number| letter(fixture, number)).collect();
    fixture.dead_letters().keep(&[DeadLetter { reason: rare, ..letter(fixture, 9_000) }]).await?;
    fixture.dead_letters().keep(&many).await?;
    fixture.dead_letters().keep(&[DeadLetter { reason: rare, ..letter(fixture, 9_001) }]).await?;
    for selection in [OLDEST, NEWEST] {
        let selection = DeadLetterSelection { reason: Some(rare), ..selection };
        for limit in [1, 100] {
            let found = all(fixture, selection, limit).await?;
            ensure!(
                found.len() == 2 && found.iter().all(|letter| *letter.reason == *rare.name()),
                "{found:?}"
            );
        }
    }
    let none = DeadLetterSelection { reason: Some(DeadLetterReason::TooLarge), ..OLDEST };
    ensure!(all(fixture, none, 100).await?.is_empty());
    Ok(())
}

pub(super) async fn letters_of_another_stream_are_of_no_concern(
    fixture: &impl DeadLetterFixture,
) -> anyhow::Result<()> {
    let another = fixture.stream("another");
    let theirs = DeadLetter { stream: another.as_str().into(), ..letter(fixture, 2) };
    fixture.dead_letters().keep(&[letter(fixture, 1), theirs]).await?;
    let queue = fixture.dead_letter_queue();
    let ours = all(fixture, OLDEST, 100).await?;
    ensure!(entries(&ours) == [letter(fixture, 1).entry_id].into(), "{ours:?}");
    let theirs = pages(&*queue, &another, OLDEST, 100, async |_| Ok(())).await?;
    ensure!(entries(&theirs) == [letter(fixture, 2).entry_id].into(), "{theirs:?}");
    let id = theirs[0].id;
    if queue.find(&fixture.stream(STREAM), id).await?.is_none() {
        ensure!(queue.discard(&fixture.stream(STREAM), &[id]).await? == 0);
    }
    ensure!(queue.find(&another, id).await?.is_some());
    Ok(())
}

pub(super) async fn letters_are_counted(fixture: &impl DeadLetterFixture) -> anyhow::Result<()> {
    let (queue, stream) = (fixture.dead_letter_queue(), fixture.stream(STREAM));
    ensure!(queue.count(&stream, 100).await? == 0);
    keep(fixture, 0..130).await?;
    let another = fixture.stream("another");
    fixture
        .dead_letters()
        .keep(&[DeadLetter { stream: another.as_str().into(), ..letter(fixture, 0) }])
        .await?;
    ensure!(queue.count(&stream, 1_000).await? == 130);
    ensure!(queue.count(&another, 1_000).await? == 1);
    let bounded = queue.count(&stream, 100).await?;
    ensure!([100, 130].contains(&bounded), "{bounded}: it is counted to the bound, or all are known");
    let ids: Vec<_> = all(fixture, OLDEST, 30).await?[..30].iter().map(|letter| letter.id).collect();
    queue.discard(&stream, &ids).await?;
    ensure!(queue.count(&stream, 1_000).await? == 100);
    Ok(())
}

pub(super) async fn what_is_discarded_is_gone_and_the_others_stay(
    fixture: &impl DeadLetterFixture,
) -> anyhow::Result<()> {
    keep(fixture, 0..1_500).await?;
    let (queue, stream) = (fixture.dead_letter_queue(), fixture.stream(STREAM));
    let mut left = all(fixture, OLDEST, 1_000).await?;
    let gone = left.split_off(200);
    let ids: Vec<_> = gone.iter().map(|letter| letter.id).collect();
    let absent = EntryId { millis: 1, sequence: 1 };
    ensure!(queue.discard(&stream, &[&ids[..], &[absent]].concat()).await? == 1_300);
    ensure!(queue.discard(&stream, &ids).await? == 0, "they are discarded twice");
    ensure!(queue.find(&stream, ids[0]).await?.is_none());
    ensure!(queue.find(&stream, left[0].id).await?.is_some());
    ensure!(all(fixture, OLDEST, 1_000).await? == left);
    ensure!(queue.discard(&stream, &[]).await? == 0);
    Ok(())
}

pub(super) async fn where_there_is_nothing_nothing_is_found(
    fixture: &impl DeadLetterFixture,
) -> anyhow::Result<()> {
    let (queue, stream) = (fixture.dead_letter_queue(), fixture.stream("with \0 in its 'name'"));
    let ids = [EntryId::default(), EntryId { millis: u64::MAX, sequence: u64::MAX }];
    for selection in [OLDEST, NEWEST] {
        for after in [None, Some(ids[0]), Some(ids[1])] {
            let after = after.map(|id| DeadLetterMark { kept_at: EntryId::default().received_at(), id });
            let page = queue.page(&stream, selection, after, 10).await?;
            ensure!((page.letters.len(), page.next) == (0, None), "{page:?}");
        }
    }
    for id in ids {
        ensure!(queue.find(&stream, id).await?.is_none());
        ensure!(queue.discard(&stream, &[id]).await? == 0);
    }
    Ok(())
}

pub(super) async fn what_cannot_be_reached_is_unavailable(
    fixture: &impl DeadLetterFixture,
) -> anyhow::Result<()> {
    let (queue, stream) = (fixture.dead_letter_queue(), fixture.stream(STREAM));
    let id = EntryId { millis: 1, sequence: 1 };
    if fixture.go_away().await? {
        ensure!(queue.page(&stream, OLDEST, None, 10).await.is_err());
        ensure!(queue.find(&stream, id).await.is_err());
        ensure!(queue.count(&stream, 10).await.is_err());
        ensure!(queue.discard(&stream, &[id]).await.is_err());
    }
    Ok(())
}
