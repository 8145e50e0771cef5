"""Independent tools for the tests: a trust service (certomancer), a signer and a validator (pyHanko), and
writers of PDF files. One command a call, arguments as JSON, the answer as JSON on standard output."""

import base64
import io
import json
import os
import sys
from datetime import datetime, timedelta, timezone

HERE = os.path.dirname(os.path.abspath(__file__))
KEYS = {
    "root": "p256", "issuing": "p256", "officer-rsa": "rsa", "officer-p256": "p256", "officer-p384": "p384",
    "other": "p256", "revoked": "p256", "expired": "p256", "tsa": "p256", "plain": "p256", "ocsp": "p256",
}


def pki(folder):
    """Makes keys and certificates under a folder."""
    from cryptography.hazmat.primitives.asymmetric import ec, rsa
    from cryptography.hazmat.primitives import serialization as ser
    from certomancer.registry import CertLabel

    os.makedirs(os.path.join(folder, "keys"), exist_ok=True)
    for name, kind in KEYS.items():
        if kind == "rsa":
            key = rsa.generate_private_key(public_exponent=65537, key_size=3072)
        else:
            key = ec.generate_private_key(ec.SECP384R1() if kind == "p384" else ec.SECP256R1())
        pem = key.private_bytes(ser.Encoding.PEM, ser.PrivateFormat.PKCS8, ser.NoEncryption())
        der = key.private_bytes(ser.Encoding.DER, ser.PrivateFormat.PKCS8, ser.NoEncryption())
        open(os.path.join(folder, "keys", name + ".pem"), "wb").write(pem)
        open(os.path.join(folder, name + ".key"), "wb").write(der)
    architecture = open_architecture(folder)
    for name in KEYS:
        certificate = architecture.get_cert(CertLabel(name))
        open(os.path.join(folder, name + ".crt"), "wb").write(certificate.dump())
        if name == "root":
            from asn1crypto import pem
            open(os.path.join(folder, "root.pem"), "wb").write(pem.armor("CERTIFICATE", certificate.dump()))
    return {}


def open_architecture(folder):
    import yaml
    from certomancer.registry import CertomancerConfig, ArchLabel

    config = yaml.safe_load(open(os.path.join(HERE, "certomancer.yml"), encoding="utf-8"))
    config = CertomancerConfig(config, key_search_dir=folder, config_search_dir=folder)
    return config.get_pki_arch(ArchLabel("testing"))


def stamp(folder, request, service="tsa", time=None):
    """Answers an RFC 3161 request."""
    from asn1crypto import tsp
    from certomancer.registry import ServiceLabel

    architecture = open_architecture(folder)
    stamper = architecture.service_registry.summon_timestamper(ServiceLabel(service), at_time=parse_time(time))
    response = stamper.request_tsa_response(tsp.TimeStampReq.load(base64.b64decode(request)))
    return {"response": base64.b64encode(response.dump()).decode()}


def parse_time(text):
    return datetime.fromisoformat(text) if text else datetime.now(tz=timezone.utc)


def revocation(folder, time=None, crls=("root", "issuing"), ocsp=()):
    """The CRLs and OCSP answers of a time."""
    from asn1crypto import ocsp as asn1_ocsp, algos, core, x509
    from certomancer.registry import ServiceLabel, CertLabel
    import hashlib

    architecture = open_architecture(folder)
    at = parse_time(time)
    registry = architecture.service_registry
    answers = {"crls": [], "ocsps": []}
    for name in crls:
        crl = registry.get_crl(ServiceLabel(name), at_time=at)
        answers["crls"].append(base64.b64encode(crl.dump()).decode())
    for name in ocsp:
        certificate = architecture.get_cert(CertLabel(name))
        issuer = architecture.get_cert(CertLabel("issuing"))
        identifier = asn1_ocsp.CertId({
            "hash_algorithm": algos.DigestAlgorithm({"algorithm": "sha1"}),
            "issuer_name_hash": hashlib.sha1(issuer.subject.dump()).digest(),
            "issuer_key_hash": hashlib.sha1(issuer.public_key["public_key"].native
                                            if isinstance(issuer.public_key["public_key"].native, bytes)
                                            else bytes(issuer.public_key["public_key"])).digest(),
            "serial_number": certificate.serial_number,
        })
        request = asn1_ocsp.OCSPRequest({"tbs_request": {"request_list": [{"req_cert": identifier}]}})
        responder = registry.summon_responder(ServiceLabel("issuing"), at_time=at)
        response = responder.build_ocsp_response(request)
        answers["ocsps"].append(base64.b64encode(response.dump()).decode())
    return answers


