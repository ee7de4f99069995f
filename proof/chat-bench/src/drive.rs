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
pub struct ConnectedUser {
    /// What to say and what was heard.
    pub talker: Talker,
    /// The socket that the user talks through.
    pub socket: Socket,
}

/// What all tasks of a run see.
#[derive(Debug)]
struct RunState {
    start: Instant,
    stop: AtomicBool,
    acked: AtomicU64,
    delivered: AtomicU64,
    /// Messages due by now.
    due: AtomicU64,
    users: Vec<UserState>,
}

#[derive(Debug, Default)]
struct UserState {
    waker: AtomicWaker,
    /// Messages of this user that the peer will never get.
    dropped: AtomicU64,
}

impl RunState {
    /// Time since the start; nothing before it.
    fn now(&self) -> Option<Duration> {
        Instant::now().checked_duration_since(self.start)
    }

    fn is_over(&self, schedule: Schedule) -> bool {
        self.now().is_some_and(|now| now >= schedule.length())
    }

    fn wake_all(&self) {
        for user_state in &self.users {
            user_state.waker.wake();
        }
    }
}

/// Runs the whole schedule; returns the users with their logs, in the same order. Gives up when nothing has
/// happened for `patience` after the schedule's end.
pub async fn drive(
    connected: Vec<ConnectedUser>,
    schedule: Schedule,
    patience: Duration,
    bar: &ProgressBar,
) -> Vec<ConnectedUser> {
    let run = Arc::new(RunState {
        start: Instant::now() + HEAD_START,
        stop: AtomicBool::new(false),
        acked: AtomicU64::new(0),
        delivered: AtomicU64::new(0),
        due: AtomicU64::new(0),
        users: connected.iter().map(|_| UserState::default()).collect(),
    });
    let conversations: Vec<_> = connected
        .into_iter()
        .enumerate()
        .map(|(user, one)| tokio::spawn(converse(one, user, Arc::clone(&run))))
        .collect();
    let ticked = Arc::new(Notify::new());
    let wake_those_due = tokio::spawn(wake_those_due(schedule, Arc::clone(&ticked), Arc::clone(&run)));
    let watch = tokio::spawn(watch(schedule, patience, bar.clone(), Arc::clone(&run)));
    let due = Arc::clone(&run);
    let pacer = Pacer::start(schedule, run.start, move |count| {
        due.due.store(count, Ordering::Relaxed);
        ticked.notify_one();
    });

    let connected = joined(conversations).await;
    drop(pacer);
    wake_those_due.abort();
    watch.abort();
    bar.set_position(run.delivered.load(Ordering::Relaxed));
    // Everything expected has come; what comes until the answer to a ping came unexpected.
    let settled = connected.into_iter().map(|one| tokio::spawn(settle(one, patience, run.start)));
    joined(settled.collect::<Vec<_>>()).await
}

async fn joined<T>(handles: impl IntoIterator<Item = tokio::task::JoinHandle<T>>) -> Vec<T> {
    let results = join_all(handles).await;
    results.into_iter().map(|result| result.expect("a conversation neither panics nor is aborted")).collect()
}

/// Wakes each sender when a message of theirs is due: the pacer's thread wakes this task only, since a
/// wake-up across threads is a system call.
async fn wake_those_due(schedule: Schedule, ticked: Arc<Notify>, run: Arc<RunState>) {
    let mut woken = 0;
    while woken < schedule.total() {
        ticked.notified().await;
        let due = run.due.load(Ordering::Relaxed);
        for k in woken..due {
            run.users[schedule.sender(k)].waker.wake();
        }
        woken = due;
    }
}

/// Shows progress, and stops a run that has none.
async fn watch(schedule: Schedule, patience: Duration, bar: ProgressBar, run: Arc<RunState>) {
    let mut ticks = tokio::time::interval(WATCH);
    let mut last = (0, Instant::now());
    loop {
        ticks.tick().await;
        let delivered = run.delivered.load(Ordering::Relaxed);
        let happened = delivered + run.acked.load(Ordering::Relaxed);
        bar.set_position(delivered);
        if happened != last.0 || !run.is_over(schedule) {
            last = (happened, Instant::now());
        } else if last.1.elapsed() > patience {
            run.stop.store(true, Ordering::Relaxed);
        }
        run.wake_all();
    }
}

/// One user's whole conversation.
async fn converse(mut connected: ConnectedUser, user: usize, run: Arc<RunState>) -> ConnectedUser {
    poll_fn(|cx| poll_converse(&mut connected, user, &run, cx)).await;
    connected
}

/// Takes every frame that is ready, says what is due, and flushes once.
fn poll_converse(
    connected: &mut ConnectedUser,
    user: usize,
    run: &RunState,
    cx: &mut Context<'_>,
) -> Poll<()> {
    let ConnectedUser { talker, socket } = connected;
    let user_state = &run.users[user];
    user_state.waker.register(cx.waker());
    let (acked, delivered) = (talker.log().acks.len(), talker.log().deliveries.len());

    let mut closed = None;
    while closed.is_none() {
        match socket.poll_next_unpin(cx) {
            Poll::Pending => break,
            Poll::Ready(Some(Ok(Message::Text(frame)))) => talker.hear(&frame, run.now().unwrap_or_default()),
            Poll::Ready(Some(Ok(Message::Close(frame)))) => closed = Some(format!("closed: {frame:?}")),
            Poll::Ready(Some(Ok(_))) => {}
            Poll::Ready(Some(Err(error))) => closed = Some(error.to_string()),
            Poll::Ready(None) => closed = Some("ended".to_owned()),
        }
    }
    if closed.is_none() {
        closed = poll_speak(talker, socket, run, cx).err().map(|error| error.to_string());
    }

    run.acked.fetch_add((talker.log().acks.len() - acked) as u64, Ordering::Relaxed);
    run.delivered.fetch_add((talker.log().deliveries.len() - delivered) as u64, Ordering::Relaxed);
    if closed.is_some() || run.stop.load(Ordering::Relaxed) {
        talker.give_up(closed);
    }
    if user_state.dropped.swap(talker.dropped(), Ordering::Relaxed) != talker.dropped() {
        run.users[user ^ 1].waker.wake();
    }
    let excused = run.users[user ^ 1].dropped.load(Ordering::Relaxed);
    let over = talker.finished(excused) || talker.log().closed.is_some() || run.stop.load(Ordering::Relaxed);
    if over { Poll::Ready(()) } else { Poll::Pending }
}

fn poll_speak(
    talker: &mut Talker,
    socket: &mut Socket,
    run: &RunState,
    cx: &mut Context<'_>,
) -> Result<(), tokio_tungstenite::tungstenite::Error> {
    let mut socket = Pin::new(socket);
    if socket.as_mut().poll_ready(cx)?.is_ready()
        && let Some(frame) = run.now().and_then(|now| talker.speak(now))
    {
        socket.as_mut().start_send(Message::text(frame))?;
    }
    let _still_writing = socket.poll_flush(cx)?;
    Ok(())
}

/// Sends a ping and listens until its answer.
async fn settle(mut connected: ConnectedUser, patience: Duration, start: Instant) -> ConnectedUser {
    if connected.talker.log().closed.is_none() {
        let listening = async {
            let ConnectedUser { talker, socket } = &mut connected;
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
    connected
}
