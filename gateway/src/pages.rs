//! The pages for people: rendered here, complete without JavaScript, in Arabic, French and English.

use askama::Template;
use axum::Router;
use axum::extract::{FromRequestParts, Request};
use axum::response::{IntoResponse, Response};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use utoipa::openapi::OpenApi;
use wathiq_proto::wathiq::identity::v1::SessionSurface;

use crate::app::App;
use crate::language::{Language, text};
use crate::partners;
use crate::problem::{Problem, ProblemDocument};
use crate::session::Standing;

mod account;
mod assets;
mod contact;
mod docs;
mod facts;
mod home;
mod link;
mod office;
mod order;
mod payment;
mod sign_in;
mod tracking;
mod verification;

/// Remembers the language a person chose.
const LANGUAGE_COOKIE: &str = "wathiq-language";

/// The languages offered on every page, each under its own name.
const OFFERED: [(Language, &str); 3] = [
    (Language::Arabic, "العربية"),
    (Language::French, "Français"),
    (Language::English, "English"),
];

pub(crate) fn router(document: &OpenApi) -> Router<App> {
    Router::new()
        .merge(home::router())
        .merge(verification::router())
        .merge(sign_in::router())
        .merge(account::router())
        .merge(link::router())
        .merge(contact::router())
        .merge(order::router())
        .merge(payment::router())
        .merge(tracking::router())
        .merge(office::router())
        .merge(assets::router())
        .merge(docs::router(document))
}

/// Whether what is at an address is for people, so that its problems are pages.
pub(crate) fn is_page(path: &str) -> bool {
    let for_programs = path.starts_with("/v1/") || path == "/v1" || path == "/openapi.json";
    !for_programs && !partners::is_told_by_partner(path)
}

/// The language of an answer: the one just chosen, the one chosen before, or the best the browser or program asks for.
pub(crate) fn language(request: &Request) -> Language {
    let chosen = chosen_language(request.uri()).or_else(|| {
        let tag = cookie_value(request.headers(), LANGUAGE_COOKIE)?;
        Language::from_tag(tag)
    });
    chosen
        .unwrap_or_else(|| Language::negotiate(request.headers()))
        .written()
}

fn chosen_language(uri: &Uri) -> Option<Language> {
    let tag = uri
        .query()?
        .split('&')
        .find_map(|pair| pair.strip_prefix("lang="))?;
    Language::from_tag(tag)
}

/// Keeps a language that the address names, for the pages after this one.
pub(crate) fn language_cookie(uri: &Uri, secure: bool) -> Option<HeaderValue> {
    let tag = chosen_language(uri)?.tag();
    let secure = if secure { "; Secure" } else { "" };
    let cookie = format!("{LANGUAGE_COOKIE}={tag}; Path=/; HttpOnly; SameSite=Lax; Max-Age=31536000{secure}");
    HeaderValue::try_from(cookie).ok()
}

fn cookie_value<'headers>(headers: &'headers HeaderMap, name: &str) -> Option<&'headers str> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(key, _)| *key == name)
        .map(|(_, value)| value)
}

/// What the frame of every page needs.
#[derive(Clone)]
pub(crate) struct Frame {
    language: Language,
    signed_in: bool,
    /// The session is one of staff.
    staff: bool,
    path: String,
    query: String,
}

/// A language in the frame's list.
struct LanguageLink {
    tag: &'static str,
    name: &'static str,
    address: String,
    current: bool,
}

impl Frame {
    /// The text of a key in the page's language.
    fn text<'key>(&self, key: &'key str) -> &'key str {
        text(self.language, key)
    }

    fn tag(&self) -> &'static str {
        self.language.tag()
    }

    fn direction(&self) -> &'static str {
        self.language.direction()
    }

    fn stylesheet(&self) -> &'static str {
        assets::stylesheet_address()
    }

    fn languages(&self) -> Vec<LanguageLink> {
        let kept: String = self
            .query
            .split('&')
            .filter(|pair| !pair.is_empty() && !pair.starts_with("lang="))
            .map(|pair| format!("&{pair}"))
            .collect();
        OFFERED
            .into_iter()
            .map(|(language, name)| LanguageLink {
                tag: language.tag(),
                name,
                address: format!("{}?lang={}{kept}", self.path, language.tag()),
                current: language == self.language,
            })
            .collect()
    }

    /// The same page in other languages, for a page that a form leads to and an address alone does not.
    fn at(mut self, path: &str) -> Self {
        path.clone_into(&mut self.path);
        self.query.clear();
        self
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Frame {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let language = parts
            .extensions
            .get::<Language>()
            .copied()
            .unwrap_or(Language::Arabic);
        let user = match parts.extensions.get::<Standing>() {
            Some(Standing::Live(user)) => Some(user),
            _ => None,
        };
        Ok(Frame {
            language,
            signed_in: user.is_some(),
            staff: user.is_some_and(|user| user.surface == SessionSurface::Staff),
            path: parts.uri.path().to_owned(),
            query: parts.uri.query().unwrap_or_default().to_owned(),
        })
    }
}

