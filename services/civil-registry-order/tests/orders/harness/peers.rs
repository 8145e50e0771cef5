//! Payment, postal-shipping and signature as a test wants them, behind their contracts.

mod address;
mod refusals;

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use futures::{Stream, stream};
use refusals::page;
use tonic::{Request, Response, Status, Streaming};
use uuid::Uuid;
use wathiq_chassis::{ErrorDomain, MethodRule, UserRule, status};
use wathiq_proto::wathiq::payment::v1 as payment;
use wathiq_proto::wathiq::payment::v1::payable_service_server::PayableService;
use wathiq_proto::wathiq::postal_shipping::v1 as postal;
use wathiq_proto::wathiq::postal_shipping::v1::shipment_service_server::ShipmentService;
use wathiq_proto::wathiq::signature::v1 as signature;
use wathiq_proto::wathiq::signature::v1::issued_document_service_server::IssuedDocumentService;

const CLIENTS: &[&str] = &["civil-registry-order"];
const DOMAIN: ErrorDomain = ErrorDomain("test");

const fn rule(path: &'static str) -> MethodRule {
    MethodRule {
        path,
        clients: CLIENTS,
        user: UserRule::None,
    }
}

pub(crate) const PAYMENT: &[MethodRule] = &[
    rule("/wathiq.payment.v1.PayableService/OpenPayable"),
    rule("/wathiq.payment.v1.PayableService/GetPayable"),
    rule("/wathiq.payment.v1.PayableService/CancelPayable"),
    rule("/wathiq.payment.v1.PayableService/RequestRefund"),
    rule("/wathiq.payment.v1.PayableService/ListPayables"),
    rule("/wathiq.payment.v1.PayableService/ListStatement"),
];
pub(crate) const POSTAL: &[MethodRule] = &[
    rule("/wathiq.postal_shipping.v1.ShipmentService/CreateShipment"),
    rule("/wathiq.postal_shipping.v1.ShipmentService/GetShipment"),
    rule("/wathiq.postal_shipping.v1.ShipmentService/HandOver"),
    rule("/wathiq.postal_shipping.v1.ShipmentService/ListShipments"),
];
pub(crate) const SIGNATURE: &[MethodRule] = &[
    rule("/wathiq.signature.v1.IssuedDocumentService/DepositIssuedDocument"),
    rule("/wathiq.signature.v1.IssuedDocumentService/WithdrawIssuedDocument"),
    rule("/wathiq.signature.v1.IssuedDocumentService/DownloadIssuedDocument"),
    rule("/wathiq.signature.v1.IssuedDocumentService/ListIssuedDocuments"),
];

/// What the three know, and whether they answer.
#[derive(Default)]
pub(crate) struct State {
    pub(crate) payment_down: AtomicBool,
    pub(crate) postal_down: AtomicBool,
    pub(crate) signature_down: AtomicBool,
    pub(crate) payables: Mutex<HashMap<String, payment::Payable>>,
    pub(crate) shipments: Mutex<HashMap<String, postal::Shipment>>,
    pub(crate) documents: Mutex<HashMap<String, signature::IssuedDocument>>,
    /// Times that shipments are listed as if there were none.
    pub(crate) shipments_late: AtomicU64,
    /// Postal codes that the post does not know.
    pub(crate) unknown_codes: Mutex<Vec<String>>,
    /// Fields of a shipment that it does not take, whatever they say.
    pub(crate) refused_fields: Mutex<Vec<String>>,
    /// What is refused whatever it says, by method.
    pub(crate) refusals: refusals::Refusals,
    /// What the providers say.
    pub(crate) statement: Mutex<Vec<payment::StatementEntry>>,
    /// Who is to seal the document of each reference.
    pub(crate) signing_officers: Mutex<HashMap<String, String>>,
    /// The file of each document.
    pub(crate) files: Mutex<HashMap<String, Vec<u8>>>,
}

fn up(down: &AtomicBool) -> Result<(), Status> {
    if down.load(Ordering::SeqCst) {
        return Err(Status::unavailable("down"));
    }
    Ok(())
}

/// Ids grow with time, as those of the services do.
pub(crate) fn id() -> String {
    static LAST: AtomicU64 = AtomicU64::new(1);
    Uuid::from_u64_pair(LAST.fetch_add(1, Ordering::Relaxed), 0).to_string()
}

#[derive(Clone)]
pub(crate) struct Payment(pub(crate) Arc<State>);

