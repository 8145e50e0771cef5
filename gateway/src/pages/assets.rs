//! The one stylesheet, under an address that names its content, so that browsers may keep it.

use std::sync::LazyLock;

use axum::Router;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};

use crate::app::App;

const STYLESHEET: &str = include_str!("../../assets/style.css");
const ICON: &str = include_str!("../../assets/icon.svg");

static ADDRESS: LazyLock<String> = LazyLock::new(|| {
    let digest = Sha256::digest(STYLESHEET.as_bytes());
    format!("/assets/{}.css", &HEXLOWER.encode(&digest)[..16])
});

pub(super) fn stylesheet_address() -> &'static str {
    &ADDRESS
}

pub(super) fn router() -> Router<App> {
    Router::new()
        .route(&ADDRESS, get(stylesheet))
        .route("/assets/icon.svg", get(icon))
}

async fn stylesheet() -> Response {
    kept(
        "text/css; charset=utf-8",
        "public, max-age=31536000, immutable",
        STYLESHEET,
    )
}

async fn icon() -> Response {
    kept("image/svg+xml", "public, max-age=86400", ICON)
}

fn kept(kind: &'static str, how_long: &'static str, content: &'static str) -> Response {
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(kind)),
        (header::CACHE_CONTROL, HeaderValue::from_static(how_long)),
    ];
    (headers, content).into_response()
}
