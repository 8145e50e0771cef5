//! The pages for people, without a script, in three languages.

use std::path::Path;

use reqwest::Method;
use reqwest::header::{COOKIE, LOCATION};
use serde_json::json;
use wathiq_local::journey::api::text;
use wathiq_local::journey::{CONTRACT, CONTRACT_SPOT};
use wathiq_local::layout::find_root;
use wathiq_local::stack::Options;

use crate::browser::Browser;
use crate::stage::{self, Stage};

pub(crate) const SESSION: &str = "__Host-wathiq-session";
const LANGUAGES: [(&str, &str); 3] = [("ar", "rtl"), ("fr", "ltr"), ("en", "ltr")];

/// A page as a browser without scripts gets it.
pub(crate) struct Page {
    status: u16,
    location: String,
    pub(crate) html: String,
}

pub(crate) async fn page(stage: &Stage, method: Method, path: &str, session: Option<&str>) -> Page {
    let client = reqwest::Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .unwrap();
    let mut request = client.request(method, format!("{}{path}", stage.stack.url().unwrap()));
    if let Some(secret) = session {
        request = request.header(COOKIE, format!("{SESSION}={secret}"));
    }
    let response = request.send().await.unwrap();
    let location = response
        .headers()
        .get(LOCATION)
        .map(|value| value.to_str().unwrap().to_owned());
    Page {
        status: response.status().as_u16(),
        location: location.unwrap_or_default(),
        html: response.text().await.unwrap(),
    }
}

/// The texts of the pages in a language.
pub(crate) fn words(language: &str) -> impl Fn(&str) -> String {
    let path = find_root()
        .unwrap()
        .join(Path::new("gateway/locales").join(format!("{language}.toml")));
    let table: toml::Table = std::fs::read_to_string(path).unwrap().parse().unwrap();
    move |key| {
        let (section, name) = key.split_once('.').unwrap();
        let text = table[section][name].as_str();
        text.unwrap_or_else(|| panic!("{key} is no text")).to_owned()
    }
}

/// The same, as askama escapes them.
pub(crate) fn texts(language: &str) -> impl Fn(&str) -> String {
    let words = words(language);
    move |key| {
        words(key)
            .replace('&', "&#38;")
            .replace('\'', "&#39;")
            .replace('"', "&#34;")
    }
}

