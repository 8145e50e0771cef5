//! `AdministrationService`.

use std::sync::Arc;

use prost::Message;
use tonic::{Request, Response, Status};
use wathiq_chassis::caller;
use wathiq_proto::wathiq::civil_registry_order::v1 as pb;
use wathiq_proto::wathiq::civil_registry_order::v1::administration_service_server::AdministrationService;

use super::fields::{self, Fields};
use super::{convert, decoded, parse, taken};
use crate::app::administration::{
    office_profile, put_document_kind, put_template_version, set_destination_zone, set_fee, set_fee_ceiling,
    set_holiday,
};
use crate::app::set_register_custody::{SetRegisterCustody, set_register_custody};
use crate::app::{App, AppError};
use crate::documents;
use crate::domain::fee::{Ceiling, Fee, Price, Step};
use crate::domain::kind::{DocumentKind, Drawn, Form, Routing, SealMode};
use crate::store::catalogue::{Destination, Holiday};
use crate::store::offices::Profile;
use crate::store::templates::TemplateVersion;

/// Handlers of the reference data.
pub(super) struct Administration {
    app: Arc<App>,
}

impl Administration {
    pub(super) fn new(app: &Arc<App>) -> Self {
        Self { app: Arc::clone(app) }
    }

    fn document_kind(&self, kind: Option<pb::DocumentKind>) -> Result<DocumentKind, AppError> {
        let kind = kind.unwrap_or_default();
        let mut fields = Fields::default();
        let mut name =
            |field: &str, text: &str| fields.text(&format!("document_kind.{field}"), text, 1..=200);
        let names = (
            name("name_ar", &kind.name_ar),
            name("name_fr", &kind.name_fr),
            name("name_en", &kind.name_en),
            name("issuing_administration_ar", &kind.issuing_administration_ar),
            name("issuing_administration_fr", &kind.issuing_administration_fr),
        );
        let register = parse::register_kind(kind.register_kind())
            .or_else(|| fields.fault("document_kind.register_kind", "REQUIRED", "must be a register"));
        let form = Form::parse(&kind.form)
            .or_else(|| fields.fault("document_kind.form", "UNKNOWN", "must be EXTRACT or FULL_COPY"));
        let routing = Routing::parse(&kind.routing).or_else(|| {
            fields.fault(
                "document_kind.routing",
                "UNKNOWN",
                "must be OFFICE_OF_REGISTRATION or CHOSEN_OFFICE",
            )
        });
        let seal_mode = SealMode::parse(&kind.seal_mode).or_else(|| {
            fields.fault(
                "document_kind.seal_mode",
                "UNKNOWN",
                "must be OFFICER_KEY, ELECTRONIC_SEAL or BY_HAND",
            )
        });
        let days = fields.number(
            "document_kind.production_working_days",
            kind.production_working_days,
        );
        let valid_from = parse::date(&mut fields, "document_kind.valid_from", kind.valid_from);
        let valid_to = parse::optional_date(&mut fields, "document_kind.valid_to", kind.valid_to);
        let (
            (Some(name_ar), Some(name_fr), Some(name_en), Some(issuing_ar), Some(issuing_fr)),
            (Some(register), Some(form), Some(routing), Some(seal_mode)),
            (Some(production_working_days), Some(valid_from), Some(valid_to)),
        ) = (
            names,
            (register, form, routing, seal_mode),
            (days, valid_from, valid_to),
        )
        else {
            return Err(fields.error());
        };
        Ok(DocumentKind {
            id: self.app.ambient.uuid_v7(),
            register,
            name_ar,
            name_fr,
            name_en,
            form,
            routing,
            relations: kind.relations().filter_map(parse::relation).collect(),
            relations_with_evidence: kind
                .relations_with_evidence()
                .filter_map(parse::relation)
                .collect(),
            languages: kind.languages().filter_map(parse::language).collect(),
            issuing_administration_ar: issuing_ar,
            issuing_administration_fr: issuing_fr,
            seal_mode,
            production_working_days,
            valid_from,
            valid_to,
            template: kind.template,
            code: kind.code,
        })
    }

    fn template_version(&self, message: pb::PutTemplateVersionRequest) -> Result<TemplateVersion, AppError> {
        let mut fields = Fields::default();
        let register = parse::register_kind(message.register_kind());
        let law_fr = fields.text("law_fr", &message.law_fr, 10..=500);
        let law_ar = fields.text("law_ar", &message.law_ar, 10..=500);
        let valid_from = parse::date(&mut fields, "valid_from", message.valid_from);
        let valid_to = parse::optional_date(&mut fields, "valid_to", message.valid_to);
        let source = Some(message.source).filter(|source| !source.trim().is_empty());
        // What the service brings says itself what it draws.
        let brought = documents::drawn_by(&message.template).filter(|_| source.is_none());
        let drawn = brought.or_else(|| {
            source.as_ref()?;
            let register =
                register.or_else(|| fields.fault("register_kind", "REQUIRED", "must be a register"));
            let form = Form::parse(&message.form)
                .or_else(|| fields.fault("form", "UNKNOWN", "must be EXTRACT or FULL_COPY"));
            Some(Drawn {
                register: register?,
                form: form?,
                bilingual: message.bilingual,
            })
        });
        if drawn.is_none() && source.is_none() {
            let description = "must be the name of a template that the service brings, or come with its form";
            fields.fault::<()>("template", "TEMPLATE_UNKNOWN", description);
        }
        let (Some(law_fr), Some(law_ar), Some(valid_from), Some(valid_to), Some(drawn)) =
            (law_fr, law_ar, valid_from, valid_to, drawn)
        else {
            return Err(fields.error());
        };
        Ok(TemplateVersion {
            id: self.app.ambient.uuid_v7(),
            template: message.template,
            law_fr,
            law_ar,
            drawn,
            source,
            valid_from,
            valid_to,
            created_at: self.app.ambient.now(),
        })
    }
}

