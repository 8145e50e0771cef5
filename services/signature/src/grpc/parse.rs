//! The way in: messages as values that are valid, or all that is wrong with them.

use wathiq_proto::wathiq::signature::v1 as pb;

use crate::app::AppError;
use crate::app::create_request::{ChosenDestination, CreateRequest};
use crate::app::list_queue::QueueFilter;
use crate::app::refuse_request::Reasons;
use crate::app::set_fee::SetFee;
use crate::app::upload_document::Upload;
use crate::domain::comparison::{self, ComparisonResult, Declared};
use crate::domain::destination::{self, Destination, Mandatary};
use crate::domain::document;
use crate::domain::placement::{Mark, Placement, Rectangle};
use crate::domain::refusal;
use crate::domain::state::State;
use crate::domain::strokes::{Strokes, StrokesFault};
use crate::grpc::fields::Fields;
use crate::grpc::page;
use crate::pdf::{RenderJob, ViewRectangle};

/// Highest fee, in centimes of MAD.
const HIGHEST_FEE: i64 = 100_000_000;

pub(super) fn upload(header: &pb::UploadHeader) -> Result<Upload, AppError> {
    let mut fields = Fields::default();
    let request_id = match wathiq_chassis::request_id(&header.request_id) {
        Ok(id) => Some(id),
        Err(violation) => fields.fault("header.request_id", violation.reason, violation.description),
    };
    let file_name = match document::file_name(&header.file_name) {
        Ok(name) => Some(name),
        Err(problem) => fields.fault("header.file_name", "FILE_NAME", problem),
    };
    let (Some(request_id), Some(file_name)) = (request_id, file_name) else {
        return Err(fields.error());
    };
    Ok(Upload {
        request_id,
        file_name,
        length: (header.length > 0).then_some(header.length),
    })
}

pub(super) fn create_request(
    message: &pb::CreateLegalisationRequestRequest,
) -> Result<CreateRequest, AppError> {
    let mut fields = Fields::default();
    let document_id = fields.id("document_id", &message.document_id);
    let office_id = fields.id("office_id", &message.office_id);
    let kind = fields.text("document_kind", &message.document_kind, 1..=50);
    let destination = destination(&mut fields, message.destination.as_ref());
    let mandatary = match &message.mandatary {
        Some(message) => mandatary(&mut fields, message).map(Some),
        None => Some(None),
    };
    let capacity = message.capacity();
    if capacity == pb::SigningCapacity::Unspecified {
        fields.fault::<()>("capacity", "REQUIRED", "must be said");
    }
    let (Some(document_id), Some(office_id), Some(kind), Some(destination), Some(mandatary)) =
        (document_id, office_id, kind, destination, mandatary)
    else {
        return Err(fields.error());
    };
    fields.check()?;
    if capacity == pb::SigningCapacity::Organisation {
        let text = "signing for an organisation is not possible until organisations can be enrolled";
        return Err(AppError::refused("ORGANISATIONS_NOT_ENROLLED", "capacity", text));
    }
    Ok(CreateRequest {
        document_id,
        office_id,
        kind,
        destination,
        mandatary,
    })
}

fn destination(fields: &mut Fields, message: Option<&pb::Destination>) -> Option<ChosenDestination> {
    let Some(message) = message else {
        return fields.fault("destination", "REQUIRED", "must be said");
    };
    let kind = message.kind();
    if kind == pb::DestinationKind::EnrolledAdministration {
        return fields
            .id("destination.administration_id", &message.administration_id)
            .map(ChosenDestination::Enrolled);
    }
    if !message.administration_id.is_empty() {
        return fields.fault(
            "destination.administration_id",
            "NOT_ALLOWED",
            "is for enrolled administrations alone",
        );
    }
    let shortest = if kind == pb::DestinationKind::PrivateParty {
        0
    } else {
        1
    };
    let name = fields.text(
        "destination.name",
        &message.name,
        shortest..=destination::MAX_NAME,
    )?;
    match kind {
        pb::DestinationKind::OtherAdministration => {
            Some(ChosenDestination::Named(Destination::OtherAdministration {
                name,
            }))
        }
        pb::DestinationKind::PrivateParty => {
            let name = (!name.is_empty()).then_some(name);
            Some(ChosenDestination::Named(Destination::PrivateParty { name }))
        }
        pb::DestinationKind::Abroad => Some(ChosenDestination::Named(Destination::Abroad { name })),
        pb::DestinationKind::Unspecified | pb::DestinationKind::EnrolledAdministration => {
            fields.fault("destination.kind", "REQUIRED", "must be said")
        }
    }
}

