use std::sync::Arc;

use tonic::{Request, Response, Status};
use wathiq_chassis::{FieldViolation, peer};
use wathiq_proto::wathiq::identity::v1 as proto;
use wathiq_proto::wathiq::identity::v1::specimen_service_server::SpecimenService;

use super::command::{account_holder, command};
use super::convert::specimen;
use super::fields::Fields;
use crate::app::prove_specimen::SpecimenProof;
use crate::app::{self, App, Page};
use crate::domain::specimen::{Point, SpecimenVersion, Strokes};
use crate::domain::specimen_image::SpecimenImage;

type Answer<T> = Result<Response<T>, Status>;

/// Signature specimens.
pub struct Specimens(pub Arc<App>);

fn image(fields: &mut Fields, png: &[u8]) -> Option<SpecimenImage> {
    let violation = |error: crate::domain::specimen_image::ImageError| {
        FieldViolation::new("image_png", error.reason(), error.to_string())
    };
    fields.take(SpecimenImage::parse(png.to_vec()).map_err(violation))
}

fn strokes(fields: &mut Fields, strokes: &[proto::Stroke]) -> Option<Strokes> {
    let point = |point: &proto::StrokePoint| Point {
        x: point.x,
        y: point.y,
        pressure: point.pressure,
        milliseconds: point.time_milliseconds,
    };
    let strokes = strokes
        .iter()
        .map(|stroke| stroke.points.iter().map(point).collect())
        .collect();
    let violation = |error: crate::domain::specimen::StrokesError| {
        FieldViolation::new("strokes", error.reason(), error.to_string())
    };
    fields.take(Strokes::parse(strokes).map_err(violation))
}

fn version(fields: &mut Fields, version: i32, least: i32) -> Option<i32> {
    if version < least {
        fields.note("version", "OUT_OF_RANGE", "no such version can be");
        return None;
    }
    Some(version)
}

#[tonic::async_trait]
impl SpecimenService for Specimens {
    async fn deposit_specimen(
        &self,
        request: Request<proto::DepositSpecimenRequest>,
    ) -> Answer<proto::DepositSpecimenResponse> {
        let caller = account_holder(&request)?;
        let mut fields = Fields::default();
        let command = fields.take(command(&self.0, &request));
        let image = image(&mut fields, &request.get_ref().image_png);
        let strokes = strokes(&mut fields, &request.get_ref().strokes);
        let (command, deposited) = fields.finish(|| Some((command?, (image?, strokes?))))?;
        let reply = |version: &SpecimenVersion| proto::DepositSpecimenResponse {
            specimen: Some(specimen(version)),
        };
        let answer =
            app::deposit_specimen::deposit_specimen(&self.0, &command, caller, deposited, reply).await?;
        Ok(Response::new(answer))
    }

    async fn list_specimens(
        &self,
        request: Request<proto::ListSpecimensRequest>,
    ) -> Answer<proto::ListSpecimensResponse> {
        let caller = account_holder(&request)?;
        let page = Page::parse(request.get_ref().page_size, &request.get_ref().page_token)?;
        let page = app::list_specimens::list_specimens(&self.0, caller, &page).await?;
        Ok(Response::new(proto::ListSpecimensResponse {
            specimens: page.items.iter().map(specimen).collect(),
            next_page_token: page.next_page_token,
        }))
    }

    async fn get_specimen(
        &self,
        request: Request<proto::GetSpecimenRequest>,
    ) -> Answer<proto::GetSpecimenResponse> {
        let caller = account_holder(&request)?;
        let mut fields = Fields::default();
        let version = version(&mut fields, request.get_ref().version, 1);
        let version = fields.finish(|| version)?;
        let (found, png) = app::get_specimen::get_specimen(&self.0, caller, version).await?;
        Ok(Response::new(proto::GetSpecimenResponse {
            specimen: Some(specimen(&found)),
            image_png: png,
        }))
    }

    async fn prove_specimen(
        &self,
        request: Request<proto::ProveSpecimenRequest>,
    ) -> Answer<proto::ProveSpecimenResponse> {
        let caller = account_holder(&request)?;
        let mut fields = Fields::default();
        let command = fields.take(command(&self.0, &request));
        let message = request.get_ref();
        let office_id = fields.id("office_id", &message.office_id);
        let person_id = fields.id("person_id", &message.person_id);
        let version = version(&mut fields, message.version, 1);
        let (command, input) = fields.finish(|| {
            let input = SpecimenProof {
                office_id: office_id?,
                person_id: person_id?,
                version: version?,
            };
            Some((command?, input))
        })?;
        let reply = |version: &SpecimenVersion| proto::ProveSpecimenResponse {
            specimen: Some(specimen(version)),
        };
        Ok(Response::new(
            app::prove_specimen::prove_specimen(&self.0, &command, caller, input, reply).await?,
        ))
    }

    async fn get_specimen_for_review(
        &self,
        request: Request<proto::GetSpecimenForReviewRequest>,
    ) -> Answer<proto::GetSpecimenForReviewResponse> {
        let caller = account_holder(&request)?;
        let service = peer(&request).0.clone();
        let mut fields = Fields::default();
        let person_id = fields.id("person_id", &request.get_ref().person_id);
        let version = version(&mut fields, request.get_ref().version, 0);
        let which = fields.finish(|| Some((person_id?, version?)))?;
        let (found, png) =
            app::get_specimen_for_review::get_specimen_for_review(&self.0, caller, &service, which).await?;
        Ok(Response::new(proto::GetSpecimenForReviewResponse {
            specimen: Some(specimen(&found)),
            image_png: png,
        }))
    }
}
