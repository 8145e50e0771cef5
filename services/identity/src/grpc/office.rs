use std::sync::Arc;

use tonic::{Request, Response, Status};
use wathiq_proto::wathiq::identity::v1 as proto;
use wathiq_proto::wathiq::identity::v1::office_service_server::OfficeService;

use super::account_convert::seen_version;
use super::command::{account_holder, command};
use super::fields::Fields;
use super::office_convert::{
    administration, checked, details, membership, new_membership, office, read_service, service_period,
};
use crate::app::{self, App, Page};
use crate::domain::administration::{Administration, AdministrationChange};
use crate::domain::membership::Membership;
use crate::domain::office::{Office, Period, arabic_name, french_name};

type Answer<T> = Result<Response<T>, Status>;

/// Offices, memberships and administrations.
pub struct Offices(pub Arc<App>);

#[tonic::async_trait]
impl OfficeService for Offices {
    async fn create_office(
        &self,
        request: Request<proto::CreateOfficeRequest>,
    ) -> Answer<proto::CreateOfficeResponse> {
        let caller = account_holder(&request)?;
        let mut fields = Fields::default();
        let command = fields.take(command(&self.0, &request));
        let details = details(&mut fields, request.get_ref());
        let parent = fields.optional_id("parent_office_id", &request.get_ref().parent_office_id);
        let (command, wanted) = fields.finish(|| Some((command?, (details?, parent?))))?;
        let reply = |opened: &Office| proto::CreateOfficeResponse {
            office: Some(office(opened)),
        };
        Ok(Response::new(
            app::create_office::create_office(&self.0, &command, caller, wanted, reply).await?,
        ))
    }

    async fn import_offices(
        &self,
        request: Request<proto::ImportOfficesRequest>,
    ) -> Answer<proto::ImportOfficesResponse> {
        let caller = account_holder(&request)?;
        let mut fields = Fields::default();
        let command = fields.take(command(&self.0, &request));
        let command = fields.finish(|| command)?;
        let csv = &request.get_ref().csv;
        let reply = |opened: &[Office]| proto::ImportOfficesResponse {
            offices: opened.iter().map(office).collect(),
        };
        Ok(Response::new(
            app::import_offices::import_offices(&self.0, &command, caller, csv, reply).await?,
        ))
    }

    async fn get_office(
        &self,
        request: Request<proto::GetOfficeRequest>,
    ) -> Answer<proto::GetOfficeResponse> {
        let mut fields = Fields::default();
        let id = fields.id("office_id", &request.get_ref().office_id);
        let id = fields.finish(|| id)?;
        let found = app::get_office::get_office(&self.0, id).await?;
        Ok(Response::new(proto::GetOfficeResponse {
            office: Some(office(&found)),
        }))
    }

    async fn list_offices(
        &self,
        request: Request<proto::ListOfficesRequest>,
    ) -> Answer<proto::ListOfficesResponse> {
        let message = request.get_ref();
        let mut fields = Fields::default();
        let parent = fields.optional_id("parent_office_id", &message.parent_office_id);
        let offering = match message.offering {
            0 => Some(None),
            value => fields.word("offering", value, read_service).map(Some),
        };
        let filter = fields.finish(|| Some((parent?, offering?)))?;
        let page = Page::parse(message.page_size, &message.page_token)?;
        let page = app::list_offices::list_offices(&self.0, filter, &page).await?;
        Ok(Response::new(proto::ListOfficesResponse {
            offices: page.items.iter().map(office).collect(),
            next_page_token: page.next_page_token,
        }))
    }

    async fn set_office_service(
        &self,
        request: Request<proto::SetOfficeServiceRequest>,
    ) -> Answer<proto::SetOfficeServiceResponse> {
        let caller = account_holder(&request)?;
        let mut fields = Fields::default();
        let command = fields.take(command(&self.0, &request));
        let id = fields.id("office_id", &request.get_ref().office_id);
        let period = service_period(&mut fields, request.get_ref().period);
        let (command, wanted) = fields.finish(|| Some((command?, (id?, period?))))?;
        let reply = |changed: &Office| proto::SetOfficeServiceResponse {
            office: Some(office(changed)),
        };
        let answer =
            app::set_office_service::set_office_service(&self.0, &command, caller, wanted, reply).await?;
        Ok(Response::new(answer))
    }

    async fn grant_membership(
        &self,
        request: Request<proto::GrantMembershipRequest>,
    ) -> Answer<proto::GrantMembershipResponse> {
        let caller = account_holder(&request)?;
        let mut fields = Fields::default();
        let command = fields.take(command(&self.0, &request));
        let wanted = new_membership(&mut fields, request.get_ref());
        let (command, wanted) = fields.finish(|| Some((command?, wanted?)))?;
        let reply = |granted: &Membership| proto::GrantMembershipResponse {
            membership: Some(membership(granted)),
        };
        let answer =
            app::grant_membership::grant_membership(&self.0, &command, caller, wanted, reply).await?;
        Ok(Response::new(answer))
    }

