"""A second opinion for the tests on later revisions (pyHanko's difference analysis), and certificates in a mesh.
One command a call, arguments as JSON, the answer as JSON on standard output."""

import base64
import json
import sys
from datetime import datetime, timezone, timedelta


def difference(file):
    """What pyHanko says of the changes after the first signature; "REFUSED" where it does not read the file."""
    from pyhanko.pdf_utils.misc import PdfReadError
    from pyhanko.pdf_utils.reader import PdfFileReader
    from pyhanko.sign.diff_analysis import SuspiciousModification
    from pyhanko.sign.validation.errors import SignatureValidationError

    with open(file, "rb") as handle:
        try:
            embedded = PdfFileReader(handle, strict=True).embedded_signatures[0]
            embedded.compute_integrity_info()
            result, docmdp_ok = embedded.diff_result, embedded.summarise_integrity_info()["docmdp_ok"]
        except (PdfReadError, SignatureValidationError):
            return {"level": "REFUSED", "docmdp_ok": False}
        if result is None or isinstance(result, SuspiciousModification):
            return {"level": "OTHER" if result else "NONE", "docmdp_ok": docmdp_ok}
        return {"level": result.modification_level.name, "docmdp_ok": docmdp_ok}


def mesh(keys, certificates):
    """Certificates of one name: each key certifies itself so many times, and every other key once."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization as ser
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Maille")])
    made = [ec.generate_private_key(ec.SECP256R1()) for _ in range(keys)]
    start = datetime.now(tz=timezone.utc) - timedelta(days=1)
    ders = []

    def certify(subject, issuer):
        certificate = (
            x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(subject.public_key())
            .serial_number(100 + len(ders)).not_valid_before(start).not_valid_after(start + timedelta(days=900))
            .sign(issuer, hashes.SHA256()))
        ders.append(base64.b64encode(certificate.public_bytes(ser.Encoding.DER)).decode())

    for subject in made:
        for issuer in made:
            for _ in range(certificates if subject is issuer else 1):
                certify(subject, issuer)
    key = made[0].private_bytes(ser.Encoding.DER, ser.PrivateFormat.PKCS8, ser.NoEncryption())
    return {"key": base64.b64encode(key).decode(), "certificates": ders}


if __name__ == "__main__":
    command, arguments = sys.argv[1], json.loads(sys.argv[2])
    print(json.dumps(globals()[command](**arguments)))
