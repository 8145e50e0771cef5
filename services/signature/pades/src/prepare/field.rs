use super::update::Update;
use super::{PrepareError, Target, appearance, field_name};
use crate::emit::{self, Edit};
use crate::fields::{Form, SignatureField};
use crate::pages::{self, Page};
use crate::plan::{FieldPlacement, MarkAppearance};
use crate::syntax::{Dictionary, Document, Kind, ObjectId, Value};

/// Print and locked (ISO 32000-1, 12.5.3): what PDF/A asks of a widget, and that nobody moves it.
const WIDGET_FLAGS: &[u8] = b"132";

/// Signatures exist, and the file may only be appended to (ISO 32000-1, 12.7.2).
const SIG_FLAGS: &[u8] = b"3";

/// Whether a field of the file is signed.
pub(super) fn has_signatures(document: &Document<'_>) -> Result<bool, PrepareError> {
    Ok(Form::read(document)?.signed().next().is_some())
}

/// Puts the signature into its field; answers `/Reference` if the field says what it locks.
pub(super) fn place(
    update: &mut Update<'_, '_>,
    placement: &FieldPlacement,
    signature: ObjectId,
) -> Result<Option<Vec<u8>>, PrepareError> {
    let form = Form::read(update.document)?;
    match placement {
        FieldPlacement::Existing { name, appearance } => {
            let field = form
                .empty()
                .find(|field| field.name == *name)
                .ok_or(PrepareError::NoSuchField)?;
            fill(update, field, appearance.as_ref(), signature)?;
            attach(update, None)?;
            lock_reference(update.document, field)
        }
        FieldPlacement::Invisible { .. } => {
            check_name(&form, placement)?;
            let page = pages::nth(update.document, 0)?.ok_or(PrepareError::NoSuchPage(0))?;
            let drawing = appearance::empty(update);
            add(update, placement, signature, &page, &[0.0; 4], drawing).map(|()| None)
        }
        FieldPlacement::Visible {
            page_index,
            rect,
            appearance,
            ..
        } => {
            check_name(&form, placement)?;
            let target = Target::find(update.document, *page_index)?;
            target.check(rect)?;
            let drawing = appearance::form(update, rect, target.rotation, appearance)?;
            add(update, placement, signature, &target.page, rect, drawing).map(|()| None)
        }
    }
}

fn check_name(form: &Form<'_>, placement: &FieldPlacement) -> Result<(), PrepareError> {
    let name = field_name(placement);
    let taken =
        |other: &String| other == name || other.strip_prefix(name).is_some_and(|rest| rest.starts_with('.'));
    if name.is_empty() || name.contains('.') || form.names.iter().any(taken) {
        return Err(PrepareError::BadFieldName);
    }
    Ok(())
}

/// Writes a new field that is its own widget, and lists it in the page and in the form.
fn add(
    update: &mut Update<'_, '_>,
    placement: &FieldPlacement,
    signature: ObjectId,
    page: &Page<'_>,
    rect: &[f64; 4],
    drawing: ObjectId,
) -> Result<(), PrepareError> {
    let drawing = [b"<< /N ".as_slice(), &emit::reference(drawing), b" >>"].concat();
    let widget = update.add(emit::dictionary(&[
        (b"Type", b"/Annot"),
        (b"Subtype", b"/Widget"),
        (b"FT", b"/Sig"),
        (b"T", &emit::text(field_name(placement))),
        (b"V", &emit::reference(signature)),
        (b"F", WIDGET_FLAGS),
        (b"Rect", &emit::numbers(rect)),
        (b"P", &emit::reference(page.id)),
        (b"AP", &drawing),
    ]));
    append_to_array(update, page.id, &page.dictionary, b"Annots", widget)?;
    attach(update, Some(widget))
}

/// Signs a field that stands in the file.
fn fill(
    update: &mut Update<'_, '_>,
    field: &SignatureField<'_>,
    drawing: Option<&MarkAppearance>,
    signature: ObjectId,
) -> Result<(), PrepareError> {
    let id = field.id.ok_or(PrepareError::NoSuchField)?;
    update.edit(id, &Edit::default().set(b"V", emit::reference(signature)))?;
    let [(Some(widget), dictionary)] = field.widgets.as_slice() else {
        return Ok(());
    };
    let rect = match update.document.get(dictionary, b"Rect")? {
        Some(rect) => pages::rectangle(update.document, &rect)?,
        None => None,
    };
    let Some(rect) = rect.filter(|rect| rect[0] < rect[2] && rect[1] < rect[3]) else {
        return Ok(());
    };
    let Some(drawing) = drawing else { return Ok(()) };
    let rotation = widget_rotation(update.document, dictionary)?;
    let drawing = appearance::form(update, &rect, rotation, drawing)?;
    let drawing = [b"<< /N ".as_slice(), &emit::reference(drawing), b" >>"].concat();
    update.edit(*widget, &Edit::default().set(b"AP", drawing).remove(b"AS"))
}

