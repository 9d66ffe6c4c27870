//! The routes: a page, what it loads, and the endpoint.

use std::{net::IpAddr, ops::ControlFlow, sync::Arc, time::Instant};

use axum::{
    Json, Router,
    body::{Body, to_bytes},
    extract::{Query, Request, State, rejection::QueryRejection},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use seraudio::{LoadOptions, Problem, ResampleStream};
use serde::{Deserialize, Serialize};
use serde_json::json;
use sermodel::{Model, ModelError, Windows};
use tokio::time::timeout;

use super::{Limits, desk::Desk, picture::Picture};
use crate::{
    answer::Line,
    hear::{HearError, Recording, hear},
};

/// Only what this program serves, from where it is served.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; media-src blob:; \
                      img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

struct Shared {
    model: Arc<Model>,
    limits: Limits,
    desk: Desk,
    /// Listening on loopback only, so that requests for other hosts are another site's.
    local: bool,
}

/// All routes, for a server at `address`.
pub fn router(model: Arc<Model>, limits: Limits, address: IpAddr) -> Router {
    let desk = Desk::new(limits.queue as usize, limits.bytes());
    let shared = Arc::new(Shared { model, limits, desk, local: address.is_loopback() });
    let file = |kind: &'static str, text: &'static str| get(async move || ([(header::CONTENT_TYPE, kind)], text));
    Router::new()
        .route("/", file("text/html; charset=utf-8", include_str!("page/index.html")))
        .route("/page.css", file("text/css; charset=utf-8", include_str!("page/page.css")))
        .route("/page.js", file("text/javascript; charset=utf-8", include_str!("page/page.js")))
        .route("/recorder.js", file("text/javascript; charset=utf-8", include_str!("page/recorder.js")))
        .route("/icon.svg", file("image/svg+xml", include_str!("page/icon.svg")))
        .route("/api/openapi.json", file("application/json", include_str!("openapi.json")))
        .route("/api/model", get(card))
        .route("/api/predict", post(predict))
        .fallback(async || Refusal::new(StatusCode::NOT_FOUND, "no such page; /api/openapi.json has those there are"))
        .method_not_allowed_fallback(async || {
            Refusal::new(StatusCode::METHOD_NOT_ALLOWED, "not with this method; see /api/openapi.json")
        })
        .layer(middleware::from_fn_with_state(Arc::clone(&shared), guard))
        .with_state(shared)
}

/// A request that gets no answer, told as `{"error": ..}`.
#[derive(Debug)]
struct Refusal {
    status: StatusCode,
    error: String,
}

impl Refusal {
    fn new(status: StatusCode, error: impl Into<String>) -> Self {
        Self { status, error: error.into() }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut response = (self.status, Json(json!({ "error": self.error }))).into_response();
        if self.status == StatusCode::SERVICE_UNAVAILABLE {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
        response
    }
}

impl From<HearError> for Refusal {
    fn from(e: HearError) -> Self {
        let status = match &e {
            HearError::Late => StatusCode::SERVICE_UNAVAILABLE,
            HearError::Model { source: ModelError::Window { .. }, .. } => StatusCode::BAD_REQUEST,
            HearError::Audio(e) => match e.problem() {
                Some(Problem::NotAudio { .. } | Problem::Unsupported { .. }) => StatusCode::UNSUPPORTED_MEDIA_TYPE,
                Some(Problem::TooLong { .. }) => StatusCode::PAYLOAD_TOO_LARGE,
                _ => StatusCode::UNPROCESSABLE_ENTITY,
            },
            _ => StatusCode::UNPROCESSABLE_ENTITY,
        };
        Self::new(status, e.to_string())
    }
}

/// Refuses other sites' requests, tells browsers what the page may do, and logs.
async fn guard(State(shared): State<Arc<Shared>>, request: Request, next: Next) -> Response {
    let (start, line) = (Instant::now(), format!("{} {}", request.method(), request.uri()));
    let mut response = if shared.local && !names_this_machine(request.headers()) {
        // A site whose name was pointed at this machine could otherwise read answers (DNS rebinding).
        Refusal::new(StatusCode::FORBIDDEN, "the Host header does not name this machine").into_response()
    } else {
        next.run(request).await
    };
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "no-store"),
        (HeaderName::from_static("permissions-policy"), "microphone=(self), camera=(), geolocation=()"),
    ] {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    tracing::debug!("{line}: {} in {:.1} ms", response.status().as_u16(), start.elapsed().as_secs_f64() * 1e3);
    response
}

fn names_this_machine(headers: &HeaderMap) -> bool {
    let Some(host) = headers.get(header::HOST).and_then(|host| host.to_str().ok()) else { return false };
    let Ok(authority) = host.parse::<axum::http::uri::Authority>() else { return false };
    let name = authority.host().trim_start_matches('[').trim_end_matches(']');
    name.eq_ignore_ascii_case("localhost") || name.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

async fn card(State(shared): State<Arc<Shared>>) -> impl IntoResponse {
    let (card, limits) = (shared.model.card(), shared.limits);
    Json(json!({
        "card": card,
        "seconds": Windows::of(&shared.model).length,
        "limits": { "bytes": limits.bytes(), "seconds": limits.max_length, "timeout": limits.timeout },
    }))
}

/// What may follow the `?` of a request.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Asked {
    /// Length of windows in seconds; without it there is one answer for the whole.
    window: Option<f64>,
    /// From one window's start to the next one's, in seconds.
    hop: f64,
    /// Whether to look for voice first.
    vad: bool,
    /// Whether to send what the page draws.
    picture: bool,
}

impl Default for Asked {
    fn default() -> Self {
        Self { window: None, hop: 0.5, vad: true, picture: false }
    }
}

#[derive(Serialize)]
struct Told<'a> {
    seconds: f64,
    answer: Line<'a>,
    windows: Vec<Line<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    picture: Option<Picture>,
}