fn mandatary(fields: &mut Fields, message: &pb::Mandatary) -> Option<Mandatary> {
    let name_arabic = fields.text("mandatary.name_arabic", &message.name_arabic, 0..=200);
    let name_latin = fields.text("mandatary.name_latin", &message.name_latin, 0..=200);
    let number = fields.text(
        "mandatary.identity_document_number",
        &message.identity_document_number,
        1..=50,
    );
    let address = fields.text("mandatary.address", &message.address, 1..=500);
    let (name_arabic, name_latin) = (name_arabic?, name_latin?);
    if name_arabic.is_empty() && name_latin.is_empty() {
        return fields.fault(
            "mandatary.name_latin",
            "REQUIRED",
            "the name must be given in one script at least",
        );
    }
    Some(Mandatary {
        name_arabic: (!name_arabic.is_empty()).then_some(name_arabic),
        name_latin: (!name_latin.is_empty()).then_some(name_latin),
        identity_document_number: number?,
        address: address?,
    })
}

pub(super) fn placement(message: Option<&pb::Placement>) -> Result<Placement, AppError> {
    let mut fields = Fields::default();
    let Some(message) = message else {
        return Err(AppError::invalid("placement", "REQUIRED", "must be said"));
    };
    let page_number = match u32::try_from(message.page_number) {
        Ok(number @ 1..) => Some(number),
        _ => fields.fault("placement.page_number", "PAGE_UNKNOWN", "1 is the first page"),
    };
    let rectangle = match &message.rectangle {
        Some(given) => match Rectangle::from_points(given.x, given.y, given.width, given.height) {
            Some(rectangle) => Some(rectangle),
            None => fields.fault(
                "placement.rectangle",
                "RECTANGLE_MALFORMED",
                "must be finite numbers of points",
            ),
        },
        None => fields.fault("placement.rectangle", "REQUIRED", "must be said"),
    };
    let mark = match &message.mark {
        Some(pb::placement::Mark::Standing(_)) => Some(Mark::Standing),
        Some(pb::placement::Mark::Drawn(drawn)) => strokes(&mut fields, drawn).map(Mark::Drawn),
        None => fields.fault(
            "placement.mark",
            "REQUIRED",
            "the signature is drawn or stands already",
        ),
    };
    let (Some(page_number), Some(rectangle), Some(mark)) = (page_number, rectangle, mark) else {
        return Err(fields.error());
    };
    Ok(Placement {
        page_number,
        rectangle,
        mark,
    })
}

fn strokes(fields: &mut Fields, drawn: &pb::DrawnSignature) -> Option<Strokes> {
    let points =
        |stroke: &pb::SignatureStroke| stroke.points.iter().map(|point| (point.x, point.y)).collect();
    let strokes: Vec<Vec<(f32, f32)>> = drawn.strokes.iter().map(points).collect();
    match Strokes::from_fractions(&strokes) {
        Ok(strokes) => Some(strokes),
        Err(fault) => {
            let reason = match fault {
                StrokesFault::Count => "STROKES_COUNT",
                StrokesFault::TooManyPoints => "STROKES_TOO_MANY_POINTS",
                StrokesFault::OutOfRange => "STROKES_OUT_OF_RANGE",
                StrokesFault::Blank => "STROKES_BLANK",
                StrokesFault::Encoding => "MALFORMED",
            };
            fields.fault("placement.drawn.strokes", reason, fault.to_string())
        }
    }
}

/// A picture of a page; page and region are checked against the document later.
pub(super) fn render_job(
    page_number: i32,
    region: Option<&pb::Rectangle>,
    width_pixels: i32,
) -> Result<RenderJob, AppError> {
    let mut fields = Fields::default();
    let page_index = match u32::try_from(page_number) {
        Ok(number @ 1..) => Some(number - 1),
        _ => fields.fault("page_number", "PAGE_UNKNOWN", "1 is the first page"),
    };
    let width_pixels = match u32::try_from(width_pixels) {
        Ok(width @ 64..=2_000) => Some(width),
        _ => fields.fault("width_pixels", "OUT_OF_RANGE", "must be 64 to 2,000"),
    };
    let region = match region {
        None => Some(None),
        Some(given) => match Rectangle::from_points(given.x, given.y, given.width, given.height) {
            Some(rectangle) => {
                let [x, y, width, height] = rectangle.points();
                Some(Some(ViewRectangle { x, y, width, height }))
            }
            None => fields.fault(
                "region",
                "RECTANGLE_MALFORMED",
                "must be finite numbers of points",
            ),
        },
    };
    let (Some(page_index), Some(width_pixels), Some(region)) = (page_index, width_pixels, region) else {
        return Err(fields.error());
    };
    Ok(RenderJob {
        page_index,
        region,
        width_pixels,
        overlay: None,
    })
}