def crl(folder, this_update, next_update=None, revoked=()):
    """A list of the issuing authority, as it never makes one itself."""
    from asn1crypto import crl as asn1_crl, x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    def certificate(name):
        return x509.Certificate.load(open(os.path.join(folder, name + ".crt"), "rb").read())

    def instant(text):
        return x509.Time({"utc_time": parse_time(text).replace(microsecond=0)})

    fields = {"version": "v2", "signature": {"algorithm": "sha256_ecdsa"}, "issuer": certificate("issuing").subject,
              "this_update": instant(this_update)}
    if next_update:
        fields["next_update"] = instant(next_update)
    if revoked:
        fields["revoked_certificates"] = [
            {"user_certificate": certificate(name).serial_number, "revocation_date": instant(since),
             "crl_entry_extensions": [{"extn_id": "crl_reason", "extn_value": reason}]}
            for name, since, reason in revoked]
    body = asn1_crl.TbsCertList(fields)
    key = load_pem_private_key(open(os.path.join(folder, "keys", "issuing.pem"), "rb").read(), None)
    whole = asn1_crl.CertificateList({"tbs_cert_list": body, "signature_algorithm": fields["signature"],
                                      "signature": key.sign(body.dump(), ec.ECDSA(hashes.SHA256()))})
    return {"crl": base64.b64encode(whole.dump()).decode()}


def signer(folder, name):
    from pyhanko.sign import signers
    from pyhanko_certvalidator.registry import SimpleCertificateStore
    from pyhanko.keys import load_cert_from_pemder, load_private_key_from_pemder

    store = SimpleCertificateStore()
    store.register(load_cert_from_pemder(os.path.join(folder, "issuing.crt")))
    return signers.SimpleSigner(
        signing_cert=load_cert_from_pemder(os.path.join(folder, name + ".crt")),
        signing_key=load_private_key_from_pemder(os.path.join(folder, "keys", name + ".pem"), passphrase=None),
        cert_registry=store,
    )


def sign(folder, source, target, field="Premier", certify=None, lock=None, lock_fields=(), lock_p=None, empty=(),
         visible=False, stamped=False, signer_name="other", ltv=False):
    """Signs with pyHanko, as another party would before the platform sees the file."""
    from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
    from pyhanko.sign import fields, signers
    from pyhanko.sign.fields import SigFieldSpec, FieldMDPSpec, FieldMDPAction, MDPPerm, append_signature_field

    writer = IncrementalPdfFileWriter(io.BytesIO(open(source, "rb").read()), strict=False)
    for name in empty:
        append_signature_field(writer, SigFieldSpec(name, on_page=0, box=(300, 40, 450, 90)))
    locking = None
    if lock:
        locking = FieldMDPSpec(FieldMDPAction("/" + lock), list(lock_fields) or None)
    spec = SigFieldSpec(field, field_mdp_spec=locking, doc_mdp_update_value=MDPPerm(lock_p) if lock_p else None,
                        on_page=0, box=(40, 40, 200, 90) if visible else None)
    stamper = None
    if stamped:
        stamper = local_stamper(folder)
    append_signature_field(writer, spec)
    metadata = signers.PdfSignatureMetadata(
        field_name=field, subfilter=fields.SigSeedSubFilter.PADES,
        certify=certify is not None, docmdp_permissions=MDPPerm(certify or lock_p or 2))
    output = signers.PdfSigner(metadata, signer(folder, signer_name), timestamper=stamper).sign_pdf(writer)
    open(target, "wb").write(output.getvalue())
    return {}


def raw_sign(folder, name, message):
    """An ECDSA value over SHA-256 as r and s side by side, as a PKCS#11 module gives it."""
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec, utils
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    key = load_pem_private_key(open(os.path.join(folder, "keys", name + ".pem"), "rb").read(), None)
    r, s = utils.decode_dss_signature(key.sign(base64.b64decode(message), ec.ECDSA(hashes.SHA256())))
    length = (key.curve.key_size + 7) // 8
    return {"value": base64.b64encode(r.to_bytes(length, "big") + s.to_bytes(length, "big")).decode()}


