//! The page tree (ISO 32000-1, 7.7.3).

use std::collections::HashSet;

use crate::syntax::{Dictionary, Document, Fault, FaultKind, Kind, MAX_NESTING, ObjectId, Value};

/// A page with what it inherits.
#[derive(Debug, Clone)]
pub(crate) struct Page<'d> {
    pub(crate) id: ObjectId,
    pub(crate) dictionary: Dictionary<'d>,
    inherited: Inherited<'d>,
}

/// The inheritable attributes as the ancestors give them.
#[derive(Debug, Clone, Default)]
struct Inherited<'d> {
    resources: Option<Value<'d>>,
    media_box: Option<Value<'d>>,
    crop_box: Option<Value<'d>>,
    rotate: Option<Value<'d>>,
}

/// What can be wrong with a page tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum TreeFault {
    /// An object of the tree cannot be read.
    Damaged(Fault),
    /// A node is reached twice.
    Cycle(ObjectId),
    /// `/Count` of a node is not the number of pages below it.
    Count(ObjectId),
    /// A page has no usable boundary, rotation, content or list of annotations.
    Page(ObjectId),
}

impl From<Fault> for TreeFault {
    fn from(fault: Fault) -> Self {
        Self::Damaged(fault)
    }
}

impl<'d> Page<'d> {
    pub(crate) fn attribute(
        &self,
        document: &'d Document<'_>,
        key: &[u8],
    ) -> Result<Option<Value<'d>>, Fault> {
        if let Some(own) = document.get(&self.dictionary, key)? {
            return Ok(Some(own));
        }
        let inherited = match key {
            b"Resources" => &self.inherited.resources,
            b"MediaBox" => &self.inherited.media_box,
            b"CropBox" => &self.inherited.crop_box,
            b"Rotate" => &self.inherited.rotate,
            _ => &None,
        };
        inherited
            .as_ref()
            .map(|value| document.resolve(value))
            .transpose()
    }

    pub(crate) fn boundary(
        &self,
        document: &'d Document<'_>,
        key: &[u8],
    ) -> Result<Option<[f64; 4]>, TreeFault> {
        let Some(value) = self.attribute(document, key)? else {
            return Ok(None);
        };
        rectangle(document, &value)?
            .map(Some)
            .ok_or(TreeFault::Page(self.id))
    }

    /// The content streams in order. Where neither a stream nor `null` stands readers differ in what they show.
    pub(crate) fn contents(&self, document: &'d Document<'_>) -> Result<Vec<ObjectId>, TreeFault> {
        let Some(contents) = self.dictionary.get(b"Contents") else {
            return Ok(Vec::new());
        };
        let resolved = document.resolve(contents)?;
        let items = resolved.array().unwrap_or(std::slice::from_ref(contents));
        let mut streams = Vec::new();
        for item in items {
            match document.load(item)? {
                Some(loaded) if loaded.stream.is_some() => streams.push(loaded.id),
                Some(loaded) if loaded.value.is_null() => {}
                None if item.is_null() || item.reference().is_some() => {}
                _ => return Err(TreeFault::Page(self.id)),
            }
        }
        Ok(streams)
    }

    /// Degrees clockwise: 0, 90, 180 or 270.
    pub(crate) fn rotation(&self, document: &'d Document<'_>) -> Result<u16, TreeFault> {
        let Some(value) = self.attribute(document, b"Rotate")? else {
            return Ok(0);
        };
        let degrees = value
            .number()
            .filter(|degrees| degrees % 90.0 == 0.0)
            .ok_or(TreeFault::Page(self.id))?;
        Ok(degrees.rem_euclid(360.0) as u16)
    }
}

/// Four numbers as a rectangle with its corners in order.
pub(crate) fn rectangle(document: &Document<'_>, value: &Value<'_>) -> Result<Option<[f64; 4]>, Fault> {
    let Some(items) = value.array().filter(|items| items.len() == 4) else {
        return Ok(None);
    };
    let mut corners = [0.0; 4];
    for (corner, item) in corners.iter_mut().zip(items) {
        match document.resolve(item)?.number() {
            Some(number) => *corner = number,
            None => return Ok(None),
        }
    }
    let [x0, y0, x1, y1] = corners;
    Ok(Some([x0.min(x1), y0.min(y1), x0.max(x1), y0.max(y1)]))
}

/// The root node of the page tree.
pub(crate) fn root<'d>(document: &'d Document<'_>) -> Result<(ObjectId, Dictionary<'d>), TreeFault> {
    let catalogue = document.catalogue()?;
    let damaged = || Fault::new(FaultKind::Object, catalogue.value.at).in_object(catalogue.id);
    let dictionary = catalogue.value.dictionary().ok_or_else(damaged)?;
    let id = dictionary
        .get(b"Pages")
        .and_then(Value::reference)
        .ok_or_else(damaged)?;
    let root = node(document, id)?;
    if root.get(b"Kids").is_none() {
        return Err(Fault::new(FaultKind::Object, 0).in_object(id).into());
    }
    Ok((id, root))
}

fn node<'d>(document: &'d Document<'_>, id: ObjectId) -> Result<Dictionary<'d>, Fault> {
    match document.object(id)?.map(|loaded| loaded.value.kind) {
        Some(Kind::Dictionary(node)) => Ok(node),
        _ => Err(Fault::new(FaultKind::Object, 0).in_object(id)),
    }
}

