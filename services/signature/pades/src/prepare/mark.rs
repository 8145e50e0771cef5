mod balance;

use super::appearance;
use super::update::Update;
use super::{PrepareError, Target};
use crate::emit::{self, Edit};
use crate::pages::Page;
use crate::plan::Mark;
use crate::syntax::{Dictionary, Document, ObjectId, Value};

/// Draws a mark over a page: as a form XObject behind the existing content, which is closed off with `q` and
/// `Q` so that nothing it leaves set can move the drawing. It is an artifact, so tagged files stay tagged.
pub(super) fn draw(update: &mut Update<'_, '_>, mark: &Mark) -> Result<(), PrepareError> {
    let document = update.document;
    let target = Target::find(document, mark.page_index)?;
    target.check(&mark.rect)?;
    let form = appearance::form(update, &mark.rect, target.rotation, &mark.appearance)?;
    let (resources, name) = with_xobject(document, &target.page, form)?;
    let contents = target.page.contents(document)?;
    let around = balance::around(document, &contents)?;
    let mut items: Vec<Vec<u8>> = Vec::with_capacity(contents.len() + 2);
    if !contents.is_empty() {
        items.push(emit::reference(
            update.add_stream(&[], "q\n".repeat(around.opening).as_bytes()),
        ));
        items.extend(contents.iter().map(|id| emit::reference(*id)));
    }
    let closing = if contents.is_empty() { 0 } else { around.closing };
    let written_name = String::from_utf8_lossy(&emit::name(&name)).into_owned();
    let tail = format!(
        "{}/Artifact BMC\nq\n1 0 0 1 {} {} cm\n{written_name} Do\nQ\nEMC",
        "Q\n".repeat(closing),
        emit::number(mark.rect[0]),
        emit::number(mark.rect[1]),
    );
    // White space first: the previous stream may end within a token.
    let tail = [b"\n", around.ending.as_slice(), b"\n", tail.as_bytes(), b"\n"].concat();
    items.push(emit::reference(update.add_stream(&[], &tail)));
    let edit = Edit::default()
        .set(b"Contents", emit::array(items))
        .set(b"Resources", resources);
    update.edit(target.page.id, &edit)
}

/// The page's resources, inherited ones included, with one more XObject; answers its name.
fn with_xobject<'d>(
    document: &'d Document<'_>,
    page: &Page<'d>,
    form: ObjectId,
) -> Result<(Vec<u8>, Vec<u8>), PrepareError> {
    let empty = Dictionary::default();
    let resources = page.attribute(document, b"Resources")?;
    let resources = resources.as_ref().and_then(Value::dictionary).unwrap_or(&empty);
    let xobjects = document.get(resources, b"XObject")?;
    let xobjects = xobjects.as_ref().and_then(Value::dictionary).unwrap_or(&empty);
    let name = (0..)
        .map(|index: usize| format!("Seal{index}").into_bytes())
        .find(|name| xobjects.get(name).is_none())
        .expect("a dictionary has a finite number of keys");
    let merged = Edit::default().set(&name, emit::reference(form)).apply(xobjects);
    Ok((Edit::default().set(b"XObject", merged).apply(resources), name))
}
