//! Verification for everyone: the result behind the QR, and verification by upload.

use askama::Template;
use axum::Router;
use axum::extract::{DefaultBodyLimit, Path, Request, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::StatusCode;
use serde::Deserialize;
use wathiq_proto::wathiq::signature::v1 as pb;

use crate::api;
use crate::app::App;
use crate::json::Query;
use crate::language::{find, text};
use crate::pages::facts::{Outcome, Row, hash, is_withdrawn, issued_rows, rows, time};
use crate::pages::{Frame, page, see_other};
use crate::problem::Problem;

#[derive(Template)]
#[template(path = "verify.html")]
struct VerifyPage<'page> {
    frame: &'page Frame,
    code: &'page str,
    code_error: Option<&'page str>,
    file_error: Option<&'page str>,
}

impl<'page> VerifyPage<'page> {
    fn new(frame: &'page Frame) -> Self {
        VerifyPage {
            frame,
            code: "",
            code_error: None,
            file_error: None,
        }
    }
}

/// One signature of the result.
struct Verdict {
    title: String,
    rows: Vec<Row>,
    class: &'static str,
    words: &'static str,
}

#[derive(Template)]
#[template(path = "result.html")]
struct ResultPage<'page> {
    frame: &'page Frame,
    class: &'static str,
    headline: &'static str,
    explanation: &'static str,
    facts_title: &'static str,
    rows: Vec<Row>,
    verdicts: Vec<Verdict>,
    /// The result is about a file that was sent, not about a code.
    by_file: bool,
}

#[derive(Deserialize)]
struct VerifyQuery {
    #[serde(default)]
    code: Option<String>,
}

pub(super) fn router() -> Router<App> {
    Router::new().route("/v/{code}", get(by_code)).route(
        "/verify",
        get(form).post(by_file).layer(DefaultBodyLimit::disable()),
    )
}

async fn form(frame: Frame, Query(query): Query<VerifyQuery>) -> Response {
    match query.code.as_deref().map(str::trim) {
        Some("") => {
            let code_error = Some(frame.text("verify.code_missing"));
            page(
                &frame,
                StatusCode::BAD_REQUEST,
                &VerifyPage {
                    code_error,
                    ..VerifyPage::new(&frame)
                },
            )
        }
        Some(code) => see_other(&format!("/v/{}", api::percent_encode(code))),
        None => page(&frame, StatusCode::OK, &VerifyPage::new(&frame)),
    }
}

async fn by_code(
    State(app): State<App>,
    frame: Frame,
    Path(code): Path<String>,
) -> Result<Response, Problem> {
    let request = pb::VerifyCodeRequest { code: code.clone() };
    let answer = match app.clients.verification().verify_code(request).await {
        Ok(answer) => answer.into_inner(),
        Err(status) => {
            let problem = Problem::from(status);
            if !matches!(problem.status, StatusCode::NOT_FOUND | StatusCode::BAD_REQUEST) {
                return Err(problem);
            }
            let frame = frame.at("/verify");
            let code_error = Some(frame.text("verify.code_unknown"));
            let shown = VerifyPage {
                code: &code,
                code_error,
                ..VerifyPage::new(&frame)
            };
            return Ok(page(&frame, StatusCode::NOT_FOUND, &shown));
        }
    };
    let outcome = Outcome::of(answer.indication(), answer.issued(), answer.legalisation.as_ref());
    let withdrawn = is_withdrawn(answer.issued(), answer.legalisation.as_ref());
    let headline = match outcome {
        Outcome::Genuine => "result.code_genuine",
        Outcome::Undecided => "result.undecided",
        Outcome::Wrong if withdrawn => "result.annulled",
        Outcome::Wrong => "result.wrong",
    };
    let explanation = match outcome {
        Outcome::Genuine => "result.code_genuine_text",
        Outcome::Undecided => "result.undecided_text",
        Outcome::Wrong if withdrawn => "result.annulled_text",
        Outcome::Wrong => "result.wrong_text",
    };
    let shown = ResultPage {
        class: outcome.class(),
        headline: text(frame.language, headline),
        explanation: text(frame.language, explanation),
        facts_title: text(
            frame.language,
            facts_title(answer.legalisation.is_some(), answer.issued_document.is_some()),
        ),
        rows: known_rows(
            &app,
            &frame,
            answer.legalisation.as_ref(),
            answer.issued_document.as_ref(),
        )
        .await,
        verdicts: verdicts(&frame, &answer.signatures),
        by_file: false,
        frame: &frame,
    };
    Ok(page(&frame, StatusCode::OK, &shown))
}

async fn by_file(State(app): State<App>, frame: Frame, request: Request) -> Response {
    let answer = match api::verify(&app, request).await {
        Ok(answer) => answer,
        Err(problem) if problem.status.is_server_error() => return problem.into_response(),
        Err(problem) => {
            let field = problem.errors.first();
            let message = field
                .and_then(|field| find(frame.language, &format!("field.{}", field.reason)))
                .or_else(|| find(frame.language, &format!("problem.{}", problem.reason)))
                .unwrap_or_else(|| frame.text("verify.file_unreadable"));
            let shown = VerifyPage {
                file_error: Some(message),
                ..VerifyPage::new(&frame)
            };
            return page(&frame, problem.status, &shown);
        }
    };
    let shown = file_result(&app, &frame, &answer).await;
    page(&frame, StatusCode::OK, &shown)
}

