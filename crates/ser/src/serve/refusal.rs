//! Requests that get no answer.

use axum::{
    Json,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use seraudio::Problem;
use serde_json::json;
use sermodel::ModelError;

use crate::hear::HearError;

/// A request that gets no answer, told as `{"error": ..}`.
#[derive(Debug)]
pub struct Refusal {
    status: StatusCode,
    error: String,
}

impl Refusal {
    /// With a sentence that says what is wrong and what to do.
    pub fn new(status: StatusCode, error: impl Into<String>) -> Self {
        Self { status, error: error.into() }
    }

    /// More requests or bytes than there is room for.
    pub fn busy() -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "too many requests; try again in a moment")
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
