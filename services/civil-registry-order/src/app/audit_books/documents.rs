//! Sealed documents equal digitised lines that are produced.

use std::collections::HashSet;

use sqlx::PgPool;
use uuid::Uuid;
use wathiq_proto::wathiq::signature::v1 as pb;

use super::{PAGE, Report};
use crate::app::AppError;
use crate::clients::failure;
use crate::clients::signature::{SERVICE, Signature};
use crate::store::books;

pub(super) async fn audit(pool: &PgPool, signature: &Signature, report: &mut Report) -> Result<(), AppError> {
    let mut sealed: HashSet<Uuid> = HashSet::new();
    let mut page_token = String::new();
    loop {
        let request = pb::ListIssuedDocumentsRequest {
            page_token,
            ..Default::default()
        };
        let page = signature.documents().list_issued_documents(request).await;
        let page = page.map_err(failure(SERVICE, "issued documents"))?.into_inner();
        let ids: Vec<Uuid> = page
            .issued_documents
            .iter()
            .filter_map(|document| Uuid::try_parse(&document.owner_reference).ok())
            .collect();
        let found = {
            let mut conn = pool.acquire().await?;
            books::documents(&mut conn, &ids).await?
        };
        for document in &page.issued_documents {
            report.checked.issued_documents += 1;
            let id = &document.issued_document_id;
            let book = found
                .iter()
                .find(|book| book.id.to_string() == document.owner_reference);
            let Some(book) = book else {
                report.differ("DOCUMENT_OF_NO_LINE", "issued_document", id, "a line", "none");
                continue;
            };
            if document.state() != pb::IssuedDocumentState::Sealed {
                continue;
            }
            if !sealed.insert(book.id) {
                report.differ("SEALED_TWICE", "order_line", book.id, "one document", "two");
            }
            if !book.sealed || !book.produced {
                report.differ(
                    "SEALED_NOT_PRODUCED",
                    "order_line",
                    book.id,
                    "produced",
                    "not produced",
                );
            }
        }
        if page.next_page_token.is_empty() {
            break;
        }
        page_token = page.next_page_token;
    }
    known_to_signature(pool, &sealed, report).await
}

async fn known_to_signature(
    pool: &PgPool,
    sealed: &HashSet<Uuid>,
    report: &mut Report,
) -> Result<(), AppError> {
    let mut after = Uuid::nil();
    loop {
        let page = {
            let mut conn = pool.acquire().await?;
            books::sealed(&mut conn, after, PAGE).await?
        };
        let Some(last) = page.last() else { return Ok(()) };
        after = *last;
        for line_id in page.iter().filter(|id| !sealed.contains(id)) {
            report.differ("SEAL_MISSING", "order_line", line_id, "a sealed document", "none");
        }
    }
}
