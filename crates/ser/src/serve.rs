//! `ser serve`.

mod api;
mod desk;
mod http;
mod lobby;
mod memory;
mod picture;
mod refusal;
mod reply;
mod site;
mod upload;

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use tokio::sync::Notify;

use crate::{
    failure::{Failure, Result},
    lookup, output,
};

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ser serve                                                  then open http://127.0.0.1:7364
  ser serve --port 0                                         any free port; stdout has the address
  curl --data-binary @me.wav http://127.0.0.1:7364/api/predict
  curl --data-binary @talk.mp3 'http://127.0.0.1:7364/api/predict?window=2&hop=0.5'

The page records from the microphone or takes a dropped file, and shows wave, mel picture, emotion over time and
probabilities. Nothing leaves this machine, and no recording is kept. /api/openapi.json describes the endpoint.

Only this machine can reach it unless --host says otherwise; then put a proxy with TLS and a login before it: browsers give
no microphone to a page without TLS from elsewhere, and ser asks nobody who they are. Requests must name the server's address
as their Host, or a name of --allow-host (a proxy's, a container's host); pages of other sites are refused.

An upload that brings less than 80 KiB in 5 seconds is ended.

-v has a line for each request on stderr. Ctrl-C or SIGTERM ends it within two seconds, in which answers in hand are
given; a second one ends it at once.")]
pub struct Serve {
    #[command(flatten)]
    model: lookup::Choice,
    /// Port to listen on; 0 for any that is free.
    #[arg(long, default_value_t = 7364, value_name = "N")]
    port: u16,
    /// Address to listen on.
    #[arg(long, default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST), value_name = "ADDRESS")]
    host: IpAddr,
    /// Another name of this server in requests, with a port or without; may be repeated.
    #[arg(long, value_name = "NAME")]
    allow_host: Vec<site::Name>,
    #[command(flatten)]
    limits: Limits,
}

/// Exit code after a second Ctrl-C: that of a process which SIGINT ended.
const KILLED: i32 = 130;

/// What the endpoint refuses, and how long it waits.
#[derive(Debug, Clone, Copy, clap::Args)]
struct Limits {
    /// Largest recording, in MiB.
    #[arg(long, default_value_t = 32, value_name = "MIB", value_parser = clap::value_parser!(u32).range(1..=1024))]
    max_size: u32,
    /// Longest recording: 90, 90s, 10min or 1h.
    #[arg(long, default_value = "600s", value_name = "TIME", value_parser = |t: &str| whole(t, 36_000))]
    max_length: u32,
    /// Time for a recording to arrive, to wait for a free core, to be answered and for the answer to be taken, each.
    #[arg(long, default_value = "30s", value_name = "TIME", value_parser = |t: &str| whole(t, 3_600))]
    timeout: u32,
    /// Recordings that may wait for a free core; more are turned away at once.
    #[arg(long, default_value_t = 256, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    queue: u32,
}

/// Whole seconds, 1 to `most`.
fn whole(text: &str, most: u32) -> std::result::Result<u32, String> {
    let seconds = text.parse::<sercli::Seconds>()?.get();
    if seconds.fract() == 0.0 && (1.0..=f64::from(most)).contains(&seconds) {
        Ok(seconds as u32)
    } else {
        Err(format!("expected whole seconds, 1 to {most}"))
    }
}

impl Limits {
    fn bytes(self) -> usize {
        (self.max_size as usize) << 20
    }

    fn timeout(self) -> Duration {
        Duration::from_secs(self.timeout.into())
    }
}

/// Serves until it is told to stop.
///
/// # Errors
/// No usable model; a port that can't be listened on.
pub fn run(args: &Serve) -> Result<()> {
    let model = Arc::new(args.model.load()?);
    let stop = stop_on_signals()?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(Failure::work)?;
    let served = runtime.block_on(async {
        let address = SocketAddr::new(args.host, args.port);
        let failed = |e| Failure::Input(format!("cannot listen on {address}: {e}; choose another with --host or --port"));
        let listener = http::listen(address).map_err(failed)?;
        let address = listener.local_addr().map_err(Failure::work)?;
        output::print(&format!("http://{address}"))?;
        tracing::info!("listening on http://{address}; Ctrl-C stops");
        if !address.ip().is_loopback() {
            tracing::warn!(
                "others can reach this address, and there is neither login nor TLS: whoever reaches it is answered, and \
                 recordings travel in the clear; put a proxy with both before it"
            );
        }
        let site = site::Site::new(address, &args.allow_host);
        http::serve(listener, api::router(model, args.limits, site), args.limits.timeout(), &stop).await;
        tracing::info!("stopped");
        Ok(())
    });
    // Threads that still compute end with the process: nobody waits for their answers.
    runtime.shutdown_background();
    served
}

/// Is notified by Ctrl-C, SIGTERM and SIGHUP; the second of them ends the process there and then.
fn stop_on_signals() -> Result<Arc<Notify>> {
    let stop = Arc::new(Notify::new());
    let (tell, mut told) = (Arc::clone(&stop), false);
    let handler = move || {
        if told {
            std::process::exit(KILLED);
        }
        told = true;
        tell.notify_one();
    };
    ctrlc::set_handler(handler).map_err(|e| Failure::Work(format!("Ctrl-C cannot be listened for: {e}")))?;
    Ok(stop)
}