/// Opens a page in every language, looks for the texts of these keys, and has a browser look at it.
async fn speaks(stage: &Stage, path: &str, session: Option<&str>, keys: &[&str], facts: &[&str]) {
    let mut browser = Browser::open().unwrap();
    for (language, direction) in LANGUAGES {
        let url = format!("{}{path}?lang={language}", stage.stack.url().unwrap());
        browser
            .look(&url, session.map(|secret| (SESSION, secret)))
            .unwrap();
        let page = page(stage, Method::GET, &format!("{path}?lang={language}"), session).await;
        let html = &page.html;
        assert_eq!(page.status, 200, "{path} {language}: {html}");
        let root = format!("<html lang=\"{language}\" dir=\"{direction}\">");
        assert!(
            html.contains(&root),
            "{path} is not in {language}, {direction}: {html}"
        );
        assert!(
            !html.contains("<script") && !html.contains(" onclick"),
            "{path} needs a script"
        );
        let text = texts(language);
        for key in keys {
            assert!(
                html.contains(&text(key)),
                "{path} in {language} does not say {key}: {html}"
            );
        }
        for fact in facts {
            assert!(
                html.contains(fact),
                "{path} in {language} does not say {fact}: {html}"
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_pages_speak_three_languages_and_need_no_script() {
    let options = Options {
        environment: stage::without_limits(),
        ..Options::default()
    };
    let mut stage = stage::open(options).await.unwrap();
    speaks(
        &stage,
        "/",
        None,
        &["home.title", "home.lead", "verify.link"],
        &[],
    )
    .await;
    speaks(
        &stage,
        "/verify",
        None,
        &["verify.by_code", "verify.by_file"],
        &["<form"],
    )
    .await;
    speaks(
        &stage,
        "/sign-in",
        None,
        &["sign_in.title", "sign_in.login"],
        &["type=\"password\""],
    )
    .await;
    let unknown = page(&stage, Method::GET, "/v/AAAA-AAAA-AAAA?lang=fr", None).await;
    assert_eq!(unknown.status, 404);
    assert!(
        unknown.html.contains(&texts("fr")("verify.code_unknown")),
        "{}",
        unknown.html
    );
    let away = page(&stage, Method::GET, "/account", None).await;
    assert_eq!(
        (away.status, away.location.as_str()),
        (303, "/sign-in?next=%2Faccount")
    );

    // Every state that a citizen sees says what happens next.
    let citizen = stage.cast.citizen_session.clone();
    let session = sign_in(&mut stage).await;
    let session = Some(session.as_str());
    speaks(
        &stage,
        "/account",
        session,
        &["account.no_requests", "account.proved"],
        &[],
    )
    .await;
    let id = stage.placed(&citizen).await.unwrap();
    speaks(&stage, "/account", session, &["name.signature_placed"], &[]).await;
    let cancel = format!("/v1/legalisation-requests/{id}/cancel");
    citizen.send(Method::POST, &cancel, None).await.unwrap();
    speaks(
        &stage,
        "/account",
        session,
        &["name.cancelled", "state.cancelled"],
        &[],
    )
    .await;
    stage.submitted().await.unwrap();
    speaks(&stage, "/account", session, &["name.submitted"], &[]).await;

    let preference = json!({"delivery_preference": "link"});
    citizen
        .send(Method::PATCH, "/v1/me", Some(&preference))
        .await
        .unwrap();
    stage.codes_again().await.unwrap();
    let sealed = stage
        .cast
        .legalise(
            "contract.pdf",
            CONTRACT.to_vec(),
            Some(CONTRACT_SPOT),
            &mut stage.recorder,
        )
        .await
        .unwrap();
    let id = text(&sealed.request, "/legalisation_request_id").unwrap();
    let file = format!("/account/files/{id}/document");
    speaks(
        &stage,
        "/account",
        session,
        &["name.delivered", "state.delivered"],
        &[&file],
    )
    .await;
    let code = text(&sealed.request, "/verification_code").unwrap();
    let entry = format!("1/{}", &stage::today()[..4]);
    speaks(
        &stage,
        &format!("/v/{code}"),
        None,
        &["result.code_genuine", "facts.register", "verdict.passed"],
        &["outcome good", code, &entry],
    )
    .await;

    // The mail has a link instead of the file, and what is behind it is the file.
    let mail = stage.cast.delivery_mail(&sealed).await.unwrap();
    let body = text(&mail, "/text").unwrap();
    let link = body
        .split_whitespace()
        .find_map(|word| Some(&word[word.find("/d/")?..]))
        .unwrap();
    let link = link.trim_end_matches(['.', '>']);
    assert_eq!(mail["attachments"].as_array().map_or(0, Vec::len), 0, "{mail}");
    speaks(
        &stage,
        link,
        None,
        &["link.title", "link.lead", "files.document"],
        &[code],
    )
    .await;
    let fetched = stage
        .cast
        .anyone
        .get_bytes(&format!("{link}/document"))
        .await
        .unwrap();
    assert_eq!(fetched, sealed.document);
    let broken = page(&stage, Method::GET, "/d/nothing?lang=ar", None).await;
    assert_eq!(broken.status, 404);
    assert!(broken.html.contains("dir=\"rtl\""));
}

/// A session of the citizen for a browser.
async fn sign_in(stage: &mut Stage) -> String {
    stage.codes_again().await.unwrap();
    let cast = &mut stage.cast;
    let body = json!({"login": cast.citizen.email, "password": cast.citizen.password, "surface": "citizen", "cookie": false});
    let answer = cast.anyone.post("/v1/sessions", &body).await.unwrap();
    let code = cast.citizen.authenticator.code().await;
    let body = json!({"challenge": answer["challenge"]["challenge"], "code": code, "cookie": false});
    let answer = cast
        .anyone
        .post("/v1/sessions/second-factor", &body)
        .await
        .unwrap();
    text(&answer, "/session/session_secret").unwrap().to_owned()
}
