//! Pages of the services, rendered from their templates and judged by poppler, zbar and veraPDF.

mod batch_sheet;
mod civil_status;
mod legalisation;
mod tools;