/// A fee of several steps, or of the one in fields of its own.
fn fee(message: pb::SetFeeRequest) -> Result<Fee, AppError> {
    let mut fields = Fields::default();
    let mut said = message.steps;
    let alone = pb::FeeStep {
        from_copies: message.from_copies,
        price: message.price,
    };
    if said.is_empty() {
        said.push(alone);
    } else if alone != pb::FeeStep::default() {
        let description = "`from_copies` and `price` stand in the steps";
        fields.fault::<()>("steps", "NOT_BOTH", description);
    }
    let steps: Vec<Option<Step>> = said
        .into_iter()
        .map(|step| {
            let price = step.price.unwrap_or_default();
            Some(Step {
                from_copies: fields.number("from_copies", step.from_copies)?,
                price: Price {
                    amount: price.amount_centimes,
                    office: price.office_centimes,
                    post: price.post_centimes,
                    tax: price.tax_centimes,
                },
            })
        })
        .collect();
    let valid_from = parse::date(&mut fields, "valid_from", message.valid_from);
    let valid_to = parse::optional_date(&mut fields, "valid_to", message.valid_to);
    match (valid_from, valid_to, fields.check()) {
        (Some(valid_from), Some(valid_to), Ok(())) => Ok(Fee {
            document_kind: message.document_kind,
            zone: message.zone,
            steps: steps.into_iter().flatten().collect(),
            valid_from,
            valid_to,
        }),
        (_, _, checked) => Err(checked.err().unwrap_or(AppError::Stale)),
    }
}

fn profile(profile: Option<pb::OfficeProfile>) -> Result<Profile, AppError> {
    let profile = profile.unwrap_or_default();
    let mut fields = Fields::default();
    let office_id = fields.id("profile.office_id", &profile.office_id);
    let mut name = |field: &str, text: &str| fields.text(&format!("profile.{field}"), text, 1..=120);
    let names = (
        name("province_ar", &profile.province_ar),
        name("province_fr", &profile.province_fr),
        name("commune_ar", &profile.commune_ar),
        name("commune_fr", &profile.commune_fr),
        name("bureau_ar", &profile.bureau_ar),
        name("bureau_fr", &profile.bureau_fr),
    );
    let (
        Some(office_id),
        (
            Some(province_ar),
            Some(province_fr),
            Some(commune_ar),
            Some(commune_fr),
            Some(bureau_ar),
            Some(bureau_fr),
        ),
    ) = (office_id, names)
    else {
        return Err(fields.error());
    };
    Ok(Profile {
        office_id,
        province_ar,
        province_fr,
        commune_ar,
        commune_fr,
        bureau_ar,
        bureau_fr,
        email: profile.email.trim().to_owned(),
        language: profile.language,
        address: parse::address(profile.address),
        signs_by_hand: profile.signs_by_hand,
        electronic_seal_kinds: profile.electronic_seal_kinds,
    })
}

#[tonic::async_trait]
impl AdministrationService for Administration {
    async fn put_document_kind(
        &self,
        request: Request<pb::PutDocumentKindRequest>,
    ) -> Result<Response<pb::PutDocumentKindResponse>, Status> {
        let (caller, command, message) =
            taken(request, "PutDocumentKind", |message| &mut message.request_id)?;
        let kind = self.document_kind(message.document_kind)?;
        let encode = |kind: &DocumentKind| {
            pb::PutDocumentKindResponse {
                document_kind: Some(convert::document_kind(kind)),
            }
            .encode_to_vec()
        };
        let answer = put_document_kind::put_document_kind(&self.app, &caller, &command, kind, encode).await?;
        decoded(&answer)
    }

    async fn set_fee(
        &self,
        request: Request<pb::SetFeeRequest>,
    ) -> Result<Response<pb::SetFeeResponse>, Status> {
        let (caller, command, message) = taken(request, "SetFee", |message| &mut message.request_id)?;
        let fee = fee(message)?;
        set_fee::set_fee(&self.app, &caller, &command, fee).await?;
        Ok(Response::new(pb::SetFeeResponse {}))
    }

