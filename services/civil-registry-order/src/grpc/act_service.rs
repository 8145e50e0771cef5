//! Digitised acts, keying and scans.

pub(super) mod convert;
pub(super) mod parse;

use std::sync::Arc;

use bytes::Bytes;
use futures::stream::{self, BoxStream, StreamExt};
use prost::Message;
use tonic::{Request, Response, Status, Streaming};
use wathiq_chassis::caller;
use wathiq_proto::wathiq::civil_registry_order::v1 as pb;

use crate::app::attach_scan::{self, AttachScan};
use crate::app::download_scan::{self, Of};
use crate::app::keying_progress::{self, SetRegisterSize};
use crate::app::{App, AppError, add_marginal_note, get_act, key_act, keyings, search_acts, withdraw_keying};
use crate::domain::act_key::RegisterKind;
use crate::domain::keying::Keying;
use crate::grpc::fields::{self, Fields};
use crate::grpc::{command, decoded, page};
use crate::store::keyings::Whose;

/// Largest chunk sent; the store may read larger ones.
const CHUNK: usize = 256 * 1024;

/// The handlers.
pub(super) struct Acts {
    app: Arc<App>,
}

impl Acts {
    pub(super) fn new(app: &Arc<App>) -> Self {
        Self { app: Arc::clone(app) }
    }
}

#[tonic::async_trait]
impl pb::act_service_server::ActService for Acts {
    type DownloadScanStream = BoxStream<'static, Result<pb::DownloadScanResponse, Status>>;

    async fn search_acts(
        &self,
        request: Request<pb::SearchActsRequest>,
    ) -> Result<Response<pb::SearchActsResponse>, Status> {
        let caller = caller(&request)?;
        let asked = parse::search(request.get_ref())?;
        let found = search_acts::search_acts(&self.app, caller, asked).await?;
        Ok(Response::new(pb::SearchActsResponse {
            acts: found.acts.iter().map(convert::summary).collect(),
            truncated: found.truncated,
        }))
    }

    async fn get_act(
        &self,
        request: Request<pb::GetActRequest>,
    ) -> Result<Response<pb::GetActResponse>, Status> {
        let caller = caller(&request)?;
        let id = fields::id("act_id", &request.get_ref().act_id)?;
        let (act, holder) = get_act::get_act(&self.app, caller, id).await?;
        Ok(Response::new(pb::GetActResponse {
            act: Some(convert::act(&act, holder)),
        }))
    }

    async fn add_marginal_note(
        &self,
        request: Request<pb::AddMarginalNoteRequest>,
    ) -> Result<Response<pb::AddMarginalNoteResponse>, Status> {
        let caller = caller(&request)?.clone();
        let mut message = request.into_inner();
        let request_id = std::mem::take(&mut message.request_id);
        let command = command(
            &caller,
            "/wathiq.civil_registry_order.v1.ActService/AddMarginalNote",
            &request_id,
            &message,
        )?;
        let (act_id, note) = parse::added_note(&message.act_id, message.note)?;
        let answer = add_marginal_note::add_marginal_note(
            &self.app,
            &caller,
            &command,
            act_id,
            note,
            |act, holder| {
                let act = Some(convert::act(act, holder));
                pb::AddMarginalNoteResponse { act }.encode_to_vec()
            },
        )
        .await?;
        decoded(&answer)
    }

    async fn key_act(
        &self,
        request: Request<pb::KeyActRequest>,
    ) -> Result<Response<pb::KeyActResponse>, Status> {
        let caller = caller(&request)?.clone();
        let mut message = request.into_inner();
        let request_id = std::mem::take(&mut message.request_id);
        let command = command(
            &caller,
            "/wathiq.civil_registry_order.v1.ActService/KeyAct",
            &request_id,
            &message,
        )?;
        let asked = parse::keyed(message)?;
        let encode = |keying: &Keying| convert::keyed(keying).encode_to_vec();
        let answer = Box::pin(key_act::key_act(&self.app, &caller, &command, asked, encode)).await?;
        decoded(&answer)
    }

