//! The API's document for programs, and the same for people to read.

use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::{HeaderValue, StatusCode, header};
use utoipa::openapi::path::Operation;
use utoipa::openapi::{OpenApi, RefOr};

use crate::app::App;
use crate::pages::{Frame, page};

/// One operation as the page shows it.
struct Entry {
    method: &'static str,
    path: String,
    anchor: String,
    summary: String,
    parameters: Vec<(String, String)>,
    body: Option<String>,
    answers: Vec<(String, String)>,
}

struct Group {
    tag: String,
    entries: Vec<Entry>,
}

/// A type of the document, as JSON Schema.
struct Schema {
    name: String,
    text: String,
}

struct Content {
    groups: Vec<Group>,
    schemas: Vec<Schema>,
}

#[derive(Template)]
#[template(path = "docs.html")]
struct DocsPage<'page> {
    frame: &'page Frame,
    groups: &'page [Group],
    schemas: &'page [Schema],
}

pub(super) fn router(document: &OpenApi) -> Router<App> {
    let json: Arc<str> = document.to_json().unwrap_or_else(|_| "{}".to_owned()).into();
    let content = Arc::new(Content {
        groups: groups(document),
        schemas: schemas(document),
    });
    Router::new()
        .route("/openapi.json", get(move || std::future::ready(openapi(&json))))
        .route(
            "/docs",
            get(move |frame: Frame| std::future::ready(docs(&frame, &content))),
        )
}

fn openapi(json: &Arc<str>) -> Response {
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("application/json")),
        (
            header::CACHE_CONTROL,
            HeaderValue::from_static("public, max-age=300"),
        ),
    ];
    (headers, json.to_string()).into_response()
}

fn docs(frame: &Frame, content: &Content) -> Response {
    page(
        frame,
        StatusCode::OK,
        &DocsPage {
            frame,
            groups: &content.groups,
            schemas: &content.schemas,
        },
    )
}

fn groups(document: &OpenApi) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    for (path, item) in &document.paths.paths {
        let operations = [
            ("GET", &item.get),
            ("HEAD", &item.head),
            ("POST", &item.post),
            ("PUT", &item.put),
            ("PATCH", &item.patch),
            ("DELETE", &item.delete),
        ];
        for (method, operation) in operations {
            let Some(operation) = operation else { continue };
            let tag = operation
                .tags
                .iter()
                .flatten()
                .next()
                .cloned()
                .unwrap_or_default();
            let entry = entry(method, path, operation);
            match groups.iter_mut().find(|group| group.tag == tag) {
                Some(group) => group.entries.push(entry),
                None => groups.push(Group {
                    tag,
                    entries: vec![entry],
                }),
            }
        }
    }
    groups
}

fn entry(method: &'static str, path: &str, operation: &Operation) -> Entry {
    let parameters = operation
        .parameters
        .iter()
        .flatten()
        .filter_map(|parameter| match parameter {
            RefOr::T(parameter) => Some((
                parameter.name.clone(),
                parameter.description.clone().unwrap_or_default(),
            )),
            RefOr::Ref(_) => None,
        });
    let body = operation.request_body.as_ref().and_then(|body| match body {
        RefOr::T(body) => body.content.iter().next().map(|(kind, content)| {
            schema_name(&serde_json::to_value(content).unwrap_or_default()).unwrap_or_else(|| kind.clone())
        }),
        RefOr::Ref(_) => None,
    });
    let answers = operation
        .responses
        .responses
        .iter()
        .filter(|(status, _)| status.starts_with(['2', '3']))
        .map(|(status, response)| {
            let value = serde_json::to_value(response).unwrap_or_default();
            let content = value
                .get("content")
                .and_then(|content| content.as_object()?.iter().next());
            let what = content.map(|(kind, media)| schema_name(media).unwrap_or_else(|| kind.clone()));
            (status.clone(), what.unwrap_or_default())
        });
    Entry {
        method,
        path: path.to_owned(),
        anchor: operation.operation_id.clone().unwrap_or_default(),
        summary: operation.summary.clone().unwrap_or_default(),
        parameters: parameters.collect(),
        body,
        answers: answers.collect(),
    }
}

fn schema_name(media: &serde_json::Value) -> Option<String> {
    let reference = media.get("schema")?.get("$ref")?.as_str()?;
    reference.rsplit('/').next().map(str::to_owned)
}

fn schemas(document: &OpenApi) -> Vec<Schema> {
    let components = document
        .components
        .iter()
        .flat_map(|components| &components.schemas);
    components
        .map(|(name, schema)| Schema {
            name: name.clone(),
            text: serde_json::to_string_pretty(schema).unwrap_or_default(),
        })
        .collect()
}