/// The origin to which a form of one page is posted beside this site's: a provider's payment page.
#[derive(Clone)]
pub(crate) struct FormTarget(String);

impl FormTarget {
    /// The origin of an address; none where it is not one of the web.
    fn of(address: &str) -> Option<Self> {
        let address: Uri = address.parse().ok()?;
        let scheme = address
            .scheme_str()
            .filter(|scheme| matches!(*scheme, "http" | "https"))?;
        let authority = address.authority()?.as_str();
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-:[]".contains(&byte);
        authority
            .bytes()
            .all(plain)
            .then(|| FormTarget(format!("{scheme}://{authority}")))
    }

    /// Where the form leads, as people read it.
    fn host(&self) -> &str {
        self.0.split("://").nth(1).unwrap_or_default()
    }

    /// The content security policy of such a page.
    pub(crate) fn policy(&self, usual: &str) -> Option<HeaderValue> {
        let policy = usual.replace("form-action 'self'", &format!("form-action 'self' {}", self.0));
        HeaderValue::try_from(policy).ok()
    }
}

/// Writes a page.
fn page(frame: &Frame, status: StatusCode, template: &impl Template) -> Response {
    let Ok(html) = template.render() else {
        let what = "a page could not be written";
        return Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "INTERNAL", what).into_response();
    };
    let headers = [
        (
            header::CONTENT_TYPE,
            HeaderValue::from_static("text/html; charset=utf-8"),
        ),
        (header::CONTENT_LANGUAGE, HeaderValue::from_static(frame.tag())),
    ];
    (status, headers, html).into_response()
}

/// Leads the browser to another page after a form (RFC 9110, 15.4.4).
fn see_other(address: &str) -> Response {
    let address = HeaderValue::try_from(address).unwrap_or(HeaderValue::from_static("/"));
    (StatusCode::SEE_OTHER, [(header::LOCATION, address)]).into_response()
}

#[derive(Template)]
#[template(path = "problem.html")]
struct ProblemPage<'problem> {
    frame: &'problem Frame,
    problem: &'problem ProblemDocument,
}

/// A problem as a page.
pub(crate) fn problem(language: Language, document: &ProblemDocument) -> Response {
    let frame = Frame {
        language,
        signed_in: false,
        staff: false,
        path: "/".to_owned(),
        query: String::new(),
    };
    let status = StatusCode::from_u16(document.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let written = ProblemPage {
        frame: &frame,
        problem: document,
    }
    .render();
    let html = written.unwrap_or_else(|_| document.title.clone());
    let kind = HeaderValue::from_static("text/html; charset=utf-8");
    (status, [(header::CONTENT_TYPE, kind)], html).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_leads_to_the_origin_of_its_address_alone() {
        let policy = |address: &str| {
            let policy =
                FormTarget::of(address)?.policy("default-src 'none'; form-action 'self'; base-uri 'none'")?;
            Some(policy.to_str().unwrap().to_owned())
        };
        assert_eq!(
            policy("https://pay.example:8443/fim/est3Dgate?x=1").unwrap(),
            "default-src 'none'; form-action 'self' https://pay.example:8443; base-uri 'none'"
        );
        for wrong in [
            "/fim",
            "javascript:alert(1)",
            "https://provider.example@evil.example/",
            "ftp://provider.example/",
            "",
            "https://provider.example;evil.example/",
        ] {
            assert_eq!(policy(wrong), None, "{wrong}");
        }
    }
}