    async fn list_keyings(
        &self,
        request: Request<pb::ListKeyingsRequest>,
    ) -> Result<Response<pb::ListKeyingsResponse>, Status> {
        let caller = caller(&request)?;
        let message = request.get_ref();
        let mut fields = Fields::default();
        let office_id = fields.optional_id("office_id", &message.office_id);
        let size = page::size(&mut fields, message.page_size);
        let after = page::id_of_token(&mut fields, &message.page_token);
        let (Some(office_id), Some(size), Some(after)) = (office_id, size, after) else {
            return Err(fields.error().into());
        };
        let whose = if message.keyed_by_caller {
            Whose::Own
        } else {
            Whose::Others
        };
        let found = keyings::list(&self.app, caller, (office_id, whose), after, size).await?;
        Ok(Response::new(pb::ListKeyingsResponse {
            keyings: found.keyings.iter().map(convert::listed).collect(),
            next_page_token: found.next.map(page::token_of_id).unwrap_or_default(),
        }))
    }

    async fn get_keying_differences(
        &self,
        request: Request<pb::GetKeyingDifferencesRequest>,
    ) -> Result<Response<pb::GetKeyingDifferencesResponse>, Status> {
        let caller = caller(&request)?;
        let id = fields::id("keying_id", &request.get_ref().keying_id)?;
        let keying = keyings::for_third_look(&self.app, caller, id).await?;
        Ok(Response::new(convert::differences(&keying)))
    }

    async fn withdraw_keying(
        &self,
        request: Request<pb::WithdrawKeyingRequest>,
    ) -> Result<Response<pb::WithdrawKeyingResponse>, Status> {
        let caller = caller(&request)?.clone();
        let mut message = request.into_inner();
        let request_id = std::mem::take(&mut message.request_id);
        let command = command(
            &caller,
            "/wathiq.civil_registry_order.v1.ActService/WithdrawKeying",
            &request_id,
            &message,
        )?;
        let id = fields::id("keying_id", &message.keying_id)?;
        let answer = withdraw_keying::withdraw_keying(&self.app, &caller, &command, id, |keying| {
            let keying = Some(convert::keying(keying));
            pb::WithdrawKeyingResponse { keying }.encode_to_vec()
        })
        .await?;
        decoded(&answer)
    }

    async fn attach_scan(
        &self,
        request: Request<Streaming<pb::AttachScanRequest>>,
    ) -> Result<Response<pb::AttachScanResponse>, Status> {
        let caller = caller(&request)?.clone();
        let mut messages = request.into_inner();
        let asked = header(messages.message().await?)?;
        let chunks = messages.map(|message| chunk(message?));
        let answer = attach_scan::attach_scan(&self.app, &caller, asked, Box::pin(chunks), |scan_id| {
            let scan_id = scan_id.to_string();
            pb::AttachScanResponse { scan_id }.encode_to_vec()
        })
        .await?;
        decoded(&answer)
    }

    async fn download_scan(
        &self,
        request: Request<pb::DownloadScanRequest>,
    ) -> Result<Response<Self::DownloadScanStream>, Status> {
        let caller = caller(&request)?.clone();
        let of = match request.into_inner().key {
            Some(pb::download_scan_request::Key::ActId(id)) => Of::Act(fields::id("act_id", &id)?),
            Some(pb::download_scan_request::Key::KeyingId(id)) => Of::Keying(fields::id("keying_id", &id)?),
            None => {
                let text = "an act or a keying must be named";
                return Err(AppError::invalid("key", "REQUIRED", text).into());
            }
        };
        let (scan, reader) = download_scan::download_scan(&self.app, &caller, of).await?;
        let totals = pb::DownloadScanResponse {
            chunk: Vec::new(),
            total_bytes: reader.total_bytes,
            sha256: scan.sha256.to_vec(),
            content_type: scan.content_type,
        };
        let chunks = reader.chunks.flat_map(|read| stream::iter(parts(read)));
        Ok(Response::new(
            stream::once(std::future::ready(Ok(totals))).chain(chunks).boxed(),
        ))
    }