#[tonic::async_trait]
impl PayableService for Payment {
    async fn open_payable(
        &self,
        request: Request<payment::OpenPayableRequest>,
    ) -> Result<Response<payment::OpenPayableResponse>, Status> {
        up(&self.0.payment_down)?;
        let message = request.into_inner();
        let mut payables = self.0.payables.lock().unwrap();
        let payable = payables
            .entry(message.owner_reference.clone())
            .or_insert_with(|| payment::Payable {
                payable_id: id(),
                owner: "civil-registry-order".to_owned(),
                owner_reference: message.owner_reference,
                display_reference: message.display_reference,
                state: payment::PayableState::Open.into(),
                amount_centimes: message.items.iter().map(|item| item.amount_centimes).sum(),
                items: message.items,
                payer_person_id: message.payer_person_id,
                expire_time: message.expire_time,
                ..Default::default()
            });
        Ok(Response::new(payment::OpenPayableResponse {
            payable: Some(payable.clone()),
        }))
    }

    async fn get_payable(
        &self,
        request: Request<payment::GetPayableRequest>,
    ) -> Result<Response<payment::GetPayableResponse>, Status> {
        up(&self.0.payment_down)?;
        let Some(payment::get_payable_request::Key::OwnerReference(reference)) = request.into_inner().key
        else {
            return Err(Status::unimplemented("by reference only"));
        };
        let payable = self.0.payables.lock().unwrap().get(&reference).cloned();
        let payable = Some(payable.ok_or_else(|| Status::not_found("no payable"))?);
        Ok(Response::new(payment::GetPayableResponse { payable }))
    }

    async fn cancel_payable(
        &self,
        request: Request<payment::CancelPayableRequest>,
    ) -> Result<Response<payment::CancelPayableResponse>, Status> {
        up(&self.0.payment_down)?;
        let wanted = request.into_inner().payable_id;
        let mut payables = self.0.payables.lock().unwrap();
        let payable = payables.values_mut().find(|payable| payable.payable_id == wanted);
        let payable = payable.ok_or_else(|| Status::not_found("no payable"))?;
        if payable.state() == payment::PayableState::Paid {
            return Err(status::failed_precondition(
                DOMAIN,
                "PAYABLE_PAID",
                "payable",
                "it is paid",
            ));
        }
        payable.set_state(payment::PayableState::Cancelled);
        Ok(Response::new(payment::CancelPayableResponse {
            payable: Some(payable.clone()),
        }))
    }

    async fn request_refund(
        &self,
        request: Request<payment::RequestRefundRequest>,
    ) -> Result<Response<payment::RequestRefundResponse>, Status> {
        up(&self.0.payment_down)?;
        self.0.refusals.check("RequestRefund")?;
        let message = request.into_inner();
        let mut payables = self.0.payables.lock().unwrap();
        let payable = payables
            .values_mut()
            .find(|payable| payable.payable_id == message.payable_id);
        let payable = payable.ok_or_else(|| Status::not_found("no payable"))?;
        assert_eq!(
            payable.state(),
            payment::PayableState::Paid,
            "only what is paid is refunded"
        );
        let known = payable
            .refunds
            .iter()
            .find(|refund| refund.owner_reference == message.owner_reference);
        let refund = match known {
            Some(refund) => refund.clone(),
            None => {
                let refund = payment::Refund {
                    refund_id: id(),
                    owner_reference: message.owner_reference,
                    amount_centimes: message.amount_centimes,
                    state: payment::RefundState::Requested.into(),
                    reason_code: message.reason_code,
                    ..Default::default()
                };
                payable.refunds.push(refund.clone());
                refund
            }
        };
        let refunded: i64 = payable.refunds.iter().map(|refund| refund.amount_centimes).sum();
        assert!(
            refunded <= payable.amount_centimes,
            "more is asked back than was paid"
        );
        Ok(Response::new(payment::RequestRefundResponse {
            refund: Some(refund),
        }))
    }

    async fn list_payables(
        &self,
        request: Request<payment::ListPayablesRequest>,
    ) -> Result<Response<payment::ListPayablesResponse>, Status> {
        up(&self.0.payment_down)?;
        let all = self.0.payables.lock().unwrap().values().cloned().collect();
        let token = &request.get_ref().page_token;
        let (payables, next_page_token) = page(all, |payable: &payment::Payable| &payable.payable_id, token);
        Ok(Response::new(payment::ListPayablesResponse {
            payables,
            next_page_token,
        }))
    }

    async fn list_statement(
        &self,
        request: Request<payment::ListStatementRequest>,
    ) -> Result<Response<payment::ListStatementResponse>, Status> {
        up(&self.0.payment_down)?;
        let all = self.0.statement.lock().unwrap().clone();
        let token = &request.get_ref().page_token;
        let (entries, next_page_token) =
            page(all, |entry: &payment::StatementEntry| &entry.attempt_id, token);
        Ok(Response::new(payment::ListStatementResponse {
            entries,
            next_page_token,
        }))
    }
}

#[derive(Clone)]
pub(crate) struct Postal(pub(crate) Arc<State>);