/// The rotation of the page a widget names in `/P`; 0 if it names none.
fn widget_rotation(document: &Document<'_>, widget: &Dictionary<'_>) -> Result<u16, PrepareError> {
    let Some(id) = widget.get(b"P").and_then(Value::reference) else {
        return Ok(0);
    };
    let mut rotation = 0;
    pages::walk::<PrepareError>(document, &mut |page| {
        if page.id == id {
            rotation = page.rotation(document)?;
        }
        Ok(())
    })?;
    Ok(rotation)
}

/// Lists a new field in the form, which is made if there is none, and marks the file as signed.
fn attach(update: &mut Update<'_, '_>, field: Option<ObjectId>) -> Result<(), PrepareError> {
    let document = update.document;
    let catalogue = document.catalogue()?;
    let written = catalogue.value.dictionary();
    if written.is_some_and(|catalogue| catalogue.duplicate_key().is_some()) {
        update.edit(catalogue.id, &Edit::default())?;
    }
    let entry = written.and_then(|catalogue| catalogue.get(b"AcroForm"));
    let flags = Edit::default().set(b"SigFlags", SIG_FLAGS);
    // A reference may lead through others, or to nothing where a form was taken out.
    let object = entry.map(|form| document.load(form)).transpose()?.flatten();
    let object = object
        .as_ref()
        .and_then(|form| Some((form.id, form.value.dictionary()?)));
    match (object, entry.map(|form| &form.kind)) {
        (Some((id, form)), _) => {
            update.edit(id, &flags)?;
            field.map_or(Ok(()), |field| {
                append_to_array(update, id, form, b"Fields", field)
            })
        }
        (None, Some(Kind::Dictionary(form))) => {
            let mut edit = flags;
            if let Some(field) = field {
                edit = match appended(update, form, b"Fields", field)? {
                    Some(array) => edit.set(b"Fields", array),
                    None => edit,
                };
            }
            let form = edit.apply(form);
            update.edit(catalogue.id, &Edit::default().set(b"AcroForm", form))
        }
        _ => {
            let fields = emit::array(field.iter().map(|field| emit::reference(*field)));
            let form = update.add(emit::dictionary(&[
                (b"Fields", &fields),
                (b"SigFlags", SIG_FLAGS),
            ]));
            update.edit(
                catalogue.id,
                &Edit::default().set(b"AcroForm", emit::reference(form)),
            )
        }
    }
}

/// Appends a reference to an array that stands in a dictionary object or in an object of its own.
fn append_to_array(
    update: &mut Update<'_, '_>,
    owner: ObjectId,
    dictionary: &Dictionary<'_>,
    key: &[u8],
    item: ObjectId,
) -> Result<(), PrepareError> {
    match appended(update, dictionary, key, item)? {
        Some(array) => update.edit(owner, &Edit::default().set(key, array)),
        None => Ok(()),
    }
}

/// The array with one more item; `None` if it has been written to its own object.
fn appended(
    update: &mut Update<'_, '_>,
    dictionary: &Dictionary<'_>,
    key: &[u8],
    item: ObjectId,
) -> Result<Option<Vec<u8>>, PrepareError> {
    let document = update.document;
    let resolved = document.get(dictionary, key)?;
    let items = resolved.as_ref().and_then(Value::array).unwrap_or_default();
    let object = dictionary
        .get(key)
        .map(|array| document.load(array))
        .transpose()?;
    let object = object.flatten().filter(|object| object.value.array().is_some());
    let array = emit::array(
        items
            .iter()
            .map(|item| item.raw.to_vec())
            .chain([emit::reference(item)]),
    );
    match object {
        Some(object) => {
            update.put(object.id, array);
            Ok(None)
        }
        None => Ok(Some(array)),
    }
}

/// `/Reference` with the FieldMDP transform that the field's `/Lock` asks for (ISO 32000-1, 12.8.2.4).
fn lock_reference(
    document: &Document<'_>,
    field: &SignatureField<'_>,
) -> Result<Option<Vec<u8>>, PrepareError> {
    let Some(lock) = document.get(&field.dictionary, b"Lock")? else {
        return Ok(None);
    };
    let Some(action) = lock.dictionary().and_then(|lock| lock.get(b"Action")) else {
        return Ok(None);
    };
    let mut parameters: Vec<(&[u8], &[u8])> = vec![
        (b"Type", b"/TransformParams"),
        (b"V", b"/1.2"),
        (b"Action", action.raw),
    ];
    if let Some(fields) = lock.dictionary().and_then(|lock| lock.get(b"Fields")) {
        parameters.push((b"Fields", fields.raw));
    }
    let parameters = emit::dictionary(&parameters);
    let reference = emit::dictionary(&[
        (b"Type", b"/SigRef"),
        (b"TransformMethod", b"/FieldMDP"),
        (b"TransformParams", &parameters),
    ]);
    Ok(Some(emit::array([reference])))
}