    async fn list_keying_progress(
        &self,
        request: Request<pb::ListKeyingProgressRequest>,
    ) -> Result<Response<pb::ListKeyingProgressResponse>, Status> {
        let caller = caller(&request)?;
        let message = request.get_ref();
        let mut fields = Fields::default();
        let office_id = fields.id("office_id", &message.office_id);
        let size = page::size(&mut fields, message.page_size);
        let after = year_of_token(&mut fields, &message.page_token);
        let (Some(office_id), Some(size), Some(after)) = (office_id, size, after) else {
            return Err(fields.error().into());
        };
        let (found, next) = keying_progress::list(&self.app, caller, office_id, after, size).await?;
        Ok(Response::new(pb::ListKeyingProgressResponse {
            progress: found.iter().map(convert::progress).collect(),
            next_page_token: next
                .map(|(kind, year)| format!("{}-{year}", kind.as_str()))
                .unwrap_or_default(),
        }))
    }

    async fn set_register_size(
        &self,
        request: Request<pb::SetRegisterSizeRequest>,
    ) -> Result<Response<pb::SetRegisterSizeResponse>, Status> {
        let caller = caller(&request)?.clone();
        let mut message = request.into_inner();
        let request_id = std::mem::take(&mut message.request_id);
        let command = command(
            &caller,
            "/wathiq.civil_registry_order.v1.ActService/SetRegisterSize",
            &request_id,
            &message,
        )?;
        let mut fields = Fields::default();
        let office_id = fields.id("office_id", &message.office_id);
        let kind = parse::required_kind(&mut fields, "kind", message.kind());
        let (Some(office_id), Some(kind)) = (office_id, kind) else {
            return Err(fields.error().into());
        };
        let asked = SetRegisterSize {
            office_id,
            kind,
            year: message.year,
            acts: message.acts_in_register,
        };
        let answer = keying_progress::set_register_size(&self.app, &caller, &command, asked, |progress| {
            let progress = Some(convert::progress(progress));
            pb::SetRegisterSizeResponse { progress }.encode_to_vec()
        })
        .await?;
        decoded(&answer)
    }
}

/// The first message of an upload.
fn header(message: Option<pb::AttachScanRequest>) -> Result<AttachScan, AppError> {
    let Some(pb::attach_scan_request::Part::Header(header)) = message.and_then(|message| message.part) else {
        return Err(AppError::invalid(
            "header",
            "REQUIRED",
            "an upload begins with a header",
        ));
    };
    let request_id = wathiq_chassis::request_id(&header.request_id)
        .map_err(|violation| AppError::Invalid(vec![violation]))?;
    let mut fields = Fields::default();
    let office_id = fields.id("header.office_id", &header.office_id);
    let act_id = fields.optional_id("header.act_id", &header.act_id);
    match (office_id, act_id) {
        (Some(office_id), Some(act_id)) => Ok(AttachScan {
            request_id,
            office_id,
            act_id,
            supersede: header.supersede,
        }),
        _ => Err(fields.error()),
    }
}

/// A further message of an upload.
fn chunk(message: pb::AttachScanRequest) -> Result<Bytes, Status> {
    match message.part {
        Some(pb::attach_scan_request::Part::Chunk(bytes)) => Ok(Bytes::from(bytes)),
        _ => Err(AppError::invalid("chunk", "REQUIRED", "after the header come chunks").into()),
    }
}

/// A chunk as the store gives it, in messages far below the limit of their size.
fn parts(read: Result<Bytes, crate::storage::StorageError>) -> Vec<Result<pb::DownloadScanResponse, Status>> {
    match read {
        Ok(bytes) => bytes
            .chunks(CHUNK)
            .map(|part| {
                Ok(pb::DownloadScanResponse {
                    chunk: part.to_vec(),
                    ..Default::default()
                })
            })
            .collect(),
        Err(error) => vec![Err(AppError::from(error).into())],
    }
}

/// Reads the token of a register year; an empty token is the beginning.
fn year_of_token(fields: &mut Fields, token: &str) -> Option<Option<(RegisterKind, i16)>> {
    if token.is_empty() {
        return Some(None);
    }
    let read = token.split_once('-').and_then(|(kind, year)| {
        let kind = RegisterKind::parse(kind)?;
        Some((kind, year.parse().ok()?))
    });
    match read {
        Some(after) => Some(Some(after)),
        None => fields.fault("page_token", "MALFORMED", "must be a token of an earlier page"),
    }
}
