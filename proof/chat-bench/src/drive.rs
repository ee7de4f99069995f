//! Runs prepared conversations over their sockets, on schedule. One task owns one user; tasks share a few
//! counters and no lock.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use futures_util::task::AtomicWaker;
use futures_util::{Sink, SinkExt, StreamExt, future::join_all};
use indicatif::ProgressBar;
use tokio::sync::Notify;
use tokio_tungstenite::tungstenite::Message;

use crate::frames::PING;
use crate::pacer::Pacer;
use crate::schedule::Schedule;
use crate::socket::Socket;
use crate::talker::Talker;

/// Between making the tasks and the first message, so that every task is waiting when it starts.
const HEAD_START: Duration = Duration::from_millis(20);
/// How often progress is looked at, and repetitions are.
const WATCH: Duration = Duration::from_millis(100);

/// A user with an open socket. Users `2p` and `2p + 1` of a list talk with each other.
#[derive(Debug)]
pub struct Party {
    /// What to say and what was heard.
    pub talker: Talker,
    /// The socket that the user talks through.
    pub socket: Socket,
}

/// What all tasks of a run see.
#[derive(Debug)]
struct Stage {
    start: Instant,
    stop: AtomicBool,
    acked: AtomicU64,
    delivered: AtomicU64,
    /// Messages due by now.
    due: AtomicU64,
    seats: Vec<Seat>,
}

#[derive(Debug, Default)]
struct Seat {
    waker: AtomicWaker,
    /// Messages of this user that the peer will never get.
    dropped: AtomicU64,
}

impl Stage {
    /// Time since the start; nothing before it.
    fn now(&self) -> Option<Duration> {
        Instant::now().checked_duration_since(self.start)
    }

    fn is_over(&self, schedule: Schedule) -> bool {
        self.now().is_some_and(|now| now >= schedule.length())
    }

    fn wake_all(&self) {
        for seat in &self.seats {
            seat.waker.wake();
        }
    }
}

/// Runs the whole schedule; returns the parties with their logs, in the same order. Gives up when nothing has
/// happened for `patience` after the schedule's end.
pub async fn drive(
    parties: Vec<Party>,
    schedule: Schedule,
    patience: Duration,
    bar: &ProgressBar,
) -> Vec<Party> {
    let stage = Arc::new(Stage {
        start: Instant::now() + HEAD_START,
        stop: AtomicBool::new(false),
        acked: AtomicU64::new(0),
        delivered: AtomicU64::new(0),
        due: AtomicU64::new(0),
        seats: parties.iter().map(|_| Seat::default()).collect(),
    });
    let conversations: Vec<_> = parties
        .into_iter()
        .enumerate()
        .map(|(user, party)| tokio::spawn(converse(party, user, Arc::clone(&stage))))
        .collect();
    let ticked = Arc::new(Notify::new());
    let usher = tokio::spawn(usher(schedule, Arc::clone(&ticked), Arc::clone(&stage)));
    let watch = tokio::spawn(watch(schedule, patience, bar.clone(), Arc::clone(&stage)));
    let due = Arc::clone(&stage);
    let pacer = Pacer::start(schedule, stage.start, move |count| {
        due.due.store(count, Ordering::Relaxed);
        ticked.notify_one();
    });

    let parties = joined(conversations).await;
    drop(pacer);
    usher.abort();
    watch.abort();
    bar.set_position(stage.delivered.load(Ordering::Relaxed));
    // Everything expected has come; what comes until the answer to a ping came unexpected.
    let settled = parties.into_iter().map(|party| tokio::spawn(settle(party, patience, stage.start)));
    joined(settled.collect::<Vec<_>>()).await
}

async fn joined<T>(handles: impl IntoIterator<Item = tokio::task::JoinHandle<T>>) -> Vec<T> {
    let results = join_all(handles).await;
    results.into_iter().map(|result| result.expect("a conversation neither panics nor is aborted")).collect()
}

/// Wakes each sender when a message of theirs is due: the pacer's thread wakes this task only, since a
/// wake-up across threads is a system call.
async fn usher(schedule: Schedule, ticked: Arc<Notify>, stage: Arc<Stage>) {
    let mut woken = 0;
    while woken < schedule.total() {
        ticked.notified().await;
        let due = stage.due.load(Ordering::Relaxed);
        for k in woken..due {
            stage.seats[schedule.sender(k)].waker.wake();
        }
        woken = due;
    }
}