def local_stamper(folder):
    from certomancer.registry import ServiceLabel
    from pyhanko.sign.timestamps import TimeStamper

    authority = open_architecture(folder).service_registry.summon_timestamper(ServiceLabel("tsa"))

    class Local(TimeStamper):
        async def async_request_tsa_response(self, req):
            return authority.request_tsa_response(req)

    return Local()


def validate(folder, file):
    """What pyHanko says of every signature, its difference analysis included."""
    from pyhanko.pdf_utils.reader import PdfFileReader
    from pyhanko.sign.validation import validate_pdf_signature
    from pyhanko_certvalidator import ValidationContext
    from pyhanko.keys import load_cert_from_pemder

    root = load_cert_from_pemder(os.path.join(folder, "root.crt"))
    reader = PdfFileReader(open(file, "rb"), strict=True)
    answers = []
    for embedded in reader.embedded_signatures:
        context = ValidationContext(trust_roots=[root], allow_fetching=False)
        status = validate_pdf_signature(embedded, context, context)
        stamp = status.timestamp_validity
        answers.append({
            "field": embedded.field_name, "intact": status.intact, "valid": status.valid, "trusted": status.trusted,
            "bottom_line": status.bottom_line, "coverage": status.coverage.name,
            "modification": status.modification_level.name if status.modification_level else None,
            "docmdp_ok": status.docmdp_ok, "subfilter": str(embedded.sig_object.get("/SubFilter")),
            "stamp": bool(stamp and stamp.intact and stamp.valid and stamp.trusted),
            "pages": reader.root["/Pages"]["/Count"],
        })
    return answers


def augment(folder, source, target):
    """Adds a security store and a document time-stamp with pyHanko."""
    from asn1crypto import crl, ocsp
    from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
    from pyhanko.pdf_utils.reader import PdfFileReader
    from pyhanko.sign import signers
    from pyhanko.sign.validation.dss import DocumentSecurityStore
    from pyhanko.keys import load_cert_from_pemder

    answers = revocation(folder, ocsp=("officer-rsa",))
    data = open(source, "rb").read()
    writer = IncrementalPdfFileWriter(io.BytesIO(data))
    certificates = [load_cert_from_pemder(os.path.join(folder, name + ".crt"))
                    for name in ("root", "issuing", "officer-rsa", "tsa", "ocsp")]
    DocumentSecurityStore.supply_dss_in_writer(
        writer, None, certs=certificates,
        crls=[crl.CertificateList.load(base64.b64decode(item)) for item in answers["crls"]],
        ocsps=[ocsp.OCSPResponse.load(base64.b64decode(item)) for item in answers["ocsps"]])
    output = io.BytesIO()
    writer.write(output)
    writer = IncrementalPdfFileWriter(output)
    output = signers.PdfTimeStamper(local_stamper(folder)).timestamp_pdf(writer, "sha256")
    open(target, "wb").write(output.getvalue())
    return {}


def reportlab(target, pages=2, kind="plain"):
    """Contracts written with reportlab: plain, with a form and bookmarks, rotated and cropped."""
    from reportlab.lib.pagesizes import A4
    from reportlab.pdfgen import canvas

    page = canvas.Canvas(target, pagesize=A4, invariant=1, pageCompression=1)
    for number in range(pages):
        page.drawString(72, 700, f"Contrat de bail, page {number + 1}")
        page.bookmarkPage(f"p{number}")
        page.addOutlineEntry(f"Page {number + 1}", f"p{number}")
        page.linkURL("https://example.org/", (72, 690, 200, 710))
        if kind == "form":
            page.acroForm.textfield(name=f"champ{number}", x=72, y=600, width=200, height=20, value="a")
        if kind == "rotated":
            page.setPageRotation(90)
            page.setCropBox((20, 30, 575, 800))
        page.showPage()
    page.save()
    return {}


if __name__ == "__main__":
    command, arguments = sys.argv[1], json.loads(sys.argv[2])
    print(json.dumps(globals()[command](**arguments)))