    async fn end_membership(
        &self,
        request: Request<proto::EndMembershipRequest>,
    ) -> Answer<proto::EndMembershipResponse> {
        let caller = account_holder(&request)?;
        let mut fields = Fields::default();
        let command = fields.take(command(&self.0, &request));
        let id = fields.id("membership_id", &request.get_ref().membership_id);
        let (command, id) = fields.finish(|| Some((command?, id?)))?;
        let reply = |ended: &Membership| proto::EndMembershipResponse {
            membership: Some(membership(ended)),
        };
        Ok(Response::new(
            app::end_membership::end_membership(&self.0, &command, caller, id, reply).await?,
        ))
    }

    async fn list_memberships(
        &self,
        request: Request<proto::ListMembershipsRequest>,
    ) -> Answer<proto::ListMembershipsResponse> {
        let caller = account_holder(&request)?;
        let mut fields = Fields::default();
        let id = fields.id("office_id", &request.get_ref().office_id);
        let id = fields.finish(|| id)?;
        let page = Page::parse(request.get_ref().page_size, &request.get_ref().page_token)?;
        let page = app::list_memberships::list_memberships(&self.0, caller, id, &page).await?;
        Ok(Response::new(proto::ListMembershipsResponse {
            memberships: page.items.iter().map(membership).collect(),
            next_page_token: page.next_page_token,
        }))
    }

    async fn enrol_administration(
        &self,
        request: Request<proto::EnrolAdministrationRequest>,
    ) -> Answer<proto::EnrolAdministrationResponse> {
        let caller = account_holder(&request)?;
        let mut fields = Fields::default();
        let command = fields.take(command(&self.0, &request));
        let message = request.get_ref();
        let name_ar = checked(&mut fields, "name_ar", arabic_name(&message.name_ar));
        let name_fr = checked(&mut fields, "name_fr", french_name(&message.name_fr));
        let from = fields.date("enrolled_from", message.enrolled_from);
        let to = fields.optional_date("enrolled_to", message.enrolled_to);
        let enrolled = from.zip(to).and_then(|(from, to)| {
            let period = Period::new(from, to);
            if period.is_none() {
                fields.note(
                    "enrolled_to",
                    "BEFORE_BEGINNING",
                    "the end lies before the beginning",
                );
            }
            period
        });
        let (command, wanted) = fields.finish(|| Some((command?, (name_ar?, name_fr?, enrolled?))))?;
        let reply = |enrolled: &Administration| proto::EnrolAdministrationResponse {
            administration: Some(administration(enrolled)),
        };
        let answer =
            app::enrol_administration::enrol_administration(&self.0, &command, caller, wanted, reply).await?;
        Ok(Response::new(answer))
    }

    async fn update_administration(
        &self,
        request: Request<proto::UpdateAdministrationRequest>,
    ) -> Answer<proto::UpdateAdministrationResponse> {
        let caller = account_holder(&request)?;
        let mut fields = Fields::default();
        let command = fields.take(command(&self.0, &request));
        let message = request.get_ref();
        let id = fields.id("administration_id", &message.administration_id);
        let name_ar = match message.name_ar.as_str() {
            "" => Some(None),
            text => checked(&mut fields, "name_ar", arabic_name(text)).map(Some),
        };
        let name_fr = match message.name_fr.as_str() {
            "" => Some(None),
            text => checked(&mut fields, "name_fr", french_name(text)).map(Some),
        };
        let enrolled_to = fields.optional_date("enrolled_to", message.enrolled_to);
        let version = seen_version(&mut fields, &message.etag);
        let (command, wanted) = fields.finish(|| {
            let change = AdministrationChange {
                name_ar: name_ar?,
                name_fr: name_fr?,
                enrolled_to: enrolled_to?,
            };
            Some((command?, (id?, change, version?)))
        })?;
        let reply = |changed: &Administration| proto::UpdateAdministrationResponse {
            administration: Some(administration(changed)),
        };
        let answer =
            app::update_administration::update_administration(&self.0, &command, caller, wanted, reply)
                .await?;
        Ok(Response::new(answer))
    }

    async fn list_administrations(
        &self,
        request: Request<proto::ListAdministrationsRequest>,
    ) -> Answer<proto::ListAdministrationsResponse> {
        let page = Page::parse(request.get_ref().page_size, &request.get_ref().page_token)?;
        let page = app::list_administrations::list_administrations(&self.0, &page).await?;
        Ok(Response::new(proto::ListAdministrationsResponse {
            administrations: page.items.iter().map(administration).collect(),
            next_page_token: page.next_page_token,
        }))
    }
}