/// Shows progress, and stops a run that has none.
async fn watch(schedule: Schedule, patience: Duration, bar: ProgressBar, stage: Arc<Stage>) {
    let mut ticks = tokio::time::interval(WATCH);
    let mut last = (0, Instant::now());
    loop {
        ticks.tick().await;
        let delivered = stage.delivered.load(Ordering::Relaxed);
        let happened = delivered + stage.acked.load(Ordering::Relaxed);
        bar.set_position(delivered);
        if happened != last.0 || !stage.is_over(schedule) {
            last = (happened, Instant::now());
        } else if last.1.elapsed() > patience {
            stage.stop.store(true, Ordering::Relaxed);
        }
        stage.wake_all();
    }
}

/// One user's whole conversation.
async fn converse(mut party: Party, user: usize, stage: Arc<Stage>) -> Party {
    poll_fn(|cx| poll_converse(&mut party, user, &stage, cx)).await;
    party
}

/// Takes every frame that is ready, says what is due, and flushes once.
fn poll_converse(party: &mut Party, user: usize, stage: &Stage, cx: &mut Context<'_>) -> Poll<()> {
    let Party { talker, socket } = party;
    let seat = &stage.seats[user];
    seat.waker.register(cx.waker());
    let (acked, delivered) = (talker.log().acks.len(), talker.log().deliveries.len());

    let mut closed = None;
    while closed.is_none() {
        match socket.poll_next_unpin(cx) {
            Poll::Pending => break,
            Poll::Ready(Some(Ok(Message::Text(frame)))) => {
                talker.hear(&frame, stage.now().unwrap_or_default())
            }
            Poll::Ready(Some(Ok(Message::Close(frame)))) => closed = Some(format!("closed: {frame:?}")),
            Poll::Ready(Some(Ok(_))) => {}
            Poll::Ready(Some(Err(error))) => closed = Some(error.to_string()),
            Poll::Ready(None) => closed = Some("ended".to_owned()),
        }
    }
    if closed.is_none() {
        closed = poll_speak(talker, socket, stage, cx).err().map(|error| error.to_string());
    }

    stage.acked.fetch_add((talker.log().acks.len() - acked) as u64, Ordering::Relaxed);
    stage.delivered.fetch_add((talker.log().deliveries.len() - delivered) as u64, Ordering::Relaxed);
    if closed.is_some() || stage.stop.load(Ordering::Relaxed) {
        talker.give_up(closed);
    }
    if seat.dropped.swap(talker.dropped(), Ordering::Relaxed) != talker.dropped() {
        stage.seats[user ^ 1].waker.wake();
    }
    let excused = stage.seats[user ^ 1].dropped.load(Ordering::Relaxed);
    let over =
        talker.finished(excused) || talker.log().closed.is_some() || stage.stop.load(Ordering::Relaxed);
    if over { Poll::Ready(()) } else { Poll::Pending }
}

fn poll_speak(
    talker: &mut Talker,
    socket: &mut Socket,
    stage: &Stage,
    cx: &mut Context<'_>,
) -> Result<(), tokio_tungstenite::tungstenite::Error> {
    let mut socket = Pin::new(socket);
    if socket.as_mut().poll_ready(cx)?.is_ready()
        && let Some(frame) = stage.now().and_then(|now| talker.speak(now))
    {
        socket.as_mut().start_send(Message::text(frame))?;
    }
    let _still_writing = socket.poll_flush(cx)?;
    Ok(())
}

/// Sends a ping and listens until its answer.
async fn settle(mut party: Party, patience: Duration, start: Instant) -> Party {
    if party.talker.log().closed.is_none() {
        let listening = async {
            let Party { talker, socket } = &mut party;
            if socket.send(Message::text(PING)).await.is_err() {
                return;
            }
            while talker.pongs() == 0
                && let Some(Ok(message)) = socket.next().await
            {
                if let Message::Text(frame) = message {
                    talker.hear(&frame, start.elapsed());
                }
            }
        };
        // Without an answer there is just less to look at.
        let _unanswered = tokio::time::timeout(patience, listening).await;
    }
    party
}