async fn file_result<'page>(
    app: &App,
    frame: &'page Frame,
    answer: &pb::VerifyFileResponse,
) -> ResultPage<'page> {
    let altered = answer.issued() == pb::IssuedState::Altered;
    let outcome = Outcome::of(answer.indication(), answer.issued(), answer.legalisation.as_ref());
    let ours = answer.issued() != pb::IssuedState::Unknown;
    let (headline, explanation) = match outcome {
        Outcome::Wrong if altered => ("result.altered", "result.altered_text"),
        Outcome::Wrong if is_withdrawn(answer.issued(), answer.legalisation.as_ref()) => {
            ("result.annulled", "result.annulled_text")
        }
        Outcome::Wrong => ("result.wrong", "result.wrong_text"),
        Outcome::Genuine if ours => ("result.genuine", "result.genuine_text"),
        Outcome::Genuine => ("result.foreign", "result.foreign_text"),
        Outcome::Undecided if answer.signatures.is_empty() => ("result.unsigned", "result.unsigned_text"),
        Outcome::Undecided => ("result.undecided", "result.undecided_text"),
    };
    let title = facts_title(answer.legalisation.is_some(), answer.issued_document.is_some());
    let mut shown_rows = known_rows(
        app,
        frame,
        answer.legalisation.as_ref(),
        answer.issued_document.as_ref(),
    )
    .await;
    shown_rows.push(Row {
        name: text(frame.language, "facts.file_sha256"),
        value: hash(&answer.sha256),
        technical: true,
    });
    ResultPage {
        frame,
        class: outcome.class(),
        headline: text(frame.language, headline),
        explanation: text(frame.language, explanation),
        facts_title: text(frame.language, title),
        rows: shown_rows,
        verdicts: verdicts(frame, &answer.signatures),
        by_file: true,
    }
}

/// Key of the title above the facts: of a legalisation, of another document of the platform, or of the file alone.
fn facts_title(legalised: bool, issued: bool) -> &'static str {
    match (legalised, issued) {
        (true, _) => "result.facts",
        (false, true) => "result.document",
        (false, false) => "result.file",
    }
}

async fn known_rows(
    app: &App,
    frame: &Frame,
    legalisation: Option<&pb::LegalisationFacts>,
    issued: Option<&pb::IssuedDocumentFacts>,
) -> Vec<Row> {
    match (legalisation, issued) {
        (Some(facts), _) => rows(app, frame.language, facts).await,
        (None, Some(facts)) => issued_rows(frame.language, facts),
        (None, None) => Vec::new(),
    }
}

fn verdicts(frame: &Frame, signatures: &[pb::SignatureVerdict]) -> Vec<Verdict> {
    signatures
        .iter()
        .map(|signature| verdict(frame, signature))
        .collect()
}

fn verdict(frame: &Frame, signature: &pb::SignatureVerdict) -> Verdict {
    let language = frame.language;
    let sub = &signature.sub_indication;
    let reason = (!sub.is_empty()).then(|| find(language, &format!("sub.{sub}")).unwrap_or(sub).to_owned());
    let best = time(signature.best_time.as_ref()).or_else(|| time(signature.claimed_time.as_ref()));
    let later = signature.extended.then(|| {
        let key = if signature.changed {
            "verdict.changed"
        } else {
            "verdict.extended"
        };
        text(language, key).to_owned()
    });
    let rows = [
        ("verdict.reason", reason, false),
        ("verdict.time", best, true),
        (
            "verdict.issuer",
            Some(common_name(&signature.issuer).to_owned()),
            false,
        ),
        ("verdict.level", Some(signature.level.clone()), true),
        ("verdict.later", later, false),
    ];
    let (class, words) = match signature.indication() {
        pb::Indication::TotalPassed => ("good", "verdict.passed"),
        pb::Indication::TotalFailed => ("bad", "verdict.failed"),
        pb::Indication::Indeterminate | pb::Indication::Unspecified => ("doubtful", "verdict.indeterminate"),
    };
    Verdict {
        title: signature.signer.clone(),
        rows: rows
            .into_iter()
            .filter_map(|(key, value, technical)| {
                let value = value.filter(|value| !value.is_empty())?;
                Some(Row {
                    name: text(language, key),
                    value,
                    technical,
                })
            })
            .collect(),
        class,
        words: text(language, words),
    }
}

/// The common name in a distinguished name (RFC 4514); the whole name where it has none.
fn common_name(name: &str) -> &str {
    name.split(',')
        .find_map(|part| part.trim().strip_prefix("CN="))
        .unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::common_name;

    #[test]
    fn an_issuer_is_shown_by_its_common_name() {
        assert_eq!(
            common_name("C=MA, CN=Issuing authority,O=Wathiq"),
            "Issuing authority"
        );
        assert_eq!(common_name("O=Wathiq"), "O=Wathiq");
    }
}
