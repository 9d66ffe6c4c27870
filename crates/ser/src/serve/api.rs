//! The routes: a page, what it loads, and the endpoint.

use std::{sync::Arc, time::Instant};

use axum::{
    Extension, Json, Router,
    body::Body,
    extract::{Query, Request, State, rejection::QueryRejection},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use serde_json::json;
use sermodel::{Model, Windows};
use tokio::time::timeout;

use super::{
    Limits,
    desk::Desk,
    lobby::Guest,
    refusal::Refusal,
    reply::{Asked, reply},
    site::Site,
    upload,
};
use crate::hear::Patience;

/// What browsers are told of every answer: only what this program serves, to its own pages only.
const HEADERS: [(HeaderName, &str); 7] = [
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; media-src blob:; \
         img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    ),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::CACHE_CONTROL, "no-store"),
    (HeaderName::from_static("permissions-policy"), "microphone=(self), camera=(), geolocation=()"),
];

struct Shared {
    model: Arc<Model>,
    limits: Limits,
    desk: Desk,
    site: Site,
}

/// All routes; every request needs a [`Guest`] among its extensions.
pub fn router(model: Arc<Model>, limits: Limits, site: Site) -> Router {
    let desk = Desk::new(limits.queue as usize, limits.bytes());
    let shared = Arc::new(Shared { model, limits, desk, site });
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

/// Refuses other sites' requests, tells browsers what the page may do, and logs.
async fn guard(
    State(shared): State<Arc<Shared>>,
    Extension(guest): Extension<Arc<Guest>>,
    request: Request,
    next: Next,
) -> Response {
    let (start, line) = (Instant::now(), format!("{} {}", request.method(), request.uri()));
    let mut response = match shared.site.check(guest.local(), request.uri(), request.headers()) {
        Ok(()) => next.run(request).await,
        Err(error) => Refusal::new(StatusCode::FORBIDDEN, error).into_response(),
    };
    for (name, value) in HEADERS {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    tracing::debug!("{line}: {} in {:.1} ms", response.status().as_u16(), start.elapsed().as_secs_f64() * 1e3);
    response
}

async fn card(State(shared): State<Arc<Shared>>) -> impl IntoResponse {
    let (card, limits) = (shared.model.card(), shared.limits);
    Json(json!({
        "card": card,
        "seconds": Windows::of(&shared.model).length,
        "limits": { "bytes": limits.bytes(), "seconds": limits.max_length, "timeout": limits.timeout },
    }))
}

async fn predict(
    State(shared): State<Arc<Shared>>,
    Extension(guest): Extension<Arc<Guest>>,
    asked: Result<Query<Asked>, QueryRejection>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Refusal> {
    let Query(asked) = asked.map_err(|e| Refusal::new(StatusCode::BAD_REQUEST, e.body_text()))?;
    asked.check()?;
    let limits = shared.limits;
    let length = headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
    let Some(length) = length else {
        return Err(Refusal::new(StatusCode::LENGTH_REQUIRED, "send the recording with its Content-Length"));
    };
    if length > limits.bytes() {
        let error = format!("{length} bytes; at most {} MiB are taken", limits.max_size);
        return Err(Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, error));
    }
    if shared.desk.is_full() {
        return Err(Refusal::busy());
    }
    let share = shared.desk.memory.share();
    let bytes = upload::receive(body, length, limits.timeout(), &share).await?;
    if !share.arrived() {
        return Err(Refusal::busy());
    }
    guest.is_served();
    let place = shared.desk.place().ok_or_else(Refusal::busy)?;
    let worker = timeout(limits.timeout(), shared.desk.worker()).await.ok().flatten().ok_or_else(Refusal::busy)?;
    let patience = Arc::new(Patience::new(limits.timeout()));
    // Dropped with this future where the client goes or the server stops: the thread then ends at its next window.
    let _waits = patience.ends_with_this();
    let work = tokio::task::spawn_blocking(move || {
        let _held = (share, place, worker);
        reply(&shared.model, limits, asked, bytes, &patience)
    });
    work.await.unwrap_or_else(|e| {
        tracing::error!("an answer failed: {e}");
        Err(Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, "a fault of this program; its log says more"))
    })
}
