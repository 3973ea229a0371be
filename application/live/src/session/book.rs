//! What a viewer asked for, how far it is, and what it still has to be answered.

use std::collections::VecDeque;
use std::time::Duration;

use processor_domain::{EventId, Timestamp};
use tokio::time::Instant;

use crate::allowance::Allowance;
use crate::message::{ClientMessage, Close, Denial, Outgoing, ServerMessage, TopicName};
use crate::recent::Frame;
use crate::topic::{Beginning, Cursor};
use crate::topics::Watching;
use crate::{LiveSettings, Since, Uid};

/// Answers that may wait for a viewer who asks and does not read.
const MOST_REPLIES: usize = 256;

/// All that is kept for one viewer. It does not grow with what the viewer has not read: of a topic it has a
/// cursor, and a subscription's first picture is taken when it can be sent and not before.
pub(super) struct Book {
    most_subscriptions: usize,
    backlog_bytes: usize,
    allowance: Allowance,
    subscriptions: Vec<Subscription>,
    replies: VecDeque<Reply>,
    /// Subscriptions asked for so far.
    numbers: u64,
    /// Whose turn it is when not everything goes into one batch.
    turn: usize,
    in_hand: Option<InHand>,
    /// There is nothing to be sent any more but this.
    closed: Option<Close>,
}

struct Subscription {
    number: u64,
    event: EventId,
    answer_to: AnswerTo,
    since: Option<Since>,
    stage: Stage,
}

enum Stage {
    /// It is being found out whether the viewer may.
    Asked,
    /// It may, and its first picture waits among the replies to be sent.
    Allowed(Watching),
    /// It has been told everything up to the cursor.
    Watching(Watching, Cursor),
}

/// What the answer to a message repeats of it.
#[derive(Clone)]
struct AnswerTo {
    topic: TopicName,
    uid: Option<Uid>,
}

enum Reply {
    Ready(ServerMessage),
    Begin { number: u64, answer_to: AnswerTo },
}

/// A subscription that has to be decided on.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) number: u64,
    pub(super) event: EventId,
}

/// What has been handed out to be written, and is to be counted when it is.
pub(super) struct InHand {
    since: Instant,
    /// When the oldest position of the first frame was received that has one …
    pub(super) received: Option<Timestamp>,
    /// … and of the others; there are none as long as the viewer keeps up.
    received_of_others: Vec<Timestamp>,
    pub(super) delivered: u64,
    pub(super) conflated: u64,
}

/// Messages handed out together.
#[derive(Default)]
struct Batch {
    messages: Vec<ServerMessage>,
    bytes: usize,
    /// None as long as there is no message: a viewer is looked at more often than there is something for it.
    in_hand: Option<InHand>,
}

impl Book {
    pub(super) fn new(settings: &LiveSettings) -> Self {
        Self {
            most_subscriptions: settings.subscriptions,
            backlog_bytes: settings.backlog_bytes.max(1),
            allowance: Allowance::new(settings.messages_per_second, settings.message_burst),
            subscriptions: Vec::new(),
            replies: VecDeque::new(),
            numbers: 0,
            turn: 0,
            in_hand: None,
            closed: None,
        }
    }

    /// Takes a message: it is answered, or there is something to be found out first.
    pub(super) fn take_message(&mut self, message: ClientMessage) -> Result<Option<Asked>, Close> {
        if self.closed.is_some() {
            return Ok(None);
        }
        if !self.allowance.take() {
            return Err(Close::TooMany);
        }
        if self.replies.len() >= MOST_REPLIES {
            return Err(Close::TooSlow);
        }
        match message {
            ClientMessage::Subscribe { topic, uid, since } => {
                return Ok(self.subscribe(AnswerTo { topic, uid }, since));
            }
            ClientMessage::Unsubscribe { topic, uid } => self.unsubscribe(AnswerTo { topic, uid }),
            ClientMessage::Ping { uid } => self.reply(ServerMessage::Pong { uid }),
        }
        Ok(None)
    }

    fn subscribe(&mut self, answer_to: AnswerTo, since: Option<Since>) -> Option<Asked> {
        let event = match answer_to.topic.event() {
            Ok(event) => event,
            Err(denial) => {
                self.reply(answer_to.denied(denial));
                return None;
            }
        };
        let known = self.subscriptions.iter().position(|subscription| subscription.event == event);
        if known.is_none() && self.subscriptions.len() >= self.most_subscriptions {
            self.reply(answer_to.denied(Denial::TooManySubscriptions));
            return None;
        }
        if let Some(at) = known {
            self.end(at);
        }
        let number = self.numbers;
        self.numbers += 1;
        let asked = Asked { number, event: event.clone() };
        // One is the usual number.
        self.subscriptions.reserve_exact(1);
        self.subscriptions.push(Subscription { number, event, answer_to, since, stage: Stage::Asked });
        Some(asked)
    }

    fn unsubscribe(&mut self, answer_to: AnswerTo) {
        let event = answer_to.topic.event().ok();
        let known =
            self.subscriptions.iter().position(|subscription| Some(&subscription.event) == event.as_ref());
        if let Some(at) = known {
            self.end(at);
        }
        let AnswerTo { topic, uid } = answer_to;
        self.reply(ServerMessage::Unsubscribed { topic, uid });
    }

    fn end(&mut self, at: usize) {
        let ended = self.subscriptions.swap_remove(at);
        // One that is allowed has a reply waiting, which becomes this one when its turn comes.
        if matches!(ended.stage, Stage::Asked) {
            self.reply(ended.answer_to.denied(Denial::Cancelled));
        }
    }

    fn reply(&mut self, message: ServerMessage) {
        self.replies.push_back(Reply::Ready(message));
    }