async fn predict(
    State(shared): State<Arc<Shared>>,
    asked: Result<Query<Asked>, QueryRejection>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Refusal> {
    let Query(asked) = asked.map_err(|e| Refusal::new(StatusCode::BAD_REQUEST, e.body_text()))?;
    let limits = shared.limits;
    let length = headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
    let Some(length) = length else {
        return Err(Refusal::new(StatusCode::LENGTH_REQUIRED, "send the recording with its Content-Length"));
    };
    if length > limits.bytes() {
        let error = format!("{length} bytes; at most {} MiB are taken", limits.max_size);
        return Err(Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, error));
    }
    let busy = || Refusal::new(StatusCode::SERVICE_UNAVAILABLE, "too many requests; try again in a moment");
    let place = timeout(limits.timeout(), shared.desk.enter(length)).await.ok().flatten().ok_or_else(busy)?;
    let bytes = timeout(limits.timeout(), to_bytes(body, length)).await;
    let bytes = bytes.map_err(|_| Refusal::new(StatusCode::REQUEST_TIMEOUT, "the recording did not arrive in time"))?;
    let bytes = bytes.map_err(|e| Refusal::new(StatusCode::BAD_REQUEST, format!("the recording broke off: {e}")))?;
    let worker = timeout(limits.timeout(), shared.desk.worker()).await.ok().flatten().ok_or_else(busy)?;
    // Goes on in its own thread where the client has gone, until it is done or late; so do its place and its worker.
    let work = tokio::task::spawn_blocking(move || {
        let _held = (place, worker);
        answer(&shared.model, limits, asked, bytes.into())
    });
    work.await.unwrap_or_else(|e| {
        tracing::error!("an answer failed: {e}");
        Err(Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, "a fault of this program; its log says more"))
    })
}

fn answer(model: &Model, limits: Limits, asked: Asked, bytes: Vec<u8>) -> Result<Response, Refusal> {
    let until = Instant::now() + limits.timeout();
    let samples = read(model, limits, bytes, until)?;
    let front_end = &model.card().front_end;
    let rate = front_end.rate;
    let recording = Recording::Samples { samples: &samples, rate, until };
    let windows = match asked.window {
        None => Vec::new(),
        Some(length) => hear(model, recording, Some(Windows { length, hop: asked.hop.min(length) }), asked.vad)?,
    };
    let whole = hear(model, recording, None, asked.vad)?;
    let picture = asked.picture.then(|| Picture::of(front_end, &samples)).transpose();
    let picture = picture.map_err(|e| Refusal::new(StatusCode::UNPROCESSABLE_ENTITY, e.to_string()))?;
    let [whole] = &whole[..] else {
        return Err(Refusal::new(StatusCode::UNPROCESSABLE_ENTITY, "the recording has no sound"));
    };
    let told = Told {
        seconds: samples.len() as f64 / f64::from(rate),
        answer: whole.line(None, model.labels()),
        windows: windows.iter().map(|a| a.line(None, model.labels())).collect(),
        picture,
    };
    Ok(Json(told).into_response())
}

/// Mono samples at the model's rate: memory is bounded by the longest recording, whatever its own rate.
fn read(model: &Model, limits: Limits, bytes: Vec<u8>, until: Instant) -> Result<Vec<f32>, HearError> {
    let within = seraudio::Limits { max_seconds: limits.max_length.into(), ..Default::default() };
    let options = LoadOptions { limits: within, ..Default::default() };
    let (mut stream, mut samples) = (None, Vec::new());
    let mut stopped: Option<HearError> = None;
    seraudio::stream_bytes(bytes, "the recording", &options, |block, rate| {
        if Instant::now() > until {
            stopped = Some(HearError::Late);
            return ControlFlow::Break(());
        }
        let stream = match &mut stream {
            Some(stream) => stream,
            None => match ResampleStream::new(rate, model.card().front_end.rate, model.resampler()) {
                Ok(new) => stream.insert(new),
                Err(e) => {
                    stopped = Some(e.into());
                    return ControlFlow::Break(());
                }
            },
        };
        stream.push(block, &mut samples);
        ControlFlow::Continue(())
    })?;
    if let Some(stopped) = stopped {
        return Err(stopped);
    }
    if let Some(stream) = stream {
        stream.finish(&mut samples);
    }
    Ok(samples)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn only_names_of_this_machine_are_answered() {
        let named = |host: &str| {
            names_this_machine(&HeaderMap::from_iter([(header::HOST, HeaderValue::from_str(host).unwrap())]))
        };
        assert!(["127.0.0.1:7364", "localhost", "LOCALHOST:80", "[::1]:7364", "127.9.9.9"].into_iter().all(named));
        assert!(!["evil.example", "localhost.evil.example", "192.168.1.2", "", "0.0.0.0:1"].into_iter().any(named));
        assert!(!names_this_machine(&HeaderMap::new()));
    }
}