    async fn set_fee_ceiling(
        &self,
        request: Request<pb::SetFeeCeilingRequest>,
    ) -> Result<Response<pb::SetFeeCeilingResponse>, Status> {
        let (caller, command, message) = taken(request, "SetFeeCeiling", |message| &mut message.request_id)?;
        let mut fields = Fields::default();
        let valid_from = parse::date(&mut fields, "valid_from", message.valid_from);
        let legal_reference = fields.text("legal_reference", &message.legal_reference, 3..=500);
        let (Some(valid_from), Some(legal_reference)) = (valid_from, legal_reference) else {
            return Err(fields.error().into());
        };
        let ceiling = Ceiling {
            centimes: message.ceiling_centimes,
            valid_from,
        };
        set_fee_ceiling::set_fee_ceiling(&self.app, &caller, &command, ceiling, &legal_reference).await?;
        Ok(Response::new(pb::SetFeeCeilingResponse {}))
    }

    async fn put_template_version(
        &self,
        request: Request<pb::PutTemplateVersionRequest>,
    ) -> Result<Response<pb::PutTemplateVersionResponse>, Status> {
        let (caller, command, message) =
            taken(request, "PutTemplateVersion", |message| &mut message.request_id)?;
        let version = self.template_version(message)?;
        put_template_version::put_template_version(&self.app, &caller, &command, version).await?;
        Ok(Response::new(pb::PutTemplateVersionResponse {}))
    }

    async fn set_holiday(
        &self,
        request: Request<pb::SetHolidayRequest>,
    ) -> Result<Response<pb::SetHolidayResponse>, Status> {
        let (caller, command, message) = taken(request, "SetHoliday", |message| &mut message.request_id)?;
        let mut fields = Fields::default();
        let day = parse::date(&mut fields, "day", message.day);
        let name = fields.text("name", &message.name, 2..=120);
        let (Some(day), Some(name)) = (day, name) else {
            return Err(fields.error().into());
        };
        let holiday = Holiday {
            id: self.app.ambient.uuid_v7(),
            day,
            name,
            working: message.working,
        };
        set_holiday::set_holiday(&self.app, &caller, &command, holiday).await?;
        Ok(Response::new(pb::SetHolidayResponse {}))
    }

    async fn set_destination_zone(
        &self,
        request: Request<pb::SetDestinationZoneRequest>,
    ) -> Result<Response<pb::SetDestinationZoneResponse>, Status> {
        let (caller, command, message) =
            taken(request, "SetDestinationZone", |message| &mut message.request_id)?;
        let mut fields = Fields::default();
        let Some(valid_from) = parse::date(&mut fields, "valid_from", message.valid_from) else {
            return Err(fields.error().into());
        };
        let destination = Destination {
            id: self.app.ambient.uuid_v7(),
            country_code: message.country_code,
            zone: message.zone,
            valid_from,
        };
        set_destination_zone::set_destination_zone(&self.app, &caller, &command, destination).await?;
        Ok(Response::new(pb::SetDestinationZoneResponse {}))
    }

    async fn set_register_custody(
        &self,
        request: Request<pb::SetRegisterCustodyRequest>,
    ) -> Result<Response<pb::SetRegisterCustodyResponse>, Status> {
        let (caller, command, message) =
            taken(request, "SetRegisterCustody", |message| &mut message.request_id)?;
        let mut fields = Fields::default();
        let office_id = fields.id("office_id", &message.office_id);
        let held_by = fields.id("held_by_office_id", &message.held_by_office_id);
        let kind = parse::register_kind(message.kind())
            .or_else(|| fields.fault("kind", "REQUIRED", "must be a register"));
        let valid_from = parse::date(&mut fields, "valid_from", message.valid_from);
        let (Some(office_id), Some(held_by), Some(kind), Some(valid_from)) =
            (office_id, held_by, kind, valid_from)
        else {
            return Err(fields.error().into());
        };
        let open = |year: i32| (year != 0).then_some(year);
        let asked = SetRegisterCustody {
            office_id,
            kind,
            from_year: open(message.from_year),
            to_year: open(message.to_year),
            held_by,
            valid_from,
        };
        let response = pb::SetRegisterCustodyResponse {}.encode_to_vec();
        let answer = set_register_custody(&self.app, &caller, &command, asked, response).await?;
        decoded(&answer)
    }

    async fn set_office_profile(
        &self,
        request: Request<pb::SetOfficeProfileRequest>,
    ) -> Result<Response<pb::SetOfficeProfileResponse>, Status> {
        let (caller, command, message) =
            taken(request, "SetOfficeProfile", |message| &mut message.request_id)?;
        let asked = profile(message.profile)?;
        let stands = office_profile::set_office_profile(&self.app, &caller, &command, asked).await?;
        Ok(Response::new(pb::SetOfficeProfileResponse {
            profile: Some(convert::profile(&stands)),
        }))
    }

    async fn get_office_profile(
        &self,
        request: Request<pb::GetOfficeProfileRequest>,
    ) -> Result<Response<pb::GetOfficeProfileResponse>, Status> {
        let caller = caller(&request)?;
        let office_id = fields::id("office_id", &request.get_ref().office_id)?;
        let found = office_profile::get_office_profile(&self.app, caller, office_id).await?;
        Ok(Response::new(pb::GetOfficeProfileResponse {
            profile: Some(convert::profile(&found)),
        }))
    }
}
