//! Connections: how many, how slow, and how they end.

use std::{sync::Arc, time::Duration};

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::GracefulShutdown,
    service::TowerToHyperService,
};
use tokio::{net::TcpListener, sync::Semaphore, time};

/// Open connections at most; the next ones wait in the listener's queue.
const CONNECTIONS: usize = 1024;
/// Time for a request's head, and for the next request of a connection.
const HEAD: Duration = Duration::from_secs(10);
/// A larger head is refused.
const HEAD_BYTES: usize = 16 << 10;
/// Time for answers in hand once it is to stop.
const PARTING: Duration = Duration::from_secs(10);

/// Serves `app` until the process is told to stop and the answers in hand are given.
pub async fn serve(listener: TcpListener, app: Router) {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEAD).max_buf_size(HEAD_BYTES);
    let open = Arc::new(Semaphore::new(CONNECTIONS));
    let graceful = GracefulShutdown::new();
    let mut stop = std::pin::pin!(told_to_stop());
    loop {
        let next = async {
            let place = Arc::clone(&open).acquire_owned().await;
            (place, listener.accept().await)
        };
        let (place, stream) = tokio::select! {
            (place, accepted) = next => match accepted {
                Ok((stream, _)) => (place, stream),
                Err(e) => {
                    // No file handle is free, or the peer has gone already: neither is a reason to stop.
                    tracing::warn!("a connection could not be accepted: {e}");
                    time::sleep(Duration::from_millis(100)).await;
                    continue;
                }
            },
            () = &mut stop => break,
        };
        let service = TowerToHyperService::new(app.clone());
        let connection = graceful.watch(http.serve_connection(TokioIo::new(stream), service));
        tokio::spawn(async move {
            if let Err(e) = connection.await {
                tracing::debug!("a connection ended: {e}");
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

async fn told_to_stop() {
    let interrupt = async {
        if let Err(e) = tokio::signal::ctrl_c().await {
            tracing::warn!("Ctrl-C cannot be listened for: {e}");
            std::future::pending::<()>().await;
        }
    };
    #[cfg(unix)]
    let terminate = async {
        match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
            Ok(mut signal) => signal.recv().await,
            Err(_) => std::future::pending().await,
        }
    };
    #[cfg(not(unix))]
    let terminate = std::future::pending::<Option<()>>();
    tokio::select! {
        () = interrupt => {}
        _ = terminate => {}
    }
}
