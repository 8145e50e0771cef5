//! What signature holds, has sealed or has given back is what the lines say of their documents.

use std::collections::HashSet;

use sqlx::PgPool;
use uuid::Uuid;

use super::Report;
use super::missing::Missing;
use crate::app::AppError;
use crate::clients::signature::{IssuedBook, Signature, Stage};
use crate::store::books::{self, DocumentBook, Named};

pub(super) async fn audit(pool: &PgPool, signature: &Signature, report: &mut Report) -> Result<(), AppError> {
    let mut missing = Missing::new(pool, Named::IssuedDocuments, "DOCUMENT_MISSING", "order_line");
    let mut page_token = String::new();
    loop {
        let (documents, next) = signature.list_issued(page_token).await?;
        compare(pool, report, &documents).await?;
        let listed: HashSet<Uuid> = documents.iter().map(|document| document.id).collect();
        missing.follow(report, &listed, next.is_empty()).await?;
        if next.is_empty() {
            return Ok(());
        }
        page_token = next;
    }
}

async fn compare(pool: &PgPool, report: &mut Report, documents: &[IssuedBook]) -> Result<(), AppError> {
    let ids: Vec<Uuid> = documents
        .iter()
        .filter_map(|document| Uuid::try_parse(&document.line).ok())
        .collect();
    let lines = {
        let mut conn = pool.acquire().await?;
        books::documents(&mut conn, &ids).await?
    };
    for document in documents {
        report.checked.issued_documents += 1;
        match lines.iter().find(|line| line.id.to_string() == document.line) {
            Some(line) => check(report, document, line),
            None => report.differ(
                "DOCUMENT_OF_NO_LINE",
                "issued_document",
                document.id,
                "a line",
                "none",
            ),
        }
    }
    Ok(())
}

fn check(report: &mut Report, document: &IssuedBook, line: &DocumentBook) {
    let current = line.issued_document_id == Some(document.id);
    let waits = current && line.in_production && !line.failed;
    match document.stage {
        Stage::Sealed if !current => {
            report.differ(
                "SEALED_TWICE",
                "order_line",
                line.id,
                "the document of the line",
                document.id,
            );
        }
        Stage::Sealed if !(line.sealed && line.produced) => {
            report.differ(
                "SEALED_NOT_PRODUCED",
                "order_line",
                line.id,
                "sealed",
                "not produced",
            );
        }
        Stage::Waiting | Stage::Ended if current && line.sealed => {
            report.differ("SEAL_MISSING", "order_line", line.id, "a seal", "none");
        }
        Stage::Waiting if !waits => {
            report.differ(
                "DEPOSIT_WITHOUT_LINE",
                "order_line",
                line.id,
                "withdrawn",
                document.id,
            );
        }
        Stage::Ended if waits && !line.withdrawing => {
            report.differ("DEPOSIT_MISSING", "order_line", line.id, document.id, "withdrawn");
        }
        _ => {}
    }
}
