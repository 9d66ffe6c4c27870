//! Connections: how many, how slow, and how they end.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use axum::{Router, extract::Request};
use hyper::{
    body::Incoming,
    server::conn::http1,
    service::{Service, service_fn},
};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::GracefulShutdown,
    service::TowerToHyperService,
};
use tokio::{
    net::{TcpListener, TcpSocket},
    sync::{Notify, OwnedSemaphorePermit, Semaphore},
    time,
};

use super::lobby::{Guest, Lobby};

/// Open connections at most: half of the file handles that a process usually may have.
const CONNECTIONS: usize = 512;
/// Connections that may wait to be accepted: with the usual 128 many at once wait a second for their next try.
const BACKLOG: u32 = 1024;
/// Time for a request's head, and for the next request of a connection.
const HEAD: Duration = Duration::from_secs(10);
/// A larger head is refused.
const HEAD_BYTES: usize = 16 << 10;
/// Time for answers in hand once it is to stop: two seconds with what comes before and after.
const PARTING: Duration = Duration::from_millis(1500);

/// Listens at an address.
///
/// # Errors
/// An address that is not this machine's, is taken or not allowed.
pub fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    // A port that was in use a moment ago; on Windows the option would share it with another process.
    #[cfg(unix)]
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// Serves `app` until it is told to stop and the answers in hand are given. An answer is to be taken within `time`.
pub async fn serve(listener: TcpListener, app: Router, time: Duration, stop: &Notify) {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEAD).max_buf_size(HEAD_BYTES);
    let (open, lobby) = (Arc::new(Semaphore::new(CONNECTIONS)), Arc::new(Lobby::default()));
    let graceful = GracefulShutdown::new();
    tokio::spawn(close_stuck(Arc::clone(&lobby), time + HEAD));
    loop {
        let next = async {
            let place = place(&open, &lobby).await;
            let (stream, _) = listener.accept().await?;
            Ok::<_, io::Error>((place, stream.local_addr()?, stream))
        };
        let (place, local, stream) = tokio::select! {
            accepted = next => match accepted {
                Ok(accepted) => accepted,
                Err(e) => {
                    // No file handle is free, or the peer has gone already: neither is a reason to stop.
                    tracing::warn!("a connection could not be accepted: {e}");
                    time::sleep(Duration::from_millis(100)).await;
                    continue;
                }
            },
            () = stop.notified() => break,
        };
        let guest = Arc::new(Guest::new(&lobby, local));
        let (app, asks) = (TowerToHyperService::new(app.clone()), Arc::clone(&guest));
        let service = service_fn(move |mut request: Request<Incoming>| {
            let guest = Arc::clone(&asks);
            request.extensions_mut().insert(Arc::clone(&guest));
            let response = app.call(request);
            async move {
                let response = response.await;
                guest.waits();
                response
            }
        });
        let connection = graceful.watch(http.serve_connection(TokioIo::new(stream), service));
        tokio::spawn(async move {
            tokio::select! {
                ended = connection => {
                    if let Err(e) = ended {
                        tracing::debug!("a connection ended: {e}");
                    }
                }
                () = guest.closed() => tracing::debug!("a connection was closed: its client kept it waiting"),
            }
            drop(place);
        });
    }
    drop(listener);
    tracing::info!("stopping once answers in hand are given");
    if time::timeout(PARTING, graceful.shutdown()).await.is_err() {
        tracing::warn!("some answers took too long and were not given");
    }
}

/// A place for a connection. Where none is free, the connection that has waited longest for its client is closed, so
/// that many that do nothing keep nobody out.
async fn place(open: &Arc<Semaphore>, lobby: &Lobby) -> Option<OwnedSemaphorePermit> {
    loop {
        if let Ok(place) = Arc::clone(open).try_acquire_owned() {
            return Some(place);
        }
        lobby.close_longest();
        if let Ok(place) = time::timeout(Duration::from_millis(10), Arc::clone(open).acquire_owned()).await {
            return place.ok();
        }
    }
}

/// Closes connections whose client does not take its answer.
async fn close_stuck(lobby: Arc<Lobby>, longest: Duration) {
    loop {
        time::sleep(Duration::from_secs(1)).await;
        lobby.close_after(longest);
    }
}