    /// The subscription of this number may begin, unless it has ended meanwhile.
    pub(super) fn allow(&mut self, number: u64, watching: Watching) {
        if let Some(subscription) = self.subscription(number) {
            subscription.stage = Stage::Allowed(watching);
            let answer_to = subscription.answer_to.clone();
            self.replies.push_back(Reply::Begin { number, answer_to });
        }
    }

    /// The subscription of this number must not begin.
    pub(super) fn deny(&mut self, number: u64, denial: Denial) {
        if let Some(at) = self.subscriptions.iter().position(|subscription| subscription.number == number) {
            let denied = self.subscriptions.swap_remove(at);
            self.reply(denied.answer_to.denied(denial));
        }
    }

    fn subscription(&mut self, number: u64) -> Option<&mut Subscription> {
        self.subscriptions.iter_mut().find(|subscription| subscription.number == number)
    }

    /// What is to be sent now; nothing if there is nothing, or if what was handed out before is not written.
    pub(super) fn due(&mut self) -> Result<Option<Outgoing>, Close> {
        if let Some(why) = self.closed {
            return Ok(Some(Outgoing::Close(why)));
        }
        if self.in_hand.is_some() {
            return Ok(None);
        }
        let mut batch = Batch::default();
        while batch.bytes < self.backlog_bytes
            && let Some(reply) = self.replies.pop_front()
        {
            match reply {
                Reply::Ready(message) => batch.push(message),
                Reply::Begin { number, answer_to } => self.begin(number, answer_to, &mut batch),
            }
        }
        for _ in 0..self.subscriptions.len() {
            if batch.bytes >= self.backlog_bytes {
                break;
            }
            self.turn = (self.turn + 1) % self.subscriptions.len();
            if let Stage::Watching(watching, cursor) = &mut self.subscriptions[self.turn].stage
                && watching.topic.has_news(*cursor)
            {
                watching.topic.pull(cursor, |frame| batch.add(frame)).map_err(|_| Close::TooSlow)?;
            }
        }
        self.in_hand = batch.in_hand;
        Ok((!batch.messages.is_empty()).then_some(Outgoing::Messages(batch.messages)))
    }

    fn begin(&mut self, number: u64, answer_to: AnswerTo, batch: &mut Batch) {
        let Some(subscription) = self.subscription(number) else {
            batch.push(answer_to.denied(Denial::Cancelled));
            return;
        };
        let Stage::Allowed(watching) = std::mem::replace(&mut subscription.stage, Stage::Asked) else {
            return;
        };
        let Beginning { epoch, seq, snapshot, complete, missed, cursor } =
            watching.topic.begin(subscription.since);
        subscription.stage = Stage::Watching(watching, cursor);
        let AnswerTo { topic, uid } = answer_to;
        batch.bytes += snapshot.len();
        batch.push(ServerMessage::Subscribed {
            topic,
            uid,
            epoch,
            seq,
            recovered: missed.is_some(),
            snapshot,
            snapshot_complete: complete,
        });
        // That the viewer was away is not the delay of this river.
        for frame in missed.unwrap_or_default() {
            batch.add(Frame { oldest: None, ..frame });
        }
    }

    /// What was handed out, now that it is written.
    pub(super) fn take_in_hand(&mut self) -> Option<InHand> {
        self.in_hand.take()
    }

    /// For how long what was handed out has not been written.
    pub(super) fn waiting_for(&self) -> Duration {
        self.in_hand.as_ref().map_or(Duration::ZERO, |in_hand| in_hand.since.elapsed())
    }

    /// The events that are being watched.
    pub(super) fn watched(&self) -> Vec<EventId> {
        let allowed = self.subscriptions.iter().filter(|known| !matches!(known.stage, Stage::Asked));
        allowed.map(|subscription| subscription.event.clone()).collect()
    }

    /// Closes it; whether it was not closed before.
    pub(super) fn close(&mut self, why: Close) -> bool {
        let first = self.closed.is_none();
        if first {
            self.closed = Some(why);
            self.clear();
        }
        first
    }

    /// Ends everything.
    pub(super) fn clear(&mut self) {
        self.subscriptions.clear();
        self.replies.clear();
        self.in_hand = None;
    }
}

impl AnswerTo {
    fn denied(self, denial: Denial) -> ServerMessage {
        ServerMessage::Error { topic: self.topic, uid: self.uid, denial }
    }
}

impl InHand {
    fn begin() -> Self {
        Self {
            since: Instant::now(),
            received: None,
            received_of_others: Vec::new(),
            delivered: 0,
            conflated: 0,
        }
    }

    /// When the oldest position of each frame was received.
    pub(super) fn received(&self) -> impl Iterator<Item = Timestamp> {
        self.received.iter().chain(&self.received_of_others).copied()
    }

    fn note(&mut self, received: Timestamp) {
        if self.received.is_none() {
            self.received = Some(received);
        } else {
            self.received_of_others.push(received);
        }
    }
}

impl Batch {
    fn push(&mut self, message: ServerMessage) {
        self.in_hand.get_or_insert_with(InHand::begin);
        if self.messages.is_empty() {
            // One is the usual number, for which a list would else make room for more.
            self.messages.reserve_exact(1);
        }
        self.messages.push(message);
    }

    fn add(&mut self, frame: Frame) {
        self.bytes += frame.bytes.len();
        let in_hand = self.in_hand.get_or_insert_with(InHand::begin);
        if let Some(received) = frame.oldest {
            in_hand.note(received);
        }
        in_hand.delivered += frame.positions;
        in_hand.conflated += frame.offered - frame.positions;
        self.push(ServerMessage::Positions(frame.bytes));
    }
}
