//! Documents that already carry signatures: they stay valid, and the legalisation page stands apart.

use wathiq_proto::wathiq::signature::v1 as pb;
use wathiq_signature::domain::role::AGENT;

use crate::harness::{Person, Stack, World, drawn, standing};
use crate::officers::Token;
use crate::{sample, tools};

/// Signs the file at `argv[1]` with a throw-away key: `argv[3]` is `approval`, or the DocMDP level of a certification, or that
/// level and `+field` for one that leaves an empty field behind.
const SIGN: &str = r#"
import sys, datetime
from cryptography import x509
from cryptography.x509.oid import NameOID
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from asn1crypto import x509 as ax, keys as ak
from pyhanko.sign import signers, fields
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter as W
from pyhanko_certvalidator.registry import SimpleCertificateStore
path, kind = sys.argv[1], sys.argv[3]
key = ec.generate_private_key(ec.SECP256R1())
name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, 'Notaire')])
now = datetime.datetime.now(datetime.timezone.utc)
cert = (x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(7).not_valid_before(now - datetime.timedelta(days=1)).not_valid_after(now + datetime.timedelta(days=30))
        .add_extension(x509.KeyUsage(True, True, False, False, False, False, False, False, False), True)
        .sign(key, hashes.SHA256()))
der = cert.public_bytes(serialization.Encoding.DER)
pem = cert.public_bytes(serialization.Encoding.PEM)
pkcs8 = key.private_bytes(serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
store = SimpleCertificateStore()
signer = signers.SimpleSigner(signing_cert=ax.Certificate.load(der), signing_key=ak.PrivateKeyInfo.load(pkcs8), cert_registry=store)
with open(path, 'rb+') as f:
    w = W(f)
    if kind.endswith('+field'):
        fields.append_signature_field(w, fields.SigFieldSpec('Legalisation', box=(300, 100, 500, 150), on_page=0))
    certify = kind[0] in '123'
    meta = signers.PdfSignatureMetadata(
        field_name='Notaire', certify=certify,
        docmdp_permissions=fields.MDPPerm(int(kind[0])) if certify else fields.MDPPerm.FILL_FORMS)
    signers.PdfSigner(meta, signer=signer).sign_pdf(w, in_place=True)
open(path + '.pem', 'wb').write(pem)
"#;

/// Judges each signature of the file at `argv[1]`: field, whether intact, trusted, and what was changed later.
const JUDGE: &str = r#"
import sys
from asn1crypto import pem as apem, x509 as ax
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation import validate_pdf_signature
from pyhanko_certvalidator import ValidationContext
roots = []
for path in sys.argv[2:]:
    data = open(path, 'rb').read()
    roots += [ax.Certificate.load(der) for _, _, der in apem.unarmor(data, multiple=True)]
reader = PdfFileReader(open(sys.argv[1], 'rb'))
for signature in reader.embedded_signatures:
    status = validate_pdf_signature(signature, ValidationContext(trust_roots=roots), ValidationContext(trust_roots=roots))
    print(signature.field_name, 'intact' if status.intact else 'BROKEN', 'valid' if status.valid else 'INVALID',
          'trusted' if status.trusted else 'UNTRUSTED', status.modification_level, 'ok' if status.bottom_line else 'REJECTED')
"#;

pub(crate) struct Signed {
    pub(crate) file: Vec<u8>,
    certificate: tempfile::NamedTempFile,
}

pub(crate) async fn signed(kind: &str) -> Signed {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("signed.pdf");
    std::fs::write(&path, sample::plain(2)).unwrap();
    let said = tools::python(SIGN, &[path.to_str().unwrap(), "", kind]).await;
    let file = std::fs::read(&path).unwrap();
    let certificate = tempfile::NamedTempFile::new().unwrap();
    let pem = std::fs::read(folder.path().join("signed.pdf.pem"));
    std::fs::write(
        certificate.path(),
        pem.unwrap_or_else(|_| panic!("signing failed: {said}")),
    )
    .unwrap();
    Signed { file, certificate }
}

/// What pyHanko says of each signature, one line each.
async fn judged(file: &[u8], signed: &Signed) -> Vec<String> {
    let sealed = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(sealed.path(), file).unwrap();
    let roots = [
        Stack::get().text("/trust/root"),
        signed.certificate.path().to_str().unwrap(),
    ];
    let said = tools::python(JUDGE, &[sealed.path().to_str().unwrap(), roots[0], roots[1]]).await;
    said.lines()
        .filter(|line| line.contains("ModificationLevel"))
        .map(str::to_owned)
        .collect()
}

impl World {
    /// AGENT_ACCEPTED, for a file of one's own.
    pub(crate) async fn accepted_file(
        &self,
        citizen: Person,
        file: &[u8],
        placement: pb::Placement,
    ) -> String {
        let document = self.upload(citizen, file).await;
        let request = self.as_citizen(citizen, self.opening(&document));
        let answer = self
            .legalisation()
            .create_legalisation_request(request)
            .await
            .unwrap();
        let id = answer
            .into_inner()
            .legalisation_request
            .unwrap()
            .legalisation_request_id;
        self.try_place(citizen, &id, placement).await.unwrap();
        let confirmation = self.confirmation(citizen, &id).await;
        self.try_confirm(citizen, &id, &confirmation).await.unwrap();
        self.accept(self.official(&[AGENT]), &id).await;
        id
    }
}

#[tokio::test]
async fn earlier_signatures_stay_valid_and_the_page_names_the_sealed_file() {
    let cases = [
        ("approval", drawn(), pb::SealPolicy::VisibleField),
        ("approval", standing(), pb::SealPolicy::VisibleField),
        ("2", standing(), pb::SealPolicy::InvisibleField),
        ("3", standing(), pb::SealPolicy::InvisibleField),
        ("2+field", standing(), pb::SealPolicy::ExistingField),
    ];
    let world = World::present().await;
    let token = Token::named("officer-1");
    let officer = world.officer(&token).await;
    for (kind, placement, policy) in cases {
        let original = signed(kind).await;
        let citizen = world.citizen();
        assert_eq!(
            world.upload(citizen, &original.file).await.seal_policy(),
            policy,
            "{kind}"
        );
        let id = world.accepted_file(citizen, &original.file, placement).await;
        let ids = std::slice::from_ref(&id);

        // The first act: the document.
        let first = world.authorised(officer, ids).await;
        let answer = world
            .try_seal(officer, world.sealing(officer, &first, &token.pin))
            .await
            .unwrap();
        assert_eq!(answer.problems, [], "{kind}");
        let between = &answer.legalisation_requests[0];
        assert_eq!(between.state(), pb::LegalisationState::AwaitingSignature);
        assert_eq!(between.progress_code, "WAITING_FOR_PAGE_SIGNATURE");
        assert!(
            between.files.is_empty(),
            "nothing is handed out before both are sealed"
        );

        // The second act: the page that names it.
        let second = world.intents(officer).await;
        assert_eq!(second.len(), 1);
        assert_eq!(second[0].register_entry, first[0].register_entry);
        assert_ne!(second[0].digests, first[0].digests);
        let answer = world
            .try_seal(officer, world.sealing(officer, &second, &token.pin))
            .await
            .unwrap();
        assert_eq!(
            answer.legalisation_requests[0].state(),
            pb::LegalisationState::Delivered,
            "{kind}"
        );
        assert_eq!(answer.legalisation_requests[0].files.len(), 2);

        let document = world.download(citizen, &id, pb::SealedFileKind::Document).await;
        assert!(
            document.starts_with(&original.file),
            "{kind}: the signed bytes stand as they were"
        );
        let verdicts = judged(&document, &original).await;
        assert_eq!(verdicts.len(), 2, "{kind}: {verdicts:?}");
        assert!(
            verdicts.iter().all(|verdict| verdict.ends_with(" ok")),
            "{kind}: {verdicts:?}"
        );
        let page = world
            .download(citizen, &id, pb::SealedFileKind::LegalisationPage)
            .await;
        tools::check_sealed(&page).await;
        let printed: String = tools::text_of(&page).await.split_whitespace().collect();
        let hash = data_encoding::HEXLOWER.encode(&tools::sha256(&document));
        assert!(printed.contains(&hash), "{kind}: the page names {hash}");
        assert!(printed.contains(&answer.legalisation_requests[0].verification_code));
    }
}

#[tokio::test]
async fn a_document_certified_against_any_change_is_refused_at_upload() {
    let world = World::present().await;
    let original = signed("1").await;
    let citizen = world.citizen();
    let document = world
        .try_upload(citizen, &crate::harness::request_id(), &original.file)
        .await
        .unwrap();
    assert_eq!(document.state(), pb::DocumentState::Refused);
    assert_eq!(document.refusal.unwrap().reason, "LOCKED_BY_SIGNATURE");
}

#[tokio::test]
async fn an_intent_may_be_given_up_between_the_two_acts() {
    let world = World::present().await;
    let token = Token::named("officer-1");
    let officer = world.officer(&token).await;
    let original = signed("approval").await;
    let citizen = world.citizen();
    let id = world.accepted_file(citizen, &original.file, drawn()).await;
    let first = world.authorised(officer, std::slice::from_ref(&id)).await;
    world
        .try_seal(officer, world.sealing(officer, &first, &token.pin))
        .await
        .unwrap();
    let message = pb::AnnulIntentRequest {
        request_id: crate::harness::request_id(),
        intent_id: first[0].intent_id.clone(),
        reason: "Le certificat de l'officier prend fin.".to_owned(),
    };
    let annulled = world
        .office()
        .annul_intent(world.as_staff(officer, message))
        .await
        .unwrap()
        .into_inner();
    assert_eq!(
        annulled.register_entry.unwrap().state(),
        pb::RegisterEntryState::Annulled
    );
    // A new intent seals the document anew, under a new number.
    let again = world.authorised(officer, std::slice::from_ref(&id)).await;
    assert_eq!(again[0].register_entry.as_ref().unwrap().number, 2);
    world
        .try_seal(officer, world.sealing(officer, &again, &token.pin))
        .await
        .unwrap();
    let page = world.intents(officer).await;
    let done = world
        .try_seal(officer, world.sealing(officer, &page, &token.pin))
        .await
        .unwrap();
    assert_eq!(
        done.legalisation_requests[0].state(),
        pb::LegalisationState::Delivered
    );
}
