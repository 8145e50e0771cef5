//! Preparing files for their seal: recipe in, exact bytes out.

use wathiq_documents::{Engine, Standard, qr_svg};
use wathiq_pades::place::PageInfo;
use wathiq_pades::plan::{FieldPlacement, Mark, MarkAppearance, SealPlan};
use wathiq_pades::{PrepareError, Prepared};

use super::inspect;
use crate::domain::document::{IntakeRefusal, PAGE_UNBALANCED};
use crate::domain::recipe::{DrawnMark, Field, Page, Recipe, ViewRectangle};
use crate::pdf::job::{Answer, Overlay, PreparedFile};
use crate::pdf::template;

type Outcome<T> = Result<T, Answer>;

/// Prepares a citizen's document.
pub(super) fn document(file: &[u8], recipe: &Recipe) -> (Answer, Option<Vec<u8>>) {
    answer(prepare(file, recipe))
}

/// Prepares a document of another service, where intake lets it in and nobody has signed it yet.
pub(super) fn deposit(file: &[u8], recipe: &Recipe) -> (Answer, Option<Vec<u8>>) {
    answer(inspect::intake(file).and_then(|intake| {
        if intake.signatures.is_empty() {
            prepare(file, recipe)
        } else {
            Err(Answer::Refused(IntakeRefusal {
                reason: "SIGNED_ALREADY".to_owned(),
                object_number: None,
                detail: "the file carries a signature".to_owned(),
            }))
        }
    }))
}

/// Makes the legalisation page as a document of its own and prepares it.
pub(super) fn page(recipe: &Recipe) -> (Answer, Option<Vec<u8>>) {
    let separate = |page: &Page| {
        let file = compose(page)?;
        prepare(
            &file,
            &Recipe {
                page: None,
                ..recipe.clone()
            },
        )
    };
    answer(match &recipe.page {
        Some(page) => separate(page),
        None => Err(Answer::Impossible("the recipe has no page".to_owned())),
    })
}

/// What a viewer shows of a page; 0 is the first.
pub(super) fn page_info(file: &[u8], page_index: u32) -> Outcome<PageInfo> {
    let mut pages = inspect::intake(file)?.pages;
    let index = page_index as usize;
    if index < pages.len() {
        Ok(pages.swap_remove(index))
    } else {
        Err(Answer::OutOfRange)
    }
}

/// The file with strokes drawn into a page as sealing will draw them.
pub(super) fn draw(file: &[u8], page_index: u32, overlay: &Overlay) -> Outcome<Vec<u8>> {
    let mark = DrawnMark {
        page_index,
        rectangle: overlay.rectangle,
        strokes: overlay.strokes.clone(),
    };
    let signed = !inspect::intake(file)?.signatures.is_empty();
    let name = "Preview".to_owned();
    let (mark, field) = if signed {
        (None, Field::Visible { name, mark })
    } else {
        (Some(mark), Field::Invisible { name })
    };
    let plan = SealPlan {
        mark: mark.map(|mark| placed(file, &mark)).transpose()?,
        append_pages: None,
        field: field_placement(file, &field)?,
        signing_time: chrono::DateTime::UNIX_EPOCH.fixed_offset(),
        reason: None,
        location: None,
        signer_name: None,
        id_seed: [0; 16],
        contents_capacity: 16,
    };
    Ok(wathiq_pades::prepare(file, &plan).map_err(impossible)?.bytes)
}

fn answer(prepared: Outcome<Prepared>) -> (Answer, Option<Vec<u8>>) {
    match prepared {
        Ok(prepared) => {
            let file = PreparedFile {
                byte_range: prepared.byte_range,
                digest: prepared.digest,
                contents_offset: prepared.contents_offset,
                contents_len: prepared.contents_len,
            };
            (Answer::Prepared(file), Some(prepared.bytes))
        }
        Err(answer) => (answer, None),
    }
}

fn prepare(file: &[u8], recipe: &Recipe) -> Outcome<Prepared> {
    let plan = SealPlan {
        mark: recipe.mark.as_ref().map(|mark| placed(file, mark)).transpose()?,
        append_pages: recipe.page.as_ref().map(compose).transpose()?,
        field: field_placement(file, &recipe.field)?,
        signing_time: recipe.signing_time,
        reason: said(&recipe.reason),
        location: said(&recipe.location),
        signer_name: said(&recipe.signer_name),
        id_seed: recipe.id_seed,
        contents_capacity: recipe.contents_capacity,
    };
    wathiq_pades::prepare(file, &plan).map_err(impossible)
}

/// A text that says something.
fn said(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

fn impossible(error: PrepareError) -> Answer {
    let detail = wathiq_chassis::status::chain(&error);
    match error {
        PrepareError::Unbalanced => Answer::Refused(IntakeRefusal {
            reason: PAGE_UNBALANCED.to_owned(),
            object_number: None,
            detail,
        }),
        _ => Answer::Impossible(detail),
    }
}

/// Composes the legalisation page as PDF/A-2a.
fn compose(page: &Page) -> Outcome<Vec<u8>> {
    let template = template::of_version(&page.template).ok_or_else(|| {
        Answer::Impossible(format!(
            "template version {} is not known any more",
            page.template
        ))
    })?;
    let qr = qr_svg(&page.qr_text).map_err(|error| Answer::Impossible(error.to_string()))?;
    Engine::new()
        .render(
            template.template(),
            &page.data,
            &[("qr.svg", qr.as_bytes())],
            Standard::A2a,
            page.created_at,
            &page.identifier,
        )
        .map_err(|error| Answer::Impossible(error.to_string()))
}

fn placed(file: &[u8], mark: &DrawnMark) -> Outcome<Mark> {
    let rect = user_space(file, mark.page_index, &mark.rectangle)?;
    Ok(Mark {
        page_index: mark.page_index as usize,
        rect,
        appearance: strokes(&mark.strokes),
    })
}

fn user_space(file: &[u8], page_index: u32, rectangle: &ViewRectangle) -> Outcome<[f64; 4]> {
    let info = page_info(file, page_index)?;
    let viewed = info.viewer_rect(rectangle.x, rectangle.y, rectangle.width, rectangle.height);
    info.to_user_space(&viewed).map_err(|_| Answer::OutOfRange)
}

fn strokes(strokes: &[Vec<[f32; 2]>]) -> MarkAppearance {
    let point = |[x, y]: &[f32; 2]| (f64::from(*x), f64::from(*y));
    MarkAppearance::Strokes(
        strokes
            .iter()
            .map(|stroke| stroke.iter().map(point).collect())
            .collect(),
    )
}

fn field_placement(file: &[u8], field: &Field) -> Outcome<FieldPlacement> {
    Ok(match field {
        Field::Invisible { name } => FieldPlacement::Invisible { name: name.clone() },
        Field::Visible { name, mark } => {
            let Mark {
                page_index,
                rect,
                appearance,
            } = placed(file, mark)?;
            FieldPlacement::Visible {
                name: name.clone(),
                page_index,
                rect,
                appearance,
            }
        }
        Field::Existing { name, strokes: drawn } => FieldPlacement::Existing {
            name: name.clone(),
            appearance: drawn.as_deref().map(strokes),
        },
    })
}