/// The children of an inner node; `None` for a page. As qpdf has it, `/Kids` decides, not `/Type`.
fn kids<'d>(
    document: &'d Document<'_>,
    id: ObjectId,
    node: &Dictionary<'d>,
) -> Result<Option<Vec<ObjectId>>, Fault> {
    let damaged = |at: usize| Fault::new(FaultKind::Object, at).in_object(id);
    let Some(kids) = document.get(node, b"Kids")? else {
        return Ok(None);
    };
    let kids = kids.array().ok_or_else(|| damaged(kids.at))?;
    kids.iter()
        .map(|kid| kid.reference().ok_or_else(|| damaged(kid.at)))
        .collect::<Result<_, _>>()
        .map(Some)
}

/// Whether `/Type` is there and contradicts `/Kids`.
fn is_of_other_type(document: &Document<'_>, node: &Dictionary<'_>, inner: bool) -> Result<bool, Fault> {
    let expected: &[u8] = if inner { b"Pages" } else { b"Page" };
    Ok(document
        .get(node, b"Type")?
        .is_some_and(|kind| kind.name() != Some(expected)))
}

fn count(document: &Document<'_>, node: &Dictionary<'_>) -> Result<Option<usize>, Fault> {
    let count = document.get(node, b"Count")?.and_then(|count| count.integer());
    Ok(count.and_then(|count| usize::try_from(count).ok()))
}

impl<'d> Inherited<'d> {
    fn below(&self, node: &Dictionary<'d>) -> Self {
        let pick = |key: &[u8], above: &Option<Value<'d>>| node.get(key).cloned().or_else(|| above.clone());
        Self {
            resources: pick(b"Resources", &self.resources),
            media_box: pick(b"MediaBox", &self.media_box),
            crop_box: pick(b"CropBox", &self.crop_box),
            rotate: pick(b"Rotate", &self.rotate),
        }
    }
}

/// Walks the whole tree in page order and hands each page to `visit`, which may stop the walk with an error.
pub(crate) fn walk<'d, E: From<TreeFault>>(
    document: &'d Document<'_>,
    visit: &mut dyn FnMut(Page<'d>) -> Result<(), E>,
) -> Result<(), E> {
    let (id, root) = root(document)?;
    let mut walker = Walker {
        document,
        visited: HashSet::from([id]),
        visit,
    };
    walker.descend(id, root, &Inherited::default(), 0).map(|_| ())
}

struct Walker<'d, 'w, 'b, E> {
    document: &'d Document<'b>,
    visited: HashSet<ObjectId>,
    visit: &'w mut dyn FnMut(Page<'d>) -> Result<(), E>,
}

impl<'d, E: From<TreeFault>> Walker<'d, '_, '_, E> {
    /// Answers the number of pages at and below the node.
    fn descend(
        &mut self,
        id: ObjectId,
        dictionary: Dictionary<'d>,
        above: &Inherited<'d>,
        depth: usize,
    ) -> Result<usize, E> {
        if depth > MAX_NESTING {
            return Err(TreeFault::Damaged(Fault::new(FaultKind::NestedTooDeep, 0).in_object(id)).into());
        }
        let kids = kids(self.document, id, &dictionary).map_err(TreeFault::from)?;
        if is_of_other_type(self.document, &dictionary, kids.is_some()).map_err(TreeFault::from)? {
            return Err(TreeFault::Page(id).into());
        }
        let Some(kids) = kids else {
            (self.visit)(Page {
                id,
                dictionary,
                inherited: above.clone(),
            })?;
            return Ok(1);
        };
        let below = above.below(&dictionary);
        let mut pages = 0;
        for kid in kids {
            if !self.visited.insert(kid) {
                return Err(TreeFault::Cycle(kid).into());
            }
            let node = node(self.document, kid).map_err(TreeFault::from)?;
            pages += self.descend(kid, node, &below, depth + 1)?;
        }
        if count(self.document, &dictionary).map_err(TreeFault::from)? != Some(pages) {
            return Err(TreeFault::Count(id).into());
        }
        Ok(pages)
    }
}

/// The page with an index from 0, reading only the nodes on the way; `None` beyond the last page.
pub(crate) fn nth<'d>(document: &'d Document<'_>, index: usize) -> Result<Option<Page<'d>>, TreeFault> {
    let (mut id, mut dictionary) = root(document)?;
    let mut inherited = Inherited::default();
    let mut index = index;
    for _ in 0..=MAX_NESTING {
        let Some(kids) = kids(document, id, &dictionary)? else {
            return Ok(Some(Page {
                id,
                dictionary,
                inherited,
            }));
        };
        inherited = inherited.below(&dictionary);
        let mut next = None;
        for kid in kids {
            let candidate = node(document, kid)?;
            let inner = candidate.get(b"Kids").is_some();
            let pages = if inner {
                count(document, &candidate)?.unwrap_or(0)
            } else {
                1
            };
            if index < pages {
                next = Some((kid, candidate));
                break;
            }
            index -= pages;
        }
        match next {
            Some(found) => (id, dictionary) = found,
            None => return Ok(None),
        }
    }
    Err(Fault::new(FaultKind::NestedTooDeep, 0).in_object(id).into())
}
