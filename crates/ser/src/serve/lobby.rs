//! Connections that wait for their client: to ask, to send its recording, to take its answer.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use tokio::sync::Notify;

/// All connections that wait for their client, in the order in which they began to.
#[derive(Debug, Default)]
pub struct Lobby(Mutex<Waiting>);

#[derive(Debug, Default)]
struct Waiting {
    next: u64,
    guests: BTreeMap<u64, (Instant, Arc<Notify>)>,
}

impl Lobby {
    /// Closes the connection that has waited longest, if any waits.
    pub fn close_longest(&self) {
        if let Some((_, (_, closed))) = self.waiting().guests.pop_first() {
            closed.notify_one();
        }
    }

    /// Closes the connections that have waited longer than that.
    pub fn close_after(&self, longest: Duration) {
        let mut waiting = self.waiting();
        while let Some(first) = waiting.guests.first_entry()
            && first.get().0.elapsed() > longest
        {
            first.remove().1.notify_one();
        }
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A connection.
#[derive(Debug)]
pub struct Guest {
    lobby: Arc<Lobby>,
    /// Its number among those that wait, while it does.
    ticket: Mutex<Option<u64>>,
    local: SocketAddr,
    closed: Arc<Notify>,
}

impl Guest {
    /// One that waits for its first request; `local` is this server's end of it.
    pub fn new(lobby: &Arc<Lobby>, local: SocketAddr) -> Self {
        let guest = Self { lobby: Arc::clone(lobby), ticket: Mutex::new(None), local, closed: Arc::new(Notify::new()) };
        guest.waits();
        guest
    }

    /// This server's end.
    pub fn local(&self) -> SocketAddr {
        self.local
    }

    /// From now on it waits for its client.
    pub fn waits(&self) {
        self.is_served();
        let mut waiting = self.lobby.waiting();
        let ticket = waiting.next;
        waiting.next += 1;
        waiting.guests.insert(ticket, (Instant::now(), Arc::clone(&self.closed)));
        *self.ticket() = Some(ticket);
    }

    /// From now on its client waits for this server, which does not close it.
    pub fn is_served(&self) {
        if let Some(ticket) = self.ticket().take() {
            self.lobby.waiting().guests.remove(&ticket);
        }
    }

    /// Returns once it is to be closed.
    pub async fn closed(&self) {
        self.closed.notified().await;
    }

    fn ticket(&self) -> MutexGuard<'_, Option<u64>> {
        self.ticket.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        self.is_served();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn who_waits_longest_is_closed_first_and_who_is_served_never() {
        let lobby = Arc::new(Lobby::default());
        let [a, b, c, d] = [(); 4].map(|()| Guest::new(&lobby, ([127, 0, 0, 1], 9).into()));
        a.waits();
        b.is_served();
        drop(d);
        lobby.close_longest();
        c.closed().await;
        lobby.close_after(Duration::from_secs(60));
        assert_eq!(lobby.waiting().guests.len(), 1);
        lobby.close_after(Duration::ZERO);
        a.closed().await;
        lobby.close_longest();
        assert!(tokio::time::timeout(Duration::from_millis(20), b.closed()).await.is_err());
        b.waits();
        lobby.close_longest();
        b.closed().await;
    }
}