#[tonic::async_trait]
impl ShipmentService for Postal {
    async fn create_shipment(
        &self,
        request: Request<postal::CreateShipmentRequest>,
    ) -> Result<Response<postal::CreateShipmentResponse>, Status> {
        up(&self.0.postal_down)?;
        let message = request.into_inner();
        address::check(&self.0, &message)?;
        let mut shipments = self.0.shipments.lock().unwrap();
        let number = format!("RR{:08}5MA", shipments.len() + 1);
        let shipment = shipments
            .entry(message.owner_reference.clone())
            .or_insert_with(|| postal::Shipment {
                shipment_id: id(),
                owner: "civil-registry-order".to_owned(),
                owner_reference: message.owner_reference,
                office_id: message.office_id,
                product: message.product,
                tracking_id: Some(postal::TrackingId {
                    scheme: "S10".to_owned(),
                    value: number,
                }),
                state: postal::ShipmentState::LabelPrinted.into(),
                addressee: message.addressee,
                ..Default::default()
            });
        Ok(Response::new(postal::CreateShipmentResponse {
            shipment: Some(shipment.clone()),
        }))
    }

    async fn get_shipment(
        &self,
        request: Request<postal::GetShipmentRequest>,
    ) -> Result<Response<postal::GetShipmentResponse>, Status> {
        up(&self.0.postal_down)?;
        let Some(postal::get_shipment_request::Key::OwnerReference(reference)) = request.into_inner().key
        else {
            return Err(Status::unimplemented("by reference only"));
        };
        let shipment = self.0.shipments.lock().unwrap().get(&reference).cloned();
        let shipment = Some(shipment.ok_or_else(|| Status::not_found("no shipment"))?);
        Ok(Response::new(postal::GetShipmentResponse { shipment }))
    }

    async fn cancel_shipment(
        &self,
        _: Request<postal::CancelShipmentRequest>,
    ) -> Result<Response<postal::CancelShipmentResponse>, Status> {
        Err(Status::unimplemented("nobody asks"))
    }

    async fn hand_over(
        &self,
        request: Request<postal::HandOverRequest>,
    ) -> Result<Response<postal::HandOverResponse>, Status> {
        up(&self.0.postal_down)?;
        let message = request.into_inner();
        let mut shipments = self.0.shipments.lock().unwrap();
        let of_batch = |shipment: &&postal::Shipment| message.shipment_ids.contains(&shipment.shipment_id);
        let withdrawn = shipments
            .values()
            .filter(of_batch)
            .any(|shipment| shipment.state() == postal::ShipmentState::Cancelled);
        if withdrawn {
            return Err(status::failed_precondition(
                DOMAIN,
                "SHIPMENT_STATE",
                "shipment",
                "it was withdrawn",
            ));
        }
        let list = message.request_id.clone();
        for shipment in shipments.values_mut() {
            if message.shipment_ids.contains(&shipment.shipment_id) {
                shipment.set_state(postal::ShipmentState::HandedOver);
                shipment.deposit_list_id.clone_from(&list);
            }
        }
        Ok(Response::new(postal::HandOverResponse {
            deposit_list: Some(postal::DepositList {
                deposit_list_id: list,
                office_id: message.office_id,
                shipment_ids: message.shipment_ids,
                ..Default::default()
            }),
        }))
    }

    async fn list_shipments(
        &self,
        request: Request<postal::ListShipmentsRequest>,
    ) -> Result<Response<postal::ListShipmentsResponse>, Status> {
        up(&self.0.postal_down)?;
        let late = &self.0.shipments_late;
        let is_late = late.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |times| times.checked_sub(1));
        if is_late.is_ok() {
            return Ok(Response::new(postal::ListShipmentsResponse::default()));
        }
        let all = self.0.shipments.lock().unwrap().values().cloned().collect();
        let token = &request.get_ref().page_token;
        let (shipments, next_page_token) =
            page(all, |shipment: &postal::Shipment| &shipment.shipment_id, token);
        Ok(Response::new(postal::ListShipmentsResponse {
            shipments,
            next_page_token,
        }))
    }
}

#[derive(Clone)]
pub(crate) struct Sealing(pub(crate) Arc<State>);

type Answers<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

#[tonic::async_trait]
impl IssuedDocumentService for Sealing {
    type DownloadIssuedDocumentStream = Answers<signature::DownloadIssuedDocumentResponse>;

