use async_trait::async_trait;
use processor_codec::RecordCodec;
use processor_domain::ports::{DeadLetters, DeadLettersError};
use processor_domain::{DeadLetter, DeadPayload};

use crate::connections::RedisConnections;

/// Most letters sent in one piece. A payload has its limit, so this bounds the memory they take twice.
const LETTERS_IN_A_PIECE: usize = 64;

/// Dead letters in a stream beside the one they come from: `{stream}:dead`.
///
/// A letter has the fields `payload`, `entry_id`, `reason`, `detail`, `deliveries` and `instance`. The stream
/// is never trimmed from here: what is in it waits for a person.
///
/// On a cluster the two streams need not be on the same node: no command names both, and each is written where it
/// is. A name with a hash tag, `{telemetry}:in`, keeps them together all the same, since the tag is part of both
/// names.
#[derive(Clone, Debug)]
pub struct RedisDeadLetters {
    connections: RedisConnections,
    instance: Box<str>,
}

impl RedisDeadLetters {
    /// Dead letters of this instance, kept where `connections` lead to.
    #[must_use]
    pub fn new(connections: RedisConnections, instance: impl Into<Box<str>>) -> Self {
        Self { connections, instance: instance.into() }
    }

    /// The stream in which the dead letters of `stream` are.
    #[must_use]
    pub fn stream_of(stream: &str) -> String {
        format!("{stream}:dead")
    }
}

#[async_trait]
impl DeadLetters for RedisDeadLetters {
    /// A server whose memory is full refuses them, while it still delivers and takes acknowledgements.
    async fn keep(&self, letters: &[DeadLetter]) -> Result<(), DeadLettersError> {
        // Those of two streams may be on two servers.
        let by_stream = letters.chunk_by(|one, next| one.stream == next.stream);
        for piece in by_stream.flat_map(|letters| letters.chunks(LETTERS_IN_A_PIECE)) {
            let dead = piece.first().map(|letter| Self::stream_of(&letter.stream)).unwrap_or_default();
            let mut commands = redis::pipe();
            for letter in piece {
                let encoded;
                let payload = match &letter.payload {
                    DeadPayload::Raw(bytes) => bytes,
                    DeadPayload::Position(position) => {
                        encoded = RecordCodec::encode(position);
                        &encoded
                    }
                };
                let command = commands.cmd("XADD").arg(&dead).arg("*");
                command.arg("payload").arg(&payload[..]);
                command.arg("entry_id").arg(letter.entry_id.to_string());
                command.arg("reason").arg(letter.reason.name());
                command.arg("detail").arg(&*letter.detail);
                command.arg("deliveries").arg(letter.deliveries);
                command.arg("instance").arg(&*self.instance).ignore();
            }
            self.connections.send(&dead, &commands).await?;
        }
        Ok(())
    }
}