/// States named in a filter.
pub(super) fn states(
    fields: &mut Fields,
    states: impl Iterator<Item = pb::LegalisationState>,
) -> Option<Vec<State>> {
    let mut found = Vec::new();
    for state in states {
        match self::state(state) {
            Some(state) => found.push(state),
            None => return fields.fault("states", "MALFORMED", "must be states of a request"),
        }
    }
    Some(found)
}

fn state(state: pb::LegalisationState) -> Option<State> {
    State::ALL
        .into_iter()
        .find(|known| crate::wire::state(*known) == state)
}

pub(super) fn queue_filter(message: &pb::ListQueueRequest) -> Result<QueueFilter, AppError> {
    let mut fields = Fields::default();
    let size = page::size(&mut fields, message.page_size);
    let after = page::entry_of_token(&mut fields, &message.page_token);
    let office_id = fields.optional_id("office_id", &message.office_id);
    let states = states(&mut fields, message.states());
    if states.iter().flatten().any(|state| !state.is_open_at_office()) {
        fields.fault::<()>(
            "states",
            "STATE_NOT_IN_QUEUE",
            "the queue holds requests that are open at an office",
        );
    }
    let (Some(size), Some(after), Some(office_id), Some(states)) = (size, after, office_id, states) else {
        return Err(fields.error());
    };
    fields.check()?;
    let kind = (!message.document_kind.is_empty()).then(|| message.document_kind.clone());
    Ok(QueueFilter {
        office_id,
        states,
        kind,
        unclaimed_only: message.unclaimed_only,
        after,
        size,
    })
}

pub(super) fn comparison(message: Option<&pb::Comparison>) -> Result<Declared, AppError> {
    let mut fields = Fields::default();
    let Some(message) = message else {
        return Err(AppError::invalid("comparison", "REQUIRED", "must be said"));
    };
    let result = match message.result() {
        pb::ComparisonResult::Matches => Some(ComparisonResult::Matches),
        pb::ComparisonResult::MatchesWithDifferences => Some(ComparisonResult::MatchesWithDifferences),
        pb::ComparisonResult::Differs => Some(ComparisonResult::Differs),
        pb::ComparisonResult::Unspecified => fields.fault("comparison.result", "REQUIRED", "must be said"),
    };
    let note = fields.text("comparison.note", &message.note, 0..=comparison::MAX_NOTE);
    let region = fields.digest("comparison.region_sha256", &message.region_sha256);
    let specimen = fields.digest("comparison.specimen_sha256", &message.specimen_sha256);
    let (Some(result), Some(note), Some(region_sha256), Some(specimen_sha256)) =
        (result, note, region, specimen)
    else {
        return Err(fields.error());
    };
    Ok(Declared {
        result,
        note,
        specimen_version: message.specimen_version,
        region_sha256,
        specimen_sha256,
    })
}

pub(super) fn reasons(message: &pb::RefuseRequestRequest) -> Result<Reasons, AppError> {
    let mut fields = Fields::default();
    let reason_code = fields.text("reason_code", &message.reason_code, 1..=50);
    let text = fields.text("text", &message.text, refusal::TEXT_LENGTH);
    let (Some(reason_code), Some(text)) = (reason_code, text) else {
        return Err(fields.error());
    };
    let declared = message
        .comparison
        .as_ref()
        .map(|message| comparison(Some(message)))
        .transpose()?;
    Ok(Reasons {
        reason_code,
        text,
        declared,
    })
}

/// The note of an officer who sends a request back.
pub(super) fn note(text: &str) -> Result<String, AppError> {
    let mut fields = Fields::default();
    match fields.text("note", text, refusal::TEXT_LENGTH) {
        Some(note) => Ok(note),
        None => Err(fields.error()),
    }
}

pub(super) fn set_fee(message: &pb::SetFeeRequest) -> Result<SetFee, AppError> {
    let mut fields = Fields::default();
    let office_id = fields.id("office_id", &message.office_id);
    let kind = fields.text("document_kind", &message.document_kind, 1..=50);
    let from = fields.optional_instant("from_time", message.from_time.as_ref());
    let fee_centimes = match message.fee_centimes {
        fee @ 0..=HIGHEST_FEE => Some(fee),
        _ => fields.fault("fee_centimes", "OUT_OF_RANGE", "must be 0 to 100,000,000"),
    };
    let (Some(office_id), Some(kind), Some(from), Some(fee_centimes)) = (office_id, kind, from, fee_centimes)
    else {
        return Err(fields.error());
    };
    Ok(SetFee {
        office_id,
        kind,
        fee_centimes,
        from,
    })
}