    async fn deposit_issued_document(
        &self,
        request: Request<Streaming<signature::DepositIssuedDocumentRequest>>,
    ) -> Result<Response<signature::DepositIssuedDocumentResponse>, Status> {
        use signature::deposit_issued_document_request::Part;
        up(&self.0.signature_down)?;
        self.0.refusals.check("DepositIssuedDocument")?;
        let mut parts = request.into_inner();
        let Some(Part::Header(header)) = parts.message().await?.and_then(|first| first.part) else {
            return Err(Status::invalid_argument("header"));
        };
        let mut file = Vec::new();
        while let Some(message) = parts.message().await? {
            if let Some(Part::Chunk(chunk)) = message.part {
                file.extend_from_slice(&chunk);
            }
        }
        assert!(file.starts_with(b"%PDF-"));
        let seal_mode = header.seal_mode();
        let mut documents = self.0.documents.lock().unwrap();
        // A reference is free again once its document was taken back.
        documents.retain(|reference, document| {
            *reference != header.owner_reference
                || document.state() != signature::IssuedDocumentState::Withdrawn
        });
        self.0
            .signing_officers
            .lock()
            .unwrap()
            .insert(header.owner_reference.clone(), header.signing_officer_person_id);
        let document = documents
            .entry(header.owner_reference.clone())
            .or_insert_with(|| signature::IssuedDocument {
                issued_document_id: id(),
                owner: "civil-registry-order".to_owned(),
                owner_reference: header.owner_reference,
                office_id: header.office_id,
                document_kind: header.document_kind,
                seal_mode: seal_mode.into(),
                verification_code: header.verification_code,
                state: signature::IssuedDocumentState::WaitingForOfficer.into(),
                digest: vec![7; 32],
                ..Default::default()
            });
        self.0
            .files
            .lock()
            .unwrap()
            .insert(document.issued_document_id.clone(), file);
        Ok(Response::new(signature::DepositIssuedDocumentResponse {
            issued_document: Some(document.clone()),
        }))
    }

    async fn get_issued_document(
        &self,
        _: Request<signature::GetIssuedDocumentRequest>,
    ) -> Result<Response<signature::GetIssuedDocumentResponse>, Status> {
        Err(Status::unimplemented("nobody asks"))
    }

    async fn download_issued_document(
        &self,
        request: Request<signature::DownloadIssuedDocumentRequest>,
    ) -> Result<Response<Self::DownloadIssuedDocumentStream>, Status> {
        up(&self.0.signature_down)?;
        let wanted = request.into_inner().issued_document_id;
        let file = self.0.files.lock().unwrap().get(&wanted).cloned();
        let file = file.ok_or_else(|| Status::not_found("no document"))?;
        let answer = signature::DownloadIssuedDocumentResponse {
            total_bytes: file.len() as u64,
            chunk: file,
            sha256: vec![1; 32],
            sealed: true,
        };
        Ok(Response::new(Box::pin(stream::iter([Ok(answer)]))))
    }

    async fn withdraw_issued_document(
        &self,
        request: Request<signature::WithdrawIssuedDocumentRequest>,
    ) -> Result<Response<signature::WithdrawIssuedDocumentResponse>, Status> {
        up(&self.0.signature_down)?;
        self.0.refusals.check("WithdrawIssuedDocument")?;
        let wanted = request.into_inner().issued_document_id;
        let mut documents = self.0.documents.lock().unwrap();
        let document = documents
            .values_mut()
            .find(|document| document.issued_document_id == wanted);
        let document = document.ok_or_else(|| Status::not_found("no document"))?;
        if document.state() == signature::IssuedDocumentState::Sealed {
            return Err(status::failed_precondition(
                DOMAIN,
                "DOCUMENT_SEALED",
                "document",
                "it is sealed",
            ));
        }
        document.set_state(signature::IssuedDocumentState::Withdrawn);
        Ok(Response::new(signature::WithdrawIssuedDocumentResponse {
            issued_document: Some(document.clone()),
        }))
    }

    async fn list_issued_documents(
        &self,
        request: Request<signature::ListIssuedDocumentsRequest>,
    ) -> Result<Response<signature::ListIssuedDocumentsResponse>, Status> {
        up(&self.0.signature_down)?;
        let all = self.0.documents.lock().unwrap().values().cloned().collect();
        let token = &request.get_ref().page_token;
        let (issued_documents, next_page_token) = page(
            all,
            |document: &signature::IssuedDocument| &document.issued_document_id,
            token,
        );
        Ok(Response::new(signature::ListIssuedDocumentsResponse {
            issued_documents,
            next_page_token,
        }))
    }

    async fn list_issued_documents_to_seal(
        &self,
        _: Request<signature::ListIssuedDocumentsToSealRequest>,
    ) -> Result<Response<signature::ListIssuedDocumentsToSealResponse>, Status> {
        Err(Status::unimplemented("nobody asks"))
    }

    async fn seal_issued_documents(
        &self,
        _: Request<signature::SealIssuedDocumentsRequest>,
    ) -> Result<Response<signature::SealIssuedDocumentsResponse>, Status> {
        Err(Status::unimplemented("nobody asks"))
    }
}
