use std::collections::BTreeSet;

use anyhow::ensure;
use processor_codec::{Limits, RecordCodec};
use processor_domain::{DeadLetter, DeadLetterReason, DeadPayload, EntryId, Priority, Record, samples};

use super::{DeadLetterFixture, INSTANCE, Kept};

const STREAM: &str = "telemetry:teltonika";

fn letter(fixture: &impl DeadLetterFixture, sequence: u64) -> DeadLetter {
    DeadLetter {
        stream: fixture.stream(STREAM).into(),
        entry_id: EntryId { millis: 1_777_629_600_000, sequence },
        reason: DeadLetterReason::InvalidTime,
        detail: "timestamp is \"järgmine\": not a date".into(),
        payload: DeadPayload::Raw(br#"{"device_id":"1"}"#.as_slice().into()),
        deliveries: 3,
    }
}

/// What is kept of one stream, in the order of the entries.
async fn kept(fixture: &impl DeadLetterFixture, stream: &str) -> anyhow::Result<Vec<Kept>> {
    let mut kept = fixture.kept(&fixture.stream(stream)).await?;
    kept.sort_by_key(|kept| kept.entry_id);
    Ok(kept)
}

pub(super) async fn a_letter_is_kept_with_all_that_it_says(
    fixture: &impl DeadLetterFixture,
) -> anyhow::Result<()> {
    for (number, reason) in (0..).zip(DeadLetterReason::ALL) {
        fixture.dead_letters().keep(&[DeadLetter { reason, ..letter(fixture, number) }]).await?;
    }
    let kept = kept(fixture, STREAM).await?;
    ensure!(kept.len() == DeadLetterReason::ALL.len(), "{kept:?}");
    for ((number, reason), kept) in (0..).zip(DeadLetterReason::ALL).zip(kept) {
        let letter = letter(fixture, number);
        let said = Kept {
            entry_id: letter.entry_id,
            reason: reason.name().to_owned(),
            detail: letter.detail.to_string(),
            payload: br#"{"device_id":"1"}"#.to_vec(),
            deliveries: 3,
            instance: kept.instance.as_ref().map(|_| INSTANCE.to_owned()),
        };
        ensure!(kept == said, "{kept:?} of {said:?}");
    }
    Ok(())
}

pub(super) async fn bytes_are_kept_as_they_were_received(
    fixture: &impl DeadLetterFixture,
) -> anyhow::Result<()> {
    let payloads = [Vec::new(), vec![0, 1, 0xFF, b'\'', b'\\', 0], (0..=255).cycle().take(100_000).collect()];
    let letters: Vec<_> = (0..)
        .zip(&payloads)
        .map(|(number, payload)| DeadLetter {
            payload: DeadPayload::Raw(payload.as_slice().into()),
            ..letter(fixture, number)
        })
        .collect();
    fixture.dead_letters().keep(&letters).await?;
    let kept: Vec<_> = kept(fixture, STREAM).await?.into_iter().map(|kept| kept.payload).collect();
    ensure!(kept == payloads);
    Ok(())
}

pub(super) async fn a_position_is_kept_in_the_wire_format(
    fixture: &impl DeadLetterFixture,
) -> anyhow::Result<()> {
    let id = letter(fixture, 1).entry_id;
    let mut position = samples::position()
        .ts("2026-05-01T10:00:00.123Z")
        .priority(Priority::Panic)
        .attributes(r#"{"16":"18446744073709551615","239":1}"#)
        .build();
    position.received_at = id.received_at();
    let payload = DeadPayload::Position(Box::new(position.clone()));
    fixture.dead_letters().keep(&[DeadLetter { payload, ..letter(fixture, 1) }]).await?;

    let kept = kept(fixture, STREAM).await?;
    ensure!(kept.len() == 1, "{kept:?}");
    let codec = RecordCodec::new(Limits::default());
    let record = codec.decode(&kept[0].payload, position.received_at, position.received_at);
    ensure!(record == Record::Position(position), "{record:?}");
    Ok(())
}

pub(super) async fn keeping_a_letter_twice_is_allowed_and_can_be_told(
    fixture: &impl DeadLetterFixture,
) -> anyhow::Result<()> {
    let of_another = DeadLetter { stream: fixture.stream("another").into(), ..letter(fixture, 1) };
    let letters = [letter(fixture, 1), letter(fixture, 2), letter(fixture, 1), of_another];
    fixture.dead_letters().keep(&letters).await?;
    fixture.dead_letters().keep(&letters).await?;
    for (stream, expected) in [(STREAM, 2), ("another", 1)] {
        let kept = kept(fixture, stream).await?;
        let told_apart: BTreeSet<_> = kept.iter().map(|kept| kept.entry_id).collect();
        ensure!(told_apart.len() == expected, "of {stream}: {kept:?}");
    }
    Ok(())
}

pub(super) async fn many_are_kept_at_once(fixture: &impl DeadLetterFixture) -> anyhow::Result<()> {
    let letters: Vec<_> = (0..5_000).map(|number| letter(fixture, number)).collect();
    fixture.dead_letters().keep(&letters).await?;
    let kept: Vec<_> = kept(fixture, STREAM).await?.into_iter().map(|kept| kept.entry_id).collect();
    let expected: Vec<_> = letters.iter().map(|letter| letter.entry_id).collect();
    ensure!(kept == expected, "{} kept", kept.len());
    Ok(())
}

pub(super) async fn none_are_kept_if_there_are_none(fixture: &impl DeadLetterFixture) -> anyhow::Result<()> {
    fixture.dead_letters().keep(&[]).await?;
    ensure!(kept(fixture, STREAM).await?.is_empty());
    Ok(())
}

pub(super) async fn what_cannot_be_reached_is_unavailable(
    fixture: &impl DeadLetterFixture,
) -> anyhow::Result<()> {
    if fixture.go_away().await? {
        let refused = fixture.dead_letters().keep(&[letter(fixture, 1)]).await;
        ensure!(refused.is_err(), "a letter was kept by nobody");
    }
    Ok(())
}
